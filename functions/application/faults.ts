/** The faults of Iamport, DynamoDB and the bus. Each class says what the caller does next: retry, give up, or report. */

export interface FaultOptions extends ErrorOptions {
  /** See `IamportFault.notSent`. False by default. */
  readonly notSent?: boolean;
}

/** Every fault of Iamport's: nothing is known of the payment, and nothing was decided. */
export abstract class IamportFault extends Error {
  /**
   * True when the request certainly had no effect: it was not sent, or Iamport turned it away because of its token.
   * False when it was sent or may have been sent. Only a request with `notSent` may be asked for anew without a record.
   */
  readonly notSent: boolean;

  constructor(message: string, { notSent = false, ...options }: FaultOptions = {}) {
    super(message, options);
    this.notSent = notSent;
  }
}

/** Nobody could be asked, or no answer came: ask again later. Says nothing about the payment. */
export class IamportUnavailable extends IamportFault {
  override readonly name: string = 'IamportUnavailable';
}

/** Iamport answered 429: it takes no more calls for a while. Until then this instance sends none. */
export class IamportBusy extends IamportUnavailable {
  override readonly name = 'IamportBusy';
  /** Milliseconds until the next call may be sent. */
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfterMs, ...options }: FaultOptions & { readonly retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** There was no time left to ask: nothing was sent. */
export class NoTimeLeft extends IamportUnavailable {
  override readonly name = 'NoTimeLeft';

  constructor(message: string) {
    super(message, { notSent: true });
  }
}

/** Iamport understood and said no (a 4xx, or HTTP 200 with a `code` that is not 0): asking the same again does not help. */
export class IamportRefused extends IamportFault {
  override readonly name = 'IamportRefused';
  /** The HTTP status of the answer. */
  readonly status: number;

  constructor(message: string, { status, ...options }: FaultOptions & { readonly status: number }) {
    super(message, options);
    this.status = status;
  }
}

/** An answer of a shape that we do not know. Nothing is guessed from it, and the operator has to look. */
export class IamportUnexpected extends IamportFault {
  override readonly name: string = 'IamportUnexpected';
}

/** An answer with more bytes than we read. A list may be asked for in smaller pages. */
export class IamportTooLarge extends IamportUnexpected {
  override readonly name = 'IamportTooLarge';
}

/** Iamport accepted a change (`code` 0), but its answer does not show the payment. The change must not be sent again. */
export class IamportAccepted extends IamportUnexpected {
  override readonly name = 'IamportAccepted';
}

/** Marks a fault that came before the caller's own request was sent, such as one of the token's. @returns the same error */
export function markNotSent(error: unknown): unknown {
  return error instanceof IamportFault ? Object.assign(error, { notSent: true }) : error;
}

/** DynamoDB or Secrets Manager could not be asked, or did not answer: nothing is known, so ask again later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** An item that we cannot read: written by a newer version, or by hand. Nothing is guessed from it. */
export class StoreUnexpected extends Error {
  override readonly name = 'StoreUnexpected';
}

/** DynamoDB refuses to read or write this one item, such as one that would be larger than 400 KB. Other items are not affected. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The order changed under us each time: nothing is wrong, and asking again will do. */
export class OrderBusy extends Error {
  override readonly name = 'OrderBusy';
}

/** The bus gave no answer: what was sent may or may not be on it. Sending again is safe, since events carry ids. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
}

/** EventBridge refuses the event itself. Sending it again changes nothing. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/** SQS refused a call, or did not answer: the message may or may not be in the queue. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** A fault that says nothing about other payments and orders: the run goes on with them. Without DynamoDB it cannot. */
export const isItemFault = (error: unknown): error is Error =>
  error instanceof IamportFault ||
  error instanceof StoreUnexpected ||
  error instanceof StoreRefused ||
  error instanceof OrderBusy;

/**
 * The faults of Iamport, DynamoDB, EventBridge and SQS. The class decides what the caller does: retry, give up, or
 * report.
 */

export interface FaultOptions extends ErrorOptions {
  /** See `IamportFault.notSent`. False by default. */
  readonly notSent?: boolean;
}

/** Base class of the faults of Iamport. The state of the payment is unknown, and nothing was decided. */
export abstract class IamportFault extends Error {
  /**
   * True when the request certainly had no effect: it was not sent, or Iamport rejected its token.
   * False when it was sent or may have been sent. Only a request with `notSent` may be repeated without a record.
   */
  readonly notSent: boolean;

  constructor(message: string, { notSent = false, ...options }: FaultOptions = {}) {
    super(message, options);
    this.notSent = notSent;
  }
}

/** Iamport could not be reached, or returned no response. Retry later. The state of the payment is unknown. */
export class IamportUnavailable extends IamportFault {
  override readonly name: string = 'IamportUnavailable';
}

/** Iamport returned 429. This Lambda instance sends no calls until `retryAfterMs` has passed. */
export class IamportBusy extends IamportUnavailable {
  override readonly name = 'IamportBusy';
  /** Milliseconds until the next call may be sent. */
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfterMs, ...options }: FaultOptions & { readonly retryAfterMs: number }) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The deadline was over before the call. Nothing was sent. */
export class NoTimeLeft extends IamportUnavailable {
  override readonly name = 'NoTimeLeft';

  constructor(message: string) {
    super(message, { notSent: true });
  }
}

/**
 * Iamport refused the request: a 4xx, or HTTP 200 with a `code` other than 0. A repeat of the same request does not
 * help.
 */
export class IamportRefused extends IamportFault {
  override readonly name = 'IamportRefused';
  /** The HTTP status of the response. */
  readonly status: number;

  constructor(message: string, { status, ...options }: FaultOptions & { readonly status: number }) {
    super(message, options);
    this.status = status;
  }
}

/** A response in an unknown form. It is not interpreted, and the operator has to check it. */
export class IamportUnexpected extends IamportFault {
  override readonly name: string = 'IamportUnexpected';
}

/** A response with more bytes than we read. A list can be requested in smaller pages. */
export class IamportTooLarge extends IamportUnexpected {
  override readonly name = 'IamportTooLarge';
}

/**
 * Iamport accepted a change (`code` 0), but its response does not contain the payment. The change must not be sent
 * again.
 */
export class IamportAccepted extends IamportUnexpected {
  override readonly name = 'IamportAccepted';
}

/** Marks a fault before the caller's own request was sent, such as a fault of the token. @returns the same error */
export function markNotSent(error: unknown): unknown {
  return error instanceof IamportFault ? Object.assign(error, { notSent: true }) : error;
}

/** DynamoDB or Secrets Manager could not be reached, or returned no response. Retry later. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
}

/**
 * DynamoDB throttled this call: one key, one index or one table has no capacity now. Calls of other items may succeed, so
 * it is a fault of the item. Several in a row are an outage.
 */
export class StoreThrottled extends StoreUnavailable {
  override readonly name = 'StoreThrottled';
}

/**
 * Iamport accepted a cancel, and DynamoDB did not respond to the write that records it. The next attempt reads the
 * payment first. A PG that pays back later does not show the cancel there yet.
 */
export class AcceptanceNotRecorded extends Error {
  override readonly name = 'AcceptanceNotRecorded';
}

/** An item that we cannot parse: written by a newer version, or by hand. It is not interpreted. */
export class StoreUnexpected extends Error {
  override readonly name = 'StoreUnexpected';
}

/**
 * DynamoDB refuses to read or write this one item, such as one that would be larger than 400 KB. Other items are not
 * affected.
 */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** Other writers changed the item before each of our writes, or are writing it. A repeat of the request works. */
export class OrderBusy extends Error {
  override readonly name = 'OrderBusy';
}

/**
 * EventBridge returned no response: the events may or may not be on the bus. Sending them again is safe, since events
 * have ids.
 */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
}

/** EventBridge refuses the event for its content. Sending it again does not help. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/** SQS refused a call, or returned no response: the message may or may not be in the queue. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/**
 * A webhook was not sent, or the shop's server returned no response in time. The event may have been processed; receivers
 * recognise repeats by its id.
 */
export class WebhookNoResponse extends Error {
  override readonly name = 'WebhookNoResponse';
}

/** The shop's server or function returned no readable response to a confirmation in time. */
export class ShopNoResponse extends Error {
  override readonly name = 'ShopNoResponse';
}

/**
 * The call of one item got no response, or Iamport refused the keys of every call. As many in a row as there are
 * concurrent calls may be an outage.
 */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof IamportUnavailable ||
  error instanceof StoreThrottled ||
  (error instanceof IamportRefused && error.status === 401);

/** A fault of one item: the run continues with other payments and orders. Any other `StoreUnavailable` ends the run. */
export const isItemFault = (error: unknown): error is Error =>
  error instanceof IamportFault ||
  error instanceof AcceptanceNotRecorded ||
  error instanceof StoreUnexpected ||
  error instanceof StoreRefused ||
  error instanceof StoreThrottled ||
  error instanceof OrderBusy;

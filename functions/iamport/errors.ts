/** What can go wrong with Iamport, told apart by what the caller should do next. */

/** Every fault of Iamport's: nothing is known of the payment, and nothing was decided. */
export abstract class IamportFault extends Error {
  /** True when the call surely had no effect: it did not leave this process, or Iamport did not accept its token. */
  isUnsent = false;
}

/** Nobody could be asked, or no answer came: ask again later. Says nothing about the payment. */
export class IamportUnavailable extends IamportFault {
  override readonly name: string = 'IamportUnavailable';
}

/** There was no time left to ask: nothing was sent. */
export class NoTimeLeft extends IamportUnavailable {
  override readonly name = 'NoTimeLeft';
  override isUnsent = true;
}

/** Iamport understood and said no (a 4xx, or HTTP 200 with a `code` that is not 0): asking the same again does not help. */
export class IamportRefused extends IamportFault {
  override readonly name = 'IamportRefused';
  /** The HTTP status of the answer. */
  readonly status: number;

  constructor(message: string, { status, ...options }: ErrorOptions & { readonly status: number }) {
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

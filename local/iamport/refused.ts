/** A call that Iamport refuses. The API and the simulation convert it into an envelope. */

/** The HTTP status and the `code` of each kind of refusal. */
export const refusals = {
  /** No valid token, or wrong keys. */
  unauthorized: { status: 401, code: -1 },
  /** Not found. */
  unknown: { status: 404, code: -1 },
  /** A malformed call. */
  invalid: { status: 400, code: -1 },
  /** A valid call, not performed. */
  declined: { status: 200, code: 1 },
} as const;

export type RefusalKind = keyof typeof refusals;

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly kind: RefusalKind;

  /** @param message in Korean, as the real API returns it */
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const invalidToken = (): Refused => new Refused('unauthorized', '유효하지 않거나 만료된 토큰입니다.');
export const unknownPayment = (): Refused => new Refused('unknown', '존재하지 않는 결제정보입니다.');

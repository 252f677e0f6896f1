/** A call that Iamport refuses. The API converts it into an envelope. */

/**
 * - `unknown`: not found (HTTP 404)
 * - `invalid`: malformed call (HTTP 400)
 * - `declined`: valid call, not performed (HTTP 200 with a code other than 0)
 */
export type RefusalKind = 'unknown' | 'invalid' | 'declined';

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly kind: RefusalKind;

  /** @param message in Korean, as the real API returns it */
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const unknownPayment = (): Refused => new Refused('unknown', '존재하지 않는 결제정보입니다.');

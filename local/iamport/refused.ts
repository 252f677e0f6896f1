/** What Iamport says no to. The API turns it into an envelope; nobody else needs to know how. */

/**
 * - `unknown`: there is no such thing (HTTP 404)
 * - `invalid`: the call makes no sense (HTTP 400)
 * - `declined`: the call was understood and not done (HTTP 200 with a code that is not 0)
 */
export type RefusalKind = 'unknown' | 'invalid' | 'declined';

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly kind: RefusalKind;

  /** @param message in Korean, as a caller of the real API would read it */
  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const unknownPayment = (): Refused => new Refused('unknown', '존재하지 않는 결제정보입니다.');

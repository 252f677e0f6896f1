/** Access tokens by Iamport's rules: one at a time, handed out again until it ends. Knows no HTTP. */

const lifeSeconds = 30 * 60;
/** Asked for in its last minute, a token is handed out again and lives five minutes longer. */
const lastSeconds = 60;
const extensionSeconds = 5 * 60;

export interface IssuedToken {
  access_token: string;
  /** Unix seconds. */
  expired_at: number;
  /** Unix seconds by this server's clock. */
  now: number;
}

export class Tokens {
  readonly #now: () => number;
  readonly #random: () => number;
  #current: { value: string; expiredAt: number } | undefined;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  issue(): IssuedToken {
    const now = this.#seconds();
    if (!this.#current || this.#current.expiredAt <= now) {
      this.#current = { value: this.#hexadecimal(40), expiredAt: now + lifeSeconds };
    } else if (this.#current.expiredAt - now <= lastSeconds) {
      this.#current.expiredAt += extensionSeconds;
    }
    return { access_token: this.#current.value, expired_at: this.#current.expiredAt, now };
  }

  accepts(token: string): boolean {
    return token === this.#current?.value && this.#seconds() < this.#current.expiredAt;
  }

  /** Makes the token worthless before its time, so that the next call with it is answered 401. */
  forget(): void {
    this.#current = undefined;
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #hexadecimal(count: number): string {
    let text = '';
    while (text.length < count) text += eightHexadecimals(this.#random());
    return text.slice(0, count);
  }
}

/** @param random in [0, 1) */
const eightHexadecimals = (random: number) =>
  Math.floor(random * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

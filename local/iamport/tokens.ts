/** Access tokens by Iamport's rules: one at a time, returned again until it expires. Independent of HTTP. */

const lifeSeconds = 30 * 60;
/** A token requested in its last minute is returned again and expires five minutes later. */
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

  /** Invalidates the token early, so that the next call with it gets a 401. */
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

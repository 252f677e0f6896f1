/** Time as a port. Code in Lambda reads this and never the global clock, so that the simulation can control time. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Numbers in [0, 1), for jitter. */
export type Random = () => number;

/** The time budget of a request. All its calls share it. */
export interface Deadline {
  /** Milliseconds left; negative after the end. */
  leftMs(): number;
}

export function deadlineIn(clock: Clock, ms: number): Deadline {
  const end = clock.now() + ms;
  return { leftMs: () => end - clock.now() };
}

/** Unix seconds, the unit of every time that is stored or sent. */
export const unixSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);

/** For the AWS SDK, which takes times as dates. @param seconds Unix seconds */
export const dateOf = (seconds: number): Date => new Date(seconds * 1000);

/** @returns milliseconds since 1970 of an HTTP date (RFC 9110); NaN for any other text */
const httpDate = (text: string): number => Date.parse(text);

/**
 * @param header `retry-after`: seconds, or an HTTP date (RFC 9110)
 * @param now milliseconds since 1970
 * @returns milliseconds from now on; 0, NaN or less for a header that asks for no wait or cannot be read
 */
export function retryAfterMs(header: string | undefined, now: number): number {
  const text = header?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
}

import type { Clock, Random } from '../shared/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Lets whatever has arrived meanwhile go first: a turn of Node.js’s event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const systemRandom: Random = () => Math.random();

/** For the AWS SDK, which takes times as dates. @param seconds Unix seconds */
export const dateOf = (seconds: number): Date => new Date(seconds * 1000);

/** @returns milliseconds since 1970 of an HTTP date (RFC 9110); NaN for any other text */
export const httpDate = (text: string): number => Date.parse(text);

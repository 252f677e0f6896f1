/** The system's clock, timers and random numbers. */

import type { Clock, Random } from '../shared/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Waits one turn of the event loop, so that pending I/O is handled first. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const systemRandom: Random = () => Math.random();

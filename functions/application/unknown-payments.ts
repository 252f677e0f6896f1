/** Caches the 404s of Iamport, so that repeated requests with one id cost one call. */

import type { Clock } from '../shared/clock.ts';
import type { UnknownPayments } from './ports/iamport.ts';

/** A buyer repeats a request later than this. A payment that begins meanwhile is found after it. Milliseconds. */
const keptMs = 10_000;
/** A new entry evicts the oldest one. 500 ids take about 50 KB. */
const maxEntries = 500;

export function createUnknownPayments(clock: Clock): UnknownPayments {
  /** Ordered by their ends: every entry has the same lifetime. */
  const ends = new Map<string, number>();
  const keyOf = (impUid: string, tier = '') => `${impUid} ${tier}`;
  return {
    has: (impUid, tier) => (ends.get(keyOf(impUid, tier)) ?? 0) > clock.now(),
    add(impUid, tier) {
      const key = keyOf(impUid, tier);
      ends.delete(key);
      ends.set(key, clock.now() + keptMs);
      const [oldest] = ends.keys();
      if (ends.size > maxEntries && oldest !== undefined) ends.delete(oldest);
    },
  };
}

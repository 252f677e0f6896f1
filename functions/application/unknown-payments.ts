import type { Clock } from '../shared/clock.ts';
import type { UnknownPayments } from './ports.ts';

/** A buyer's repeat comes later than this; a payment that begins meanwhile is found after it. Milliseconds. */
const keptMs = 10_000;
/** The oldest entry gives way to a new one: 500 ids take about 50 KB. */
const maxEntries = 500;

export function unknownPaymentsBy(clock: Clock): UnknownPayments {
  /** In the order of their ends: every entry lives equally long. */
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

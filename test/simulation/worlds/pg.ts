/** What a PG does with a cancel that Iamport has let through: later, under other words, or in spite of its own refusal. */

import { hundredths } from '../../../local/iamport/payment.ts';
import type { Reached } from '../coverage.ts';
import type { Time } from '../time.ts';
import type { Worlds } from './choice.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How long a slow PG takes; milliseconds. */
const delays = {
  minutes: [minute, 30 * minute],
  hours: [hour, 8 * hour],
  days: [24 * hour, 70 * hour],
} as const;

/** No key of a refund is cut off at this length. Bytes of UTF-8. */
const shortestCut = 24;

export class Pg {
  readonly #worlds: Worlds;
  readonly #time: Time;
  readonly #reached: Reached;
  readonly #isSlow: boolean;
  readonly #denies: boolean;
  readonly #rewords: boolean;

  constructor(worlds: Worlds, time: Time, reached: Reached) {
    this.#worlds = worlds;
    this.#time = time;
    this.#reached = reached;
    this.#isSlow = worlds.has('slow pg');
    this.#denies = worlds.has('pg denies');
    this.#rewords = worlds.has('pg words');
  }

  /** The reason as the payment's history shows it. */
  storedReason(reason: string): string {
    if (!this.#rewords) return reason;
    const { chance } = this.#worlds;
    const how = chance.pick({ same: 2, cut: 4, trimmed: 2, 'without wide characters': 2, ascii: 2 });
    this.#reached.count(`pg words: ${how}`);
    switch (how) {
      case 'same':
        return reason;
      case 'cut':
        return cutTo(reason, chance.whole(shortestCut, 100));
      case 'trimmed':
        return reason.trim();
      case 'without wide characters':
        return reason.replace(/[\u{10000}-\u{10ffff}]/gu, '?');
      case 'ascii':
        return reason.replace(/[^ -~]/gu, '?');
    }
  }

  /** @returns how long the PG takes; undefined when it performs the cancel at once. Milliseconds */
  delay(): number | undefined {
    const { chance } = this.#worlds;
    if (!this.#isSlow || !chance.is(0.6)) return undefined;
    const how = chance.pick({ minutes: 4, hours: 3, days: 2 });
    this.#reached.count(`slow pg: ${how}`);
    const [least, most] = delays[how];
    return chance.whole(least, most);
  }

  /** The PG refuses a cancel that it performs. @returns how long until it performs it; undefined when it refuses nothing. Milliseconds */
  denial(): number | undefined {
    const { chance } = this.#worlds;
    if (!this.#denies || !chance.is(0.5)) return undefined;
    const isAtOnce = chance.is(0.5);
    this.#reached.count(`pg denies: ${isAtOnce ? 'performs at once' : 'performs later'}`);
    return isAtOnce ? 0 : chance.whole(5 * second, 200 * second);
  }

  after(ms: number, act: () => void): void {
    this.#time.after(ms, act);
  }
}

/** Cut at a byte, as a PG with a column of bytes does; a character that is cut in two is lost. */
function cutTo(text: string, bytes: number): string {
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) return kept;
    kept += character;
  }
  return kept;
}

/** An amount as a computer shows it that counts in binary fractions. Major units. */
export function noisy(amount: number): number {
  if (amount === 0) return amount;
  const sum = (amount * 3) / 3 + amount * Number.EPSILON;
  return hundredths(sum) === hundredths(amount) ? sum : amount;
}

/** How a PG handles a cancel that Iamport accepted: it performs it later, changes the reason, or performs it although it refused. */

import { hundredths } from '../../../local/iamport/payment.ts';
import type { Coverage } from '../coverage.ts';
import type { Time } from '../time.ts';
import { hour, minute, second } from '../units.ts';
import type { Worlds } from './choice.ts';

/** The delays of a slow PG; milliseconds. */
const delays = {
  minutes: [minute, 30 * minute],
  hours: [hour, 8 * hour],
  days: [24 * hour, 70 * hour],
} as const;

/** At this length the key of a refund is still whole. Bytes of UTF-8. */
const shortestCut = 24;

export class Pg {
  readonly #worlds: Worlds;
  readonly #time: Time;
  readonly #coverage: Coverage;
  readonly #isSlow: boolean;
  readonly #denies: boolean;
  readonly #changesReasons: boolean;
  readonly #losesCancels: boolean;
  readonly #losesAnswers: boolean;
  readonly #forgetsCancels: boolean;
  readonly #killsCancels: boolean;
  readonly #losesRefunds: boolean;
  readonly #refusesOnce: boolean;
  /** No instance dies from then on; milliseconds since 1970. */
  readonly #end: number;
  /** How often the cancel of a rejected payment was sent. */
  readonly #attempts = new Map<string, number>();
  /** Payments with a cancel. */
  readonly #cancelled = new Set<string>();
  /** Payments of which the PG has answered the first cancel of a reversal, or the first revocation. */
  readonly #answered = new Set<string>();

  /** @param forMs how long faults happen */
  constructor(worlds: Worlds, { time, coverage }: { time: Time; coverage: Coverage }, forMs: number) {
    this.#worlds = worlds;
    this.#time = time;
    this.#coverage = coverage;
    this.#isSlow = worlds.has('slow pg');
    this.#denies = worlds.has('pg denies');
    this.#changesReasons = worlds.has('pg words');
    this.#losesCancels = worlds.has('lost cancels');
    this.#losesAnswers = worlds.has('late refunds');
    this.#forgetsCancels = worlds.has('pg forgets');
    this.#killsCancels = worlds.has('dead cancels');
    this.#losesRefunds = worlds.has('repeated refunds');
    this.#refusesOnce = worlds.has('redeployed');
    this.#end = time.now + forMs;
  }

  /** The reason as the payment's history contains it. */
  storedReason(reason: string): string {
    if (!this.#changesReasons) return reason;
    const { random } = this.#worlds;
    const how = random.pick({ same: 2, cut: 4, trimmed: 2, 'without wide characters': 2, ascii: 2 });
    this.#coverage.count(`pg words: ${how}`);
    switch (how) {
      case 'same':
        return reason;
      case 'cut':
        return cutTo(reason, random.whole(shortestCut, 100));
      case 'trimmed':
        return reason.trim();
      case 'without wide characters':
        return reason.replace(/[\u{10000}-\u{10ffff}]/gu, '?');
      case 'ascii':
        return reason.replace(/[^ -~]/gu, '?');
    }
  }

  /** @returns the delay of the PG; undefined when it performs the cancel at once. Milliseconds */
  delay(): number | undefined {
    const { random } = this.#worlds;
    if (!this.#isSlow || !random.is(0.6)) return undefined;
    const how = random.pick({ minutes: 4, hours: 3, days: 2 });
    this.#coverage.count(`slow pg: ${how}`);
    const [min, max] = delays[how];
    return random.whole(min, max);
  }

  /** The PG refuses a cancel, but performs it. @returns the delay until then; undefined when it does not refuse. Milliseconds */
  denial(): number | undefined {
    const { random } = this.#worlds;
    if (!this.#denies || !random.is(0.5)) return undefined;
    const isAtOnce = random.is(0.5);
    this.#coverage.count(`pg denies: ${isAtOnce ? 'performs at once' : 'performs later'}`);
    return isAtOnce ? 0 : random.whole(5 * second, 200 * second);
  }

  /** Draws whether the PG never performs the cancel of a rejected payment. */
  forgets(): boolean {
    if (!this.#forgetsCancels || !this.#worlds.random.is(0.8)) return false;
    this.#coverage.count('pg forgets: a cancel');
    return true;
  }

  /** A cancel is sent. @returns what happens to the call, if anything */
  accidentOfCancel(impUid: string, isRefund: boolean): 'fails before' | 'fails after' | 'dies after' | undefined {
    if (this.#killsCancels && !isRefund) return this.#kills(impUid) ? 'dies after' : undefined;
    return isRefund || !this.#losesRefunds ? this.#losesCancel(impUid) : undefined;
  }

  /** The second cancel of a rejected payment, while faults happen. */
  #kills(impUid: string): boolean {
    const attempts = (this.#attempts.get(impUid) ?? 0) + 1;
    this.#attempts.set(impUid, attempts);
    if (attempts !== 2 || this.#time.now >= this.#end) return false;
    this.#coverage.count('dead cancel: the instance');
    return true;
  }

  /** The first cancel of a payment. @returns which part of the call is lost, if any */
  #losesCancel(impUid: string): 'fails before' | 'fails after' | undefined {
    if (this.#losesRefunds && !this.#cancelled.has(impUid)) {
      this.#cancelled.add(impUid);
      this.#coverage.count('repeated refund: the request');
      return 'fails before';
    }
    if (!(this.#losesCancels || this.#losesAnswers) || this.#cancelled.has(impUid)) return undefined;
    this.#cancelled.add(impUid);
    if (this.#losesAnswers) {
      this.#coverage.count('late refund: the answer');
      return 'fails after';
    }
    const { random } = this.#worlds;
    if (!random.is(0.7)) return undefined;
    const isSent = random.is(0.4);
    this.#coverage.count(`lost cancel: the ${isSent ? 'answer' : 'request'}`);
    return isSent ? 'fails after' : 'fails before';
  }

  /**
   * Draws whether the PG refuses a cancel. It may be the repeat of one whose answer was lost.
   * @param impUid of a rejected payment; undefined for a refund
   */
  refuses(impUid: string | undefined): boolean {
    if (this.#killsCancels && impUid !== undefined && this.#attempts.get(impUid) === 1) {
      this.#coverage.count('dead cancel: a refusal');
      return true;
    }
    if (this.#refusesOnce && impUid !== undefined && !this.#answered.has(impUid)) {
      this.#answered.add(impUid);
      if (this.#worlds.random.is(0.4)) {
        this.#coverage.count('redeployed: the PG refuses a cancel once');
        return true;
      }
    }
    if (!this.#losesAnswers || !this.#worlds.random.is(0.3)) return false;
    this.#coverage.count('late refund: a refusal');
    return true;
  }

  after(ms: number, act: () => void): void {
    this.#time.after(ms, act);
  }
}

/** Cuts at a byte, as a PG with a byte-sized column does. A character that would be cut in two is dropped. */
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

/** An amount with the rounding error of binary fractions. Major units. */
export function noisy(amount: number): number {
  if (amount === 0) return amount;
  const sum = (amount * 3) / 3 + amount * Number.EPSILON;
  return hundredths(sum) === hundredths(amount) ? sum : amount;
}

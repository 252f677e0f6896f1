/**
 * Pages of Iamport's lists that fail: they are larger than the client reads, or Iamport refuses them. Single payments cause it: a
 * browser chooses the length of their `custom_data`. The pages of one order's payments are only too large.
 */

import type { Payment } from '../../../local/iamport/payment.ts';
import type { Coverage } from '../coverage.ts';
import type { Worlds } from './choice.ts';

/** The largest weight of a page that the client reads. A payment weighs at least 1. */
const largestPage = 40;
/** Of the payments of one order, which has fewer. No payment weighs more. */
const largestPageOfOrder = 25;

export class Lists {
  readonly #worlds: Worlds;
  readonly #coverage: Coverage;
  readonly isOn: boolean;
  readonly #weights = new Map<string, number>();
  /** A payment that makes every page with it fail, and how the page fails. */
  #poison: { readonly impUid: string; readonly how: 'too large' | 'refused'; readonly isForEver: boolean } | undefined;
  isCalm = false;

  constructor(worlds: Worlds, coverage: Coverage) {
    this.#worlds = worlds;
    this.#coverage = coverage;
    this.isOn = worlds.has('lists');
  }

  /** A payment window was opened. @param isWithoutOrder it belongs to no order, or was never paid */
  opened(impUid: string, isWithoutOrder: boolean): void {
    if (!this.isOn) return;
    const { random } = this.#worlds;
    this.#weights.set(impUid, random.is(0.3) ? random.whole(10, 25) : 1);
    if (this.#poison || !isWithoutOrder || !random.is(0.3)) return;
    const how = random.pick({ 'too large': 1, refused: 1 });
    this.#poison = { impUid, how, isForEver: random.is(0.7) };
  }

  /** No list contains this payment, now or later. */
  hides(impUid: string): boolean {
    return this.#poison?.impUid === impUid && this.#poison.isForEver;
  }

  /** @returns how a page with these payments fails; undefined when it does not */
  fault(page: readonly Payment[]): 'too large' | 'refused' | undefined {
    if (!this.isOn) return undefined;
    const fault = this.#faultOf(page, largestPage);
    if (fault) this.#coverage.count(`page: ${fault}`);
    return fault;
  }

  /** The same for a page of the payments of one order. */
  isTooLarge(page: readonly Payment[]): boolean {
    const isTooLarge = this.isOn && this.#faultOf(page, largestPageOfOrder) === 'too large';
    if (isTooLarge) this.#coverage.count('payments of an order: too large');
    return isTooLarge;
  }

  #faultOf(page: readonly Payment[], largest: number): 'too large' | 'refused' | undefined {
    const poison = this.#poison;
    const isPoisoned = poison && (poison.isForEver || !this.isCalm);
    if (isPoisoned && page.some(({ imp_uid }) => imp_uid === poison.impUid)) return poison.how;
    const weight = page.reduce((sum, { imp_uid }) => sum + (this.#weights.get(imp_uid) ?? 1), 0);
    return weight > largest ? 'too large' : undefined;
  }
}

/**
 * Pages of Iamport's lists that do not come: they are larger than the client reads, or Iamport refuses to show them. What does it is
 * in single payments: a browser chooses how long their `custom_data` is.
 */

import type { Payment } from '../../../local/iamport/payment.ts';
import type { Reached } from '../coverage.ts';
import type { Worlds } from './choice.ts';

/** How much of a page is read; a payment weighs at least 1. */
const largestPage = 40;

export class Lists {
  readonly #worlds: Worlds;
  readonly #reached: Reached;
  readonly isOn: boolean;
  readonly #weights = new Map<string, number>();
  /** A payment that no page may contain, and what becomes of a page that does. */
  #poison: { readonly impUid: string; readonly how: 'too large' | 'refused'; readonly isForEver: boolean } | undefined;
  isCalm = false;

  constructor(worlds: Worlds, reached: Reached) {
    this.#worlds = worlds;
    this.#reached = reached;
    this.isOn = worlds.has('lists');
  }

  /** A window was opened. @param isOfStranger it belongs to no order */
  opened(impUid: string, isOfStranger: boolean): void {
    if (!this.isOn) return;
    const { chance } = this.#worlds;
    this.#weights.set(impUid, chance.is(0.3) ? chance.whole(10, 25) : 1);
    if (this.#poison || !isOfStranger || !chance.is(0.3)) return;
    const how = chance.pick({ 'too large': 1, refused: 1 });
    this.#poison = { impUid, how, isForEver: chance.is(0.7) };
  }

  /** No list shows this payment, and none will. */
  hides(impUid: string): boolean {
    return this.#poison?.impUid === impUid && this.#poison.isForEver;
  }

  /** @returns what becomes of a page with these payments, if it does not come */
  fault(page: readonly Payment[]): 'too large' | 'refused' | undefined {
    if (!this.isOn) return undefined;
    const fault = this.#faultOf(page);
    if (fault) this.#reached.count(`page: ${fault}`);
    return fault;
  }

  #faultOf(page: readonly Payment[]): 'too large' | 'refused' | undefined {
    const poison = this.#poison;
    const isPoisoned = poison && (poison.isForEver || !this.isCalm);
    if (isPoisoned && page.some(({ imp_uid }) => imp_uid === poison.impUid)) return poison.how;
    const weight = page.reduce((sum, { imp_uid }) => sum + (this.#weights.get(imp_uid) ?? 1), 0);
    return weight > largestPage ? 'too large' : undefined;
  }
}

/**
 * S14 a refund gives back once (with `books.ts`), unless the answer to its first cancel was lost and the PG had not performed it yet
 * S19 a request that Iamport accepted, and whose acceptance was recorded, is not sent again while the PG has not performed it; one for
 *     a deposit or a phone payment also not after a lost answer, unless the shop asks again with the same key
 * S20 a refund is refused for good only when it gave nothing, and it gives nothing afterwards
 * L16 a refund that gave money back is done in the end
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';

/** A cancel or a revocation that Iamport answered with `code: 0`. */
interface Accepted {
  isPending: boolean;
  /** The instance that received the answer. */
  heardBy: Instance | undefined;
  /** That instance has written the item after it received the answer. */
  isRecorded: boolean;
}

/** These methods pay back on the next business day, and Iamport shows nothing of it until then. */
const deferredMethods = new Set(['vbank', 'phone']);

export class Once {
  readonly #judge: Judge;
  /** By the key of the item: `imp_uid` of a reversal, `<imp_uid>/<key>` of a refund. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #gave = new Set<string>();
  readonly #refused = new Set<string>();
  /** Sent again after a lost answer, while the PG had not performed the first: nothing that can be read shows it. */
  readonly #unseen = new Set<string>();
  /** How many attempts the item had when it was last written. */
  readonly #attempts = new Map<string, string | undefined>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** An instance sends a cancel or a revocation. */
  sending(id: string, payMethod: string, from: Instance): void {
    const before = this.#accepted.get(id);
    if (!before) return;
    this.#judge.judged('S19');
    if (before.isPending && !before.isRecorded) this.#unseen.add(id);
    const broken = (why: string) => this.#judge.broken('S19', `${id} is sent again by ${from.name}: ${why}`);
    if (before.isPending && before.isRecorded) broken('it was accepted and recorded');
    else if (deferredMethods.has(payMethod) && id.includes('/') && !from.name.startsWith('refunds')) {
      broken(`its answer was lost, and a ${payMethod} payment shows nothing of it`);
    }
  }

  /** Money arrived on an account: whatever was to become of it before is void. */
  paidInto(impUid: string): void {
    this.#accepted.delete(impUid);
  }

  accepted(id: string, isPending: boolean): void {
    this.#accepted.set(id, { isPending, heardBy: undefined, isRecorded: false });
    if (isPending) this.#judge.judged('accepted, performed later');
  }

  /** The answer `code: 0` has reached an instance that lives. */
  heard(id: string, by: Instance): void {
    const accepted = this.#accepted.get(id);
    if (accepted) accepted.heardBy = by;
  }

  /** The PG has taken money off a payment. */
  gave(id: string): void {
    const accepted = this.#accepted.get(id);
    if (accepted) accepted.isPending = false;
    if (!id.includes('/')) return;
    if (this.#gave.has(id) && !this.#unseen.has(id)) {
      this.#judge.broken('S14', `the refund ${id} gave back twice`);
    }
    this.#gave.add(id);
    if (this.#refused.has(id)) this.#judge.broken('S20', `the refund ${id} was refused, and gives back`);
  }

  hasGiven(id: string): boolean {
    return this.#gave.has(id);
  }

  /** An item of the table of reversals was written. */
  written(id: string, after: Item | undefined, by: Instance): void {
    const accepted = this.#accepted.get(id);
    const attempts = after?.attempts?.N;
    // A further attempt is announced, and the acceptance of the earlier one is not recorded.
    const isNext = this.#attempts.has(id) && this.#attempts.get(id) !== attempts;
    this.#attempts.set(id, attempts);
    if (accepted?.heardBy === by && !isNext) accepted.isRecorded = true;
    if (after?.kind?.S !== 'refund') return;
    if (after.state?.S !== 'refused') {
      this.#refused.delete(id);
      return;
    }
    this.#refused.add(id);
    this.#judge.judged('S20');
    if (this.#gave.has(id)) this.#judge.broken('S20', `the refund ${id} gave back, and is refused`);
  }

  /** @param stateOf the state of a refund's item; undefined where nothing is demanded of it */
  balance(stateOf: (id: string) => string | undefined): void {
    for (const id of this.#gave) {
      const state = stateOf(id);
      if (state === undefined) continue;
      this.#judge.judged('L16');
      if (state !== 'done') this.#judge.broken('L16', `the refund ${id} gave back, and is ${state}`);
    }
  }
}

/** The key of a refund by the shop's words, which the simulation puts the key into; cancels of ours that are no refunds have none. */
export const keyIn = (reason: string | undefined): string | undefined => /key-\d+/.exec(reason ?? '')?.[0];

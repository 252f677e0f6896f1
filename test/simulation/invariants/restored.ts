/** Attributes that the shop overwrites in its own table: L14 (invariants.ts). */

import { type Entry, entryOf } from '../entry.ts';
import type { Judge } from '../judge.ts';
import type { Change } from '../table.ts';

export class Restored {
  readonly #judge: Judge;
  /** The last revision that we wrote; by `merchant_uid`. */
  readonly #revisions = new Map<string, number>();
  readonly #overwritten = new Set<string>();
  /** Orders that began again at a low revision before their state was restored. Their history has two beginnings. */
  readonly lost = new Set<string>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** The shop has written a whole item. */
  shopWrote({ merchantUid, revision }: Entry): void {
    const known = this.#revisions.get(merchantUid) ?? 0;
    if (revision < known) this.#overwritten.add(merchantUid);
    else this.#overwritten.delete(merchantUid);
  }

  /** The shop has overwritten the item, and its state is not restored. */
  isOverwritten(merchantUid: string): boolean {
    return this.#overwritten.has(merchantUid) || this.lost.has(merchantUid);
  }

  /** Our code has written an order. @returns whether the shop had overwritten it: the write restores it, or begins again */
  weWrote({ merchantUid, revision }: Entry, byPublisher: boolean): boolean {
    const known = this.#revisions.get(merchantUid) ?? 0;
    const wasOverwritten = this.#overwritten.delete(merchantUid);
    if (wasOverwritten && !byPublisher) this.lost.add(merchantUid);
    if (byPublisher) {
      this.#judge.judged('restored');
      // A lost order has two beginnings, and either may be restored.
      const isLost = this.lost.has(merchantUid);
      if (revision !== known && !isLost)
        this.#judge.broken('L14', `${merchantUid} is restored to ${revision} of ${known}`);
    }
    this.#revisions.set(merchantUid, Math.max(known, revision));
    return wasOverwritten;
  }

  /** The publisher has processed a record. @param current returns the current order */
  delivered({ before, after }: Change, current: (merchantUid: string) => Entry | undefined): void {
    if (!before || !after) return;
    const [old, now] = [entryOf(before), entryOf(after)];
    const { merchantUid } = now;
    if (now.revision >= old.revision || this.lost.has(merchantUid)) return;
    this.#judge.judged('L14');
    const order = current(merchantUid);
    if (order && order.revision < old.revision) {
      this.#judge.broken(
        'L14',
        `${merchantUid} had revision ${old.revision}, and still has ${order.revision} of the shop's write`,
      );
    }
  }
}

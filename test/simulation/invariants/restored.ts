/**
 * L14 what the shop takes away by writing its item whole is written back once the publisher has worked off that record of the stream
 */

import { type Entry, entryOf } from '../entry.ts';
import type { Judge } from '../judge.ts';
import type { Change } from '../table.ts';

export class Restored {
  readonly #judge: Judge;
  /** The last revision that we wrote; by `merchant_uid`. */
  readonly #revisions = new Map<string, number>();
  readonly #taken = new Set<string>();
  /** Orders that began anew before their state was restored: their books have two beginnings. */
  readonly lost = new Set<string>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** The shop has written its item whole. */
  shopWrote({ merchantUid, revision }: Entry): void {
    const known = this.#revisions.get(merchantUid) ?? 0;
    if (revision < known) this.#taken.add(merchantUid);
    else this.#taken.delete(merchantUid);
  }

  /** We have written an order. @returns whether the write gave back what the shop had taken, or began anew without it */
  weWrote({ merchantUid, revision }: Entry, byPublisher: boolean): boolean {
    const known = this.#revisions.get(merchantUid) ?? 0;
    const wasTaken = this.#taken.delete(merchantUid);
    if (wasTaken && !byPublisher) this.lost.add(merchantUid);
    if (byPublisher) {
      this.#judge.judged('restored');
      // An order that began anew has two beginnings, and either may be restored.
      const isLost = this.lost.has(merchantUid);
      if (revision !== known && !isLost)
        this.#judge.broken('L14', `${merchantUid} is restored to ${revision} of ${known}`);
    }
    this.#revisions.set(merchantUid, Math.max(known, revision));
    return wasTaken;
  }

  /** The publisher has worked off a record. @param current the order as it is now */
  delivered({ before, after }: Change, current: (merchantUid: string) => Entry | undefined): void {
    if (!before || !after) return;
    const [old, now] = [entryOf(before), entryOf(after)];
    const { merchantUid } = now;
    if (now.revision >= old.revision || this.lost.has(merchantUid)) return;
    this.#judge.judged('L14');
    const order = current(merchantUid);
    if (order && order.revision < old.revision) {
      this.#judge.broken('L14', `${merchantUid} had revision ${old.revision}, and the shop left ${order.revision}`);
    }
  }
}

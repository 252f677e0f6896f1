/** The checks of the reconciler: L12, S26 and S27 (invariants.ts). */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';

/** The latest check of a due item; seconds. */
const checkWithin = 3_600;
/** Two runs may overlap, and one reads a payment that the other has just recorded. Seconds. */
const overlap = 300;
/** L12 applies only after so many runs. */
const minRuns = 3;

export interface DueItem {
  readonly key: string;
  /** Unix seconds. */
  readonly dueAt: number;
  readonly item: Item;
}

export class Attempted {
  readonly #judge: Judge;
  /** When the reconciler last read or wrote an item; Unix seconds, by the item's key. */
  readonly #checkedAt = new Map<string, number>();
  /** The beginnings of the runs; Unix seconds. */
  readonly #runs: number[] = [];

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** An instance has read an item, or written it. */
  accessed(key: string, by: Instance, nowSeconds: number): void {
    if (by.name.startsWith('reconcile')) this.#checkedAt.set(key, nowSeconds);
  }

  /** The reconciler reads a payment at Iamport. @param isNeeded its order is registered, or a refund of it is open */
  requested(impUid: string, recorded: Item | undefined, isNeeded: boolean, nowSeconds: number): void {
    if (recorded?.kind?.S !== 'orphan') return;
    this.#judge.judged('S26');
    if (isNeeded || Number(recorded.created_at?.N) > nowSeconds - overlap) return;
    this.#judge.broken('S26', `${impUid} has no order, is recorded, and is read again`);
  }

  /**
   * A run has ended, its instance is alive, and Iamport answered.
   * @param due the items with a next check
   * @param calls how many calls the run made, and the limit
   */
  ran(began: number, nowSeconds: number, due: Iterable<DueItem>, calls: { made: number; max: number }): void {
    this.#runs.push(began);
    if (calls.made > calls.max) this.#judge.broken('S27', `a run made ${calls.made} calls; the limit is ${calls.max}`);
    for (const { key, dueAt } of due) {
      const since = Math.max(dueAt, this.#checkedAt.get(key) ?? 0);
      if (nowSeconds - since <= checkWithin) continue;
      this.#judge.judged('L12');
      const runs = this.#runs.filter((run) => run > since);
      const first = runs[0] ?? nowSeconds;
      if (runs.length >= minRuns && nowSeconds - first > checkWithin) {
        this.#judge.broken(
          'L12',
          `${key} is due for ${nowSeconds - since} s, and ${runs.length} runs did not check it`,
        );
      }
    }
  }
}

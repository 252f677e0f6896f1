/**
 * L12 what is due is looked at within an hour of runs that found Iamport, whatever else is due or unreadable
 * S26 a payment without an order is not asked about by the reconciler once it is recorded, until its order is registered
 * S27 a run makes a bounded number of calls for what is due and for what has changed
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';

/** Seconds. */
const bound = 3_600;
/** Two runs may overlap, and one of them has recorded what the other asks about. Seconds. */
const overlap = 300;
/** The bound counts only when so many runs took place in it. */
const fewestRuns = 3;

export interface DueItem {
  readonly key: string;
  /** Unix seconds. */
  readonly dueAt: number;
  readonly item: Item;
}

export class Attempted {
  readonly #judge: Judge;
  /** When the reconciler last read or wrote an item; Unix seconds, by the item's key. */
  readonly #looked = new Map<string, number>();
  /** When the runs that took place began; Unix seconds. */
  readonly #runs: number[] = [];

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** An instance has asked the table for an item, or written it. */
  looked(key: string, by: Instance, nowSeconds: number): void {
    if (by.name.startsWith('reconcile')) this.#looked.set(key, nowSeconds);
  }

  /** The reconciler asks Iamport about a payment. @param hasOrder its order is registered */
  asked(impUid: string, recorded: Item | undefined, hasOrder: boolean, nowSeconds: number): void {
    if (recorded?.kind?.S !== 'orphan') return;
    this.#judge.judged('S26');
    // Its order was to be registered.
    if (recorded.check_at) return;
    if (hasOrder || Number(recorded.created_at?.N) > nowSeconds - overlap) return;
    this.#judge.broken('S26', `${impUid} has no order, is recorded, and is asked about again`);
  }

  /**
   * A run has ended which lived to its end and found Iamport.
   * @param calls how many calls it made
   * @param most how many were reasonable
   */
  ran(began: number, nowSeconds: number, due: Iterable<DueItem>, calls: { made: number; most: number }): void {
    this.#runs.push(began);
    if (calls.made > calls.most) this.#judge.broken('S27', `a run made ${calls.made} calls, and ${calls.most} will do`);
    for (const { key, dueAt } of due) {
      const since = Math.max(dueAt, this.#looked.get(key) ?? 0);
      if (nowSeconds - since <= bound) continue;
      this.#judge.judged('L12');
      const runs = this.#runs.filter((run) => run > since);
      const first = runs[0] ?? nowSeconds;
      if (runs.length >= fewestRuns && nowSeconds - first > bound) {
        this.#judge.broken('L12', `${key} is due since ${nowSeconds - since} s, and ${runs.length} runs left it`);
      }
    }
  }
}

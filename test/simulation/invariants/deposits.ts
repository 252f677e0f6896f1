/** Deposits that the bank takes back: L13 and L17 (invariants.ts). */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Entry } from '../entry.ts';
import type { Truth } from '../iamport.ts';
import type { Judge } from '../judge.ts';

/** The planned checks; seconds after the deposit. */
const checks = [600, 3_600, 21_600, 86_400, 259_200] as const;
/** The index lags, and clocks differ. Seconds. */
const tolerance = 120;
/** The longest delay of a check after one that failed. Seconds. */
const longestPostponement = 21_600;

interface Taken {
  readonly merchantUid: string;
  /** Unix seconds. */
  readonly paidAt: number;
  readonly takenAt: number;
}

export class Deposits {
  readonly #judge: Judge;
  readonly #taken = new Map<string, Taken>();
  /** When the current revision of a paid order was written first; Unix seconds, by `merchant_uid`. */
  readonly #writtenPaid = new Map<string, number>();
  readonly #paidRevision = new Map<string, number>();
  /** When the last run with faults began; Unix seconds. */
  #faultyRunAt = Number.NEGATIVE_INFINITY;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  takenBack(impUid: string, taken: Taken): void {
    this.#taken.set(impUid, taken);
  }

  returned(impUid: string): void {
    this.#taken.delete(impUid);
  }

  orderWritten({ merchantUid, status, revision }: Entry, nowSeconds: number): void {
    // A check writes the order again at the same revision, and the checks stay planned from the first write.
    if (status !== 'paid' || this.#paidRevision.get(merchantUid) === revision) return;
    this.#paidRevision.set(merchantUid, revision);
    this.#writtenPaid.set(merchantUid, nowSeconds);
  }

  /**
   * A run has ended, its instance is alive, and Iamport answered.
   * @param began Unix seconds
   * @param hadFaults calls of the run failed, so checks may be postponed
   */
  ran(began: number, hadFaults: boolean, entryOf: (merchantUid: string) => Entry | undefined): void {
    if (hadFaults) {
      this.#faultyRunAt = began;
      return;
    }
    for (const [impUid, { merchantUid, paidAt, takenAt }] of this.#taken) {
      const order = entryOf(merchantUid);
      if (order?.status !== 'paid' || order.impUid !== impUid) continue;
      // The checks are planned from the deposit, or from our first write of it.
      const due = [paidAt, this.#writtenPaid.get(merchantUid) ?? paidAt].map((from) => nextCheck(from, takenAt));
      if (due.includes(undefined)) continue;
      this.#judge.judged('L13');
      const planned = Math.max(...(due as number[]));
      // A check that failed is postponed by a quarter of the time since the deposit, 5 minutes to 6 hours.
      const postponement = Math.min(Math.max((this.#faultyRunAt - paidAt) / 4, 300), longestPostponement);
      const latest = Math.max(planned, this.#faultyRunAt + postponement) + tolerance;
      if (began > latest) {
        this.#judge.broken(
          'L13',
          `${merchantUid} is paid by ${impUid}, which the bank took back ${Math.floor(began - takenAt)} s ago`,
        );
      }
    }
  }

  /** @param item a reversal */
  checkLiveness(item: Item, truth: Truth | undefined): void {
    const isManual = item.kind?.S === 'manual' && item.state?.S === 'manual';
    if (!isManual || !truth || truth.kept > 0 || truth.deposited !== undefined || truth.moved) return;
    this.#judge.judged('L17');
    if (Number(item.amount?.N) > 0) {
      this.#judge.broken(
        'L17',
        `${item.imp_uid?.S} keeps no money, and the operator's list has ${JSON.stringify(item)}`,
      );
    }
  }
}

const nextCheck = (from: number, after: number): number | undefined =>
  checks.map((wait) => from + wait).find((at) => at >= after);

/**
 * L13 a deposit that the bank takes back within three days is known at the latest at the next planned look, 10 minutes, 1 hour, 6 hours,
 *     1 day and 3 days after it was paid, and one run
 * L17 what waits for the operator is no more than what is there: nothing, once the bank has taken the deposit back
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Entry } from '../entry.ts';
import type { Truth } from '../iamport.ts';
import type { Judge } from '../judge.ts';

/** Seconds after the deposit. */
const looks = [600, 3_600, 21_600, 86_400, 259_200] as const;
/** The index lags, and clocks differ. Seconds. */
const slack = 120;

interface Taken {
  readonly merchantUid: string;
  /** Unix seconds. */
  readonly paidAt: number;
  readonly takenAt: number;
}

export class Deposits {
  readonly #judge: Judge;
  readonly #taken = new Map<string, Taken>();
  /** When an order was written `paid` last; Unix seconds, by `merchant_uid`. */
  readonly #writtenPaid = new Map<string, number>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  takenBack(impUid: string, taken: Taken): void {
    this.#taken.set(impUid, taken);
  }

  returned(impUid: string): void {
    this.#taken.delete(impUid);
  }

  orderWritten({ merchantUid, status }: Entry, nowSeconds: number): void {
    if (status === 'paid') this.#writtenPaid.set(merchantUid, nowSeconds);
  }

  /** A run that began then has lived to its end and found Iamport. */
  ran(began: number, entryOf: (merchantUid: string) => Entry | undefined): void {
    for (const [impUid, { merchantUid, paidAt, takenAt }] of this.#taken) {
      const order = entryOf(merchantUid);
      if (order?.status !== 'paid' || order.impUid !== impUid) continue;
      // The looks are planned from the deposit, or from when we learnt of it.
      const due = [paidAt, this.#writtenPaid.get(merchantUid) ?? paidAt].map((from) => nextLook(from, takenAt));
      if (due.includes(undefined)) continue;
      this.#judge.judged('L13');
      const latest = Math.max(...(due as number[])) + slack;
      if (began > latest) {
        this.#judge.broken(
          'L13',
          `${merchantUid} is paid by ${impUid}, taken back ${Math.floor(began - takenAt)} s ago`,
        );
      }
    }
  }

  /** @param item a reversal */
  balance(item: Item, truth: Truth | undefined): void {
    const isManual = item.kind?.S === 'manual' && item.state?.S === 'manual';
    if (!isManual || !truth || truth.kept > 0 || truth.deposited !== undefined || truth.moved) return;
    this.#judge.judged('L17');
    if (Number(item.amount?.N) > 0) {
      this.#judge.broken(
        'L17',
        `nothing is there of ${item.imp_uid?.S}, and the operator sees ${JSON.stringify(item)}`,
      );
    }
  }
}

const nextLook = (from: number, after: number): number | undefined =>
  looks.map((wait) => from + wait).find((look) => look >= after);

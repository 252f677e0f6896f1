/** Events that subscribers act on: S24 and L15 (invariants.ts). */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';

export class Announced {
  readonly #judge: Judge;
  /** `<merchant_uid> <imp_uid>` of payments whose `Payment Paid` no later event took back. */
  readonly #paid = new Set<string>();
  readonly #everPaid = new Set<string>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** The bus has accepted an event for the first time. */
  event(name: string, { id, merchant_uid, imp_uid }: { id: string; merchant_uid?: string; imp_uid?: string }): void {
    const payment = `${merchant_uid} ${imp_uid}`;
    switch (name) {
      case 'Payment Paid':
        this.#paid.add(payment);
        this.#everPaid.add(payment);
        return;
      case 'Payment Partially Cancelled':
      case 'Deposit Reversed':
        this.#judge.judged('S24');
        if (!this.#paid.has(payment)) this.#judge.broken('S24', `${name} ${id} was published without Payment Paid`);
        if (name === 'Deposit Reversed') this.#paid.delete(payment);
        return;
      case 'Payment Cancelled':
        // A deposit that returned and was cancelled between two reads changes nothing for subscribers.
        if (!this.#everPaid.has(payment)) this.#judge.broken('S24', `${name} ${id} was published without Payment Paid`);
        return;
    }
  }

  /** @param names the published events of the item */
  checkLiveness(item: Item, names: readonly string[]): void {
    const [kind, state, amount] = [item.kind?.S, item.state?.S, Number(item.amount?.N)];
    const must = (name: string) => {
      this.#judge.judged(`L15, ${name}`);
      if (!names.includes(name))
        this.#judge.broken('L15', `${name} was not published for ${JSON.stringify(item)}; only ${names}`);
    };
    if (kind === 'refund') {
      if (state === 'refused') must('Refund Refused');
      return;
    }
    const isOver = state === 'done' || kind === 'revoke';
    if (names.includes('Refund Required') && amount === 0 && isOver) must('Refund No Longer Required');
  }
}

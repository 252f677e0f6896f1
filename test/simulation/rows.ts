import { orderOf } from '../../functions/adapters/dynamodb/order-item.ts';
import type { Layout } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { paymentOf } from '../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected, StoreUnexpected } from '../../functions/application/faults.ts';
import { decide, type Policy } from '../../functions/payment/decide.ts';
import type { Reached } from './coverage.ts';
import type { SimulatedTable } from './table.ts';

const oneOf = 4;

export class Rows {
  readonly #parts: { orders: SimulatedTable; layout: Layout; policy: Policy; reached: Reached };
  #shown = 0;

  constructor(parts: { orders: SimulatedTable; layout: Layout; policy: Policy; reached: Reached }) {
    this.#parts = parts;
  }

  /** @param shown a payment as JSON */
  shown(shown: string): void {
    this.#shown += 1;
    if (this.#shown % oneOf !== 0) return;
    try {
      this.#parts.reached.count(`row: ${this.#rowOf(shown)}`);
    } catch (error) {
      // What cannot be read is in no row.
      if (!(error instanceof IamportUnexpected || error instanceof StoreUnexpected)) throw error;
    }
  }

  #rowOf(shown: string): string {
    const { orders, layout, policy } = this.#parts;
    const payment = paymentOf(JSON.parse(shown));
    const item = orders.named(payment.merchantUid);
    const decision = decide(item && orderOf(layout.ours(item)), payment, policy);
    const what =
      decision.kind === 'change'
        ? decision.next.status
        : decision.kind === 'reject'
          ? `${decision.reason}, ${decision.reversal?.kind ?? 'nothing to undo'}`
          : decision.kind;
    return `${payment.state.kind} → ${what}`;
  }
}

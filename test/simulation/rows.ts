import { orderFromItem } from '../../functions/adapters/dynamodb/order-item.ts';
import type { TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { paymentOf } from '../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected, StoreUnexpected } from '../../functions/application/faults.ts';
import { decide, type Policy } from '../../functions/payment/decide.ts';
import type { Coverage } from './coverage.ts';
import type { SimulatedTable } from './table.ts';

/** Only one of so many payments is classified, to save time. */
const sampleEvery = 4;

/** Counts the rows of the rules: the state of a payment that Iamport returned, and what `decide` makes of it. */
export class Rows {
  readonly #parts: { orders: SimulatedTable; mapping: TableMapping; policy: Policy; coverage: Coverage };
  #returned = 0;

  constructor(parts: { orders: SimulatedTable; mapping: TableMapping; policy: Policy; coverage: Coverage }) {
    this.#parts = parts;
  }

  /** @param payment as JSON */
  returned(payment: string): void {
    this.#returned += 1;
    if (this.#returned % sampleEvery !== 0) return;
    try {
      this.#parts.coverage.count(`row: ${this.#rowOf(payment)}`);
    } catch (error) {
      // A payment or an order that cannot be read has no row.
      if (!(error instanceof IamportUnexpected || error instanceof StoreUnexpected)) throw error;
    }
  }

  #rowOf(json: string): string {
    const { orders, mapping, policy } = this.#parts;
    const payment = paymentOf(JSON.parse(json));
    const item = orders.named(payment.merchantUid);
    const decision = decide(item && orderFromItem(mapping.ours(item)), payment, policy);
    const result =
      decision.kind === 'change'
        ? decision.next.status
        : decision.kind === 'reject'
          ? `${decision.reason}, ${decision.reversal?.kind ?? 'nothing to undo'}`
          : decision.kind;
    return `${payment.state.kind} → ${result}`;
  }
}

import { orderFromItem } from '../../functions/adapters/dynamodb/order-item.ts';
import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import type { TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { paymentOf } from '../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected, StoreUnexpected } from '../../functions/application/faults.ts';
import { decide, type Policy } from '../../functions/payment/decide.ts';
import type { Coverage } from './coverage.ts';
import type { SimulatedTable } from './table.ts';

/** Only one of so many payments is classified, to save time. */
const sampleEvery = 2;

/** Counts the rows of the rules: the state of a payment that Iamport returned, and what `decide` makes of it. */
export class Rows {
  readonly #parts: { orders: SimulatedTable; mapping: TableMapping; policy: Policy; coverage: Coverage };
  /** By the JSON of each payment: its order when it was last classified. The same two give the same row. */
  readonly #classified = new Map<string, Item | undefined>();
  #returned = 0;

  constructor(parts: { orders: SimulatedTable; mapping: TableMapping; policy: Policy; coverage: Coverage }) {
    this.#parts = parts;
  }

  /** @param payment as JSON */
  returned(payment: string, merchantUid: string): void {
    this.#returned += 1;
    if (this.#returned % sampleEvery !== 0) return;
    const item = this.#parts.orders.named(merchantUid);
    if (this.#classified.has(payment) && this.#classified.get(payment) === item) return;
    this.#classified.set(payment, item);
    try {
      this.#parts.coverage.count(`row: ${this.#rowOf(payment, item)}`);
    } catch (error) {
      // A payment or an order that cannot be read has no row.
      if (!(error instanceof IamportUnexpected || error instanceof StoreUnexpected)) throw error;
    }
  }

  #rowOf(json: string, item: Item | undefined): string {
    const { mapping, policy } = this.#parts;
    const payment = paymentOf(JSON.parse(json));
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

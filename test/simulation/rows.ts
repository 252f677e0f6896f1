import { orderFromItem } from '../../functions/adapters/dynamodb/order-item.ts';
import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import type { TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { paymentOf } from '../../functions/adapters/iamport/wire.ts';
import { IamportUnexpected, StoreUnexpected } from '../../functions/application/faults.ts';
import { decide, type Policy } from '../../functions/payment/decide.ts';
import type { Payment } from '../../functions/payment/payment.ts';
import type { Coverage } from './coverage.ts';
import type { SimulatedTable } from './table.ts';

/** Only one of so many payments is classified, to save time. */
const sampleEvery = 2;

interface Classified {
  payment: Payment | undefined;
  /** The item of its order when it was last classified. */
  readonly order: Item | undefined;
}

/** Counts the rows of the rules: the state of a payment that Iamport returned, and what `decide` makes of it. */
export class Rows {
  readonly #parts: { orders: SimulatedTable; mapping: TableMapping; policy: () => Policy; coverage: Coverage };
  /** By the JSON of each payment. The same payment and the same order give the same row. */
  readonly #classified = new Map<string, Classified>();
  #returned = 0;

  constructor(parts: { orders: SimulatedTable; mapping: TableMapping; policy: () => Policy; coverage: Coverage }) {
    this.#parts = parts;
  }

  /** @param payment as JSON */
  returned(payment: string, merchantUid: string): void {
    this.#returned += 1;
    if (this.#returned % sampleEvery !== 0) return;
    const item = this.#parts.orders.named(merchantUid);
    const known = this.#classified.get(payment);
    if (known && known.order === item) return;
    const classified: Classified = { payment: known?.payment, order: item };
    this.#classified.set(payment, classified);
    try {
      classified.payment ??= paymentOf(JSON.parse(payment));
      this.#parts.coverage.count(`row: ${this.#rowOf(classified.payment, item)}`);
    } catch (error) {
      // A payment or an order that cannot be read has no row.
      if (!(error instanceof IamportUnexpected || error instanceof StoreUnexpected)) throw error;
    }
  }

  #rowOf(payment: Payment, item: Item | undefined): string {
    const { mapping, policy } = this.#parts;
    const decision = decide(item && orderFromItem(mapping.ours(item)), payment, policy());
    const result =
      decision.kind === 'change'
        ? decision.next.status
        : decision.kind === 'reject'
          ? `${decision.reason}, ${decision.reversal?.kind ?? 'nothing to undo'}`
          : decision.kind;
    return `${payment.state.kind} → ${result}`;
  }
}

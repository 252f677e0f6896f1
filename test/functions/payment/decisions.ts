/** Decisions as text, and applied to their order. */

import type { Decision } from '../../../functions/payment/decide.ts';
import type { Order } from '../../../functions/payment/order.ts';

/** A decision in one line. */
export function summary(decision: Decision): string {
  switch (decision.kind) {
    case 'change':
      return `${decision.next.status}${decision.requiresFreshRead ? ' after a fresh read' : ''}`;
    case 'reject':
      return `reject ${decision.reason}, ${decision.reversal ? `${decision.reversal.kind} ${decision.reversal.amount}` : 'no reversal'}`;
    default:
      return decision.kind;
  }
}

/** The order after the change of the decision was written. */
export const afterwards = (order: Order, decision: Decision): Order =>
  decision.kind === 'change' ? { ...order, state: decision.next, revision: order.revision + 1 } : order;

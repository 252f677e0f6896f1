/**
 * Computes the events of an item again from its current version alone. Only the events of its last step can be computed
 * again, and only where their published ids are certain. To a subscriber, another id would be a new event, and it might
 * deliver or pay twice. Pure.
 */

import { type PaymentEvent, refundEvents, reversalEvent, stateEvent } from './events.ts';
import { accountOf, type Order } from './order.ts';
import type { Refund } from './refund.ts';
import type { Reversal } from './reversal.ts';

/**
 * The event of the order's current status. An order that was only registered has published none. `Payment Paid` before
 * a partial cancel is not computed again: an earlier write may have published it under another id.
 */
export function orderEventsAgain(order: Order): readonly PaymentEvent[] {
  const { state, revision } = order;
  if (revision === 0 || (state.status === 'ready' && !accountOf(state))) return [];
  return [stateEvent(order)];
}

/** @returns undefined when the item does not show under which id its last event was published */
export function reversalEventsAgain(reversal: Reversal): readonly PaymentEvent[] | undefined {
  const { state, kind, revision } = reversal;
  switch (state) {
    case 'done':
      return endAgain(reversal);
    case 'requested':
      // Each attempt is a write without an event.
      return revision === 1 ? [reversalEvent(reversal, 'Payment Rejected')] : undefined;
    case 'manual': {
      // Only a reversal that was `manual` from the beginning: each check raised both counters by one and published
      // nothing.
      const step = { ...reversal, revision: revision - reversal.attempts };
      if (kind === 'orphan') return [reversalEvent(step, 'Payment Without Order')];
      if (kind !== 'manual') return undefined;
      // Without money no refund is required. Later than at first, one that was required may have been withdrawn.
      if (reversal.amount === 0) return step.revision === 1 ? [reversalEvent(step, 'Payment Rejected')] : undefined;
      const required = reversalEvent(step, 'Refund Required', ':refund');
      const isNew = step.revision === 1 && reversal.reason !== 'deposit_excess';
      return isNew ? [reversalEvent(step, 'Payment Rejected'), required] : [required];
    }
  }
}

/**
 * `done` is the last write of a reversal. An item that was `done` at its first write has published its events under
 * other ids.
 */
function endAgain(reversal: Reversal): readonly PaymentEvent[] | undefined {
  const { kind, amount, revision } = reversal;
  if (revision === 1) return undefined;
  if (kind === 'orphan') return [];
  if (amount > 0) return [reversalEvent(reversal, 'Refund Completed')];
  return kind === 'manual' ? [reversalEvent(reversal, 'Refund No Longer Required', ':withdrawn')] : [];
}

/** The event of a refund that is over. A refund in progress has published none. */
export const refundEventsAgain = (refund: Refund): readonly PaymentEvent[] =>
  refundEvents({ ...refund, state: 'requested' }, refund);

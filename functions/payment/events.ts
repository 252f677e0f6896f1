/** What the world is told of an order or a reversal that changed: read off the two versions of its item, before and after. Pure. */

import type { Amount } from './money.ts';
import {
  accountOf,
  failureOf,
  isPayable,
  isSettled,
  type Order,
  type OrderState,
  type OrderStatus,
  statusSetBy,
} from './order.ts';
import type { VirtualAccount } from './payment.ts';
import type { Refund } from './refund.ts';
import type { Reversal, ReversalReason, ReversalRequest } from './reversal.ts';

/** The detail-types on the event bus. */
export type EventName =
  | 'Payment Paid'
  | 'Virtual Account Issued'
  | 'Virtual Account Withdrawn'
  | 'Payment Failed'
  | 'Payment Cancelled'
  | 'Payment Partially Cancelled'
  | 'Deposit Reversed'
  | 'Order Expired'
  | 'Order Closed'
  | 'Payment Rejected'
  | 'Payment Without Order'
  | 'Refund Required'
  | 'Refund No Longer Required'
  | 'Refund Completed'
  | 'Refund Refused';

export interface PaymentEvent {
  readonly name: EventName;
  /** The same for every delivery of one event, and for no other: consumers tell repeats by it. */
  readonly id: string;
  readonly merchantUid: string;
  readonly impUid?: string;
  /** Of the order; for a reversal, what has to go back. */
  readonly amount: Amount;
  readonly currency: string;
  readonly status?: OrderStatus;
  readonly cancelledAmount?: Amount;
  readonly payMethod?: string;
  readonly reason?: string;
  readonly account?: VirtualAccount;
  readonly reversal?: Pick<Reversal, 'kind' | 'state'>;
}

const byStatus: Readonly<Record<OrderStatus, EventName>> = {
  // An order that waited for an account goes back to ready when the account is gone; a new order is no event.
  ready: 'Virtual Account Withdrawn',
  failed: 'Payment Failed',
  expired: 'Order Expired',
  virtual_account_issued: 'Virtual Account Issued',
  paid: 'Payment Paid',
  partial_cancelled: 'Payment Partially Cancelled',
  cancelled: 'Payment Cancelled',
  deposit_reversed: 'Deposit Reversed',
  closed: 'Order Closed',
};

/**
 * The events of one write of an order, in the order in which subscribers must see them.
 * @param before undefined for an order that is new
 */
export function orderEvents(before: Order | undefined, after: Order): readonly PaymentEvent[] {
  if (!before || before.revision === after.revision) return [];
  // Registered, in a table where the shop had it already.
  if (before.revision === 0 && after.state.status === 'ready') return [];
  const event = stateEvent(after, accountOf(before.state));
  return wasPaidUnseen(before.state, after.state) ? [paidBefore(event), event] : [event];
}

/**
 * The one edge that skips a step on which subscribers act: an order that nobody had paid is `partial_cancelled` in one write,
 * because a part of its payment was given back before we read it. Goods are delivered on `Payment Paid`.
 */
function wasPaidUnseen(before: OrderState, { status }: OrderState): boolean {
  return status === 'partial_cancelled' && (isPayable(before) || before.status === 'deposit_reversed');
}

/** `Payment Paid` of a write that says more than that. Its own suffix keeps the two ids apart. */
function paidBefore({ cancelledAmount: _later, ...event }: PaymentEvent): PaymentEvent {
  return { ...event, name: byStatus.paid, id: `${event.id}:paid`, status: 'paid' };
}

/**
 * The event of the order's present status.
 * @param former the account that the order had before its last write, where that is known
 */
export function stateEvent(order: Order, former?: VirtualAccount): PaymentEvent {
  const { state, merchantUid, amount, currency, revision } = order;
  const account = accountOf(state) ?? former;
  const impUid = statusSetBy(state) ?? account?.impUid;
  return {
    name: byStatus[state.status],
    id: `${merchantUid}:${revision}`,
    merchantUid,
    amount,
    currency,
    status: state.status,
    ...(impUid && { impUid }),
    ...('cancelledAmount' in state && { cancelledAmount: state.cancelledAmount }),
    ...(isSettled(state) && state.record.payMethod && { payMethod: state.record.payMethod }),
    ...(state.status === 'failed' && state.failure.reason && { reason: state.failure.reason }),
    ...(state.status === 'virtual_account_issued' && { account: state.account }),
  };
}

/**
 * The events of one write of a reversal. No two of them share an id: each name but the first of a write has its own suffix.
 * @param before undefined for a reversal that is new
 */
export function reversalEvents(before: Reversal | undefined, after: Reversal): readonly PaymentEvent[] {
  const { kind, state, reason } = after;
  const event = (name: EventName, suffix = '') => reversalEvent(after, name, suffix);
  const events: PaymentEvent[] = [];
  const isNew = before?.kind !== kind;
  // `Payment Rejected` was published before the refund was required; that the refund is not needed is not a second rejection.
  const isWithdrawn = before !== undefined && isRefundRequired(before) && isWithoutMoney(after);
  if (isNew && kind === 'orphan') events.push(event('Payment Without Order'));
  // What came on top of a payment that was taken is no payment of its own.
  if (isNew && !isWithdrawn && kind !== 'orphan' && reason !== 'deposit_excess') events.push(event('Payment Rejected'));
  // Published again when there is more to give back, or for another reason. Without money there is nothing to refund.
  const isOther = isNew || before.state !== state || before.reason !== reason || before.amount < after.amount;
  if (isOther && isRefundRequired(after)) events.push(event('Refund Required', ':refund'));
  if (isWithdrawn) events.push(event('Refund No Longer Required', ':withdrawn'));
  if (isCompleted(after) && before?.state !== 'done') {
    events.push(event('Refund Completed', events.length > 0 ? ':completed' : ''));
  }
  return events;
}

export function reversalEvent(reversal: Reversal, name: EventName, suffix = ''): PaymentEvent {
  const { impUid, merchantUid, amount, currency, kind, state, reason, revision } = reversal;
  const id = `${impUid}:${revision}${suffix}`;
  return { name, id, merchantUid, impUid, amount, currency, reason, reversal: { kind, state } };
}

/** `Refund Required` with an amount was published for it, and the operator has not given the money back yet. */
const isRefundRequired = ({ kind, state, amount }: Reversal): boolean =>
  kind !== 'orphan' && state === 'manual' && amount > 0;

/** Nothing has to go back: the bank took the deposit back, or the order stands on the payment after all. */
const isWithoutMoney = ({ kind, amount }: Reversal): boolean => kind !== 'orphan' && amount === 0;

/** Money went back. An account without a deposit had none, and an orphan that found its order keeps its money. */
const isCompleted = ({ kind, state, amount }: Reversal): boolean => state === 'done' && amount > 0 && kind !== 'orphan';

/**
 * A refund of the shop's own. How the order stands after it is told by the order's own events. The text of a PG's refusal may hold
 * the buyer's account, so only our code for it is published.
 */
export function refundEvents(before: Refund | undefined, after: Refund): readonly PaymentEvent[] {
  const { impUid, key, merchantUid, amount, currency, revision, state } = after;
  if (!before || before.state === state || (state !== 'done' && state !== 'refused')) return [];
  const common = { id: `${impUid}/${key}:${revision}`, merchantUid, impUid, amount, currency };
  if (state === 'done') return [{ ...common, name: 'Refund Completed', reason: after.reason }];
  return [{ ...common, name: 'Refund Refused', reason: after.refusal ?? 'refused_by_pg' }];
}

/**
 * An account that the order was waiting for, or remembered, and that nobody should pay into any more.
 * @returns the revocation to request, if there is one
 */
export function staleAccount(before: Order | undefined, after: Order): ReversalRequest | undefined {
  const old = before && openAccount(before);
  if (!old) return undefined;
  const reason = whyStale(after, old);
  if (!reason) return undefined;
  const { merchantUid, currency, amount } = after;
  const nothing = (amount - amount) as Amount;
  return { impUid: old.impUid, merchantUid, kind: 'revoke', reason, amount: nothing, currency };
}

/** The account that somebody may still pay into: not one that is remembered only because it is gone, or failed. */
function openAccount({ state }: Order): VirtualAccount | undefined {
  const account = accountOf(state);
  return state.status === 'ready' || failureOf(state)?.impUid === account?.impUid ? undefined : account;
}

function whyStale({ state, updatedAt }: Order, old: VirtualAccount): ReversalReason | undefined {
  // The browser chose a later deadline for the account than the shop for its order.
  if (state.status === 'expired') return (old.dueAt ?? updatedAt) > updatedAt ? 'order_expired' : undefined;
  if (accountOf(state)?.impUid === old.impUid) return undefined;
  if (isSettled(state)) return state.impUid === old.impUid ? undefined : 'duplicate_payment';
  if (state.status === 'closed') return 'order_closed';
  return state.status === 'virtual_account_issued' ? 'account_superseded' : undefined;
}

/** Computes the events of an order, a reversal or a refund from its versions before and after a write. Pure. */

import { type Amount, zero } from './money.ts';
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
  /** The same for every delivery of one event, and unique among events: subscribers recognise repeats by it. */
  readonly id: string;
  readonly merchantUid: string;
  readonly impUid?: string;
  /** The order's amount; for a reversal, the amount to give back. */
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
  // An order that waited for a deposit becomes ready again when its account is revoked. A new order publishes no event.
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
  // The order was registered, and its item was already in the shop's own table.
  if (before.revision === 0 && after.state.status === 'ready') return [];
  const event = stateEvent(after, accountOf(before.state));
  return wasPaidUnseen(before.state, after.state) ? [paidBefore(event), event] : [event];
}

/**
 * The only write that skips a status on which subscribers act. An unpaid order becomes `partial_cancelled`, because a
 * part of its payment was cancelled before we read it. Subscribers deliver goods on `Payment Paid`.
 */
function wasPaidUnseen(before: OrderState, { status }: OrderState): boolean {
  return status === 'partial_cancelled' && (isPayable(before) || before.status === 'deposit_reversed');
}

/** `Payment Paid` of a write that publishes two events. The suffix makes the two ids differ. */
function paidBefore({ cancelledAmount: _later, ...event }: PaymentEvent): PaymentEvent {
  return { ...event, name: byStatus.paid, id: `${event.id}:paid`, status: 'paid' };
}

/**
 * The event of the order's current status.
 * @param former the account that the order had before its last write, where it is known
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
 * The events of one write of a reversal. Their ids differ: each event after the first one has its own suffix.
 * @param before undefined for a reversal that is new
 */
export function reversalEvents(before: Reversal | undefined, after: Reversal): readonly PaymentEvent[] {
  const { kind, state, reason } = after;
  const event = (name: EventName, suffix = '') => reversalEvent(after, name, suffix);
  const events: PaymentEvent[] = [];
  const isNew = before?.kind !== kind;
  // `Payment Rejected` was published before `Refund Required`, and a refund that is no longer required is not a second
  // rejection.
  const isNoLongerRequired = before !== undefined && isRefundRequired(before) && isWithoutMoney(after);
  if (isNew && kind === 'orphan') events.push(event('Payment Without Order'));
  // An excess deposit belongs to a payment that was accepted, so no payment is rejected.
  if (isNew && !isNoLongerRequired && kind !== 'orphan' && reason !== 'deposit_excess')
    events.push(event('Payment Rejected'));
  // Published again when the amount grows or the reason changes. Without money, nothing has to be refunded.
  const isOther = isNew || before.state !== state || before.reason !== reason || before.amount < after.amount;
  if (isOther && isRefundRequired(after)) events.push(event('Refund Required', ':refund'));
  if (isNoLongerRequired) events.push(event('Refund No Longer Required', ':withdrawn'));
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

/** `Refund Required` is published for it, and the operator has not refunded the money yet. */
const isRefundRequired = ({ kind, state, amount }: Reversal): boolean =>
  kind !== 'orphan' && state === 'manual' && amount > 0;

/** Nothing has to be refunded: the bank took the deposit back, or the payment settled the order after all. */
const isWithoutMoney = ({ kind, amount }: Reversal): boolean => kind !== 'orphan' && amount === 0;

/** Money went back. A revoked account had none, and an `orphan` whose order was registered later keeps its money. */
const isCompleted = ({ kind, state, amount }: Reversal): boolean => state === 'done' && amount > 0 && kind !== 'orphan';

/**
 * The events of a refund that the shop requested. The order's own events publish the status of the order after it. The
 * text of a PG's refusal may contain the buyer's account, so only our code for it is published.
 */
export function refundEvents(before: Refund | undefined, after: Refund): readonly PaymentEvent[] {
  const { impUid, key, merchantUid, amount, currency, revision, state } = after;
  if (!before || before.state === state || (state !== 'done' && state !== 'refused')) return [];
  const common = { id: `${impUid}/${key}:${revision}`, merchantUid, impUid, amount, currency };
  if (state === 'done') return [{ ...common, name: 'Refund Completed', reason: after.reason }];
  return [{ ...common, name: 'Refund Refused', reason: after.refusal ?? 'refused_by_pg' }];
}

/**
 * Finds the account that the order waited for or remembered, and that the buyer must no longer pay into.
 * @returns the revocation to request; undefined when there is none
 */
export function staleAccount(before: Order | undefined, after: Order): ReversalRequest | undefined {
  const old = before && openAccount(before);
  if (!old) return undefined;
  const reason = whyStale(after, old);
  if (!reason) return undefined;
  const { merchantUid, currency, tier } = after;
  const of = { impUid: old.impUid, merchantUid, ...(tier !== undefined && { tier }) };
  return { ...of, kind: 'revoke', reason, amount: zero, currency };
}

/** The account that the buyer may still pay into: not one that was revoked or whose payment failed. */
function openAccount({ state }: Order): VirtualAccount | undefined {
  const account = accountOf(state);
  return state.status === 'ready' || failureOf(state)?.impUid === account?.impUid ? undefined : account;
}

function whyStale({ state, updatedAt }: Order, old: VirtualAccount): ReversalReason | undefined {
  // The browser chose the account's deadline, and it is later than the shop's deadline of the order.
  if (state.status === 'expired') return (old.depositDeadline ?? updatedAt) > updatedAt ? 'order_expired' : undefined;
  if (accountOf(state)?.impUid === old.impUid) return undefined;
  if (isSettled(state)) return state.impUid === old.impUid ? undefined : 'duplicate_payment';
  if (state.status === 'closed') return 'order_closed';
  return state.status === 'virtual_account_issued' ? 'account_superseded' : undefined;
}

/** The outcome of a settled payment, as it is returned to the storefront and shown to the buyer. Pure. */

import type { Decision } from './decide.ts';
import type { Amount } from './money.ts';
import { isSettled, isSettledBy, type Order, type OrderStatus, type SettledState } from './order.ts';
import { isDeposit, type Payment, type VirtualAccount } from './payment.ts';
import type { Objection, Reversal, ReversalReason } from './reversal.ts';

export type OutcomeStatus = Exclude<OrderStatus, 'closed'> | 'rejected';

export interface Outcome {
  readonly status: OutcomeStatus;
  readonly impUid: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** How much of `amount` went back to the buyer, as the order records it; with `partial_cancelled` and `cancelled`. */
  readonly cancelledAmount?: Amount;
  /** Why the payment was rejected, or the PG's text for a failure. */
  readonly reason?: Objection | (string & {});
  readonly reversal?: Pick<Reversal, 'kind' | 'state'>;
  readonly account?: VirtualAccount;
  readonly receiptUrl?: string;
  readonly applyNum?: string;
}

/**
 * The outcome of a payment whose decision was carried out.
 * @param order as it is after the decision
 * @param reversal as it is after the decision; absent when the payment has none
 */
export function outcomeOf(order: Order, payment: Payment, decision: Decision, reversal?: Reversal): Outcome {
  if (decision.kind === 'reject') {
    // A newer account replaced this one, or this payment settled the order and only an excess deposit was rejected.
    if (decision.reason === 'account_superseded') return outcomeOfOrder(order, payment);
    if (isSettled(order.state) && isSettledBy(order.state, payment))
      return { ...outcomeOfOrder(order, payment), ...reversalIn(reversal) };
    return rejectedFor(payment, decision.reason, reversal);
  }
  if (decision.kind === 'money_returned' && reversal && isObjection(reversal.reason)) {
    return rejectedFor(payment, reversal.reason, reversal);
  }
  // The status of the order is more useful to the buyer than a failed attempt.
  if (decision.kind === 'change' || isSettled(order.state)) return outcomeOfOrder(order, payment);
  // This attempt has no money, and no other one can pay the order.
  if (decision.kind === 'keep' && order.state.status === 'closed') return rejectedFor(payment, 'order_closed');
  switch (payment.state.kind) {
    case 'failed':
      return { ...attemptOf(payment), status: 'failed', ...(payment.state.reason && { reason: payment.state.reason }) };
    case 'returned':
      return { ...attemptOf(payment), status: 'cancelled' };
    case 'awaiting_deposit':
      return outcomeOfOrder(order, payment);
    case 'kept':
    case 'ready':
      return { ...attemptOf(payment), status: 'ready' };
  }
}

const attemptOf = ({ impUid, merchantUid, amount, currency }: Payment) => ({ impUid, merchantUid, amount, currency });

/** `order_expired` and `order_not_found` are not objections to the payment. */
const isObjection = (reason: ReversalReason): reason is Objection =>
  reason !== 'order_not_found' && reason !== 'order_expired';

/** The outcome of a payment whose reversal was recorded earlier. */
export const rejected = (payment: Payment, reversal: Reversal): Outcome => ({
  ...attemptOf(payment),
  status: 'rejected',
  ...(isObjection(reversal.reason) && { reason: reversal.reason }),
  ...reversalIn(reversal),
});

function rejectedFor(payment: Payment, reason: Objection, reversal?: Reversal): Outcome {
  return { ...attemptOf(payment), status: 'rejected', reason, ...reversalIn(reversal) };
}

const reversalIn = (reversal: Reversal | undefined): Pick<Outcome, 'reversal'> =>
  reversal ? { reversal: { kind: reversal.kind, state: reversal.state } } : {};

/**
 * The outcome from the order alone, without a call to Iamport: only for `paid` and `cancelled`. A deposit is always
 * read from Iamport, since a bank may take it back. So is a partly cancelled payment, since a further cancel may
 * follow.
 * @param impUid the payment of the request; undefined when the request names only the order
 * @returns undefined when the payment has to be read from Iamport
 */
export function knownOutcome(order: Order, impUid: string | undefined): Outcome | undefined {
  const { state } = order;
  if (state.status !== 'paid' && state.status !== 'cancelled') return undefined;
  if (isDeposit(state.record) || (impUid !== undefined && impUid !== state.impUid)) return undefined;
  return settledOutcome(order, state);
}

function settledOutcome({ merchantUid, amount, currency }: Order, state: SettledState): Outcome {
  const { impUid, status, record } = state;
  const { receiptUrl, applyNum } = record;
  const cancelled = 'cancelledAmount' in state && { cancelledAmount: state.cancelledAmount };
  const attempt = { impUid, merchantUid, amount, currency, status, ...cancelled };
  return { ...attempt, ...(receiptUrl && { receiptUrl }), ...(applyNum && { applyNum }) };
}

/** The status of the order, as it is shown to the buyer, with the payment that set it. */
function outcomeOfOrder(order: Order, payment: Payment): Outcome {
  const { merchantUid, amount, currency, state } = order;
  const of = (impUid: string) => ({ impUid, merchantUid, amount, currency });
  switch (state.status) {
    case 'paid':
    case 'partial_cancelled':
    case 'cancelled':
    case 'deposit_reversed':
      return settledOutcome(order, state);
    case 'virtual_account_issued':
      return { ...of(state.account.impUid), status: state.status, account: state.account };
    case 'failed':
      return {
        ...of(state.failure.impUid),
        status: 'failed',
        ...(state.failure.reason && { reason: state.failure.reason }),
      };
    case 'ready':
    case 'expired':
      return { ...of(payment.impUid), status: state.status };
    case 'closed':
      return rejectedFor(payment, 'order_closed');
  }
}

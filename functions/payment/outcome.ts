/** What a settled question comes to, as the buyer and the storefront are told it. Pure. */

import type { Decision } from './decide.ts';
import type { Amount } from './money.ts';
import { isSettled, isSettledBy, type Order, type OrderState, type OrderStatus } from './order.ts';
import { isDeposit, type Payment, type VirtualAccount } from './payment.ts';
import type { Objection, Reversal, ReversalReason } from './reversal.ts';

export type OutcomeStatus = Exclude<OrderStatus, 'closed'> | 'rejected';

export interface Outcome {
  readonly status: OutcomeStatus;
  readonly impUid: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** Why it was rejected, or the PG's words for a failure. */
  readonly reason?: Objection | (string & {});
  readonly reversal?: Pick<Reversal, 'kind' | 'state'>;
  readonly account?: VirtualAccount;
  readonly receiptUrl?: string;
  readonly applyNum?: string;
}

/**
 * The outcome of a payment whose decision has been carried out.
 * @param order as it stands after the decision
 * @param reversal as it stands after the decision, where there is one
 */
export function outcomeOf(order: Order, payment: Payment, decision: Decision, reversal?: Reversal): Outcome {
  if (decision.kind === 'reject') {
    // The order stands on a newer account, or on this very payment, whatever came in addition.
    if (decision.reason === 'account_superseded') return standingOf(order, payment);
    if (isSettled(order.state) && isSettledBy(order.state, payment))
      return { ...standingOf(order, payment), ...undoing(reversal) };
    return rejectedFor(payment, decision.reason, reversal);
  }
  if (decision.kind === 'money_returned' && reversal && isObjection(reversal.reason)) {
    return rejectedFor(payment, reversal.reason, reversal);
  }
  // Where the order stands says more to a buyer than an attempt that came to nothing.
  if (decision.kind === 'change' || isSettled(order.state)) return standingOf(order, payment);
  switch (payment.state.kind) {
    case 'failed':
      return { ...attemptOf(payment), status: 'failed', ...(payment.state.reason && { reason: payment.state.reason }) };
    case 'returned':
      return { ...attemptOf(payment), status: 'cancelled' };
    case 'awaiting_deposit':
      return standingOf(order, payment);
    default:
      return { ...attemptOf(payment), status: 'ready' };
  }
}

const attemptOf = ({ impUid, merchantUid, amount, currency }: Payment) => ({ impUid, merchantUid, amount, currency });

/** An account that outlived its order, or money without an order, is no objection to the payment. */
const isObjection = (reason: ReversalReason): reason is Objection =>
  reason !== 'order_not_found' && reason !== 'order_expired';

/** The outcome of a payment whose reversal was decided before. */
export const rejected = (payment: Payment, reversal: Reversal): Outcome => ({
  ...attemptOf(payment),
  status: 'rejected',
  ...(isObjection(reversal.reason) && { reason: reversal.reason }),
  ...undoing(reversal),
});

function rejectedFor(payment: Payment, reason: Objection, reversal?: Reversal): Outcome {
  return { ...attemptOf(payment), status: 'rejected', reason, ...undoing(reversal) };
}

const undoing = (reversal: Reversal | undefined): Pick<Outcome, 'reversal'> =>
  reversal ? { reversal: { kind: reversal.kind, state: reversal.state } } : {};

/**
 * The outcome that the order alone gives, without asking Iamport: only for `paid` and `cancelled`. A deposit is always asked about,
 * since a bank may take it back; what a partial cancel left may shrink.
 * @param impUid the payment that is asked about; undefined when only the order is named
 * @returns undefined when Iamport has to be asked
 */
export function knownOutcome(order: Order, impUid: string | undefined): Outcome | undefined {
  const { state } = order;
  if (state.status !== 'paid' && state.status !== 'cancelled') return undefined;
  if (isDeposit(state.record) || (impUid !== undefined && impUid !== state.impUid)) return undefined;
  return settledOutcome(order, state);
}

type SettledState = Extract<OrderState, { readonly record: unknown }>;

function settledOutcome({ merchantUid, amount, currency }: Order, { impUid, status, record }: SettledState): Outcome {
  const { receiptUrl, applyNum } = record;
  const attempt = { impUid, merchantUid, amount, currency, status };
  return { ...attempt, ...(receiptUrl && { receiptUrl }), ...(applyNum && { applyNum }) };
}

/** The order as a buyer is told of it, by the payment that it stands on. */
function standingOf(order: Order, payment: Payment): Outcome {
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

/**
 * What does this payment mean for this order? Every rule of the project is here, and nothing else is:
 * no I/O, no clock, no wire names. The table of these rules is in ARCHITECTURE.md; the law test goes through all of it.
 */

import { type Amount, minus } from './money.ts';
import {
  accountOf,
  type Failure,
  failureOf,
  isPayable,
  isSettled,
  isSettledBy,
  keptBy,
  type Order,
  type OrderState,
} from './order.ts';
import { isDeposit, type Payment, type PaymentState, type VirtualAccount } from './payment.ts';
import type { Objection, ReversalKind, ReversalRequest } from './reversal.ts';

/** What the shop chose for its deployment. */
export interface Policy {
  /** Take payments of a test channel for real ones, and send none of the real ones back. Only ever in a test deployment. */
  readonly acceptTestPayments: boolean;
  /** `manual`: record and announce what must go back, and leave the doing to a person. */
  readonly reversals: 'automatic' | 'manual';
}

/** Closed: a new kind does not compile until everybody who reads decisions knows it. */
export type Decision =
  /** No such order. Nothing is written and nothing is cancelled: the account may serve other shops. */
  | { readonly kind: 'order_not_found' }
  /** The order already says all that this payment has to say, or more. */
  | { readonly kind: 'keep' }
  | {
      readonly kind: 'change';
      readonly next: OrderState;
      /**
       * The change takes back what the order said, in a direction from which it may come again (a deposit that a bank
       * undid, or that returned). Old news would look the same, so it counts only if it was asked for after the order was read.
       */
      readonly onFreshNewsOnly?: true;
    }
  /** The payment is not taken. The order stays as it is. `reversal` is missing when there is nothing to undo. */
  | { readonly kind: 'reject'; readonly reason: Objection; readonly reversal?: ReversalRequest }
  /** The money of a payment that the order does not stand on is back: its reversal, if it has one, is done. */
  | { readonly kind: 'money_returned' };

type Failed = Extract<PaymentState, { kind: 'failed' }>;

const keep: Decision = { kind: 'keep' };

/** Total: every order and every payment has exactly one decision. */
export function decide(order: Order | undefined, payment: Payment, policy: Policy): Decision {
  if (!order) return { kind: 'order_not_found' };
  switch (payment.state.kind) {
    case 'kept':
      return decideMoneyKept(order, payment, payment.state.kept, policy);
    case 'returned':
      return decideMoneyReturned(order, payment);
    case 'awaiting_deposit':
      return depositReversed(order, payment) ?? decideAccount(order, payment, payment.state.account, policy);
    case 'failed':
      return depositReversed(order, payment) ?? decideFailure(order, payment, payment.state);
    case 'ready':
      return depositReversed(order, payment) ?? keep;
  }
}

function decideMoneyKept(order: Order, payment: Payment, kept: Amount, policy: Policy): Decision {
  const { state } = order;
  // The payment that settled the order is never sent back by us.
  if (isSettled(state) && isSettledBy(state, payment)) {
    if (state.status === 'deposit_reversed') return { ...settled(order, payment, kept), onFreshNewsOnly: true };
    if (kept < keptBy(order, state)) return settled(order, payment, kept);
    // The order stands. What was paid into its account on top of it is nobody's, and a person has to give it back.
    const { deposited = order.amount } = payment;
    return deposited > order.amount
      ? reject(payment, 'deposit_excess', 'manual', minus(deposited, order.amount))
      : keep;
  }
  const objection = objectionTo(order, payment, policy);
  if (!objection) return settled(order, payment, kept);
  const kind = isDeposit(payment.record) || isByHand(order, payment, policy) ? 'manual' : 'cancel';
  return reject(payment, objection, kind, objection === 'deposit_mismatch' ? payment.deposited : kept);
}

/** Paid in full, or with a part of it given back already. */
function settled({ amount }: Order, { impUid, record }: Payment, kept: Amount): Decision & { kind: 'change' } {
  if (kept >= amount) return { kind: 'change', next: { status: 'paid', impUid, record } };
  const cancelledAmount = minus(amount, kept);
  return { kind: 'change', next: { status: 'partial_cancelled', impUid, record, cancelledAmount } };
}

/** Ordered by precedence, as `Objection` is. */
function objectionTo(order: Order, payment: Payment, policy: Policy): Objection | undefined {
  if (payment.sandbox && !policy.acceptTestPayments) return 'test_payment';
  if (predates(order, payment, lateRegistration)) return 'payment_predates_order';
  if (payment.currency !== order.currency) return 'currency_mismatch';
  if (payment.amount !== order.amount) return 'amount_mismatch';
  if (payment.deposited !== undefined && payment.deposited !== payment.amount) return 'deposit_mismatch';
  if (isSettled(order.state)) return 'duplicate_payment';
  if (!isPayable(order.state)) return 'order_closed';
  return undefined;
}

/** A shop may register an order this long after its payment began. Seconds. */
const lateRegistration = 3_600;

/**
 * The payment began before its order was registered, so it may belong to another shop on the same Iamport account whose order
 * has the same number. @param bySeconds how much earlier
 */
const predates = ({ registeredAt }: Order, { startedAt }: Payment, bySeconds: number): boolean =>
  registeredAt !== undefined && startedAt !== undefined && startedAt + bySeconds < registeredAt;

function decideMoneyReturned(order: Order, payment: Payment): Decision {
  const { state } = order;
  if (isSettled(state) && isSettledBy(state, payment)) {
    if (state.status === 'cancelled') return keep;
    const { impUid, record } = state;
    return { kind: 'change', next: { status: 'cancelled', impUid, record, cancelledAmount: order.amount } };
  }
  // The account that the order waits for is gone, or its deposit came and went unseen: the order can be paid again.
  if (state.status === 'virtual_account_issued' && state.account.impUid === payment.impUid) {
    return { kind: 'change', next: { ...state, status: 'ready' } };
  }
  return { kind: 'money_returned' };
}

/** Paid by deposit, and now not paid any more, though nobody cancelled it: the bank took the deposit back. */
function depositReversed({ state }: Order, payment: Payment): Decision | undefined {
  if (state.status !== 'paid' || !isSettledBy(state, payment) || !isDeposit(state.record)) return undefined;
  const { impUid, record } = state;
  return { kind: 'change', next: { status: 'deposit_reversed', impUid, record }, onFreshNewsOnly: true };
}

function decideAccount(order: Order, payment: Payment, account: VirtualAccount, policy: Policy): Decision {
  const { state } = order;
  if (isSettled(state) && isSettledBy(state, payment)) return keep;
  // A part of the amount has arrived: the account stays open, and the operator refunds the part.
  const isManual = payment.deposited !== undefined || isByShop(payment, policy);
  const undo = (reason: Objection): Decision => {
    // Another shop's account is not ours to revoke, and without a deposit there is nothing for the operator to do.
    if (payment.deposited === undefined && predates(order, payment, 0)) return { kind: 'reject', reason };
    return reject(payment, reason, isManual ? 'manual' : 'revoke', payment.deposited);
  };
  const objection = objectionTo(order, payment, policy);
  if (objection) return undo(objection);
  const known = accountOf(state);
  // A failure of this very payment came after its account, so the account is older news.
  if (known?.impUid === payment.impUid || failureOf(state)?.impUid === payment.impUid) return keep;
  if (known && !isNewer(account, known)) return undo('account_superseded');
  const failure = failureOf(state);
  return { kind: 'change', next: { status: 'virtual_account_issued', account, ...(failure && { failure }) } };
}

/** Of two accounts the one issued later counts; a tie goes by `impUid`, so that the two never replace each other for ever. */
function isNewer(account: VirtualAccount, known: VirtualAccount): boolean {
  return account.issuedAt === known.issuedAt ? account.impUid > known.impUid : account.issuedAt > known.issuedAt;
}

function decideFailure({ state }: Order, payment: Payment, { failedAt, reason }: Failed): Decision {
  if (!isPayable(state)) return keep;
  if (state.status === 'virtual_account_issued' && state.account.impUid !== payment.impUid) return keep;
  const failure: Failure = { impUid: payment.impUid, failedAt, ...(reason && { reason }) };
  const known = failureOf(state);
  if (known && !isLater(failure, known)) return keep;
  const account = accountOf(state);
  return { kind: 'change', next: { status: 'failed', failure, ...(account && { account }) } };
}

/** Of several failed attempts the order tells the latest; the earlier ones are older news. */
function isLater(failure: Failure, known: Failure): boolean {
  return failure.failedAt === known.failedAt ? failure.impUid > known.impUid : failure.failedAt > known.failedAt;
}

/** The operator undoes the payment, and no request of ours does. */
const isByHand = (order: Order, payment: Payment, policy: Policy): boolean =>
  predates(order, payment, 0) || isByShop(payment, policy);

/**
 * The shop switched automatic reversals off. Or this is a test deployment, which may share its Iamport account with the real shop:
 * what is wrong by the test's orders may be right by the shop's.
 */
function isByShop({ sandbox }: Payment, { reversals, acceptTestPayments }: Policy): boolean {
  return reversals === 'manual' || (acceptTestPayments && !sandbox);
}

function reject(payment: Payment, reason: Objection, kind: ReversalKind, kept = 0 as Amount): Decision {
  // No money moves in a test channel, so there is none to send back and no account to revoke.
  if (payment.sandbox) return { kind: 'reject', reason };
  const { impUid, merchantUid, currency } = payment;
  return { kind: 'reject', reason, reversal: { impUid, merchantUid, kind, reason, amount: kept, currency } };
}

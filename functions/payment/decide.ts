/**
 * Decides what a payment changes in its order. Every rule of the project is here, and nothing else:
 * no I/O, no clock, no wire names. ARCHITECTURE.md has the table of these rules;
 * test/functions/payment/decide.test.ts tries every combination.
 */

import { type Amount, minus, zero } from './money.ts';
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
import { isDeposit, type Payment, type PaymentState, type UnixSeconds, type VirtualAccount } from './payment.ts';
import type { Objection, ReversalKind, ReversalRequest } from './reversal.ts';

/** Settings of the deployment. */
export interface Policy {
  /** Accept payments of a test channel as real, and never cancel a real payment. Only for a test deployment. */
  readonly acceptTestPayments: boolean;
  /** `manual`: only record and publish each reversal. The operator carries it out. */
  readonly reversals: 'automatic' | 'manual';
  /**
   * When the deployment began. Only for a shop's own table, whose items may be older: an earlier system has settled
   * their payments. Absent for a table of ours, and where no payment of the decision keeps money.
   */
  readonly begunAt?: UnixSeconds;
}

/** A closed union: a new kind does not compile until every reader of decisions handles it. */
export type Decision =
  /** The order does not exist. Nothing is written or cancelled: the Iamport account may serve other shops. */
  | { readonly kind: 'order_not_found' }
  /** The payment adds nothing to the order. */
  | { readonly kind: 'keep' }
  /** The money moved before the deployment began. It neither settles the order nor goes back. */
  | { readonly kind: 'predates_deployment' }
  | {
      readonly kind: 'change';
      readonly next: OrderState;
      /**
       * The change reverses the status of the order, and the status may change again later: the bank took a deposit
       * back, or the deposit returned. A stale payment looks the same, so the payment must be read from Iamport after
       * the order.
       */
      readonly requiresFreshRead?: true;
    }
  /** The payment is not accepted. The order stays as it is. `reversal` is absent when nothing has to be undone. */
  | { readonly kind: 'reject'; readonly reason: Objection; readonly reversal?: ReversalRequest }
  /** The money of a payment that did not settle the order is back. Its reversal, if it has one, is done. */
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
      return depositReversed(order, payment) ?? decideFailure(order, payment, payment.state, policy);
    case 'ready':
      return depositReversed(order, payment) ?? keep;
  }
}

function decideMoneyKept(order: Order, payment: Payment, kept: Amount, policy: Policy): Decision {
  const { state } = order;
  // We never cancel the payment that settled the order.
  if (isSettled(state) && isSettledBy(state, payment)) {
    if (state.status === 'deposit_reversed') return { ...settled(order, payment, kept), requiresFreshRead: true };
    return kept < keptBy(order, state) ? settled(order, payment, kept) : excessOf(order, payment);
  }
  if (predatesDeployment(order, payment, policy)) return { kind: 'predates_deployment' };
  const objection = objectionTo(order, payment, policy);
  if (!objection) return settled(order, payment, kept);
  const kind = isDeposit(payment.record) || isByHand(order, payment, policy) ? 'manual' : 'cancel';
  return reject(order, payment, objection, kind, objection === 'deposit_mismatch' ? payment.deposited : kept);
}

/** The order stays as it is. The excess deposit must be refunded manually: no refund of the order returns it. */
function excessOf(order: Order, payment: Payment): Decision {
  const { deposited = order.amount } = payment;
  if (deposited <= order.amount) return keep;
  return reject(order, payment, 'deposit_excess', 'manual', minus(deposited, order.amount));
}

/**
 * An earlier system of the shop was paid, and has delivered. The revision of the order proves nothing: a failed attempt
 * of today raises it. The time of the payment counts and not its start, since an old account may get its deposit later.
 * An order that waits for the account was written by an earlier deployment of ours.
 */
function predatesDeployment({ state }: Order, { impUid, record, startedAt }: Payment, { begunAt }: Policy): boolean {
  // Iamport may leave out the time of the payment after a cancel.
  const { paidAt = startedAt } = record;
  const isOlder = begunAt !== undefined && paidAt !== undefined && paidAt < begunAt;
  return isOlder && accountOf(state)?.impUid !== impUid;
}

/** The order is paid in full, or a part of the payment was refunded already. */
function settled({ amount }: Order, { impUid, record }: Payment, kept: Amount): Decision & { kind: 'change' } {
  if (kept >= amount) return { kind: 'change', next: { status: 'paid', impUid, record } };
  const cancelledAmount = minus(amount, kept);
  return { kind: 'change', next: { status: 'partial_cancelled', impUid, record, cancelledAmount } };
}

/** Ordered by precedence, as `Objection` is. */
function objectionTo(order: Order, payment: Payment, policy: Policy): Objection | undefined {
  if (isRefusedTest(payment, policy)) return 'test_payment';
  if (predates(order, payment, lateRegistration)) return 'payment_predates_order';
  if (payment.currency !== order.currency) return 'currency_mismatch';
  if (payment.amount !== order.amount) return 'amount_mismatch';
  if (payment.deposited !== undefined && payment.deposited !== payment.amount) return 'deposit_mismatch';
  if (isSettled(order.state)) return 'duplicate_payment';
  if (!isPayable(order.state)) return 'order_closed';
  return undefined;
}

const isRefusedTest = ({ sandbox }: Payment, { acceptTestPayments }: Policy): boolean => sandbox && !acceptTestPayments;

/** A shop may register an order this long after its payment began. Seconds. */
const lateRegistration = 3_600;

/**
 * The payment began before its order was registered. It may belong to another shop on the same Iamport account, whose
 * order has the same number.
 * @param bySeconds how much earlier
 */
const predates = ({ registeredAt }: Order, { startedAt }: Payment, bySeconds: number): boolean =>
  registeredAt !== undefined && startedAt !== undefined && startedAt + bySeconds < registeredAt;

function decideMoneyReturned(order: Order, payment: Payment): Decision {
  const { state } = order;
  if (isSettled(state) && isSettledBy(state, payment)) {
    if (state.status === 'cancelled') return excessOf(order, payment);
    const { impUid, record } = state;
    return { kind: 'change', next: { status: 'cancelled', impUid, record, cancelledAmount: order.amount } };
  }
  // The account of the order was revoked, or its deposit came and went between two reads. The order is payable again.
  if (state.status === 'virtual_account_issued' && state.account.impUid === payment.impUid) {
    return { kind: 'change', next: { ...state, status: 'ready' } };
  }
  return { kind: 'money_returned' };
}

/** The order was paid by deposit, and the payment is unpaid again without a cancel: the bank took the deposit back. */
function depositReversed({ state }: Order, payment: Payment): Decision | undefined {
  const isPaid = state.status === 'paid' || state.status === 'partial_cancelled';
  if (!isPaid || !isSettledBy(state, payment) || !isDeposit(state.record)) return undefined;
  const { impUid, record } = state;
  return { kind: 'change', next: { status: 'deposit_reversed', impUid, record }, requiresFreshRead: true };
}

function decideAccount(order: Order, payment: Payment, account: VirtualAccount, policy: Policy): Decision {
  const { state } = order;
  if (isSettled(state) && isSettledBy(state, payment)) return keep;
  // A part of the amount has arrived: the account stays open, and the operator refunds the part.
  const isManual = payment.deposited !== undefined || isByShop(payment, policy);
  const undo = (reason: Objection): Decision => {
    // The account may be another shop's, so it is not revoked. Without a deposit the operator has nothing to refund.
    if (payment.deposited === undefined && predates(order, payment, 0)) return { kind: 'reject', reason };
    return reject(order, payment, reason, isManual ? 'manual' : 'revoke', payment.deposited);
  };
  const objection = objectionTo(order, payment, policy);
  if (objection) return undo(objection);
  const known = accountOf(state);
  // This payment failed after its account was issued, so the account is stale.
  if (known?.impUid === payment.impUid || failureOf(state)?.impUid === payment.impUid) return keep;
  if (known && !isNewer(account, known)) return undo('account_superseded');
  const failure = failureOf(state);
  return { kind: 'change', next: { status: 'virtual_account_issued', account, ...(failure && { failure }) } };
}

/** The account issued later counts. `impUid` breaks a tie, so that two accounts never replace each other for ever. */
function isNewer(account: VirtualAccount, known: VirtualAccount): boolean {
  return account.issuedAt === known.issuedAt ? account.impUid > known.impUid : account.issuedAt > known.issuedAt;
}

function decideFailure({ state }: Order, payment: Payment, { failedAt, reason }: Failed, policy: Policy): Decision {
  // Paid, it would be rejected too. Anyone can fail a payment of a test channel.
  if (!isPayable(state) || isRefusedTest(payment, policy)) return keep;
  if (state.status === 'virtual_account_issued' && state.account.impUid !== payment.impUid) return keep;
  const failure: Failure = { impUid: payment.impUid, failedAt, ...(reason && { reason }) };
  const known = failureOf(state);
  if (known && !isLater(failure, known)) return keep;
  const account = accountOf(state);
  return { kind: 'change', next: { status: 'failed', failure, ...(account && { account }) } };
}

/** The order shows the latest of several failed attempts; earlier ones are stale. */
function isLater(failure: Failure, known: Failure): boolean {
  return failure.failedAt === known.failedAt ? failure.impUid > known.impUid : failure.failedAt > known.failedAt;
}

/** The operator undoes the payment: we send no request. */
const isByHand = (order: Order, payment: Payment, policy: Policy): boolean =>
  predates(order, payment, 0) || isByShop(payment, policy);

/**
 * The shop switched automatic reversals off. Or this is a test deployment, which may share its Iamport account with the
 * real shop: a payment that does not fit the test's orders may fit the shop's.
 */
export function isByShop({ sandbox }: Payment, { reversals, acceptTestPayments }: Policy): boolean {
  return reversals === 'manual' || (acceptTestPayments && !sandbox);
}

function reject({ tier }: Order, payment: Payment, reason: Objection, kind: ReversalKind, kept = zero): Decision {
  // A test channel moves no money and issues no account, so nothing has to be undone.
  if (payment.sandbox) return { kind: 'reject', reason };
  const { impUid, merchantUid, currency } = payment;
  const of = { impUid, merchantUid, ...(tier !== undefined && { tier }) };
  return { kind: 'reject', reason, reversal: { ...of, kind, reason, amount: kept, currency } };
}

/** A payment that must be undone. A reversal belongs to the payment, never to the order that it names. Pure. */

import { workingDay, workingSeconds } from './business-day.ts';
import { type Amount, minus, plus, zero } from './money.ts';
import { isDeposit, isGone, type Payment, type UnixSeconds } from './payment.ts';
import { postponed, retryAfter } from './retry.ts';

/**
 * Why a payment is not accepted. Ordered by precedence: when several apply, the first is reported.
 * `payment_predates_order`: begun long before the order was registered, so it may belong to another shop on the same
 * account.
 * `deposit_mismatch`: the sum of the deposits into a fixed account is not the amount.
 * `deposit_excess`: deposited in excess of the amount of the order; the order stays paid.
 * `account_superseded`: the order has a newer virtual account.
 */
export type Objection =
  | 'test_payment'
  | 'payment_predates_order'
  | 'currency_mismatch'
  | 'amount_mismatch'
  | 'deposit_mismatch'
  | 'deposit_excess'
  | 'duplicate_payment'
  | 'order_closed'
  | 'account_superseded';

/** Why a reversal exists: an objection, an account that outlives its order, or an unmatched payment. */
export type ReversalReason = Objection | 'order_expired' | 'order_not_found';

/**
 * The action: cancel the payment, revoke an account without a deposit, or `manual`: the operator refunds, since a
 * deposit can only be refunded to a bank account of the buyer. `orphan`: an unmatched payment, kept for the operator
 * and never cancelled.
 */
export type ReversalKind = 'cancel' | 'revoke' | 'manual' | 'orphan';

/** `requested` until it is `done`; `manual` waits for the operator. */
export type ReversalState = 'requested' | 'done' | 'manual';

/** The decision to undo a payment. */
export interface ReversalRequest {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly kind: ReversalKind;
  readonly reason: ReversalReason;
  /** The amount kept at the decision; 0 for an account without a deposit. */
  readonly amount: Amount;
  readonly currency: string;
  /** The sub-merchant's code of the order, without which Iamport does not find the payment. The order may be deleted. */
  readonly tier?: string;
}

export interface Reversal extends ReversalRequest {
  readonly state: ReversalState;
  /** Counts the writes of this item. */
  readonly revision: number;
  /** How many requests were claimed. Raised before each call, so that two workers never send the same request. */
  readonly attempts: number;
  /** The last refusal or error of Iamport or the PG. */
  readonly message?: string;
  /**
   * When Iamport accepted a request (`code: 0`) that the payment does not show yet, or may have accepted it: see
   * `unanswered`. It is never sent again.
   */
  readonly acceptedAt?: UnixSeconds;
  /** What checks found returned so far, such as parts that the operator cancelled. `amount` is what is left. */
  readonly returned?: Amount;
  /** What went back before a further deposit opened the reversal again. `Refund Completed` was published for it. */
  readonly returnedBefore?: Amount;
  /** A check earlier than the schedule of the state. */
  readonly checkAt?: UnixSeconds;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
}

/** A reversal before its write. The DynamoDB adapter counts the revisions. */
type Unwritten = Omit<Reversal, 'revision'>;

/** About a day of attempts. A PG that still refuses then keeps refusing, and the operator takes over. */
const maxAttempts = 12;
/** After an accepted request the payment is checked after these times, then daily. Seconds. */
const acceptedChecks = [300, 3_600, 21_600, 86_400];
const day = 86_400;
/**
 * An unmatched payment is checked once after this time. A registration may have read the index `by-order` before that
 * had the record, and then planned no check. Seconds.
 */
const unmatchedCheckAfter = 3_600;
/** The operator takes over an accepted request that the payment does not show by then. Seconds of working time. */
const acceptedTakes = 3 * workingDay;

/**
 * A new reversal.
 * @param attempts 1 when the caller sends the first request to Iamport itself, and at once
 */
export function opened(request: ReversalRequest, attempts: 0 | 1, now: UnixSeconds): Unwritten {
  const isManual = request.kind === 'manual' || request.kind === 'orphan';
  const state = isManual ? 'manual' : 'requested';
  const isUnmatched = request.kind === 'orphan';
  const times = { ...(isUnmatched && { checkAt: now + unmatchedCheckAfter }), createdAt: now, updatedAt: now };
  return { ...request, state, attempts: isManual ? 0 : attempts, ...times };
}

/** The decision replaces the recorded reversal. */
export function supersedes(decided: ReversalRequest, known: Reversal): boolean {
  // The account was needed again after its revocation was withdrawn, and now the order needs it no more. A revocation that
  // Iamport accepted is performed, perhaps after the account's deadline.
  const isWithdrawn = known.kind === 'revoke' && known.state === 'done' && known.acceptedAt === undefined;
  if (isWithdrawn && decided.reason !== known.reason) return true;
  // The account got a deposit, or the order of the unmatched payment was registered.
  if (known.kind === 'revoke' || known.kind === 'orphan') return decided.kind !== known.kind;
  if (decided.kind !== 'manual') return false;
  // The PG refunds what Iamport accepted, so the record of it stays, and the operator does not refund it as well.
  if (known.state !== 'done' && known.acceptedAt !== undefined) return false;
  // The next due check reads the payment, and records that Iamport may have accepted the request.
  if (hasNoResult(known)) return false;
  // An older read of the payment still has the money that a check found returned.
  const hasGrown = decided.amount > plus(known.amount, wentBack(known));
  // A further deposit arrived, or the shop switched automatic reversals off. Then no further request is sent.
  return decided.reason !== known.reason || hasGrown || known.state === 'requested';
}

/**
 * The decision in place of the recorded reversal. Its amount may contain money that went back before, since Iamport's
 * sum of deposits never falls.
 */
export function reopened(decided: ReversalRequest, known: Reversal, attempts: 0 | 1, now: UnixSeconds): Unwritten {
  const next = opened(decided, attempts, now);
  const isSameMoney = decided.reason === known.reason || decided.reason === 'deposit_mismatch';
  if (next.kind !== 'manual' || known.kind !== 'manual' || !isSameMoney) return next;
  const isDone = known.state === 'done';
  const before = isDone ? plus(known.amount, wentBack(known)) : (known.returnedBefore ?? zero);
  const returned = isDone ? zero : (known.returned ?? zero);
  const amount = minus(decided.amount, plus(before, returned));
  if (amount === decided.amount || amount <= 0) return next;
  return { ...next, amount, ...(returned > 0 && { returned }), ...(before > 0 && { returnedBefore: before }) };
}

const wentBack = ({ returned = zero, returnedBefore = zero }: Reversal): Amount => plus(returned, returnedBefore);

/**
 * Nothing of the payment is left to undo. Only a cancel shows that money went back: a payment that was paid before and
 * is unpaid now is a stale read, or a deposit that the bank took back.
 */
export const isUndone = (reversal: Reversal, payment: Payment): boolean =>
  reversal.amount > 0
    ? payment.state.kind === 'returned' && leftAfterCancel(reversal, payment) === zero
    : isGone(payment);

/**
 * The amount that a cancel of the whole payment does not return; the operator records its refund. It returns no excess
 * deposit, and of mismatched deposits only the amount of the payment, if they paid it. Otherwise only the account was
 * revoked.
 */
function leftAfterCancel({ amount, reason, returned }: Reversal, { amount: paid, record, cancels }: Payment): Amount {
  if (reason === 'deposit_excess') return amount;
  if (reason !== 'deposit_mismatch') return zero;
  const wasPaid = record.paidAt !== undefined || cancels !== undefined;
  // The cancel is subtracted once.
  if (!wasPaid || returned !== undefined) return amount;
  return amount > paid ? minus(amount, paid) : zero;
}

/** Its money was there at the decision, and no cancel shows where it went. */
export const isReadAsUnpaid = ({ amount }: Reversal, payment: Payment): boolean =>
  amount > 0 && isGone(payment) && payment.state.kind !== 'returned';

/**
 * The bank took back a deposit that the operator had to refund. At most the open account is left.
 * @param payment read after the reversal
 */
export const isTakenBack = ({ kind, state, amount }: Reversal, payment: Payment): boolean =>
  kind === 'manual' && state === 'manual' && amount > 0 && isUnpaidDeposit(payment);

const isUnpaidDeposit = ({ state, deposited, record }: Payment): boolean =>
  isDeposit(record) && deposited === undefined && state.kind !== 'kept' && state.kind !== 'returned';

/** Claims the next request to Iamport. @returns undefined when none may be sent now */
export function claimed(reversal: Reversal, now: UnixSeconds): Unwritten | undefined {
  // A failed revoke is tried again, since the operator may have added the missing key.
  const isOpen = reversal.state === 'requested' || (reversal.state === 'manual' && reversal.kind === 'revoke');
  const nextCheckAt = planReversalCheck(reversal);
  if (!isOpen || reversal.acceptedAt !== undefined || nextCheckAt === undefined || nextCheckAt > now) return undefined;
  const { checkAt: _used, message: _former, ...rest } = reversal;
  return { ...rest, attempts: reversal.attempts + 1, updatedAt: now };
}

/**
 * No result of the last request is recorded: its function still waits for it, its instance died, or DynamoDB did not
 * respond. Every result has a message.
 */
export const hasNoResult = ({ kind, state, attempts, message }: Reversal): boolean =>
  kind === 'cancel' && state === 'requested' && attempts > 0 && message === undefined;

/** Iamport or the PG refused, or returned no response. After the last attempt the operator takes over. */
export function failed(reversal: Reversal, message: string, now: UnixSeconds): Unwritten {
  const state = reversal.state === 'requested' && reversal.attempts < maxAttempts ? 'requested' : 'manual';
  return { ...reversal, state, message, updatedAt: now };
}

/** Iamport accepted the request, and the payment does not show it yet. */
export const accepted = (reversal: Reversal, now: UnixSeconds): Unwritten => ({
  ...reversal,
  acceptedAt: reversal.acceptedAt ?? now,
  // Raised with the revision, as in every write of a `manual` one: republish.ts subtracts it from the revision.
  attempts: reversal.attempts + (reversal.kind === 'manual' ? 1 : 0),
  message: 'Iamport accepted the request, and the payment does not show it yet',
  updatedAt: now,
});

/**
 * The response to a cancel was lost, and the PG may perform it on a later day. A repeat has the same checksum until then,
 * so the PG could pay twice. The operator takes over, and the checks continue as after an acceptance.
 */
export const unanswered = (reversal: Reversal, now: UnixSeconds): Unwritten => ({
  ...accepted(reversal, now),
  state: 'manual',
  message: 'No response arrived, and the PG may still cancel it. Check at the PG that it did not, before you refund',
});

/** A check found the payment not undone. @param left the amount that has not gone back yet */
export function checked(reversal: Reversal, left: Amount, now: UnixSeconds): Unwritten {
  const { checkAt: _used, ...rest } = reversal;
  const { acceptedAt, state } = reversal;
  const isOverdue = acceptedAt !== undefined && workingSeconds(acceptedAt, now) > acceptedTakes;
  const returned = plus(reversal.returned ?? zero, minus(reversal.amount, left));
  return {
    ...rest,
    amount: left,
    ...(returned > 0 && { returned }),
    state: isOverdue ? 'manual' : state,
    attempts: reversal.attempts + (state === 'manual' ? 1 : 0),
    updatedAt: now,
  };
}

/** A payment without an order that the reconciler does not check by itself. */
export const isUnmatched = ({ kind, state }: Pick<Reversal, 'kind' | 'state'>): boolean =>
  kind === 'orphan' && state === 'manual';

/** The order of an unmatched payment was registered: check it once more. @param at when */
export const recheckPlanned = (reversal: Reversal, at: UnixSeconds, now: UnixSeconds): Unwritten => ({
  ...reversal,
  // Raised with the revision, as in every write without an event: republish.ts subtracts it from the revision.
  attempts: reversal.attempts + 1,
  checkAt: at,
  updatedAt: now,
});

/**
 * Nothing is left to undo. The amount is then what went back since the reversal was opened, or opened again.
 * @param last what went back since the last check, when it differs from the recorded amount; 0 when the payment settled
 * its order after all
 */
export function finished(reversal: Reversal, last: Amount | undefined, now: UnixSeconds): Unwritten {
  const { message: _message, checkAt: _used, returned = zero, ...rest } = reversal;
  const amount = last === 0 ? zero : plus(returned, last ?? reversal.amount);
  return { ...rest, amount, state: 'done', updatedAt: now };
}

/** @returns when the reconciler checks the reversal next; undefined for no check */
export function planReversalCheck(reversal: Omit<Reversal, 'revision'>): UnixSeconds | undefined {
  const { kind, state, attempts, acceptedAt, checkAt, createdAt, updatedAt } = reversal;
  if (state === 'done') return undefined;
  if (checkAt !== undefined) return checkAt;
  // After its first check, the registration of its order plans the next one (`recheckPlanned`).
  if (kind === 'orphan') return undefined;
  if (acceptedAt !== undefined) {
    const planned = acceptedChecks.map((seconds) => acceptedAt + seconds).find((at) => at > updatedAt);
    return planned ?? updatedAt + day;
  }
  if (state === 'requested') return updatedAt + retryAfter(attempts);
  return kind === 'revoke' ? postponed(createdAt, updatedAt) : updatedAt + retryAfter(attempts + 3);
}

/**
 * The partition of the index `due` that a reversal is in. Requests that return money come first. An unmatched payment
 * without a planned check is only listed for the operator.
 */
export type CheckClass = 'money' | 'revoke' | 'check' | 'unmatched';

/** @returns the class and the time by which it is sorted; undefined once the reversal is over */
export function checkOf(reversal: Omit<Reversal, 'revision'>): { of: CheckClass; at: UnixSeconds } | undefined {
  const { kind, state, createdAt } = reversal;
  const at = planReversalCheck(reversal);
  if (at === undefined) return state === 'done' ? undefined : { of: 'unmatched', at: createdAt };
  if (kind === 'revoke') return { of: 'revoke', at };
  return { of: state === 'requested' ? 'money' : 'check', at };
}

/** The buyer has waited too long for the operator's refund. Unpaid accounts and unmatched payments do not count. */
export const isOverdue = ({ kind, state, amount, createdAt }: Reversal, now: UnixSeconds): boolean =>
  state === 'manual' && kind !== 'orphan' && amount > 0 && workingSeconds(createdAt, now) > workingDay;

/**
 * The amount of a reversal that has not gone back: the operator may have cancelled a part in the console. Excess and
 * mismatched deposits are not part of the payment's kept amount, so their recorded amount stays.
 */
export function leftOf(reversal: Reversal, payment: Payment): Amount {
  const { amount, reason } = reversal;
  const { state } = payment;
  const isOfDeposits = reason === 'deposit_mismatch' || reason === 'deposit_excess';
  if (isOfDeposits) return state.kind === 'returned' ? leftAfterCancel(reversal, payment) : amount;
  return state.kind === 'kept' && state.kept < amount ? state.kept : amount;
}

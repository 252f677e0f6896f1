/** A payment that must be undone. Held against the payment, never against the order that it names. Pure. */

import { workingDay, workingSeconds } from './business-day.ts';
import type { Amount } from './money.ts';
import type { Payment, UnixSeconds } from './payment.ts';
import { postponed, retryAfter } from './retry.ts';

/**
 * Why a payment is not taken. Ordered by precedence: when several apply, the first is reported.
 * `payment_predates_order`: begun long before the order was registered, so it may belong to another shop on the same account.
 * `deposit_mismatch`: several deposits on a fixed account that are not the amount together.
 * `deposit_excess`: paid into the account on top of what the order was paid with; the order stands.
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

/** Why a reversal exists: an objection to its payment, an account that outlives its order, or a payment without an order. */
export type ReversalReason = Objection | 'order_expired' | 'order_not_found';

/**
 * What has to be done: cancel the payment, revoke an account nobody has paid into, or ask a person
 * (a deposit goes back only to an account of the buyer's). `orphan`: money that names no order of ours.
 */
export type ReversalKind = 'cancel' | 'revoke' | 'manual' | 'orphan';

/** `requested` until it is `done`; `manual` waits for a person. */
export type ReversalState = 'requested' | 'done' | 'manual';

/** What is decided about a payment that must be undone. */
export interface ReversalRequest {
  readonly impUid: string;
  readonly merchantUid: string;
  readonly kind: ReversalKind;
  readonly reason: ReversalReason;
  /** What was kept when it was decided; 0 for an account without a deposit. */
  readonly amount: Amount;
  readonly currency: string;
}

export interface Reversal extends ReversalRequest {
  readonly state: ReversalState;
  /** Counts the writes of this item. */
  readonly revision: number;
  /** How often Iamport was asked to undo it. Raised before each call, so that two workers never ask at once. */
  readonly attempts: number;
  /** What Iamport or the PG answered last, when it did not work. */
  readonly message?: string;
  /** When Iamport accepted a request (`code: 0`) that the payment does not show yet. It is never sent again. */
  readonly acceptedAt?: UnixSeconds;
  /** An earlier check than its state asks for. */
  readonly checkAt?: UnixSeconds;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
}

/** A reversal before its first write. The store counts the revisions. */
type Unwritten = Omit<Reversal, 'revision'>;

/** About a day of attempts. A PG that still refuses then does not change its mind, and the operator takes over. */
const maxAttempts = 12;
/** After an accepted request the payment is checked after these times, then daily. Seconds. */
const acceptedChecks = [300, 3_600, 21_600, 86_400];
const day = 86_400;
/** An accepted request that the payment does not show by then is the operator's. Seconds of working time. */
const acceptedTakes = 3 * workingDay;

/**
 * A new reversal.
 * @param attempts 1 when the caller sends the first request to Iamport itself, and at once
 */
export function opened(request: ReversalRequest, attempts: 0 | 1, now: UnixSeconds): Unwritten {
  const isManual = request.kind === 'manual' || request.kind === 'orphan';
  const state = isManual ? 'manual' : 'requested';
  return { ...request, state, attempts: isManual ? 0 : attempts, createdAt: now, updatedAt: now };
}

/** Does a decision replace the reversal that is recorded? */
export function isNews(decided: ReversalRequest, known: Reversal): boolean {
  // An account without a deposit, or a payment without an order, has become more since.
  if (known.kind === 'revoke' || known.kind === 'orphan') return decided.kind !== known.kind;
  if (decided.kind !== 'manual') return false;
  // Another amount arrived, or the shop has switched automatic reversals off: then nothing is attempted any more.
  return decided.reason !== known.reason || decided.amount > known.amount || known.state === 'requested';
}

/**
 * The bank took back a deposit that the operator was to refund: only its open account is left.
 * @param payment read after the reversal
 */
export const isTakenBack = ({ kind, state, amount }: Reversal, payment: Payment): boolean =>
  kind === 'manual' &&
  state === 'manual' &&
  amount > 0 &&
  payment.state.kind === 'awaiting_deposit' &&
  payment.deposited === undefined;

/** Claims the next request to Iamport. @returns undefined when none may be sent now */
export function claimed(reversal: Reversal, now: UnixSeconds): Unwritten | undefined {
  // An account that could not be revoked is tried on, since the operator may have added the key that was missing.
  const isOpen = reversal.state === 'requested' || (reversal.state === 'manual' && reversal.kind === 'revoke');
  const dueAt = nextCheckAt(reversal);
  if (!isOpen || reversal.acceptedAt !== undefined || dueAt === undefined || dueAt > now) return undefined;
  const { checkAt: _used, ...rest } = reversal;
  return { ...rest, attempts: reversal.attempts + 1, updatedAt: now };
}

/** Iamport or the PG refused, or gave no answer. After the last attempt the operator takes over. */
export function failed(reversal: Reversal, message: string, now: UnixSeconds): Unwritten {
  const state = reversal.state === 'requested' && reversal.attempts < maxAttempts ? 'requested' : 'manual';
  return { ...reversal, state, message, updatedAt: now };
}

/** Iamport accepted the request, and the payment does not show it yet. */
export const accepted = (reversal: Reversal, now: UnixSeconds): Unwritten => ({
  ...reversal,
  acceptedAt: reversal.acceptedAt ?? now,
  message: 'Iamport accepted the request, and the payment does not show it yet',
  updatedAt: now,
});

/** A check found the payment unchanged. @param left how much has not gone back meanwhile */
export function checked(reversal: Reversal, left: Amount, now: UnixSeconds): Unwritten {
  const { checkAt: _used, ...rest } = reversal;
  const { acceptedAt, state } = reversal;
  const isOverdue = acceptedAt !== undefined && workingSeconds(acceptedAt, now) > acceptedTakes;
  return {
    ...rest,
    amount: left,
    state: isOverdue ? 'manual' : state,
    attempts: reversal.attempts + (state === 'manual' ? 1 : 0),
    updatedAt: now,
  };
}

/** The order of an unmatched payment was registered: check it once more. @param at when */
export const expected = (reversal: Reversal, at: UnixSeconds, now: UnixSeconds): Unwritten => ({
  ...reversal,
  // Together with the revision, as every write that publishes nothing: `republish` counts back by it.
  attempts: reversal.attempts + 1,
  checkAt: at,
  updatedAt: now,
});

/** Nothing is left to undo. @param amount what went back, where it is not what had to */
export function finished(reversal: Reversal, amount: Amount | undefined, now: UnixSeconds): Unwritten {
  const { message: _message, checkAt: _used, ...rest } = reversal;
  return { ...rest, amount: amount ?? reversal.amount, state: 'done', updatedAt: now };
}

/** When the reconciler checks a reversal next. */
export function nextCheckAt(reversal: Omit<Reversal, 'revision'>): UnixSeconds | undefined {
  const { kind, state, attempts, acceptedAt, checkAt, createdAt, updatedAt } = reversal;
  if (state === 'done') return undefined;
  if (checkAt !== undefined) return checkAt;
  // Registering its order brings an unmatched payment up; until then there is nothing to ask.
  if (kind === 'orphan') return undefined;
  if (acceptedAt !== undefined) {
    const planned = acceptedChecks.map((seconds) => acceptedAt + seconds).find((at) => at > updatedAt);
    return planned ?? updatedAt + day;
  }
  if (state === 'requested') return updatedAt + retryAfter(attempts);
  return kind === 'revoke' ? postponed(createdAt, updatedAt) : updatedAt + retryAfter(attempts + 3);
}

/**
 * The part of the index `due` that a reversal is in. Requests that give money back come first. An unmatched payment is only listed
 * for the operator: the reconciler does not check it.
 */
export type CheckClass = 'money' | 'revoke' | 'check' | 'unmatched';

/** @returns the class and the time by which it is sorted; undefined once the reversal is over */
export function checkOf(reversal: Omit<Reversal, 'revision'>): { of: CheckClass; at: UnixSeconds } | undefined {
  const { kind, state, createdAt } = reversal;
  const at = nextCheckAt(reversal);
  if (at === undefined) return state === 'done' ? undefined : { of: 'unmatched', at: createdAt };
  if (kind === 'revoke') return { of: 'revoke', at };
  return { of: state === 'requested' ? 'money' : 'check', at };
}

/** Does the operator keep the buyer waiting for money? Accounts without a deposit and unmatched payments do not count. */
export const isOverdue = ({ kind, state, amount, createdAt }: Reversal, now: UnixSeconds): boolean =>
  state === 'manual' && kind !== 'orphan' && amount > 0 && workingSeconds(createdAt, now) > workingDay;

/**
 * How much of what waits for the operator has not gone back: a part may have been cancelled in the console. What is wrong with
 * deposits is no figure of the payment's own, and stays as it was recorded.
 */
export function leftOf({ amount, reason }: Reversal, { state }: Payment): Amount {
  const isOfDeposits = reason === 'deposit_mismatch' || reason === 'deposit_excess';
  return state.kind === 'kept' && !isOfDeposits && state.kept < amount ? state.kept : amount;
}

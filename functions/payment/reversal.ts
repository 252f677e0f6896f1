/** A payment that must be undone. Held against the payment, never against the order that it names. Pure. */

import type { Amount } from './money.ts';
import type { Payment, UnixSeconds } from './payment.ts';

/**
 * Why a payment is not taken. Ordered by precedence: when several apply, the first is reported.
 * `deposit_mismatch`: several deposits on a fixed account that are not the amount together.
 * `deposit_excess`: paid into the account on top of what the order was paid with; the order stands.
 * `account_superseded`: the order has a newer virtual account.
 */
export type Objection =
  | 'test_payment'
  | 'currency_mismatch'
  | 'amount_mismatch'
  | 'deposit_mismatch'
  | 'deposit_excess'
  | 'duplicate_payment'
  | 'order_closed'
  | 'account_superseded';

/** Why a payment is held: an objection to it, or that it names no order. */
export type ReversalReason = Objection | 'order_not_found';

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
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
}

/** Does what is decided about a payment say more than its reversal does? */
export function isNews(decided: ReversalRequest, known: Reversal): boolean {
  // What was an account without a deposit, or money without an order, has become more since.
  if (known.kind === 'revoke' || known.kind === 'orphan') return decided.kind !== known.kind;
  if (decided.kind !== 'manual') return false;
  // Other money came, or the shop has taken the doing into its own hands: then nothing is tried any more.
  return decided.reason !== known.reason || decided.amount > known.amount || known.state === 'requested';
}

/**
 * How much of what waits for a person is still there: a part may have gone back in the console. What is wrong with deposits is no
 * figure of the payment's own, and stays as it was recorded.
 */
export function leftOf({ amount, reason }: Reversal, { state }: Payment): Amount {
  const isOfDeposits = reason === 'deposit_mismatch' || reason === 'deposit_excess';
  return state.kind === 'kept' && !isOfDeposits && state.kept < amount ? state.kept : amount;
}

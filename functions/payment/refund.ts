/** Money that the shop gives back of a payment that it took. Pure. */

import { type Amount, minus } from './money.ts';
import { isSettled, keptBy, type Order } from './order.ts';
import { isDeposit, type Payment, type UnixSeconds } from './payment.ts';

/** The buyer's account that a deposit goes back to. Passed on to Iamport, never stored. */
export interface RefundAccount {
  readonly holder: string;
  /** The bank's code, as Iamport has it. */
  readonly bank: string;
  readonly number: string;
}

/** `refused` for good: by the PG, or because somebody else has given back money meanwhile. */
export type RefundState = 'requested' | 'done' | 'refused';

export interface Refund {
  readonly impUid: string;
  /** The shop's own name for this refund: the same key never gives back twice. */
  readonly key: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  readonly currency: string;
  /** What was kept when it was asked for. Iamport gives back nothing when its own figure differs. */
  readonly checksum: Amount;
  /** The shop's words, which the console and the buyer's bank are told. */
  readonly reason: string;
  readonly state: RefundState;
  /** Counts the writes of this item. */
  readonly revision: number;
  readonly attempts: number;
  readonly message?: string;
  readonly createdAt: UnixSeconds;
  readonly updatedAt: UnixSeconds;
}

/** Ordered by precedence. */
export type RefundRefusal = 'not_paid' | 'refund_exceeds' | 'account_missing';

/**
 * How much of an order can be given back now.
 * @param wanted undefined for all that is left
 */
export function decideRefund(
  order: Order,
  wanted: Amount | undefined,
  hasAccount: boolean,
): { readonly amount: Amount; readonly checksum: Amount; readonly impUid: string } | RefundRefusal {
  const { state } = order;
  if (!isSettled(state)) return 'not_paid';
  const checksum = keptBy(order, state);
  if (checksum === 0) return 'not_paid';
  const amount = wanted ?? checksum;
  if (amount > checksum) return 'refund_exceeds';
  if (isDeposit(state.record) && !hasAccount) return 'account_missing';
  return { amount, checksum, impUid: state.impUid };
}

/** What Iamport is told as the reason: the shop's words, and the key by which the cancel is known again as this refund. */
export const cancelReasonOf = ({ reason, key }: Pick<Refund, 'reason' | 'key'>): string => `${reason} [${key}]`;

/**
 * What became of a refund whose answer was lost. Its own entry in the payment's history tells, and nothing else: another
 * refund, or a cancel in the console, may have moved the same amount.
 * @returns undefined when nothing moved, so that asking again with the same checksum is safe; `overtaken` when something did,
 *   and it was not this refund
 */
export function refundFoundIn(refund: Refund, payment: Payment): 'done' | 'overtaken' | undefined {
  if (payment.cancelReasons?.includes(cancelReasonOf(refund))) return 'done';
  return keptOf(payment) === refund.checksum ? undefined : 'overtaken';
}

/** Did Iamport's own answer to the cancel take off just this refund? The checksum let no other one come between. */
export const isTakenOff = (refund: Refund, after: Payment): boolean =>
  keptOf(after) === minus(refund.checksum, refund.amount);

const keptOf = ({ state }: Payment): number => (state.kind === 'kept' ? state.kept : 0);

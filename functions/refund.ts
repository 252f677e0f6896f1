/** Gives money back that the shop took: the intent is recorded, Iamport is asked with its checksum, the result is recorded. */

import { type Deadline, unixSeconds } from './edge/clock.ts';
import { IamportRefused, IamportUnavailable, IamportUnexpected } from './iamport/errors.ts';
import type { Payment } from './payment/payment.ts';
import { isDeposit } from './payment/payment.ts';
import { cancelReasonOf, isTakenOff, type Refund, type RefundAccount, refundFoundIn } from './payment/refund.ts';
import type { Rooms } from './rooms.ts';
import { settlePayment } from './settle.ts';

interface Help {
  readonly account?: RefundAccount | undefined;
  readonly tier?: string | undefined;
}

/**
 * One claimed attempt.
 * @param payment as Iamport has just told it
 * @returns the refund as it stands; `requested` when no answer came, and then asking again is safe
 */
export async function attemptRefund(
  rooms: Rooms,
  refund: Refund,
  payment: Payment,
  deadline: Deadline,
  { account, tier }: Help = {},
): Promise<Refund> {
  const found = refundFoundIn(refund, payment);
  if (found) return conclude(rooms, refund, payment, found, deadline);
  if (isDeposit(payment.record) && !account) {
    return end(rooms, refund, 'refused', "The buyer's account is needed again: ask for the refund with another key");
  }
  const { amount, checksum } = refund;
  const reason = cancelReasonOf(refund);
  try {
    const after = await rooms.iamport.cancel(
      { payment, amount, checksum, reason, ...(account && { account }) },
      deadline,
      tier,
    );
    if (isTakenOff(refund, after) || refundFoundIn(refund, after) === 'done') {
      return await conclude(rooms, refund, after, 'done', deadline);
    }
    return await end(rooms, refund, 'requested', 'Iamport took the request, and the payment still stands');
  } catch (error) {
    if (error instanceof IamportRefused) return refused(rooms, refund, error, deadline, tier);
    if (error instanceof IamportUnavailable || error instanceof IamportUnexpected)
      return end(rooms, refund, 'requested', error.message);
    throw error;
  }
}

/** A refusal may be the answer to a repeat of what was done: the payment itself tells. */
async function refused(
  rooms: Rooms,
  refund: Refund,
  refusal: IamportRefused,
  deadline: Deadline,
  tier: string | undefined,
) {
  const payment = await rooms.iamport.payment(refund.impUid, deadline, tier).catch(() => undefined);
  // Nobody can be asked: it stays as it is, and the next attempt finds out.
  if (!payment) return end(rooms, refund, 'requested', refusal.message);
  return refundFoundIn(refund, payment) === 'done'
    ? conclude(rooms, refund, payment, 'done', deadline)
    : end(rooms, refund, 'refused', refusal.message);
}

/** Records the result, and lets the order follow its payment. */
async function conclude(
  rooms: Rooms,
  refund: Refund,
  payment: Payment,
  found: 'done' | 'overtaken',
  deadline: Deadline,
) {
  await settlePayment(rooms, payment, await rooms.orders.read(payment.merchantUid), deadline);
  if (found === 'done') return end(rooms, refund, 'done', undefined);
  return end(
    rooms,
    refund,
    'refused',
    'Other money of this payment was given back meanwhile, and none for this refund: look at the order and ask anew',
  );
}

const end = (rooms: Rooms, refund: Refund, state: Refund['state'], message: string | undefined) =>
  rooms.refunds.end(refund, state, message, unixSeconds(rooms.clock));

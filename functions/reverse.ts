/** Undoes a payment that is not taken: the intent is recorded, Iamport is asked, the result is recorded. */

import { type Deadline, unixSeconds } from './edge/clock.ts';
import { IamportFault, NoTimeLeft } from './iamport/errors.ts';
import { isGone, type Payment } from './payment/payment.ts';
import type { Reversal, ReversalReason, ReversalRequest } from './payment/reversal.ts';
import type { Rooms } from './rooms.ts';

/** What the console and the buyer's bank are told. Korean, since they are. */
const reasons: Record<ReversalReason, string> = {
  test_payment: '테스트 결제',
  currency_mismatch: '주문 통화와 결제 통화가 다름',
  amount_mismatch: '주문 금액과 결제 금액이 다름',
  deposit_mismatch: '입금액이 주문 금액과 다름',
  deposit_excess: '주문 금액보다 더 입금됨',
  duplicate_payment: '이미 결제된 주문의 중복 결제',
  order_closed: '종료된 주문의 결제',
  account_superseded: '새 가상계좌가 발급됨',
  order_not_found: '주문을 찾을 수 없음',
};

/**
 * @param payment as Iamport has just told it: what it kept is both the amount to cancel and the checksum
 * @returns the reversal as it stands; what did not work stays `requested` and is tried again when it is due
 */
export async function reverse(
  rooms: Rooms,
  request: ReversalRequest,
  payment: Payment,
  deadline: Deadline,
  tier?: string,
): Promise<Reversal> {
  const now = unixSeconds(rooms.clock);
  const { created, reversal } = await rooms.reversals.request(request, now, 1);
  if (reversal.state !== 'requested') return reversal;
  const claimed = created ? reversal : await rooms.reversals.claim(reversal, now);
  return claimed ? await attempt(rooms, claimed, payment, deadline, tier) : reversal;
}

/** One claimed attempt. @returns the reversal as it stands after it */
export async function attempt(
  rooms: Rooms,
  reversal: Reversal,
  payment: Payment,
  deadline: Deadline,
  tier?: string,
): Promise<Reversal> {
  let problem: string;
  try {
    const after = await undo(rooms, reversal, payment, deadline, tier);
    if (isGone(after)) {
      return (await rooms.reversals.finish(reversal.impUid, unixSeconds(rooms.clock))) ?? reversal;
    }
    problem = 'Iamport took the request, and the payment still stands';
  } catch (error) {
    // Nothing was asked, and there is no time to write that down either: the attempt is claimed, and the next one is due.
    if (error instanceof NoTimeLeft) return reversal;
    if (!(error instanceof IamportFault)) throw error;
    // No answer says nothing about the money: the next attempt asks Iamport what it kept before it cancels anything.
    problem = error.message;
  }
  return rooms.reversals.fail(reversal, problem, unixSeconds(rooms.clock));
}

function undo(
  { iamport }: Rooms,
  reversal: Reversal,
  payment: Payment,
  deadline: Deadline,
  tier: string | undefined,
): Promise<Payment> {
  if (payment.state.kind !== 'kept') return iamport.revokeAccount(payment.impUid, deadline, tier);
  const { kept } = payment.state;
  return iamport.cancel({ payment, amount: kept, checksum: kept, reason: reasons[reversal.reason] }, deadline, tier);
}

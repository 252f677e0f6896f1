import type { Amount } from '../payment/money.ts';
import { isPayable, isSettled, type Order } from '../payment/order.ts';
import { isGone, type Payment } from '../payment/payment.ts';
import { accepted, failed, type Reversal, type ReversalReason, type ReversalRequest } from '../payment/reversal.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Deadline, unixSeconds } from '../shared/clock.ts';
import { IamportAccepted, IamportFault, NoTimeLeft, OrderBusy } from './faults.ts';

/** What the console and the buyer's bank are told. Korean, since they are. */
const reasons: Record<ReversalReason, string> = {
  test_payment: '테스트 결제',
  payment_predates_order: '주문 등록보다 오래된 결제',
  currency_mismatch: '주문 통화와 결제 통화가 다름',
  amount_mismatch: '주문 금액과 결제 금액이 다름',
  deposit_mismatch: '입금액이 주문 금액과 다름',
  deposit_excess: '주문 금액보다 더 입금됨',
  duplicate_payment: '이미 결제된 주문의 중복 결제',
  order_closed: '종료된 주문의 결제',
  account_superseded: '새 가상계좌가 발급됨',
  order_expired: '결제 기한이 지난 주문',
  order_not_found: '주문을 찾을 수 없음',
};

const nothing = 0 as Amount;

/** Each lost race is a write of the order by another worker or by the shop, so three in a row are rare. */
const maxAnnouncements = 3;

/**
 * @param payment read from Iamport just now: what it kept is both the amount to cancel and the checksum
 * @param order the order that the payment was rejected for
 * @returns the recorded reversal; what did not work stays `requested` and is tried again when it is due
 */
export async function reverse(
  rooms: Rooms,
  request: ReversalRequest,
  payment: Payment,
  order: Order,
  deadline: Deadline,
): Promise<Reversal> {
  const now = unixSeconds(rooms.clock);
  const { created, reversal } = await rooms.reversals.request(request, now, 1);
  if (reversal.state !== 'requested') return reversal;
  const claimed = created ? reversal : await rooms.reversals.claim(reversal, now);
  return claimed ? attempt(rooms, claimed, payment, order, deadline) : reversal;
}

/**
 * Sends one claimed request to Iamport.
 * @param order undefined when its item is gone or unreadable: what was decided is carried out all the same
 * @returns the reversal that is recorded after it
 */
export async function attempt(
  rooms: Rooms,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  deadline: Deadline,
): Promise<Reversal> {
  if (reversal.kind === 'cancel' && order && !(await mayCancel(rooms, order, reversal))) {
    return (await rooms.reversals.finish(reversal.impUid, unixSeconds(rooms.clock), nothing)) ?? reversal;
  }
  try {
    const after = await undo(rooms, reversal, payment, order, deadline);
    const now = unixSeconds(rooms.clock);
    if (isGone(after)) return (await rooms.reversals.finish(reversal.impUid, now)) ?? reversal;
    return await rooms.reversals.move(reversal, accepted(reversal, now));
  } catch (error) {
    // Nothing was sent. The attempt is claimed, and the next one is due.
    if (error instanceof NoTimeLeft) return reversal;
    if (!(error instanceof IamportFault)) throw error;
    const now = unixSeconds(rooms.clock);
    if (error instanceof IamportAccepted) return rooms.reversals.move(reversal, accepted(reversal, now));
    // A lost answer says nothing about the money: the next attempt reads from Iamport what is kept before it cancels.
    return rooms.reversals.move(reversal, failed(reversal, error.message, now));
  }
}

/**
 * A shop that owns its table may change the price back while the cancel is on its way. The order is marked first: a concurrent
 * `settle` that read it before the mark cannot write it, and one that reads it after the mark finds the reversal.
 * @returns false when the order was settled by this very payment before the mark
 */
async function mayCancel({ orders }: Rooms, first: Order, { impUid }: Reversal): Promise<boolean> {
  let order: Order | undefined = first;
  for (let tries = 0; order && tries < maxAnnouncements; tries += 1) {
    if (isSettled(order.state)) return order.state.impUid !== impUid;
    if (!orders.isShops || !isPayable(order.state)) return true;
    const held = await orders.announceCancel(order);
    if (held.held) return true;
    order = held.order;
  }
  if (!order) return true;
  throw new OrderBusy(`Order ${order.merchantUid} changed each time a cancel of ${impUid} was announced`);
}

function undo(
  { iamport }: Rooms,
  reversal: Reversal,
  payment: Payment,
  order: Order | undefined,
  deadline: Deadline,
): Promise<Payment> {
  if (payment.state.kind !== 'kept') return iamport.revokeAccount(payment.impUid, deadline, order?.tier);
  const { kept } = payment.state;
  const money = { amount: kept, checksum: kept, ...taxPartsOf(payment, kept, order), requester: 'admin' } as const;
  return iamport.cancel({ payment, ...money, reason: reasons[reversal.reason] }, deadline, order?.tier);
}

/** Only a whole payment of just the order's amount has the order's tax parts: what a forged amount was made of is unknown. */
function taxPartsOf(payment: Payment, kept: Amount, order: Order | undefined): Pick<Order, 'taxFree' | 'vatAmount'> {
  if (!order || kept !== order.amount || payment.amount !== kept || payment.currency !== order.currency) return {};
  const { taxFree, vatAmount } = order;
  return { ...(taxFree !== undefined && { taxFree }), ...(vatAmount !== undefined && { vatAmount }) };
}

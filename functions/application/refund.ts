import { isDeposit, type Payment } from '../payment/payment.ts';
import {
  cancelReasonOf,
  isDeferred,
  isInHistory,
  isTakenOff,
  type Refund,
  type RefundAccount,
  type RefundNeed,
  refundFoundIn,
} from '../payment/refund.ts';
import { accepted, claimed, lost, nextStep, over, refusedOnce, waiting } from '../payment/refund-steps.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Deadline, unixSeconds } from '../shared/clock.ts';
import { IamportAccepted, IamportFault, IamportRefused, OrderBusy } from './faults.ts';
import { settlePayment } from './settle.ts';

export interface RefundHelp {
  readonly account?: RefundAccount | undefined;
  readonly tier?: string | undefined;
  /** The caller has just written the refund. */
  readonly isFirst?: boolean;
  /** The shop asks, and not the reconciler. */
  readonly isAsked?: boolean;
  /** The other refunds of the order. */
  readonly others: readonly Refund[];
}

/** What an attempt works with. */
interface Attempt {
  readonly rooms: Rooms;
  readonly payment: Payment;
  readonly deadline: Deadline;
  readonly help: RefundHelp;
}

/**
 * Looks for the refund in its payment, and sends the cancel where that is safe.
 * @param payment as Iamport has just answered it
 * @returns the refund as it is recorded
 * @throws IamportFault when nothing was sent for a new refund; its record is then `unsent`, and the same key starts afresh
 * @throws OrderBusy when the payment changed before a new refund was sent; likewise
 */
export async function attemptRefund(
  rooms: Rooms,
  refund: Refund,
  payment: Payment,
  deadline: Deadline,
  help: RefundHelp,
): Promise<Refund> {
  if (refund.state === 'done') return refund;
  const now = unixSeconds(rooms.clock);
  const { account, isFirst = false, isAsked = false, others } = help;
  const finding = refundFoundIn(refund, payment, others);
  if (finding !== 'unchanged') {
    await settlePayment(rooms, payment, await rooms.orders.read(payment.merchantUid), deadline);
  }
  const { record } = payment;
  const step = nextStep(refund, { finding, record, now, isFirst, isAsked, hasAccount: account !== undefined });
  // A final refusal is only ever corrected to done.
  if (refund.state === 'refused' && step.kind !== 'done') return refund;
  switch (step.kind) {
    case 'done':
      return recordDone(rooms, refund);
    case 'refused':
      return update(rooms, refund, (current) => underWay(current) && over(current, 'refused', now));
    case 'overtaken':
      return update(
        rooms,
        refund,
        (current) => underWay(current) && refusedOnce(current, 'overtaken', messages.overtaken, now),
      );
    case 'stale':
      await update(rooms, refund, (current) => over(current, 'unsent', now));
      throw new OrderBusy(`The payment ${payment.impUid} changed before its refund was sent`);
    case 'send':
      return send({ rooms, payment, deadline, help }, refund);
    case 'wait':
      return wait(rooms, refund, step.needs, isAsked);
  }
}

/** What the record says about a refund that is not done. For the shop and the operator. */
const messages = {
  overtaken: 'Other money of this payment was given back meanwhile, so the checksum of this refund no longer holds.',
  account: "No answer came. Send the same request again, with the same idempotency-key and the buyer's account.",
  repeat: 'No answer came. Send the same request again, with the same idempotency-key.',
  operator: 'The history of the payment does not show whether this refund was made. Compare it in the console.',
} as const;

/** The result of a look by the shop is written only where it is new: a concurrent attempt must not lose its own write to it. */
function wait(rooms: Rooms, refund: Refund, needs: RefundNeed | undefined, isAsked: boolean): Promise<Refund> | Refund {
  if (isAsked && refund.needs === needs) return refund;
  const now = unixSeconds(rooms.clock);
  return update(rooms, refund, (current) => {
    if (current.state !== 'requested') return false;
    const next = waiting(current, needs, now);
    return needs ? { ...next, message: messages[needs] } : next;
  });
}

/** One attempt: claimed, sent, and its answer recorded. */
async function send(attempt: Attempt, refund: Refund): Promise<Refund> {
  const { rooms, payment, deadline, help } = attempt;
  const { account, tier, isFirst } = help;
  const sending = isFirst ? refund : await claim(rooms, refund);
  if (!sending) return (await rooms.refunds.read(refund)) ?? refund;
  const { amount, checksum, taxFree, vatAmount, requester } = sending;
  const request = {
    ...{ payment, amount, checksum, reason: cancelReasonOf(sending) },
    ...(taxFree !== undefined && { taxFree }),
    ...(vatAmount !== undefined && { vatAmount }),
    ...(requester && { requester }),
    ...(account && { account }),
  };
  try {
    const after = await rooms.iamport.cancel(request, deadline, tier);
    const isShown = isTakenOff(sending, after) || isInHistory(sending, after);
    if (!isShown) return await recordAccepted(rooms, sending);
    await settlePayment(rooms, after, await rooms.orders.read(after.merchantUid), deadline);
    return await recordDone(rooms, sending);
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    return afterFault(attempt, sending, error);
  }
}

async function claim(rooms: Rooms, refund: Refund): Promise<Refund | undefined> {
  const { held, refund: current } = await rooms.refunds.change(refund, claimed(refund, unixSeconds(rooms.clock)));
  return held ? current : undefined;
}

async function afterFault({ rooms, payment, deadline, help }: Attempt, refund: Refund, fault: IamportFault) {
  const now = unixSeconds(rooms.clock);
  if (fault instanceof IamportAccepted) return recordAccepted(rooms, refund);
  if (fault.notSent && help.isFirst) {
    await update(rooms, refund, (current) => over(current, 'unsent', now));
    throw fault;
  }
  const message = withoutAccount(fault.message, help.account);
  if (fault instanceof IamportRefused && !fault.notSent) {
    // It may refuse the repeat of a cancel that was made: the checksum no longer holds then. Only the key counts so early, since a
    // concurrent refund may have made an entry that `others` does not know.
    const after = await rooms.iamport.payment(refund.impUid, deadline, help.tier).catch(() => undefined);
    if (after && isInHistory(refund, after)) {
      await settlePayment(rooms, after, await rooms.orders.read(after.merchantUid), deadline);
      return recordDone(rooms, refund);
    }
    return update(rooms, refund, (current) => underWay(current) && refusedOnce(current, 'refused_by_pg', message, now));
  }
  const needs = isDeferred(payment.record) ? (isDeposit(payment.record) ? 'account' : 'repeat') : undefined;
  return update(
    rooms,
    refund,
    (current) => underWay(current) && lost(current, needs, needs ? messages[needs] : message, now),
  );
}

const underWay = ({ state, acceptedAt }: Refund): boolean => state === 'requested' && acceptedAt === undefined;

const recordDone = (rooms: Rooms, refund: Refund): Promise<Refund> =>
  update(rooms, refund, (current) => current.state !== 'done' && over(current, 'done', unixSeconds(rooms.clock)));

const recordAccepted = (rooms: Rooms, refund: Refund): Promise<Refund> =>
  update(rooms, refund, (current) => current.state !== 'done' && accepted(current, unixSeconds(rooms.clock)));

/** Each lost race means that a concurrent look or attempt has written something, and those are few. */
const maxLostRaces = 5;

/**
 * Writes the next version of a refund. What Iamport answered must not be lost to a concurrent write, so a lost race applies the
 * step to the newer version.
 * @param step false when the newer version needs no change
 */
async function update(rooms: Rooms, refund: Refund, step: (current: Refund) => Refund | false): Promise<Refund> {
  let current = refund;
  for (let lostRaces = 0; lostRaces < maxLostRaces; lostRaces += 1) {
    const next = step(current);
    if (!next) return current;
    const written = await rooms.refunds.change(current, next);
    if (written.held) return written.refund;
    current = written.refund;
  }
  throw new OrderBusy(`The refund ${refund.impUid}/${refund.key} changed ${maxLostRaces} times while it was written`);
}

/** A PG may repeat the buyer's account in the text of its refusal. It is stored and shown, so the account is taken out. */
function withoutAccount(message: string, account: RefundAccount | undefined): string {
  const { number = '', holder = '', tel = '' } = account ?? {};
  const personal = [number, holder, tel].filter((text) => text.length > 1);
  const plain = personal.reduce((text, part) => text.replaceAll(part, '…'), message);
  return plain.replace(/\d(?:[ -]?\d){6,}/g, '…');
}

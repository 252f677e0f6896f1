/** Carries out refunds that the shop requested: sends the cancel once, and records its result. */

import { isDeposit, type Payment } from '../payment/payment.ts';
import {
  cancelReasonOf,
  fitsBeside,
  isBeingSent,
  isDeferred,
  isInHistory,
  isTakenOff,
  isUnsent,
  joined,
  type Refund,
  type RefundAccount,
  type RefundNeed,
  refundFoundIn,
  refundId,
} from '../payment/refund.ts';
import {
  accepted,
  claimed,
  deferred,
  hasLostResponse,
  lost,
  nextStep,
  over,
  refusedOnce,
  waiting,
} from '../payment/refund-steps.ts';
import { unixSeconds } from '../shared/clock.ts';
import { IamportAccepted, IamportFault, IamportRefused, OrderBusy } from './faults.ts';
import type { RefundList } from './ports/stores.ts';
import type { Dependencies } from './ports.ts';
import { recordAcceptance } from './record-acceptance.ts';
import { settlePayment } from './settle.ts';

/** Facts about the refund that the caller of `attemptRefund` knows. */
export interface AttemptOptions {
  readonly account?: RefundAccount | undefined;
  readonly tier?: string | undefined;
  /** The caller has just created the refund. False by default. */
  readonly isFirst?: boolean;
  /** The shop sent this request; false for the reconciler, and by default. */
  readonly isShopRequest?: boolean;
  /** The other refunds of the order. */
  readonly others: readonly Refund[];
}

/** The arguments of one attempt. */
interface Attempt {
  readonly deps: Dependencies;
  readonly payment: Payment;
  readonly options: AttemptOptions;
}

/**
 * Looks for the refund in its payment, and sends the cancel when that is safe.
 * @param payment as Iamport has just returned it
 * @returns the refund as it is recorded
 * @throws IamportFault when the cancel of a new refund was not sent: the refund is `unsent`, and the same key starts a
 * new one
 * @throws OrderBusy when the payment changed before the cancel of a new refund was sent: as above; or when another
 * refund of the payment is decided or sent at the same time
 * @throws AcceptanceNotRecorded when Iamport accepted the cancel, and no write recorded that until the deadline
 */
export async function attemptRefund(
  deps: Dependencies,
  refund: Refund,
  payment: Payment,
  options: AttemptOptions,
): Promise<Refund> {
  const now = unixSeconds(deps.clock);
  const { account, isFirst = false, isShopRequest = false, others } = options;
  const finding = refundFoundIn(refund, payment, others);
  if (finding !== 'unchanged') {
    await settlePayment(deps, payment, await deps.orders.read(payment.merchantUid));
  }
  if (refund.state === 'done') return refund;
  const { record } = payment;
  const fits = fitsBeside(refund, payment, others);
  const hasAccount = account !== undefined;
  const step = nextStep(refund, { finding, record, now, isFirst, isShopRequest, hasAccount, fits });
  // A final refusal is only corrected to done.
  if (refund.state === 'refused' && step.kind !== 'done') return refund;
  switch (step.kind) {
    case 'done':
      return recordDone(deps, refund);
    case 'refused':
      return update(deps, refund, (current) => isInProgress(current) && over(current, 'refused', now));
    case 'stale':
      await update(deps, refund, (current) => over(current, 'unsent', now));
      throw new OrderBusy(`The payment ${payment.impUid} changed before its refund was sent`);
    case 'send':
      return (isFirst ? send : repeat)({ deps, payment, options }, refund);
    case 'wait':
      return wait(deps, refund, step.needs, isShopRequest);
  }
}

/** The messages of refunds that are not done. For the shop and the operator. */
const messages = {
  account: "No response arrived. Send the same request again, with the same idempotency-key and the buyer's account.",
  repeat: 'No response arrived. Send the same request again, with the same idempotency-key.',
  operator:
    'The payment does not show whether this refund was made. Check it in the console. Send no other key for it.',
} as const;

/** A check by the shop is written only if it changes `needs`. Otherwise a concurrent attempt could lose a race. */
function wait(
  deps: Dependencies,
  refund: Refund,
  needs: RefundNeed | undefined,
  isShopRequest: boolean,
): Promise<Refund> | Refund {
  if (isShopRequest && refund.needs === needs) return refund;
  const now = unixSeconds(deps.clock);
  return update(deps, refund, (current) => {
    if (current.state !== 'requested') return false;
    const next = waiting(current, needs, now);
    return needs ? { ...next, message: messages[needs] } : next;
  });
}

export const busy = (impUid: string) =>
  new OrderBusy(`Another refund of the payment ${impUid} is being decided or sent`);

/**
 * Announces the key in the payment's list, so that of two requests that have read the same list only one continues. A
 * request that announced its refund earlier may not have made it `requested` yet, and this decision does not count it.
 * The write of its `unsent` item makes it fail there.
 * @throws OrderBusy when another request continues: this one has sent nothing
 */
export async function announce({ refunds }: Pick<Dependencies, 'refunds'>, list: RefundList, key: string) {
  for (const other of list.refunds.filter((refund) => isUnsent(refund) && refund.key !== key)) {
    if (!(await refunds.change(other, other)).written) throw busy(list.impUid);
  }
  if (!(await refunds.announce(list, key))) throw busy(list.impUid);
}

/**
 * Sends a refund again. A new one may be decided at the same time. Either it reads this claim and waits, or it has read
 * the refund before, and the announcement lets only one of the two continue.
 * @throws OrderBusy when another refund of the payment is decided or sent at the same time: nothing was sent
 */
async function repeat(attempt: Attempt, refund: Refund): Promise<Refund> {
  const { deps, payment, options } = attempt;
  const sending = await claim(deps, refund);
  if (!sending) return (await deps.refunds.read(refund)) ?? refund;
  const list = await deps.refunds.ofPayment(refund.impUid);
  const others = joined(list.refunds, options.others).filter(({ key }) => key !== refund.key);
  if (!fitsBeside(refund, payment, others)) return wait(deps, sending, 'operator', false);
  const now = unixSeconds(deps.clock);
  const rivals = others.filter((other) => other.impUid === refund.impUid && isBeingSent(other, now));
  if (rivals.length > 0) {
    // Two repeats that are claimed at the same time find each other. The next times differ, so that one of them is sent.
    const first = rivals.filter(({ key }) => key < refund.key);
    await deps.refunds.change(sending, deferred(sending, first.length, now));
    throw busy(refund.impUid);
  }
  await announce(deps, list, refund.key);
  return send(attempt, sending);
}

/** Sends the cancel of a claimed attempt, and records the result. */
async function send(attempt: Attempt, sending: Refund): Promise<Refund> {
  const { deps, payment, options } = attempt;
  const { account, tier } = options;
  const { amount, checksum, taxFree, vatAmount, requester } = sending;
  const request = {
    ...{ payment, amount, checksum, reason: cancelReasonOf(sending) },
    ...(taxFree !== undefined && { taxFree }),
    ...(vatAmount !== undefined && { vatAmount }),
    ...(requester && { requester }),
    ...(account && { account }),
  };
  let after: Payment;
  try {
    after = await deps.iamport.cancel(request, tier);
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    return afterFault(attempt, sending, error);
  }
  const isShown = isTakenOff(sending, after) || isInHistory(sending, after);
  if (!isShown) return recordAccepted(deps, sending);
  // A fault here leaves the refund open. The next attempt finds the cancel in the payment, and sends nothing.
  await settlePayment(deps, after, await deps.orders.read(after.merchantUid));
  return recordDone(deps, sending);
}

async function claim(deps: Dependencies, refund: Refund): Promise<Refund | undefined> {
  const result = await deps.refunds.change(refund, claimed(refund, unixSeconds(deps.clock)));
  return result.written ? result.value : undefined;
}

async function afterFault({ deps, payment, options }: Attempt, refund: Refund, fault: IamportFault) {
  const now = unixSeconds(deps.clock);
  if (fault instanceof IamportAccepted) return recordAccepted(deps, refund);
  if (fault.notSent && options.isFirst) {
    await update(deps, refund, (current) => over(current, 'unsent', now));
    throw fault;
  }
  const message = withoutAccount(fault.message, options.account);
  if (fault instanceof IamportRefused && !fault.notSent) {
    // Iamport may refuse the repeat of a cancel that was made, since its checksum no longer matches. Only the key is
    // compared here: a concurrent refund may have made an entry, and `others` does not contain it.
    const after = await deps.iamport.payment(refund.impUid, options.tier).catch(() => undefined);
    if (after && isInHistory(refund, after)) {
      await settlePayment(deps, after, await deps.orders.read(after.merchantUid));
      return recordDone(deps, refund);
    }
    return update(deps, refund, (current) => {
      if (!isInProgress(current)) return false;
      return refusedOnce(current, hasLostResponse(current) ? messages.operator : message, now);
    });
  }
  const needs = isDeferred(payment.record) ? (isDeposit(payment.record) ? 'account' : 'repeat') : undefined;
  return update(
    deps,
    refund,
    (current) => isInProgress(current) && lost(current, needs, needs ? messages[needs] : message, now),
  );
}

const isInProgress = ({ state, acceptedAt }: Refund): boolean => state === 'requested' && acceptedAt === undefined;

const recordDone = (deps: Dependencies, refund: Refund): Promise<Refund> =>
  update(deps, refund, (current) => current.state !== 'done' && over(current, 'done', unixSeconds(deps.clock)));

const recordAccepted = (deps: Dependencies, refund: Refund): Promise<Refund> =>
  recordAcceptance(deps, `the refund ${refundId(refund)}`, () =>
    update(
      deps,
      refund,
      // A write without a response may have taken effect. Its repeat finds the acceptance.
      (current) =>
        current.state !== 'done' && current.acceptedAt === undefined && accepted(current, unixSeconds(deps.clock)),
    ),
  );

/** Each lost race means that a concurrent check or attempt has written the refund, and those are few. */
const maxLostRaces = 5;

/**
 * Writes the next version of a refund. A concurrent write must not discard the response of Iamport. After a lost race
 * the step is applied to the newer version.
 * @param step returns false when the newer version needs no change
 */
async function update(deps: Dependencies, refund: Refund, step: (current: Refund) => Refund | false): Promise<Refund> {
  let current = refund;
  for (let lostRaces = 0; lostRaces < maxLostRaces; lostRaces += 1) {
    const next = step(current);
    if (!next) return current;
    const result = await deps.refunds.change(current, next);
    if (result.written) return result.value;
    current = result.current;
  }
  throw new OrderBusy(`The refund ${refund.impUid}/${refund.key} changed ${maxLostRaces} times while it was written`);
}

/** Masks the buyer's account in the text of a refusal: a PG may repeat it, and the text is stored and shown. */
function withoutAccount(message: string, account: RefundAccount | undefined): string {
  const { number = '', holder = '', tel = '' } = account ?? {};
  const personal = [number, holder, tel].filter((text) => text.length > 1);
  const plain = personal.reduce((text, part) => text.replaceAll(part, '…'), message);
  return plain.replace(/\d(?:[ -]?\d){6,}/g, '…');
}

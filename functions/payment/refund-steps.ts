/** The transitions of a refund: the next step after its payment was read, and the time of the next check. Pure. */

import { workingDay, workingSeconds } from './business-day.ts';
import { isDeposit, type PaymentRecord, type UnixSeconds } from './payment.ts';
import { isDeferred, type Refund, type RefundFinding, type RefundNeed } from './refund.ts';

/** Seconds between an attempt or a refusal and the second check. A slow PG shows its cancel by then. */
export const secondCheckAfter = 300;
const hour = 3_600;
const day = 86_400;
/** The checks after an attempt; daily checks follow. Seconds. */
const checksAfter = [secondCheckAfter, hour, 6 * hour, day];
/** A PG that refunds later needs one or two business days. Seconds of working time. */
const overdueAfter = 3 * workingDay;

/** When to check a refund next. @param since when it was accepted, refused or sent */
export function planRefundCheck(since: UnixSeconds, now: UnixSeconds): UnixSeconds {
  const step = checksAfter.find((after) => since + after > now);
  return since + (step ?? (Math.floor((now - since) / day) + 1) * day);
}

/** 5, 10, 20, … minutes between attempts, at most 6 hours. Seconds. */
const sendAgainAfter = (attempts: number): number => Math.min(secondCheckAfter * 2 ** (attempts - 1), 6 * hour);

export type RefundStep =
  | { readonly kind: 'done' }
  /** Send the cancel, again or for the first time. */
  | { readonly kind: 'send' }
  /** Nothing was sent, and the payment changed: the caller decides again. */
  | { readonly kind: 'stale' }
  /** The second check confirmed the refusal. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly needs?: RefundNeed };

export interface RefundSituation {
  readonly finding: RefundFinding;
  readonly record: PaymentRecord;
  readonly now: UnixSeconds;
  /** The caller has just created the refund, so nothing was sent. */
  readonly isFirst: boolean;
  /** The shop sent this request; false for a check by the reconciler. */
  readonly isShopRequest: boolean;
  readonly hasAccount: boolean;
  /** Its amount is left beside the accepted refunds that the PG has not performed yet. */
  readonly fits: boolean;
}

/** Decides the next step of a refund that is not done, after its payment was read. */
export function nextStep(refund: Refund, situation: RefundSituation): RefundStep {
  const { finding, isFirst, now } = situation;
  if (finding === 'done') return { kind: 'done' };
  if (isFirst) return { kind: finding === 'unchanged' ? 'send' : 'stale' };
  if (finding === 'unclear') return { kind: 'wait', needs: 'operator' };
  // Iamport accepted it, and the PG may refund many days later. So it is only checked. Once a check was unclear, the
  // operator decides, even if the payment looks unchanged again: a bank took the deposit back, and the buyer paid anew.
  if (refund.acceptedAt !== undefined) {
    const isForOperator = finding === 'overtaken' || refund.needs === 'operator';
    return isForOperator ? { kind: 'wait', needs: 'operator' } : { kind: 'wait' };
  }
  if (refund.refusedAt !== undefined && !hasLostResponse(refund)) {
    return { kind: now >= refund.refusedAt + secondCheckAfter ? 'refused' : 'wait' };
  }
  // Iamport may have accepted a request without a known response, and the PG may refund it days later. Another cancel
  // changes the checksum, so a repeat would be refused, and its refusal would not show the result of the first request.
  if (refund.refusedAt !== undefined || finding === 'overtaken') return { kind: 'wait', needs: 'operator' };
  return afterLostResponse(refund, situation);
}

/**
 * The PG refused the only attempt, and the second check is not due yet. Some PGs refuse a cancel and perform it all the
 * same, so until then another refund may be the same money again.
 * @returns when the second check is due; undefined for any other refund
 */
export function refusalOpenUntil(refund: Refund, now: UnixSeconds): UnixSeconds | undefined {
  const { state, refusedAt, acceptedAt, needs } = refund;
  if (state !== 'requested' || refusedAt === undefined || acceptedAt !== undefined || needs) return undefined;
  const until = refusedAt + secondCheckAfter;
  return now < until ? until : undefined;
}

/** The response to an earlier attempt is unknown: an attempt is repeated only then. */
export const hasLostResponse = ({ attempts }: Refund): boolean => attempts > 1;

/** No response to the last attempt, and an unchanged payment: the request was lost, or the PG only registered it. */
function afterLostResponse(refund: Refund, situation: RefundSituation): RefundStep {
  const { record, now, isShopRequest, hasAccount, fits } = situation;
  // Another refund was accepted meanwhile. The operator finds out which of them the PG makes.
  if (!fits) return { kind: 'wait', needs: 'operator' };
  const isSecondCheckDue = now >= refund.sentAt + secondCheckAfter;
  if (!isDeferred(record)) return { kind: isSecondCheckDue ? 'send' : 'wait' };
  const isComplete = hasAccount || !isDeposit(record);
  if (isSecondCheckDue && isShopRequest && isComplete) return { kind: 'send' };
  return { kind: 'wait', needs: isDeposit(record) ? 'account' : 'repeat' };
}

type Opening = Omit<Refund, 'state' | 'revision' | 'attempts' | 'sentAt' | 'message' | 'createdAt' | 'updatedAt'>;

/** A new refund, with the first attempt claimed. Written before the cancel is sent. */
export const opened = (request: Opening, now: UnixSeconds): Refund => ({
  ...request,
  state: 'requested',
  revision: 1,
  attempts: 1,
  sentAt: now,
  createdAt: now,
  updatedAt: now,
  nextCheckAt: now + secondCheckAfter,
});

/** Claims the next attempt. Written before the cancel is sent. Without a message, its response is not known yet. */
export function claimed({ needs: _former, message: _formerToo, ...refund }: Refund, now: UnixSeconds): Refund {
  const attempts = refund.attempts + 1;
  return { ...refund, attempts, sentAt: now, updatedAt: now, nextCheckAt: now + sendAgainAfter(attempts) };
}

/**
 * The claimed attempt was not sent, beside others that are being sent. It has a message, so the others do not wait for
 * it.
 * @param before how many of the others are checked first
 */
export const deferred = (refund: Refund, before: number, now: UnixSeconds): Refund => ({
  ...refund,
  message: 'Another refund of the payment was being sent. This one is checked after it.',
  updatedAt: now,
  nextCheckAt: now + secondCheckAfter * (1 + before),
});

/** Iamport returned `code` 0, and the payment does not show the cancel yet. */
export function accepted({ message: _former, needs: _answered, ...refund }: Refund, now: UnixSeconds): Refund {
  return { ...refund, acceptedAt: now, updatedAt: now, nextCheckAt: planRefundCheck(now, now) };
}

/**
 * The PG refused the latest attempt. A second check has to confirm it. If the response to an earlier attempt is unknown,
 * the operator has to find out whether the PG made that one.
 */
export const refusedOnce = (refund: Refund, message: string, now: UnixSeconds): Refund => ({
  ...refund,
  refusedAt: now,
  refusal: 'refused_by_pg',
  ...(hasLostResponse(refund) && { needs: 'operator' }),
  message,
  updatedAt: now,
  nextCheckAt: now + secondCheckAfter,
});

/** The cancel got no response, so it may have been made. */
export const lost = (refund: Refund, needs: RefundNeed | undefined, message: string, now: UnixSeconds): Refund => ({
  ...refund,
  ...(needs && { needs }),
  message,
  updatedAt: now,
});

/** A check found the refund still in progress. */
export function waiting(
  { needs: _former, ...refund }: Refund,
  needs: RefundNeed | undefined,
  now: UnixSeconds,
): Refund {
  const since = refund.acceptedAt ?? refund.refusedAt ?? refund.sentAt;
  return { ...refund, ...(needs && { needs }), updatedAt: now, nextCheckAt: planRefundCheck(since, now) };
}

/** Ends the refund: no further check is planned. Only `refused` keeps the message and the refusal. */
export function over(refund: Refund, state: 'done' | 'refused' | 'unsent', now: UnixSeconds): Refund {
  const { needs: _needs, nextCheckAt: _nextCheckAt, message, refusal, ...rest } = refund;
  const why = state === 'refused' && { ...(message !== undefined && { message }), ...(refusal && { refusal }) };
  return { ...rest, ...why, state, updatedAt: now };
}

/** The refund has waited too long for the PG, the shop or the operator. */
export function isOverdue({ state, needs, createdAt, acceptedAt }: Refund, now: UnixSeconds): boolean {
  if (state !== 'requested') return false;
  return workingSeconds(acceptedAt ?? createdAt, now) > (needs ? workingDay : overdueAfter);
}

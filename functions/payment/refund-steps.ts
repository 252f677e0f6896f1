/** The life of a refund as pure transitions: what to do after a look at its payment, and when to look again. */

import { workingDay, workingSeconds } from './business-day.ts';
import { isDeposit, type PaymentRecord, type UnixSeconds } from './payment.ts';
import { isDeferred, type Refund, type RefundFinding, type RefundNeed, type RefundRefusalReason } from './refund.ts';

/** How long after an attempt or a refusal the payment is looked at again. A slow PG has shown its cancel by then. Seconds. */
export const secondLookAfter = 300;
const hour = 3_600;
const day = 86_400;
/** The looks after the first one; after them a look a day. Seconds. */
const looksAfter = [secondLookAfter, hour, 6 * hour, day];
/** A PG that pays back later needs a business day or two. */
const overdueAfter = 3 * workingDay;

/** When to look next at what began at `since`. */
export function nextLookAt(since: UnixSeconds, now: UnixSeconds): UnixSeconds {
  const step = looksAfter.find((after) => since + after > now);
  return since + (step ?? (Math.floor((now - since) / day) + 1) * day);
}

/** 5, 10, 20, … minutes between attempts, at most 6 hours. Seconds. */
const sendAgainAfter = (attempts: number): number => Math.min(secondLookAfter * 2 ** (attempts - 1), 6 * hour);

export type RefundStep =
  | { readonly kind: 'done' }
  /** Send the cancel, again or for the first time. */
  | { readonly kind: 'send' }
  /** Nothing was sent, and the payment changed meanwhile: decide anew. */
  | { readonly kind: 'stale' }
  /** The checksum no longer holds. Final after a second look. */
  | { readonly kind: 'overtaken' }
  /** The second look confirmed the refusal. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly needs?: RefundNeed };

export interface RefundSituation {
  readonly finding: RefundFinding;
  readonly record: PaymentRecord;
  readonly now: UnixSeconds;
  /** The caller has just written the refund, so that nothing can have been sent. */
  readonly isFirst: boolean;
  /** The shop asks, and not the reconciler. */
  readonly isAsked: boolean;
  readonly hasAccount: boolean;
}

/** What to do with a refund that is not done, after its payment was read. */
export function nextStep(refund: Refund, situation: RefundSituation): RefundStep {
  const { finding, isFirst, now } = situation;
  if (finding === 'done') return { kind: 'done' };
  if (isFirst) return { kind: finding === 'unchanged' ? 'send' : 'stale' };
  if (finding === 'unclear') return { kind: 'wait', needs: 'operator' };
  // Accepted: the PG may pay back however many days later, so it is only looked at.
  if (refund.acceptedAt !== undefined) {
    return finding === 'overtaken' ? { kind: 'wait', needs: 'operator' } : { kind: 'wait' };
  }
  if (refund.refusedAt !== undefined) {
    return { kind: now >= refund.refusedAt + secondLookAfter ? 'refused' : 'wait' };
  }
  if (finding === 'overtaken') return { kind: 'overtaken' };
  return afterLostAnswer(refund, situation);
}

/** The latest attempt has no answer, and the payment is unchanged: the request was lost, or the PG has only registered it. */
function afterLostAnswer(refund: Refund, { record, now, isAsked, hasAccount }: RefundSituation): RefundStep {
  const isLookedAtAgain = now >= refund.sentAt + secondLookAfter;
  if (!isDeferred(record)) return { kind: isLookedAtAgain ? 'send' : 'wait' };
  const isComplete = hasAccount || !isDeposit(record);
  if (isLookedAtAgain && isAsked && isComplete) return { kind: 'send' };
  return { kind: 'wait', needs: isDeposit(record) ? 'account' : 'repeat' };
}

type Opening = Omit<Refund, 'state' | 'revision' | 'attempts' | 'sentAt' | 'message' | 'createdAt' | 'updatedAt'>;

/** The intent, with the first attempt claimed. */
export const opened = (asked: Opening, now: UnixSeconds): Refund => ({
  ...asked,
  state: 'requested',
  revision: 1,
  attempts: 1,
  sentAt: now,
  createdAt: now,
  updatedAt: now,
  dueAt: now + secondLookAfter,
});

/** Claims the next attempt, before it is sent. */
export function claimed({ needs: _former, ...refund }: Refund, now: UnixSeconds): Refund {
  const attempts = refund.attempts + 1;
  return { ...refund, attempts, sentAt: now, updatedAt: now, dueAt: now + sendAgainAfter(attempts) };
}

/** Iamport answered `code` 0, and the payment does not show the cancel yet. */
export function accepted({ message: _former, ...refund }: Refund, now: UnixSeconds): Refund {
  return { ...refund, acceptedAt: now, updatedAt: now, dueAt: nextLookAt(now, now) };
}

/** A refusal that a second look has yet to confirm. */
export const refusedOnce = (
  refund: Refund,
  refusal: RefundRefusalReason,
  message: string,
  now: UnixSeconds,
): Refund => ({ ...refund, refusedAt: now, refusal, message, updatedAt: now, dueAt: now + secondLookAfter });

/** No answer came: the cancel may have been made. */
export const lost = (refund: Refund, needs: RefundNeed | undefined, message: string, now: UnixSeconds): Refund => ({
  ...refund,
  ...(needs && { needs }),
  message,
  updatedAt: now,
});

/** Looked at, and still under way. */
export function waiting(
  { needs: _former, ...refund }: Refund,
  needs: RefundNeed | undefined,
  now: UnixSeconds,
): Refund {
  const since = refund.acceptedAt ?? refund.refusedAt ?? refund.sentAt;
  return { ...refund, ...(needs && { needs }), updatedAt: now, dueAt: nextLookAt(since, now) };
}

/** Nothing more happens by itself. `done` and `unsent` have no message, and only `refused` has a refusal. */
export function over(refund: Refund, state: 'done' | 'refused' | 'unsent', now: UnixSeconds): Refund {
  const { needs: _needs, dueAt: _dueAt, message, refusal, ...rest } = refund;
  const why = state === 'refused' && { ...(message !== undefined && { message }), ...(refusal && { refusal }) };
  return { ...rest, ...why, state, updatedAt: now };
}

/** Has it waited too long: for the PG, or for a person? */
export function isOverdue({ state, needs, createdAt, acceptedAt }: Refund, now: UnixSeconds): boolean {
  if (state !== 'requested') return false;
  return workingSeconds(acceptedAt ?? createdAt, now) > (needs ? workingDay : overdueAfter);
}

/** How the built-in result page presents a result: its message, its sign, its next action and its next checks. */

import type { Outcome, OutcomeStatus } from '../payment/outcome.ts';
import type { Language } from '../shared/language.ts';
import { outcomeMessage, problemMessage, type WindowEnd, windowEndMessage } from './messages.ts';
import type { Problem } from './problem.ts';

export type Result = { readonly outcome: Outcome } | { readonly problem: Problem };

/** The query of the request, checked. The page sends it again when it checks again. */
export interface ResultQuery {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
  readonly again?: string | undefined;
}

export type Tone = 'good' | 'wait' | 'back' | 'bad';

export interface ResultView {
  readonly message: string;
  readonly tone: Tone;
  /** `pay`: the order can be paid again. `support`: the shop has to help. */
  readonly next?: 'pay' | 'support';
  /** The pauses before the page's checks, in seconds. Absent: the result is final, so the page does not check again. */
  readonly pauses?: readonly number[];
}

/** The result of a payment may be known any second: 20 checks in about two minutes. */
const pausesUnconfirmed = Array.from({ length: 20 }, (_, tries) => Math.min(3 + Math.floor(tries / 2), 8));
/** A cancel takes seconds, or as long as the PG is down: 5 checks in about a minute. */
const pausesReversing = [2, 4, 8, 15, 30];

const views: Readonly<Record<OutcomeStatus, Omit<ResultView, 'message'>>> = {
  paid: { tone: 'good' },
  virtual_account_issued: { tone: 'wait' },
  ready: { tone: 'wait', next: 'pay' },
  failed: { tone: 'bad', next: 'pay' },
  expired: { tone: 'bad', next: 'pay' },
  partial_cancelled: { tone: 'back' },
  cancelled: { tone: 'back' },
  deposit_reversed: { tone: 'bad', next: 'support' },
  rejected: { tone: 'bad', next: 'support' },
};

/** @param windowMessage the window's own message; empty without one, and for a result that it does not explain */
export function viewOf(result: Result, query: ResultQuery, windowMessage: string, language: Language): ResultView {
  const end = windowMessage && windowEndOf(result, query, windowMessage);
  if (end) return { message: windowEndMessage(end, language), tone: end === 'closed' ? 'back' : 'bad', next: 'pay' };
  if ('problem' in result) {
    const { code, isFault } = result.problem;
    const message = problemMessage(code, language);
    return isFault ? { message, tone: 'wait', pauses: pausesUnconfirmed } : { message, tone: 'bad', next: 'support' };
  }
  const { status, reversal } = result.outcome;
  const isReversing = reversal?.state === 'requested';
  return {
    message: outcomeMessage(result.outcome, language),
    ...views[status],
    ...(isReversing && { pauses: pausesReversing }),
  };
}

/**
 * Whether the payment window's own message may explain the result: nothing was paid, as Iamport confirms. Iamport gives
 * no `imp_uid` to a payment that it refuses to open. Then the request has only the order, which was found.
 */
export function isUnpaid(result: Result, { imp_uid, merchant_uid }: ResultQuery): boolean {
  if ('outcome' in result) return result.outcome.status === 'ready' || result.outcome.status === 'failed';
  return result.problem.code === 'payment_not_found' && imp_uid === undefined && merchant_uid !== undefined;
}

/** The PGs write it in their own words: `[결제포기] 사용자가 결제를 취소하셨습니다`, `PAY_PROCESS_CANCELED`. */
const namesCancel = /취소|포기|중단|cancel/i;

/**
 * How an attempt ended at which nothing was paid. `ready` alone may also mean that the buyer is still paying; a message
 * of the window means that it has closed.
 * @returns undefined when the outcome's own message explains it
 */
function windowEndOf(result: Result, { imp_uid }: ResultQuery, message: string): WindowEnd | undefined {
  if ('outcome' in result && result.outcome.status !== 'ready') return undefined;
  if (imp_uid === undefined) return 'unopened';
  return namesCancel.test(message) ? 'closed' : 'failed';
}

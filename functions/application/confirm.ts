/**
 * Asks the shop whether a payment may be approved: stock, purchase limits. Only after our own checks have passed, and
 * for 3 s at most. Keeps no state.
 */

import type { Amount } from '../payment/money.ts';
import type { Clock } from '../shared/clock.ts';
import { plainText } from '../shared/plain-text.ts';
import { ShopNotAnswered } from './faults.ts';

export interface ConfirmQuestion {
  /** As the sender of the request named it. Only the order and its amount were checked. */
  readonly impUid: string;
  readonly merchantUid: string;
  readonly amount: Amount;
  /** ISO 4217. */
  readonly currency: string;
}

/** The shop's own server or function. */
export interface ConfirmingShop {
  /** Whether a payment is approved to which the shop gives no answer. */
  readonly otherwise: 'approve' | 'refuse';
  /**
   * @returns the answer, which may be any JSON value
   * @throws any error when there is no answer
   */
  ask(question: ConfirmQuestion): Promise<unknown>;
}

export type ConfirmAnswer =
  | { readonly outcome: 'approved' }
  /** `reason`: for the buyer; empty when the shop gave none. */
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unanswered'; readonly fault: unknown };

/**
 * The time limit of the shop's response, the read of the secret included. The reads of DynamoDB before it take at most 2.8 s,
 * and Iamport waits 10 s for our response. Milliseconds.
 */
export const maxAskMs = 3_000;

/** @returns the answer of the shop; never rejects */
export async function askShop(
  shop: Pick<ConfirmingShop, 'ask'>,
  question: ConfirmQuestion,
  clock: Clock,
): Promise<ConfirmAnswer> {
  const endOfTime = clock.sleep(maxAskMs).then(() => {
    throw new ShopNotAnswered(`The shop did not answer within ${maxAskMs} ms`);
  });
  try {
    return answerIn(await Promise.race([shop.ask(question), endOfTime]));
  } catch (fault) {
    return { outcome: 'unanswered', fault };
  }
}

/** A refusal counts without a readable reason too. @throws ShopNotAnswered for a value of another form */
function answerIn(value: unknown): ConfirmAnswer {
  const { ok, reason } = Object(value) as { readonly ok?: unknown; readonly reason?: unknown };
  if (ok === true) return { outcome: 'approved' };
  if (ok === false) return { outcome: 'refused', reason: plainText(reason) };
  throw new ShopNotAnswered('The answer of the shop is neither {"ok": true} nor {"ok": false, "reason": "…"}');
}

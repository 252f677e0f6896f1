/**
 * Asks the shop whether a payment may be approved: stock, purchase limits. Only after our own checks have passed, and
 * for 3 s at most. Keeps no state.
 */

import type { Amount } from '../payment/money.ts';
import type { Clock } from '../shared/clock.ts';
import { plainText } from '../shared/plain-text.ts';
import { ShopNoResponse } from './faults.ts';

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
  /** Whether a payment is approved when the shop returns no response. */
  readonly otherwise: 'approve' | 'refuse';
  /**
   * @returns the response, which may be any JSON value
   * @throws any error when there is no response
   */
  ask(question: ConfirmQuestion): Promise<unknown>;
}

/** `unanswered`: the shop returned no response in time, or one that cannot be read. */
export type ShopDecision =
  | { readonly outcome: 'approved' }
  /** `reason`: for the buyer; empty when the shop gave none. */
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'unanswered'; readonly fault: unknown };

/**
 * The time limit of the shop's response, the read of the secret included. The reads of DynamoDB before it take at most 2.8 s,
 * and Iamport waits 10 s for our response. Milliseconds.
 */
export const maxAskMs = 3_000;

/** @returns the decision of the shop, or that there was none in time; never rejects */
export async function askShop(
  shop: Pick<ConfirmingShop, 'ask'>,
  question: ConfirmQuestion,
  clock: Clock,
): Promise<ShopDecision> {
  const endOfTime = clock.sleep(maxAskMs).then(() => {
    throw new ShopNoResponse(`The shop did not answer within ${maxAskMs} ms`);
  });
  try {
    return decisionIn(await Promise.race([shop.ask(question), endOfTime]));
  } catch (fault) {
    return { outcome: 'unanswered', fault };
  }
}

/** A refusal counts without a readable reason too. @throws ShopNoResponse for a value of another form */
function decisionIn(value: unknown): ShopDecision {
  const { ok, reason } = Object(value) as { readonly ok?: unknown; readonly reason?: unknown };
  if (ok === true) return { outcome: 'approved' };
  if (ok === false) return { outcome: 'refused', reason: plainText(reason) };
  throw new ShopNoResponse('The answer of the shop is neither {"ok": true} nor {"ok": false, "reason": "…"}');
}

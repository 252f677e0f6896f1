/** The outcome as the storefront reads it. The names are Iamport's, where it has one. */

import { majorUnits } from '../payment/money.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { Language } from '../shared/language.ts';
import { outcomeMessage } from './messages.ts';

/** The ids that a caller came with. */
export interface Named {
  readonly imp_uid?: string | undefined;
  readonly merchant_uid?: string | undefined;
}

/**
 * Does the caller know the payment that the outcome stands on? An id alone can be guessed, or seen by others; and whoever opens a
 * window of their own for somebody else's order must not learn of the payment that settled it.
 */
export const knows = (outcome: Outcome, named: Named): boolean =>
  named.imp_uid === outcome.impUid && named.merchant_uid === outcome.merchantUid;

/**
 * @param named without both ids of the outcome's own payment only the status is told
 * @returns amounts in major units, times in Unix seconds; what there is not is left out
 */
export function outcomeJson(outcome: Outcome, named: Named, language: Language): object {
  const message = outcomeMessage(outcome, language);
  if (!knows(outcome, named)) return { status: outcome.status, message };
  return {
    status: outcome.status,
    imp_uid: outcome.impUid,
    merchant_uid: outcome.merchantUid,
    amount: majorUnits(outcome.amount, outcome.currency),
    currency: outcome.currency,
    reason: outcome.reason,
    reversal: outcome.reversal,
    virtual_account: outcome.account && accountJson(outcome.account),
    receipt_url: outcome.receiptUrl,
    apply_num: outcome.applyNum,
    message,
  };
}

/** `due_at` is the deadline of the deposit, in Unix seconds. */
export const accountJson = ({ bank, number, holder, dueAt, issuedAt }: VirtualAccount) => ({
  bank,
  number,
  holder,
  due_at: dueAt,
  issued_at: issuedAt,
});

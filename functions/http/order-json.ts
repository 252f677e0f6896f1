/** The JSON of orders, reversals and refunds for the shop's server: amounts in major units, times in Unix seconds. */

import { majorUnits } from '../payment/money.ts';
import { accountOf, failureOf, isSettled, type Order, type OrderStatus, statusSetBy } from '../payment/order.ts';
import type { Refund, TaxParts } from '../payment/refund.ts';
import type { Reversal } from '../payment/reversal.ts';
import { accountJson } from '../shared/account-json.ts';

export function orderJson(order: Order): object {
  const { state, currency } = order;
  const account = showsAccount[state.status] ? accountOf(state) : undefined;
  const failure = failureOf(state);
  return {
    merchant_uid: order.merchantUid,
    amount: majorUnits(order.amount, currency),
    currency,
    ...taxJson(order, currency),
    name: order.name,
    expires_at: order.expiresAt,
    tier: order.tier,
    status: state.status,
    revision: order.revision,
    imp_uid: statusSetBy(state),
    payment: isSettled(state) ? paymentJson(state.record) : undefined,
    cancelled_amount: 'cancelledAmount' in state ? majorUnits(state.cancelledAmount, currency) : undefined,
    virtual_account: account && { imp_uid: account.impUid, ...accountJson(account) },
    reason: state.status === 'failed' ? failure?.reason : undefined,
    // At revision 0 only the shop has written the order, so we have no times of it.
    ...(order.revision > 0 && { created_at: order.createdAt, updated_at: order.updatedAt }),
  };
}

/** A `ready` or `failed` order only remembers an account into which the buyer must not pay. */
const showsAccount: Readonly<Record<OrderStatus, boolean>> = {
  ready: false,
  failed: false,
  expired: true,
  virtual_account_issued: true,
  paid: false,
  partial_cancelled: false,
  cancelled: false,
  deposit_reversed: false,
  closed: false,
};

const taxJson = ({ taxFree, vatAmount }: TaxParts, currency: string) => ({
  tax_free: taxFree === undefined ? undefined : majorUnits(taxFree, currency),
  vat_amount: vatAmount === undefined ? undefined : majorUnits(vatAmount, currency),
});

const paymentJson = (record: Extract<Order['state'], { status: 'paid' }>['record']) => ({
  pay_method: record.payMethod,
  pg_provider: record.pgProvider,
  pg_tid: record.pgTid,
  apply_num: record.applyNum,
  receipt_url: record.receiptUrl,
  paid_at: record.paidAt,
});

export const reversalJson = (reversal: Reversal): object => ({
  imp_uid: reversal.impUid,
  kind: reversal.kind,
  state: reversal.state,
  reason: reversal.reason,
  amount: majorUnits(reversal.amount, reversal.currency),
  currency: reversal.currency,
  attempts: reversal.attempts,
  message: reversal.message,
  created_at: reversal.createdAt,
  updated_at: reversal.updatedAt,
});

export const refundJson = (refund: Refund): object => ({
  imp_uid: refund.impUid,
  key: refund.key,
  state: refund.state,
  amount: majorUnits(refund.amount, refund.currency),
  currency: refund.currency,
  ...taxJson(refund, refund.currency),
  reason: refund.reason,
  requester: refund.requester,
  attempts: refund.attempts,
  accepted_at: refund.acceptedAt,
  needs: refund.needs,
  refusal: refund.refusal,
  message: refund.message,
  created_at: refund.createdAt,
  updated_at: refund.updatedAt,
});

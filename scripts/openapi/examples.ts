/** Examples of response bodies, written by the functions that write the bodies. */

import { orderJson, refundJson } from '../../functions/http/order-json.ts';
import { outcomeJson } from '../../functions/http/outcome-json.ts';
import { parseAmount } from '../../functions/payment/money.ts';
import type { Order } from '../../functions/payment/order.ts';
import type { Outcome } from '../../functions/payment/outcome.ts';
import type { VirtualAccount } from '../../functions/payment/payment.ts';
import type { Refund } from '../../functions/payment/refund.ts';
import type { ResponseName } from './responses.ts';

function won(major: number) {
  const amount = parseAmount(major, 'KRW');
  if (amount === undefined) throw new Error(`${major} is not an amount of won`);
  return amount;
}

const impUid = 'imp_961494461225';
const merchantUid = 'order-1001';
const named = { imp_uid: impUid, merchant_uid: merchantUid };
const money = { amount: won(14_000), currency: 'KRW' };
/** 2026-11-23, 10:00 in Seoul. */
const registeredAt = 1_795_395_600;
const paidAt = registeredAt + 90;

const account: VirtualAccount = {
  impUid,
  bank: '하나은행',
  number: '79012345678901',
  holder: '(주)마이샵',
  depositDeadline: registeredAt + 3 * 86_400,
  issuedAt: paidAt,
};
const record = { payMethod: 'card', pgProvider: 'html5_inicis', applyNum: '96736471', paidAt };
const fresh: Order = {
  ...{ merchantUid, ...money, name: 'Flowers', revision: 1, createdAt: registeredAt, updatedAt: registeredAt },
  state: { status: 'ready' },
};
const paid: Order = { ...fresh, revision: 2, updatedAt: paidAt, state: { status: 'paid', impUid, record } };
const refund: Refund = {
  ...{
    impUid,
    merchantUid,
    key: 'broken-1',
    cancelKey: '4fzyo82mvyr0',
    amount: won(4_000),
    currency: 'KRW',
    checksum: won(14_000),
    cancelsBefore: 0,
  },
  ...{ reason: 'One of three came broken', state: 'done', revision: 2, attempts: 1 },
  ...{ sentAt: paidAt + 600, createdAt: paidAt + 600, updatedAt: paidAt + 601 },
};

const written = (value: object): { value: unknown } => ({ value: JSON.parse(JSON.stringify(value)) });
const outcome = (of: Partial<Outcome> & Pick<Outcome, 'status'>) =>
  written(outcomeJson({ impUid, merchantUid, ...money, ...of }, named, 'en'));

export const RESPONSE_EXAMPLES: Partial<Record<ResponseName, Readonly<Record<string, { value: unknown }>>>> = {
  Outcome: {
    paid: outcome({ status: 'paid', applyNum: '96736471' }),
    virtual_account_issued: outcome({ status: 'virtual_account_issued', account }),
    partial_cancelled: outcome({ status: 'partial_cancelled', cancelledAmount: won(4_000) }),
    rejected: outcome({ status: 'rejected', reason: 'amount_mismatch', reversal: { kind: 'cancel', state: 'done' } }),
    imp_uid_alone: written(outcomeJson({ impUid, merchantUid, ...money, status: 'paid' }, { imp_uid: impUid }, 'en')),
  },
  OrderRegistered: { registered: written({ ...orderJson(fresh), prepared: true }) },
  OrderInFull: { paid: written({ ...orderJson(paid), reversals: [], refunds: [] }) },
  RefundAnswer: {
    part: written({
      refund: refundJson(refund),
      order: orderJson({
        ...{ ...paid, revision: 3, updatedAt: paidAt + 601 },
        state: { status: 'partial_cancelled', impUid, record, cancelledAmount: won(4_000) },
      }),
    }),
  },
  Noticed: { settled: { value: { settled: true } }, unknown: { value: { settled: false, code: 'order_not_found' } } },
  Confirmed: { confirmed: { value: {} } },
  NotConfirmed: { amount: { value: { reason: '결제 금액이 주문 금액과 다릅니다.' } } },
};

/** Every state of the built-in result page as mobile-redirect returns it, for the tests and the pictures in the docs. */

import { Problem } from '../../functions/http/problem.ts';
import { type Page, type ResultPageBranding, resultPage } from '../../functions/http/result-page.ts';
import type { Result } from '../../functions/http/result-view.ts';
import type { Amount } from '../../functions/payment/money.ts';
import type { Outcome } from '../../functions/payment/outcome.ts';
import type { Language } from '../../functions/shared/language.ts';

const payment = {
  impUid: 'imp_347242536261',
  merchantUid: 'ORD20261123-0001',
  amount: 14_000 as Amount,
  currency: 'KRW',
};
const outcome = (rest: Omit<Outcome, keyof typeof payment>): Result => ({ outcome: { ...payment, ...rest } });

const account = {
  impUid: payment.impUid,
  bank: '국민은행(KB)',
  number: '79600190123456',
  holder: '(주)케이지이니시스',
  depositDeadline: 1_795_100_000,
  issuedAt: 1_795_000_000,
};
const cancel = { kind: 'cancel' } as const;

export const states = {
  paid: outcome({ status: 'paid', receiptUrl: 'https://iniweb.inicis.com/receipt' }),
  'virtual-account': outcome({ status: 'virtual_account_issued', account }),
  failed: outcome({ status: 'failed', reason: '사용자가 결제를 취소하셨습니다' }),
  ready: outcome({ status: 'ready' }),
  expired: outcome({ status: 'expired' }),
  cancelled: outcome({ status: 'cancelled' }),
  closed: outcome({ status: 'ready' }),
  unopened: { problem: new Problem('payment_not_found', 'No payment of the order.') },
  'partly-cancelled': outcome({ status: 'partial_cancelled', cancelledAmount: 1_000 as Amount }),
  'deposit-reversed': outcome({ status: 'deposit_reversed' }),
  refunding: outcome({ status: 'rejected', reason: 'amount_mismatch', reversal: { ...cancel, state: 'requested' } }),
  'still-refunding': outcome({
    status: 'rejected',
    reason: 'amount_mismatch',
    reversal: { ...cancel, state: 'requested' },
  }),
  refunded: outcome({ status: 'rejected', reason: 'duplicate_payment', reversal: { ...cancel, state: 'done' } }),
  'refund-by-hand': outcome({
    status: 'rejected',
    reason: 'deposit_mismatch',
    reversal: { kind: 'manual', state: 'manual' },
  }),
  unconfirmed: { problem: new Problem('iamport_unavailable', 'Iamport did not respond.') },
  'given-up': { problem: new Problem('iamport_unavailable', 'Iamport did not respond.') },
  'not-found': { problem: new Problem('payment_not_found', 'No such payment.') },
  'to-the-app': outcome({ status: 'paid' }),
} as const satisfies Record<string, Result>;
export type State = keyof typeof states;

/** The payment window's own message, where a state has one. */
const windowMessages: Partial<Record<State, string>> = {
  failed: '사용자가 결제를 취소하셨습니다',
  closed: '사용자가 결제를 취소하셨습니다.',
  unopened: '사전에 등록된 결제금액과 다른 금액으로는 결제할 수 없습니다.',
};
/** The last of the page's own checks is over. */
const checks: Partial<Record<State, string>> = { 'given-up': '20', 'still-refunding': '5' };

/** The branding of a demo shop. It has no logo, so the page loads none. */
export const branding: ResultPageBranding = {
  color: '#0b6e4f',
  shop: 'https://shop.example/',
  orders: 'https://shop.example/orders',
  checkout: 'https://shop.example/checkout',
  support: 'tel:02-000-0000',
};

export function pageOf(state: State, language: Language, of: ResultPageBranding = branding): Page {
  return resultPage({
    result: states[state],
    query: {
      // A payment that Iamport refuses to open has no id.
      ...(state !== 'unopened' && { imp_uid: payment.impUid }),
      merchant_uid: payment.merchantUid,
      again: checks[state],
    },
    windowMessage: windowMessages[state],
    shopName: '초록가게',
    branding: of,
    language,
    iamportOrigin: 'https://api.iamport.kr',
    ...(state === 'to-the-app' && { appLink: 'shopapp://result?status=paid' }),
  });
}

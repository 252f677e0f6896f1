/** Every state of the built-in result page as mobile-redirect returns it, for the tests and the pictures in the docs. */

import { Problem } from '../../functions/http/problem.ts';
import { type Page, type Result, type ResultPageBranding, resultPage } from '../../functions/http/result-page.ts';
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
  'partly-cancelled': outcome({ status: 'partial_cancelled' }),
  'deposit-reversed': outcome({ status: 'deposit_reversed' }),
  refunding: outcome({ status: 'rejected', reason: 'amount_mismatch', reversal: { ...cancel, state: 'requested' } }),
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
      imp_uid: payment.impUid,
      merchant_uid: payment.merchantUid,
      ...(state === 'given-up' && { again: '20' }),
    },
    shopName: '초록가게',
    branding: of,
    language,
    ...(state === 'to-the-app' && { appLink: 'shopapp://result?status=paid' }),
  });
}

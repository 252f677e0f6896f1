/**
 * What each route takes and answers, beside what its schemas say: the codes, the words, an example. Facts only. The routes themselves
 * come from infra/function-table.ts: one more there does not compile here until it is described.
 */

import type * as z from 'zod';
import { body as completeBody } from '../../functions/handlers/complete.ts';
import { body as confirmBody } from '../../functions/handlers/confirm.ts';
import { query as mobileQuery } from '../../functions/handlers/mobile-redirect.ts';
import { terms } from '../../functions/handlers/orders.ts';
import { body as refundBody } from '../../functions/handlers/refunds.ts';
import { body as webhookBody } from '../../functions/handlers/webhook.ts';
import type { ProblemCode } from '../../functions/http/problem.ts';
import { newOrderPath, orderPath } from '../../functions/http/request.ts';
import type { DOORS, DoorName } from '../../infra/function-table.ts';
import type { AnswerName } from './answers.ts';

type NameOf<Route> = Route extends { method: infer M extends string; path: infer P extends string }
  ? `${M} ${P}`
  : never;
export type RouteName = { [Name in DoorName]: NameOf<(typeof DOORS)[Name]['routes'][number]> }[DoorName];

export interface Described {
  readonly operationId: string;
  readonly summary: { readonly en: string; readonly ko: string };
  readonly path?: z.core.$ZodType;
  readonly query?: z.core.$ZodType;
  readonly headers?: Readonly<Record<string, { readonly pattern?: string; readonly description: string }>>;
  readonly body?: z.core.$ZodType;
  /** A form is read as well as JSON. */
  readonly takesForms?: true;
  /** An example of the body. */
  readonly example?: object;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: AnswerName | 'page' }>>;
  /** Each with the `detail` that it comes with. */
  readonly problems: Partial<Record<ProblemCode, string>>;
}

const ids = { imp_uid: 'imp_961494461225', merchant_uid: 'order-1001' };
const again = 'Nothing is decided and nothing is lost. Ask again in a few seconds.';
const notDecided = 'Nothing is decided. The log of this request tells the shop what to do.';
const unread = {
  payload_too_large: 'Send at most 65536 bytes.',
  unsupported_media_type: 'Send application/json or application/x-www-form-urlencoded, in UTF-8.',
};
const unreadJson = { ...unread, unsupported_media_type: 'Send application/json, in UTF-8.' };
const stored = {
  internal_error: 'Nothing is decided. The log of this request tells the shop what happened.',
  store_unavailable: again,
};
const settling = {
  ...stored,
  iamport_error: notDecided,
  iamport_unavailable: again,
  order_busy: 'Ask again in a second.',
};
const wrongImpUid = 'imp_uid must look like imp_123456789012.';
const noOrder = 'Register the order with PUT /orders/{merchant_uid} before its payment window opens.';
const noPayment = 'Send the imp_uid as the payment window gave it.';
const otherOrder = 'Send the merchant_uid of the order that this imp_uid pays.';
const wrongPath = 'merchant_uid must have none of / \\ ? # %, which do not survive in a path.';
const wrongAmount = 'amount must be more than 0 and an amount of KRW.';

/** What a field of a request means, whatever route takes it. Every field has one: the document is not made without. */
export const meanings: Readonly<Record<string, string>> = {
  imp_uid: "Iamport's id of the payment, as the payment window gave it.",
  merchant_uid: "The shop's id of the order: 1 to 40 visible characters.",
  to: 'The name of a configured result target; `web` where it is left out.',
  again: 'How often the built-in page has asked again. It is for that page alone.',
  error_msg: "The payment window's own words. Shown to the buyer as such beside an unpaid outcome, and never believed.",
  status: 'What Iamport says of it. Not believed.',
  event: "Iamport's name of a notification that is not about the payment's status.",
  extra: 'What comes with such a notification. Passed on as it was told, unconfirmed.',
  amount: 'In major units: 14000 won, 10.5 dollars. Of a refund, a part of what is left; left out, all of it.',
  currency: 'ISO 4217.',
  name: 'What is sold. Nothing personal.',
  expires_at: 'Until when the shop waits for the payment, in Unix seconds.',
  tier: "A sub-merchant's code of an Agency account.",
  reason: "The shop's words, which the console and the buyer's bank are told.",
  account: 'Of the buyer, for money that came into a virtual account. Passed on, never stored.',
  'account.holder': 'Whose account it is.',
  'account.bank': "Iamport's code of the bank, not its name.",
  'account.number': 'The number of the account.',
  'account.tel': 'The telephone number of its holder; the virtual accounts of some PGs need it.',
  tax_free: 'The part of the amount that is free of tax, in major units. 0 is sent too.',
  vat_amount: 'The VAT in the amount, in major units. Required for refunds where it was set at payment. 0 is sent too.',
  requester: 'Who asks for the refund. Naver Pay needs it.',
};

const language = {
  'accept-language': { description: 'The language of `message`: `ko` (unless said otherwise) or `en`.' },
};

export const routes: Readonly<Record<RouteName, Described>> = {
  'POST /payments/complete': {
    operationId: 'completePayment',
    summary: {
      en: 'The storefront or an app asks what became of the payment of its buyer, and settles the order by it.',
      ko: '스토어프런트나 앱이 구매자의 결제가 어떻게 되었는지 묻고, 그 결과로 주문을 확정합니다.',
    },
    headers: language,
    body: completeBody,
    takesForms: true,
    example: ids,
    answers: { 200: { description: 'What could be verified, good or bad.', schema: 'Outcome' } },
    problems: {
      invalid_request: wrongImpUid,
      payment_not_found: noPayment,
      order_not_found: noOrder,
      order_mismatch: otherOrder,
      ...unread,
      ...settling,
    },
  },
  'GET /payments/complete/mobile': {
    operationId: 'returnFromPhone',
    summary: {
      en: "A buyer's phone comes back from the payment window (`m_redirect_url`); answered with a page, never with JSON.",
      ko: '구매자의 휴대폰이 결제창에서 돌아옵니다(`m_redirect_url`). JSON이 아니라 항상 화면으로 답합니다.',
    },
    headers: language,
    query: mobileQuery,
    answers: {
      200: {
        description: 'The built-in page: the outcome, that it is being asked again, or a step over to the app.',
        schema: 'page',
      },
      303: {
        description:
          'To the result target, with merchant_uid, imp_uid, status and perhaps reason in its query; beside an unpaid outcome also the window’s error_msg.',
      },
      400: { description: 'The built-in page: the query is not one that we understand.', schema: 'page' },
      404: {
        description: 'The built-in page: no such payment, no such order, or an address that was cut.',
        schema: 'page',
      },
      409: { description: 'The built-in page: the payment belongs to another order.', schema: 'page' },
    },
    problems: {},
  },
  'POST /payments/webhook': {
    operationId: 'receiveWebhook',
    summary: {
      en: 'Iamport notifies; nothing but the ids is believed, and Iamport is asked.',
      ko: '아임포트가 알립니다. 식별자 말고는 믿지 않고 아임포트에 다시 묻습니다.',
    },
    body: webhookBody,
    takesForms: true,
    example: { ...ids, status: 'paid' },
    answers: {
      200: {
        description: 'Settled; or it names no payment or order of ours, and need not be sent again.',
        schema: 'Noticed',
      },
    },
    problems: {
      invalid_request: wrongImpUid,
      route_not_found: 'Iamport notifies /payments/webhook. Remove a slash at the end of another address.',
      sender_refused: 'This deployment takes notifications from the addresses of Iamport only.',
      ...unread,
      internal_error: stored.internal_error,
      iamport_unavailable: again,
      store_unavailable: again,
      order_busy: settling.order_busy,
      not_settled: notDecided,
    },
  },
  'PUT /orders/{merchant_uid}': {
    operationId: 'registerOrder',
    summary: {
      en: "The shop's server registers what is to be paid, before the window opens.",
      ko: '쇼핑몰 서버가 결제할 금액을 결제창을 열기 전에 등록합니다.',
    },
    path: newOrderPath,
    body: terms,
    example: { amount: 14_000, name: 'Flowers' },
    answers: {
      200: { description: 'It was registered before, with the same terms.', schema: 'OrderRegistered' },
      201: { description: 'Registered.', schema: 'OrderRegistered' },
    },
    problems: {
      invalid_request: wrongAmount,
      order_not_found: 'Your table has no such order: write it there first.',
      order_exists:
        'Amount, currency, tax_free and vat_amount of an order never change. Register another price as another order.',
      ...unreadJson,
      ...stored,
    },
  },
  'GET /orders/{merchant_uid}': {
    operationId: 'showOrder',
    summary: {
      en: 'The order as it stands, with its payment, its account, and every reversal and refund.',
      ko: '주문의 현재 상태입니다. 결제, 가상계좌, 모든 취소와 환불이 함께 나옵니다.',
    },
    path: orderPath,
    answers: { 200: { description: 'The order.', schema: 'OrderInFull' } },
    problems: { invalid_request: wrongPath, order_not_found: noOrder, ...stored },
  },
  'POST /orders/{merchant_uid}/refunds': {
    operationId: 'refundOrder',
    summary: {
      en: "The shop's server gives back a part of a payment, or all of it.",
      ko: '쇼핑몰 서버가 결제 금액의 일부나 전부를 돌려줍니다.',
    },
    path: orderPath,
    headers: {
      'idempotency-key': {
        pattern: '^[0-9A-Za-z_-]{1,64}$',
        description: 'The same key gives back once. Required with an amount.',
      },
    },
    body: refundBody,
    example: { amount: 4_000, reason: 'One of three came broken' },
    answers: {
      200: { description: 'Given back.', schema: 'RefundAnswer' },
      202: {
        description:
          'On its way. Ask again with the same key, never with another one. `needs` says what it waits for besides time.',
        schema: 'RefundAnswer',
      },
    },
    problems: {
      invalid_request: 'reason must be a text.',
      order_not_found: noOrder,
      payment_not_found: noPayment,
      not_paid: 'Nothing of this order is left to give back.',
      refund_exceeds:
        'Ask for no more than is left; leave the amount out for all of it. A refund that is under way counts.',
      refund_key_used: 'This idempotency-key has asked for another amount or other tax parts before.',
      refund_refused: 'The PG refused it.',
      account_missing: 'This was paid into a virtual account: send account {holder, bank, number} of the buyer.',
      ...unreadJson,
      ...settling,
    },
  },
  'DELETE /orders/{merchant_uid}': {
    operationId: 'closeOrder',
    summary: {
      en: "The shop's server closes an order that nobody has paid, for good, and revokes its virtual account.",
      ko: '쇼핑몰 서버가 결제되지 않은 주문을 완전히 닫고, 발급된 가상계좌를 취소합니다.',
    },
    path: orderPath,
    answers: { 204: { description: 'Closed, now or before.' } },
    problems: {
      invalid_request: wrongPath,
      order_not_found: noOrder,
      order_paid: 'The order is paid: give the money back with a refund instead.',
      ...settling,
    },
  },
  'POST /payments/confirm': {
    operationId: 'confirmPayment',
    summary: {
      en: 'Iamport asks whether a payment may be approved (`confirm_url`); anything but 200 stops it.',
      ko: '아임포트가 결제를 승인해도 되는지 묻습니다(`confirm_url`). 200이 아니면 결제가 중단됩니다.',
    },
    body: confirmBody,
    takesForms: true,
    example: { ...ids, amount: 14_000 },
    answers: {
      200: { description: 'It may go through.', schema: 'Confirmed' },
      409: {
        description: 'It may not: the order is paid, closed, too late, unknown, or of another amount.',
        schema: 'NotConfirmed',
      },
    },
    problems: { invalid_request: 'amount must be a number.', ...unread, ...stored },
  },
};

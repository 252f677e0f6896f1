/**
 * Descriptions of the routes: summaries, responses, problem codes and an example, beside the schemas. Data only. The routes themselves
 * are in infra/function-table.ts, and a route without a description here does not compile.
 */

import type * as z from 'zod';
import {
  IamportUnavailable,
  IamportUnexpected,
  OrderBusy,
  StoreUnavailable,
} from '../../functions/application/faults.ts';
import { paidDetail } from '../../functions/handlers/close-order.ts';
import { body as completeBody } from '../../functions/handlers/complete.ts';
import { body as confirmBody } from '../../functions/handlers/confirm.ts';
import { query as mobileQuery } from '../../functions/handlers/mobile-redirect.ts';
import { terms } from '../../functions/handlers/orders.ts';
import { body as refundBody, details as refundDetails } from '../../functions/handlers/refunds.ts';
import { body as webhookBody } from '../../functions/handlers/webhook.ts';
import { type ProblemCode, problemOf, refusal } from '../../functions/http/problem.ts';
import { newOrderPath, orderPath } from '../../functions/http/request.ts';
import type { Localized } from '../../functions/shared/language.ts';
import type { HTTP_FUNCTIONS, HttpFunctionName } from '../../infra/function-table.ts';
import type { ResponseName } from './responses.ts';

type NameOf<Route> = Route extends { method: infer M extends string; path: infer P extends string }
  ? `${M} ${P}`
  : never;
export type RouteName = {
  [Name in HttpFunctionName]: NameOf<(typeof HTTP_FUNCTIONS)[Name]['routes'][number]>;
}[HttpFunctionName];

export interface Described {
  readonly operationId: string;
  readonly summary: Localized;
  readonly path?: z.core.$ZodType;
  readonly query?: z.core.$ZodType;
  readonly headers?: Readonly<Record<string, { readonly pattern?: string; readonly description: string }>>;
  readonly body?: z.core.$ZodType;
  /** The route accepts a form as well as JSON. */
  readonly takesForms?: true;
  /** An example of the body. */
  readonly example?: object;
  readonly responses: Readonly<
    Record<number, { readonly description: string; readonly schema?: ResponseName | 'page' }>
  >;
  /** The `detail` of each problem code. */
  readonly problems: Partial<Record<ProblemCode, string>>;
}

const ids = { imp_uid: 'imp_961494461225', merchant_uid: 'order-1001' };
const needsKey = { unauthorised: 'Send the header authorization: Bearer sk_… with a key of this deployment.' };
const needsMoneyKey = {
  ...needsKey,
  forbidden: 'This key registers and reads orders only: send the key that begins with sk_money_.',
};
const unread = {
  payload_too_large: 'Send at most 65536 bytes.',
  unsupported_media_type: 'Send application/json or application/x-www-form-urlencoded, in UTF-8.',
};
const unreadJson = { ...unread, unsupported_media_type: 'Send application/json, in UTF-8.' };
const stored = {
  internal_error: problemOf(new Error()).message,
  store_unavailable: problemOf(new StoreUnavailable('')).message,
};
const settling = {
  ...stored,
  iamport_error: problemOf(new IamportUnexpected('')).message,
  iamport_unavailable: problemOf(new IamportUnavailable('')).message,
  order_busy: problemOf(new OrderBusy('')).message,
};
const wrongImpUid = 'imp_uid must look like imp_123456789012.';
const noOrder = refusal('order_not_found').message;
const noPayment = refusal('payment_not_found').message;
const otherOrder = refusal('order_mismatch').message;
const wrongPath = 'merchant_uid must have none of / \\ ? # %, which do not survive in a path.';
const wrongAmount = 'amount must be more than 0 and an amount of KRW.';

/** The meaning of each request field, the same in every route. A field without one makes `npm run openapi` fail. */
export const FIELD_MEANINGS: Readonly<Record<string, string>> = {
  imp_uid: "Iamport's id of the payment, as the payment window gave it.",
  merchant_uid: "The shop's id of the order: 1 to 40 visible characters.",
  to: 'The name of a configured result target; `web` where it is left out.',
  again: 'How often the built-in page has retried. Only that page sends it.',
  error_msg:
    "The payment window's error message. The page quotes it beside an unpaid outcome, and beside an order without a payment. It is never trusted.",
  status: 'The status in the notification. Not trusted.',
  event: "Iamport's name of a notification that is not about the payment's status.",
  extra: 'The content of such a notification. Published as it was sent, unconfirmed.',
  amount: 'In major units: 14000 won, 10.5 dollars. Of a refund, a part of what is left; left out, all of it.',
  currency: 'ISO 4217.',
  name: 'The name of the goods, without personal data.',
  expires_at: 'Until when the shop waits for the payment, in Unix seconds.',
  tier: "A sub-merchant's code of an Agency account.",
  reason: "The shop's reason, which is sent to the console and the buyer's bank.",
  account: "The buyer's account, for a payment into a virtual account. Sent to Iamport, never stored.",
  'account.holder': 'The holder of the account.',
  'account.bank': "Iamport's code of the bank, not its name.",
  'account.number': 'The number of the account.',
  'account.tel': 'The telephone number of its holder; the virtual accounts of some PGs need it.',
  tax_free: 'The part of the amount that is free of tax, in major units. 0 is sent too.',
  vat_amount: 'The VAT in the amount, in major units. Required for refunds where it was set at payment. 0 is sent too.',
  requester: 'Who requests the refund. Naver Pay needs it.',
};

const language = {
  'accept-language': { description: 'The language of `message`: `ko` (the default) or `en`.' },
};

export const ROUTES: Readonly<Record<RouteName, Described>> = {
  'POST /payments/complete': {
    operationId: 'completePayment',
    summary: {
      en: 'The storefront or an app requests the result of a payment, which settles the order.',
      ko: '스토어프런트나 앱이 결제 결과를 요청합니다. 조회한 결제를 주문에 반영합니다.',
    },
    headers: language,
    body: completeBody,
    takesForms: true,
    example: ids,
    responses: { 200: { description: 'The verified outcome, paid or not.', schema: 'Outcome' } },
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
      en: "The payment window redirects a buyer's phone here (`m_redirect_url`). The response is a page, never JSON.",
      ko: '결제창이 구매자의 휴대폰을 이 주소로 돌려보냅니다(`m_redirect_url`). 응답은 JSON이 아니라 항상 화면입니다.',
    },
    headers: language,
    query: mobileQuery,
    responses: {
      200: {
        description: 'The built-in page: the outcome, a retry in progress, or a link to the app.',
        schema: 'page',
      },
      303: {
        description:
          'To the result target, with merchant_uid, imp_uid, status and possibly reason in its query; for an unpaid outcome also the window’s error_msg.',
      },
      400: { description: 'The built-in page: the query is not valid.', schema: 'page' },
      404: {
        description: 'The built-in page: no such payment, no such order, or a truncated address.',
        schema: 'page',
      },
      409: { description: 'The built-in page: the payment belongs to another order.', schema: 'page' },
    },
    problems: {},
  },
  'POST /payments/webhook': {
    operationId: 'receiveWebhook',
    summary: {
      en: 'Iamport sends a webhook. Only its ids are used, and the payment is read from Iamport.',
      ko: '아임포트가 웹훅을 보냅니다. 식별자만 사용하고, 결제는 아임포트에서 조회합니다.',
    },
    body: webhookBody,
    takesForms: true,
    example: { ...ids, status: 'paid' },
    responses: {
      200: {
        description: 'Settled; or the payment or its order is unknown, and Iamport need not send it again.',
        schema: 'Noticed',
      },
    },
    problems: {
      invalid_request: wrongImpUid,
      route_not_found: 'Iamport notifies /payments/webhook. Remove a slash at the end of another address.',
      sender_refused: 'This deployment takes notifications from the addresses of Iamport only.',
      ...unread,
      ...stored,
      iamport_unavailable: settling.iamport_unavailable,
      order_busy: settling.order_busy,
      not_settled: settling.iamport_error,
    },
  },
  'PUT /orders/{merchant_uid}': {
    operationId: 'registerOrder',
    summary: {
      en: "The shop's server registers the amount to be paid, before the window opens.",
      ko: '쇼핑몰 서버가 결제창을 열기 전에 주문 금액을 등록합니다.',
    },
    path: newOrderPath,
    body: terms,
    example: { amount: 14_000, name: 'Flowers' },
    responses: {
      200: { description: 'It was registered before, with the same terms.', schema: 'OrderRegistered' },
      201: { description: 'Registered.', schema: 'OrderRegistered' },
    },
    problems: {
      ...needsKey,
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
      en: 'The current order, with its payment, its account, and every reversal and refund.',
      ko: '주문의 현재 상태를 조회합니다. 결제, 가상계좌, 모든 자동 취소와 환불이 포함됩니다.',
    },
    path: orderPath,
    responses: { 200: { description: 'The order.', schema: 'OrderInFull' } },
    problems: { ...needsKey, invalid_request: wrongPath, order_not_found: noOrder, ...stored },
  },
  'POST /orders/{merchant_uid}/refunds': {
    operationId: 'refundOrder',
    summary: {
      en: "The shop's server refunds a part of a payment, or all of it.",
      ko: '쇼핑몰 서버가 결제 금액의 일부나 전부를 환불합니다.',
    },
    path: orderPath,
    headers: {
      'idempotency-key': {
        pattern: '^[0-9A-Za-z_-]{1,64}$',
        description: 'Requests with the same key refund once. Required with an amount.',
      },
    },
    body: refundBody,
    example: { amount: 4_000, reason: 'One of three came broken' },
    responses: {
      200: { description: 'Refunded.', schema: 'RefundAnswer' },
      202: {
        description:
          'Pending. Repeat the request with the same key, never with another one. `needs` names what it waits for besides time.',
        schema: 'RefundAnswer',
      },
    },
    problems: {
      ...needsMoneyKey,
      invalid_request: 'reason must be a text.',
      order_not_found: noOrder,
      payment_not_found: noPayment,
      ...refundDetails,
      refund_key_used: 'This idempotency-key was used for another amount or other tax parts.',
      refund_refused: 'The PG refused it.',
      ...unreadJson,
      ...settling,
    },
  },
  'DELETE /orders/{merchant_uid}': {
    operationId: 'closeOrder',
    summary: {
      en: "The shop's server permanently closes an unpaid order and revokes its virtual account.",
      ko: '쇼핑몰 서버가 결제되지 않은 주문을 영구히 종료하고, 발급된 가상계좌를 말소합니다.',
    },
    path: orderPath,
    responses: { 204: { description: 'Closed, now or before.' } },
    problems: {
      ...needsMoneyKey,
      invalid_request: wrongPath,
      order_not_found: noOrder,
      order_paid: paidDetail,
      ...settling,
    },
  },
  'POST /payments/confirm': {
    operationId: 'confirmPayment',
    summary: {
      en: 'Iamport asks before it approves a payment (`confirm_url`). Any status but 200 stops the payment.',
      ko: '아임포트가 결제를 승인하기 전에 확인을 요청합니다(`confirm_url`). 200이 아니면 결제가 중단됩니다.',
    },
    body: confirmBody,
    takesForms: true,
    example: { ...ids, amount: 14_000 },
    responses: {
      200: { description: 'Iamport may approve it.', schema: 'Confirmed' },
      409: {
        description: 'Iamport must not approve it: the order is paid, closed, expired, unknown, or of another amount.',
        schema: 'NotConfirmed',
      },
    },
    problems: { invalid_request: 'amount must be a number.', ...unread, ...stored },
  },
};

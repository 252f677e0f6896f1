/**
 * The generated parts of docs/events.md and its translation. From the schemas: the name, the occasion and the required fields of each
 * event. From the functions that write events: an example of each. `npm run schemas` writes them; a test fails when they are out of
 * date.
 */

import { eventJson, notificationJson } from '../functions/events/event-json.ts';
import { eventFields, eventSource, notificationDetail } from '../functions/events/event-schema.ts';
import type { EventName, PaymentEvent } from '../functions/payment/events.ts';
import { parseAmount } from '../functions/payment/money.ts';
import { type NotificationEventName, notificationEvent } from '../functions/payment/notification.ts';
import type { Language, Localized } from '../functions/shared/language.ts';
import { type Pair, tableOf, withParts } from './generated.ts';

export const EVENT_DOCS: Pair = { en: 'docs/events.md', ko: 'docs/events.ko.md' };

const OCCASIONS: Record<EventName | NotificationEventName, Localized> = {
  'Payment Paid': { en: 'the whole amount is paid: deliver', ko: '전액이 결제됨. 상품을 발송하세요' },
  'Virtual Account Issued': {
    en: 'a virtual account was issued and waits for the deposit: notify the buyer',
    ko: '가상계좌가 발급됨. 구매자에게 입금을 안내하세요',
  },
  'Virtual Account Withdrawn': {
    en: 'the issued virtual account is no longer valid: the buyer must not pay into it',
    ko: '발급된 가상계좌가 더는 유효하지 않음. 구매자는 입금하면 안 됨',
  },
  'Payment Failed': {
    en: 'a payment attempt failed; the order can still be paid',
    ko: '결제 시도가 실패함. 주문은 계속 결제할 수 있음',
  },
  'Payment Cancelled': {
    en: 'the payment was cancelled in full: take the goods back',
    ko: '전액 취소됨. 상품을 회수하세요',
  },
  'Payment Partially Cancelled': {
    en: 'a part was cancelled; `cancelled_amount` is the total so far',
    ko: '일부 금액이 취소됨. `cancelled_amount`는 누적 취소 금액',
  },
  'Deposit Reversed': {
    en: 'the bank reversed the deposit: stop the delivery, contact the buyer',
    ko: '은행이 입금을 취소함. 배송을 중단하고 구매자에게 연락하세요',
  },
  'Order Expired': {
    en: 'the order expired unpaid; a late payment is still possible',
    ko: '결제되지 않은 채 결제 기한이 지남. 늦은 결제는 가능',
  },
  'Order Closed': { en: 'the shop closed the order permanently', ko: '쇼핑몰이 주문을 영구히 종료함' },
  'Payment Rejected': {
    en: 'a payment was rejected for the `reason`; `reversal` has the state of its money',
    ko: '`reason`의 사유로 결제를 거절함. `reversal`은 결제 금액의 처리 상태',
  },
  'Payment Without Order': {
    en: 'a payment for an order that was never registered. It is never reversed automatically',
    ko: '등록되지 않은 주문의 결제. 자동으로 취소하지 않음',
  },
  'Refund Required': {
    en: 'the operator has to refund `amount` by hand; published again with the whole amount when it grows or the reason changes',
    ko: '운영자가 `amount`를 직접 환불해야 함. 금액이 늘거나 사유가 바뀌면 전체 금액으로 다시 발행',
  },
  'Refund No Longer Required': {
    en: 'a `Refund Required` of this payment is void: a refund now would be a second one',
    ko: '이 결제의 `Refund Required`가 무효가 됨. 지금 환불하면 이중 환불',
  },
  'Refund Completed': {
    en: '`amount` of a refund or of a rejected payment was returned to the buyer',
    ko: '환불 또는 거절된 결제의 `amount`가 구매자에게 환불됨',
  },
  'Refund Refused': {
    en: 'a refund that the shop requested was refused, and a second check 5 minutes later has confirmed it',
    ko: '쇼핑몰이 요청한 환불이 거절되었고, 5분 뒤의 재조회에서도 거절로 확인됨',
  },
  'Escrow Changed': {
    en: 'Iamport sent a webhook about an escrow; unconfirmed',
    ko: '아임포트가 에스크로 변경을 웹훅으로 통지함. 조회로 확인하지 않은 내용',
  },
  'Unrecognised Notification': {
    en: 'Iamport sent an unknown webhook; unconfirmed',
    ko: '아임포트가 알려지지 않은 웹훅을 보냄. 조회로 확인하지 않은 내용',
  },
};

const impUid = 'imp_961494461225';
const merchantUid = 'order-1001';
/** 2026-11-23, 10:01:30 in Seoul. */
const paidAt = 1_795_395_690;
const won = (major: number) => parseAmount(major, 'KRW') ?? raise(`${major} is not an amount of won`);
const raise = (message: string): never => {
  throw new Error(message);
};
const account = {
  impUid,
  bank: '하나은행',
  number: '79012345678901',
  depositDeadline: paidAt + 259_200,
  issuedAt: paidAt,
};

/** The fields of each event besides the common ones. */
const PARTICULARS: Record<EventName, Partial<PaymentEvent>> = {
  'Payment Paid': { status: 'paid', payMethod: 'card' },
  'Virtual Account Issued': { status: 'virtual_account_issued', account },
  'Virtual Account Withdrawn': { status: 'ready' },
  'Payment Failed': { status: 'failed', reason: '한도초과' },
  'Payment Cancelled': { status: 'cancelled', payMethod: 'card', cancelledAmount: won(14_000) },
  'Payment Partially Cancelled': { status: 'partial_cancelled', payMethod: 'card', cancelledAmount: won(4_000) },
  'Deposit Reversed': { status: 'deposit_reversed', payMethod: 'vbank' },
  'Order Expired': { status: 'expired' },
  'Order Closed': { status: 'closed' },
  'Payment Rejected': { reason: 'amount_mismatch', amount: won(100), reversal: { kind: 'cancel', state: 'requested' } },
  'Payment Without Order': { reason: 'order_not_found', reversal: { kind: 'orphan', state: 'manual' } },
  'Refund Required': { reason: 'deposit_mismatch', reversal: { kind: 'manual', state: 'manual' } },
  'Refund No Longer Required': {
    reason: 'amount_mismatch',
    amount: won(0),
    reversal: { kind: 'revoke', state: 'requested' },
  },
  'Refund Completed': { reason: 'amount_mismatch', amount: won(100), reversal: { kind: 'cancel', state: 'done' } },
  'Refund Refused': { reason: 'refused_by_pg', amount: won(4_000) },
};
const REVERSAL_EVENTS = new Set<EventName>([
  'Payment Rejected',
  'Payment Without Order',
  'Refund Required',
  'Refund No Longer Required',
  'Refund Completed',
]);

/** Every event once, as it is on the bus. */
export function eventExamples(): {
  source: string;
  'detail-type': EventName | NotificationEventName;
  detail: unknown;
}[] {
  const plain = (detail: object) => JSON.parse(JSON.stringify(detail)) as unknown;
  const events = (Object.entries(PARTICULARS) as [EventName, Partial<PaymentEvent>][]).map(([name, own]) => {
    const id =
      name === 'Refund Refused'
        ? `${impUid}/return-1:3`
        : REVERSAL_EVENTS.has(name)
          ? `${impUid}:1`
          : `${merchantUid}:2`;
    const detail = plain(eventJson({ name, id, merchantUid, impUid, amount: won(14_000), currency: 'KRW', ...own }));
    return { source: eventSource, 'detail-type': name, detail };
  });
  const common = { impUid, merchantUid, updatedAt: paidAt };
  const notifications = [
    { ...common, event: 'Inicis.Escrow.Changed', content: { status: 'paid', escrow_status: 'confirmed' } },
    { ...common, event: 'Something.New', content: { status: 'paid' } },
  ].map((notification) => {
    const event = notificationEvent(notification);
    return { source: eventSource, 'detail-type': event.name, detail: plain(notificationJson(event)) };
  });
  return [...events, ...notifications];
}

const HEADS: Record<Language, readonly string[]> = {
  en: ['event', 'when', 'fields always present, besides `version`, `id`, `merchant_uid`, `amount`, `currency`'],
  ko: ['이벤트', '언제', '`version`, `id`, `merchant_uid`, `amount`, `currency` 외에 항상 있는 필드'],
};
const UNCONFIRMED: Localized = { en: ' (no `amount`, no `currency`)', ko: ' (`amount`와 `currency`는 없음)' };

function table(language: Language): string {
  const own = ['imp_uid', 'verified', 'event', 'content'].filter((field) => field in notificationDetail.shape);
  const rows = Object.entries(OCCASIONS).map(([name, occasion]) => {
    const fields: readonly string[] | undefined = eventFields[name as EventName];
    const listed = (fields ?? own).map((field) => `\`${field}\``).join(', ');
    return [`\`${name}\``, occasion[language], fields ? listed : `${listed}${UNCONFIRMED[language]}`];
  });
  return tableOf(HEADS[language], rows);
}

const examples = (): string =>
  eventExamples()
    .map((example) => `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``)
    .join('\n\n');

/** The text that the document should have. */
export const withEvents = (language: Language): string =>
  withParts(EVENT_DOCS[language], { events: table(language), examples: examples() });

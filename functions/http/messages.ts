/** The texts for buyers, in Korean and English. They contain nothing from the request. */

import type { ConfirmRefusal } from '../payment/confirm.ts';
import type { Outcome, OutcomeStatus } from '../payment/outcome.ts';
import type { Objection, Reversal } from '../payment/reversal.ts';
import type { Language, Localized } from '../shared/language.ts';
import type { ProblemCode } from './problem.ts';

const statuses: Readonly<Record<Exclude<OutcomeStatus, 'rejected'>, Localized>> = {
  paid: { ko: '결제가 완료되었습니다.', en: 'Your payment is complete.' },
  virtual_account_issued: {
    ko: '가상계좌가 발급되었습니다. 기한 안에 입금해 주세요.',
    en: 'Your account for the transfer is ready. Please pay into it before the deadline.',
  },
  ready: { ko: '아직 결제되지 않았습니다.', en: 'Nothing has been paid yet.' },
  failed: { ko: '결제에 실패했습니다. 다시 시도해 주세요.', en: 'The payment failed. Please try again.' },
  partial_cancelled: { ko: '결제 금액의 일부가 취소되었습니다.', en: 'A part of your payment has been refunded.' },
  cancelled: { ko: '결제가 취소되었습니다.', en: 'The payment has been cancelled.' },
  expired: { ko: '결제 기한이 지났습니다.', en: 'The time for the payment is over.' },
  deposit_reversed: {
    ko: '은행에서 입금이 취소되었습니다. 상점에 문의해 주세요.',
    en: 'The bank took the transfer back. Please contact the shop.',
  },
};

const objections: Readonly<Record<Objection, Localized>> = {
  test_payment: { ko: '테스트 결제는 처리되지 않습니다.', en: 'Test payments are not taken.' },
  payment_predates_order: {
    ko: '주문이 등록되기 전에 시작된 결제입니다. 상점에 문의해 주세요.',
    en: 'The payment began before the order was registered. Please contact the shop.',
  },
  currency_mismatch: {
    ko: '주문과 다른 통화로 결제되었습니다.',
    en: 'The payment is in another currency than the order.',
  },
  amount_mismatch: { ko: '결제 금액이 주문 금액과 다릅니다.', en: 'The amount paid is not the amount of the order.' },
  deposit_excess: { ko: '주문 금액보다 더 입금되었습니다.', en: 'More was deposited than the amount of the order.' },
  deposit_mismatch: { ko: '입금된 금액이 주문 금액과 다릅니다.', en: 'The deposits are not the amount of the order.' },
  duplicate_payment: { ko: '이미 결제된 주문입니다.', en: 'The order was paid before.' },
  order_closed: { ko: '더 이상 결제할 수 없는 주문입니다.', en: 'The order can no longer be paid.' },
  account_superseded: { ko: '새 가상계좌가 발급되었습니다.', en: 'A newer account was issued.' },
};

/** Follows the objection to a payment with money: how the money goes back. */
const returns = {
  done: { ko: '결제를 취소했습니다.', en: 'The payment has been cancelled.' },
  requested: { ko: '결제를 취소하고 있습니다.', en: 'The payment is being cancelled.' },
  manual: { ko: '상점에서 환불해 드립니다.', en: 'The shop will refund it.' },
} as const satisfies Record<Reversal['state'], Localized>;

/** Follows the objection to a payment without money: the buyer must not pay into its virtual account. */
const revocations = {
  done: {
    ko: '가상계좌를 취소했습니다. 입금하지 마세요.',
    en: 'The account has been cancelled. Please do not pay into it.',
  },
  requested: {
    ko: '가상계좌를 취소하고 있습니다. 입금하지 마세요.',
    en: 'The account is being cancelled. Please do not pay into it.',
  },
  manual: { ko: '이 가상계좌에는 입금하지 마세요.', en: 'Please do not pay into this account.' },
} as const satisfies Record<Reversal['state'], Localized>;

/** How the payment window ended, where nothing was paid and the status of the payment does not show it. */
const windowEnds = {
  closed: {
    ko: '결제창을 닫으셨습니다. 청구된 금액은 없으며, 다시 결제하실 수 있습니다.',
    en: 'You closed the payment window. Nothing was charged, and you can pay again.',
  },
  unopened: {
    ko: '결제창이 열리지 않았습니다. 다시 시도해 주세요.',
    en: 'The payment window did not open. Please try again.',
  },
} as const satisfies Record<string, Localized>;
export type WindowEnd = keyof typeof windowEnds | 'failed';

/** The texts of the built-in result page beside the message. */
export const pageTexts = {
  ko: {
    title: '결제 결과',
    order: '주문번호',
    amount: '금액',
    paid: '결제 금액',
    cancelled: '취소 금액',
    left: '남은 금액',
    bank: '은행',
    account: '계좌번호',
    holder: '예금주',
    due: '입금 기한',
    reason: '사유',
    windowMessage: '결제창 안내',
    receipt: '영수증 보기',
    copy: '복사',
    copyAccount: '계좌번호 복사',
    copied: '계좌번호를 복사했습니다.',
    asking: '결제 결과를 다시 확인하고 있습니다…',
    gaveUp: '결제하셨다면 결제는 안전하게 처리됩니다. 나중에 주문 내역에서 확인해 주세요.',
    stillReversing: '취소에 시간이 걸리고 있습니다. 나중에 다시 확인해 주세요.',
    toApp: '앱으로 이동합니다. 이동하지 않으면 아래 버튼을 눌러 주세요.',
    nextActions: '다음 단계',
    app: '앱으로 돌아가기',
    again: '다시 확인하기',
    checkout: '다시 결제하기',
    orders: '주문 내역 보기',
    support: '상점에 문의하기',
    shop: '상점으로 돌아가기',
  },
  en: {
    title: 'Payment result',
    order: 'Order',
    amount: 'Amount',
    paid: 'Paid',
    cancelled: 'Cancelled',
    left: 'Left',
    bank: 'Bank',
    account: 'Account number',
    holder: 'Account holder',
    due: 'Pay until',
    reason: 'Reason',
    windowMessage: 'Message of the payment window',
    receipt: 'Receipt',
    copy: 'Copy',
    copyAccount: 'Copy the account number',
    copied: 'The account number has been copied.',
    asking: 'Checking the result again…',
    gaveUp: 'If you paid, the payment is safe and will be settled. Please look at your orders later.',
    stillReversing: 'The cancellation is taking longer. Please check again later.',
    toApp: 'Going to the app. If nothing happens, please use the button below.',
    nextActions: 'Where to go next',
    app: 'Back to the app',
    again: 'Check again',
    checkout: 'Pay again',
    orders: 'See my orders',
    support: 'Contact the shop',
    shop: 'Back to the shop',
  },
} as const satisfies Record<Language, Record<string, string>>;

/** Several codes share a text: a buyer needs to know only what to do next. */
const unconfirmed: Localized = {
  ko: '결제 결과를 아직 확인하지 못했습니다. 잠시 후 다시 확인해 주세요.',
  en: 'We could not confirm the payment yet. Please check again shortly.',
};
const notFound: Localized = {
  ko: '결제 정보를 찾을 수 없습니다. 상점에 문의해 주세요.',
  en: 'No such payment was found. Please contact the shop.',
};
const invalidRequest: Localized = {
  ko: '잘못된 요청입니다. 상점에 문의해 주세요.',
  en: 'The request is not valid. Please contact the shop.',
};

/** Every other code has the text of an invalid request. */
const problems: Readonly<Partial<Record<ProblemCode, Localized>>> = {
  payment_not_found: notFound,
  order_not_found: notFound,
  order_mismatch: notFound,
  route_not_found: {
    ko: '주소가 올바르지 않습니다. 상점에 문의해 주세요.',
    en: 'This address is not complete. Please contact the shop.',
  },
  iamport_unavailable: unconfirmed,
  iamport_error: unconfirmed,
  store_unavailable: unconfirmed,
  not_settled: unconfirmed,
  order_busy: unconfirmed,
  internal_error: unconfirmed,
};

export function outcomeMessage(
  { status, reason, reversal }: Pick<Outcome, 'status' | 'reason' | 'reversal'>,
  language: Language,
): string {
  if (status !== 'rejected') return statuses[status][language];
  const objection = objections[reason as Objection][language];
  const next = reversal?.kind === 'revoke' ? revocations : returns;
  return reversal ? `${objection} ${next[reversal.state][language]}` : objection;
}

export const windowEndMessage = (end: WindowEnd, language: Language): string =>
  (end === 'failed' ? statuses.failed : windowEnds[end])[language];

export const problemMessage = (code: ProblemCode, language: Language): string =>
  (problems[code] ?? invalidRequest)[language];

/** `refused_by_shop`: the shop was asked and gave no reason. `shop_unanswered`: it gave no answer. */
type ShopRefusal = 'refused_by_shop' | 'shop_unanswered';

const confirmRefusals: Readonly<Record<ConfirmRefusal | ShopRefusal, string>> = {
  order_not_found: '등록되지 않은 주문입니다.',
  already_paid: '이미 결제된 주문입니다.',
  order_closed: '더 이상 결제할 수 없는 주문입니다.',
  order_expired: '결제 기한이 지난 주문입니다.',
  amount_mismatch: '결제 금액이 주문 금액과 다릅니다.',
  refused_by_shop: '쇼핑몰에서 이 주문의 결제를 받을 수 없습니다.',
  shop_unanswered: '쇼핑몰의 확인을 받지 못해 결제를 진행하지 않았습니다. 잠시 후 다시 시도해 주세요.',
};

/** One text for every refusal, for unknown senders: they must not learn the state of an order. */
export const hiddenConfirmReason = '주문 상태나 금액이 결제 요청과 달라 결제를 진행할 수 없습니다.';

/** Why a payment is stopped before its approval. Iamport shows one text, so it is Korean. */
export const confirmReason = (refusal: ConfirmRefusal | ShopRefusal): string => confirmRefusals[refusal];

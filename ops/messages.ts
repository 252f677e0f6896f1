/** The command's output texts in Korean and English. */

import type { OrderStatus } from '../functions/payment/order.ts';
import type { PaymentState } from '../functions/payment/payment.ts';
import type { RefundState } from '../functions/payment/refund.ts';
import type { ReversalKind, ReversalReason, ReversalState } from '../functions/payment/reversal.ts';

export type Language = 'ko' | 'en';
type Localized = Readonly<Record<Language, string>>;

export const statusLabels: Readonly<Record<OrderStatus, Localized>> = {
  ready: { ko: '결제 전', en: 'not paid yet' },
  virtual_account_issued: { ko: '가상계좌 입금 대기', en: 'waits for a deposit' },
  paid: { ko: '결제됨', en: 'paid' },
  partial_cancelled: { ko: '일부 취소됨', en: 'partly cancelled' },
  cancelled: { ko: '취소됨', en: 'cancelled' },
  failed: { ko: '결제 실패, 다시 결제할 수 있음', en: 'failed, and can be paid again' },
  expired: { ko: '기한 지남, 다시 결제할 수 있음', en: 'its time is over, and it can be paid again' },
  deposit_reversed: { ko: '은행이 입금을 되가져감', en: 'the bank took the deposit back' },
  closed: { ko: '닫힘', en: 'closed' },
};

export const paymentLabels: Readonly<Record<PaymentState['kind'], Localized>> = {
  ready: { ko: '결제창만 열림', en: 'only a window was opened' },
  awaiting_deposit: { ko: '입금을 기다리는 계좌', en: 'an account that waits for its deposit' },
  kept: { ko: '결제된 돈이 있음', en: 'money is there' },
  returned: { ko: '남은 돈이 없음(취소 또는 계좌 말소)', en: 'nothing is left: cancelled, or the account is revoked' },
  failed: { ko: '실패', en: 'failed' },
};

export const reasonLabels: Readonly<Record<ReversalReason, Localized>> = {
  test_payment: { ko: '테스트 결제', en: 'a test payment' },
  payment_predates_order: { ko: '주문 등록보다 오래된 결제', en: 'the payment is older than the order' },
  currency_mismatch: { ko: '주문과 다른 통화', en: 'another currency than the order' },
  amount_mismatch: { ko: '주문과 다른 금액', en: 'another amount than the order' },
  deposit_mismatch: { ko: '입금 합계가 주문 금액과 다름', en: 'deposits that are not the amount' },
  deposit_excess: { ko: '주문 금액보다 더 입금됨', en: 'more was deposited than the amount' },
  duplicate_payment: { ko: '이미 다른 결제로 끝난 주문', en: 'the order was paid by another payment' },
  order_closed: { ko: '닫힌 주문', en: 'the order is closed' },
  account_superseded: { ko: '더 새로운 가상계좌가 있음', en: 'there is a newer account' },
  order_expired: { ko: '결제 기한이 지난 주문', en: 'the order has expired' },
  order_not_found: { ko: '우리 주문이 아님', en: 'no order of ours' },
};

export const kindLabels: Readonly<Record<ReversalKind, Localized>> = {
  cancel: { ko: '결제 취소', en: 'cancel the payment' },
  revoke: { ko: '가상계좌 말소', en: 'revoke the account' },
  manual: { ko: '사람이 환불', en: 'a person gives it back' },
  orphan: { ko: '주문 없는 돈, 사람이 확인', en: 'money without an order: a person looks' },
};

export const stateLabels: Readonly<Record<ReversalState | RefundState, Localized>> = {
  requested: { ko: '진행 중', en: 'under way' },
  done: { ko: '끝남', en: 'done' },
  manual: { ko: '사람을 기다림', en: 'waits for a person' },
  refused: { ko: '거절됨', en: 'refused' },
  unsent: { ko: '전송되지 않음', en: 'not sent' },
};

const messages = {
  order: { ko: '주문', en: 'Order' },
  noOrder: { ko: '이 번호의 주문이 없습니다', en: 'There is no such order' },
  registered: { ko: '등록', en: 'registered' },
  changed: { ko: '마지막 변경', en: 'last changed' },
  payments: { ko: '아임포트의 결제', en: 'Payments at Iamport' },
  none: { ko: '없음', en: 'none' },
  notAsked: { ko: '아임포트에 물을 수 없습니다', en: 'Iamport cannot be asked' },
  standsOn: { ko: '주문이 이 결제로 끝났습니다', en: 'the order stands on it' },
  counts: { ko: '주문이 이미 반영하고 있습니다', en: 'the order says so already' },
  willChange: {
    ko: '아직 주문에 반영되지 않았습니다. 처리하면 이렇게 됩니다',
    en: 'not in the order yet. Settling it makes it',
  },
  willReject: { ko: '받지 않는 결제', en: 'not taken' },
  moneyIsBack: { ko: '돈이 돌아갔습니다', en: 'its money is back' },
  reversals: { ko: '되돌리는 결제', en: 'To be undone' },
  refunds: { ko: '환불', en: 'Refunds' },
  events: { ko: '이벤트', en: 'Events' },
  eventsOf: { ko: '단계마다 한 번 이상, id는', en: 'one or more for each step, with the ids' },
  next: { ko: '할 일', en: 'What to do' },
  nothing: { ko: '할 일이 없습니다', en: 'Nothing is left to do' },
  nothingWaits: { ko: '사람을 기다리는 것이 없습니다', en: 'Nothing waits for a person' },
  giveBack: {
    ko: '아임포트 콘솔에서 구매자 계좌로 환불',
    en: 'give it back in the console, to an account of the buyer',
  },
  giveBackOnTop: {
    ko: '주문 금액보다 더 입금된 돈을 이체로 돌려준 뒤',
    en: 'give back by a transfer what came on top of the amount, then',
  },
  revokeByHand: {
    ko: 'PG사 콘솔에서 가상계좌를 말소하거나 기한이 지나기를 기다린 뒤',
    en: 'revoke the account in the console of the PG, or wait until its deadline is over, then',
  },
  waits: { ko: '기다리면 저절로 다시 시도합니다', en: 'it is tried again by itself' },
  attempts: { ko: '시도', en: 'attempts' },
  sure: { ko: '계속할까요?', en: 'Go on?' },
  notConfirmed: {
    ko: '확인되지 않아 아무것도 하지 않았습니다. 스크립트에서는 --yes를 붙이세요',
    en: 'Not confirmed, so nothing was done. In a script add --yes',
  },
  willRefund: { ko: '환불합니다', en: 'This gives back' },
  allThatIsLeft: { ko: '남은 금액 전부', en: 'all that is left' },
  willClose: {
    ko: '주문을 닫습니다. 다시 열 수 없고, 기다리는 가상계좌는 말소됩니다',
    en: 'This closes the order for good, and revokes its account',
  },
  isReturned: { ko: '구매자에게 돌려준 것으로 기록합니다', en: 'This writes down that it was given back' },
  isRevoked: {
    ko: '돈이 들어오지 않은 가상계좌의 말소를 끝난 것으로 기록합니다',
    en: 'This records that the account, which holds no money, needs no more attention',
  },
  isNotOurs: {
    ko: '주문 없는 돈을 처리한 것으로 기록합니다',
    en: 'This records that the money without an order was dealt with',
  },
  writtenDown: { ko: '기록했습니다', en: 'Written down' },
  notByHand: { ko: '사람을 기다리는 돈이 없습니다', en: 'no money of it waits for a person' },
  published: { ko: '발행했습니다', en: 'Published' },
  notPublished: { ko: '발행하지 않았습니다', en: 'Not published' },
  nothingToPublish: { ko: '발행할 것이 없습니다', en: 'Nothing to publish' },
  sentAgain: { ko: '다시 보냈습니다', en: 'Sent again' },
  notSentAgain: { ko: '보내지 않았습니다', en: 'Not sent' },
  nothingToSend: { ko: '보낼 것이 없습니다', en: 'Nothing to send' },
  noWebhooks: {
    ko: '웹훅을 받는 URL이 없습니다. 설정 webhooks에 추가하세요',
    en: 'No URL receives webhooks: add one to webhooks in the configuration',
  },
  notLastEvent: {
    ko: '이 이벤트는 항목의 마지막 이벤트가 아니어서 다시 만들 수 없습니다. merchant_uid로 실행하면 마지막 이벤트를 보냅니다',
    en: 'the event is not the last one of its item and cannot be made again; with the merchant_uid its last events are sent',
  },
  notSubscribed: { ko: '이 이벤트를 받는 URL이 없습니다', en: 'no URL receives this event' },
  undelivered: {
    ko: '전달하지 못한 웹훅. 서버를 고친 뒤 redeliver --queue:',
    en: 'webhooks that could not be delivered. Repair the server, then redeliver --queue:',
  },
  idNotKnown: {
    ko: '이벤트가 발행된 id를 항목만으로 알 수 없습니다. attention에 나오는 것을 보세요',
    en: 'the item does not say under which id its event was published; see attention',
  },
  changedBetween: {
    ko: 'Lambda가 포기한 배치입니다. 이 시각에 바뀐 주문을 republish로 발행한 뒤 SQS에서 메시지를 지우세요:',
    en: 'a batch that Lambda gave up. Republish the orders that changed then, and delete the message in SQS:',
  },
  noKey: { ko: '키가 없는 메시지입니다', en: 'the message has no key' },
  onlyNotification: {
    ko: '확인되지 않은 알림이라 다시 만들지 않습니다',
    en: 'an unconfirmed notification, which is not made again',
  },
  closed: { ko: '닫았습니다', en: 'Closed' },
  refused: { ko: '거절되었습니다', en: 'Refused' },
  running: { ko: '대사를 실행합니다…', en: 'Running the reconciler…' },
  noPayment: { ko: '아임포트에 이런 결제가 없습니다', en: 'Iamport knows no such payment' },
} as const satisfies Record<string, Localized>;

export type MessageFor = (key: keyof typeof messages) => string;
export const messagesIn =
  (language: Language): MessageFor =>
  (key) =>
    messages[key][language];

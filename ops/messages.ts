/** The command's output texts in Korean and English. */

import type { OrderStatus } from '../functions/payment/order.ts';
import type { PaymentState } from '../functions/payment/payment.ts';
import type { RefundState } from '../functions/payment/refund.ts';
import type { ReversalKind, ReversalReason, ReversalState } from '../functions/payment/reversal.ts';
import type { Language, Localized } from '../functions/shared/language.ts';

export const statusLabels: Readonly<Record<OrderStatus, Localized>> = {
  ready: { ko: '결제 전', en: 'not paid yet' },
  virtual_account_issued: { ko: '가상계좌 발급, 입금 전', en: 'virtual account issued, no deposit yet' },
  paid: { ko: '결제 완료', en: 'paid' },
  partial_cancelled: { ko: '부분 취소', en: 'partly cancelled' },
  cancelled: { ko: '전액 취소', en: 'cancelled' },
  failed: { ko: '결제 실패(다시 결제 가능)', en: 'payment failed; the buyer can pay again' },
  expired: { ko: '결제 기한 지남(늦은 결제 가능)', en: 'expired; a late payment is still possible' },
  deposit_reversed: { ko: '은행이 입금을 취소함', en: 'deposit reversed by the bank' },
  closed: { ko: '주문 종료', en: 'closed' },
};

export const paymentLabels: Readonly<Record<PaymentState['kind'], Localized>> = {
  ready: { ko: '결제창만 열림', en: 'payment window opened, not paid' },
  awaiting_deposit: { ko: '가상계좌 입금 전', en: 'virtual account without a deposit' },
  kept: { ko: '결제 완료(잔액 있음)', en: 'paid, with a balance' },
  returned: {
    ko: '잔액 없음(취소 또는 가상계좌 말소)',
    en: 'no balance: cancelled, or the virtual account is revoked',
  },
  failed: { ko: '결제 실패', en: 'failed' },
};

export const reasonLabels: Readonly<Record<ReversalReason, Localized>> = {
  test_payment: { ko: '테스트 결제', en: 'test payment' },
  payment_predates_order: { ko: '주문 등록 전의 결제', en: 'payment begun before the order was registered' },
  currency_mismatch: { ko: '주문과 다른 통화', en: 'currency differs from the order' },
  amount_mismatch: { ko: '주문과 다른 금액', en: 'amount differs from the order' },
  deposit_mismatch: { ko: '입금 합계가 주문 금액과 다름', en: 'deposits differ from the order amount' },
  deposit_excess: { ko: '주문 금액을 초과한 입금', en: 'deposits exceed the order amount' },
  duplicate_payment: { ko: '이미 다른 결제로 결제 완료된 주문', en: 'order already paid by another payment' },
  order_closed: { ko: '종료된 주문', en: 'order closed' },
  account_superseded: { ko: '더 새로운 가상계좌가 있음', en: 'a newer virtual account was issued' },
  order_expired: { ko: '결제 기한이 지난 주문', en: 'order expired' },
  order_not_found: { ko: '등록되지 않은 주문', en: 'order not registered' },
};

export const kindLabels: Readonly<Record<ReversalKind, Localized>> = {
  cancel: { ko: '결제 취소', en: 'cancel the payment' },
  revoke: { ko: '가상계좌 말소', en: 'revoke the virtual account' },
  manual: { ko: '운영자가 직접 환불', en: 'refund by the operator' },
  orphan: { ko: '주문 없는 결제, 운영자가 확인', en: 'payment without an order: check by the operator' },
};

export const stateLabels: Readonly<Record<ReversalState | RefundState, Localized>> = {
  requested: { ko: '진행 중', en: 'in progress' },
  done: { ko: '완료', en: 'done' },
  manual: { ko: '운영자 처리 대기', en: 'operator must act' },
  refused: { ko: '거절됨', en: 'refused' },
  unsent: { ko: '전송되지 않음', en: 'not sent' },
};

const messages = {
  order: { ko: '주문', en: 'Order' },
  noOrder: { ko: '등록되지 않은 주문입니다', en: 'This order is not registered' },
  left: { ko: '남은 금액', en: 'remaining' },
  registered: { ko: '등록', en: 'registered' },
  changed: { ko: '마지막 변경', en: 'last changed' },
  payments: { ko: '아임포트의 결제', en: 'Payments at Iamport' },
  none: { ko: '없음', en: 'none' },
  notAsked: { ko: '아임포트에서 조회하지 못했습니다', en: 'Iamport could not be queried' },
  settledBy: { ko: '이 결제로 주문이 결제 완료되었습니다', en: 'this payment settled the order' },
  applied: { ko: '이미 주문에 반영된 결제입니다', en: 'already applied to the order' },
  willChange: {
    ko: '아직 주문에 반영되지 않았습니다. 처리하면 주문이 다음 상태가 됩니다',
    en: 'not applied to the order yet. Settling it changes the order to',
  },
  willReject: { ko: '거절되는 결제', en: 'rejected' },
  predatesDeployment: {
    ko: '이 배포가 시작되기 전의 결제이므로 주문에 반영하지 않습니다',
    en: 'made before this deployment began, so it changes nothing',
  },
  moneyReturned: { ko: '환불되었습니다', en: 'refunded' },
  reversals: { ko: '자동 취소', en: 'Reversals' },
  refunds: { ko: '환불', en: 'Refunds' },
  events: { ko: '이벤트', en: 'Events' },
  eventsOf: { ko: '변경마다 하나 이상, id는', en: 'one or more for each change, with the ids' },
  next: { ko: '할 일', en: 'What to do' },
  nothing: { ko: '없음', en: 'Nothing' },
  checkOrder: {
    ko: '주문번호를 확인하세요. 주문은 쇼핑몰이 PUT /orders/{merchant_uid}로 등록합니다',
    en: 'Check the merchant_uid. The shop registers an order with PUT /orders/{merchant_uid}',
  },
  nothingOpen: { ko: '운영자가 처리할 건이 없습니다', en: 'No item needs the operator' },
  refundInConsole: {
    ko: '아임포트 콘솔에서 구매자 계좌로 환불하세요',
    en: 'Refund it in the Iamport console, to an account of the buyer',
  },
  refundExcess: {
    ko: '주문 금액을 초과한 입금을 구매자에게 이체한 뒤 기록하세요:',
    en: 'Transfer the excess deposit to the buyer, then record it:',
  },
  revokeByHand: {
    ko: 'PG사 콘솔에서 가상계좌를 말소하거나 입금 기한이 지난 뒤 기록하세요:',
    en: 'Revoke the virtual account in the PG console, or wait for its deadline, then record it:',
  },
  checkOrphan: {
    ko: '어느 쇼핑몰의 결제인지 확인하세요. 환불할 결제면 아임포트 콘솔에서 환불하고, 다른 시스템의 결제면 기록하세요:',
    en: 'Check which system the payment belongs to. Refund it in the Iamport console, or if it is not yours, record it:',
  },
  retried: { ko: '자동으로 다시 시도합니다', en: 'It is retried automatically' },
  attempts: { ko: '시도', en: 'attempts' },
  confirm: { ko: '계속할까요?', en: 'Continue?' },
  notConfirmed: {
    ko: '확인하지 않아 아무것도 하지 않았습니다. 스크립트에서는 --yes를 붙이세요',
    en: 'Not confirmed, so nothing was done. In a script add --yes',
  },
  willRefund: { ko: '환불합니다', en: 'This refunds' },
  remainder: { ko: '남은 금액 전부', en: 'the whole remaining amount' },
  willClose: {
    ko: '주문을 영구히 종료하고, 입금 전인 가상계좌를 말소합니다',
    en: 'This closes the order permanently and revokes its virtual account',
  },
  isReturned: { ko: '구매자에게 환불한 것으로 기록합니다', en: 'This records the refund to the buyer as done' },
  isRevoked: {
    ko: '입금이 없는 가상계좌의 말소를 완료로 기록합니다',
    en: 'This records the revocation of the virtual account as done',
  },
  isNotOurs: {
    ko: '주문 없는 결제의 확인을 완료로 기록합니다',
    en: 'This records the check of the payment without an order as done',
  },
  recorded: { ko: '기록했습니다', en: 'Recorded' },
  noOpenItem: {
    ko: '운영자를 기다리는 건이 아닙니다. 처리할 건은 attention으로 확인하세요',
    en: 'no item of this id needs the operator. List the items with attention',
  },
  published: { ko: '발행했습니다', en: 'Published' },
  notPublished: { ko: '발행하지 않았습니다', en: 'Not published' },
  nothingToPublish: { ko: '발행할 이벤트가 없습니다', en: 'No event to publish' },
  sentAgain: { ko: '다시 보냈습니다', en: 'Sent again' },
  notSentAgain: { ko: '보내지 않았습니다', en: 'Not sent' },
  nothingToSend: { ko: '보낼 것이 없습니다', en: 'Nothing to send' },
  hiddenMessages: {
    ko: '큐의 메시지를 다른 실행이 처리하고 있거나, 방금 끝났거나 중단된 실행이 숨겼습니다. 2분 뒤 다시 실행하세요',
    en: 'The messages of the queue are hidden by a run that works on them, or has left them. Run this again in two minutes',
  },
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
    ko: '처음 발행한 이벤트의 id가 항목에 없습니다. attention으로 남은 처리를 확인하세요',
    en: 'the item does not record the id of its published event. List the open items with attention',
  },
  changedBetween: {
    ko: 'Lambda가 처리를 포기한 배치입니다. 다음 시각 사이에 바뀐 주문을 republish로 발행하고 SQS 콘솔에서 메시지를 지우세요:',
    en: 'a batch that Lambda gave up. Republish the orders that changed between these times, and delete the message in the SQS console:',
  },
  noKey: {
    ko: '항목의 키가 없는 메시지입니다. SQS 콘솔에서 내용을 확인하고 지우세요',
    en: 'the message has no key of an item. Read it and delete it in the SQS console',
  },
  onlyNotification: {
    ko: '확인되지 않은 통지의 이벤트는 다시 만들지 않습니다. SQS 콘솔에서 메시지를 지우세요',
    en: 'the event of an unconfirmed notification is not made again. Delete the message in the SQS console',
  },
  closed: { ko: '주문을 종료했습니다', en: 'Closed' },
  refused: { ko: '거절되었습니다', en: 'Refused' },
  running: { ko: '대사를 실행합니다…', en: 'Running the reconciler…' },
  willCopy: {
    ko: '배포의 테이블에 없거나 revision이 더 낮은 항목을 복사합니다. 이벤트는 발행하지 않습니다',
    en: 'This copies the items that the table of the deployment lacks or has in a lower revision, without events',
  },
  wouldCopy: { ko: '세기만 하고 쓰지 않습니다', en: 'This counts the items and writes nothing' },
  itemsSoFar: { ko: '건. 여기서 이어 가려면', en: 'items. To continue from here:' },
  copiedItems: { ko: '복사', en: 'copied' },
  unchangedItems: { ko: '배포의 항목이 같거나 더 새로움', en: 'unchanged, as new or newer in the deployment' },
  skippedItems: { ko: '복사 대상이 아님', en: 'skipped, never copied' },
  missingItems: {
    ko: '쇼핑몰의 항목이 없음. 쇼핑몰이 먼저 복원해야 합니다',
    en: 'missing in the table of the shop, which must restore its own item first',
  },
  unreadableItems: { ko: '이 버전이 읽을 수 없음', en: 'unreadable by this version, not copied' },
  rechecked: {
    ko: '주문이 돌아온 주문 없는 결제. 다음 대사에서 다시 확인',
    en: 'payments without an order that has one now, checked again in the next run',
  },
  keyForOrders: { ko: '주문 등록과 조회', en: 'Registers and reads orders' },
  keyForMoney: { ko: '환불과 주문 종료까지 모두', en: 'Refunds and closes orders too' },
  previousKeysValid: { ko: '아직 유효한 이전 키', en: 'The previous keys are still valid' },
  willRotate: {
    ko: '새 키를 만듭니다. 지금 키는 keys retire를 실행할 때까지 계속 유효합니다',
    en: 'This generates new keys. The present ones stay valid until keys retire',
  },
  willRetire: {
    ko: '이전 키를 폐기합니다. 5분 안에 이전 키를 보내는 서버의 요청이 401로 거절됩니다. 모든 서버가 새 키를 쓰는지 먼저 확인하세요',
    en: 'This retires the previous keys. Within 5 minutes a server that still sends them gets 401: first give the new keys to every server',
  },
  previousKeysLeft: {
    ko: '이전 키가 아직 유효합니다. 먼저 keys retire로 폐기하세요',
    en: 'The previous keys are still valid: retire them first with keys retire',
  },
  noPreviousKeys: { ko: '폐기할 이전 키가 없습니다', en: 'There are no previous keys to retire' },
  noKeys: {
    ko: '이 배포는 키를 쓰지 않습니다(shopAuth: "iam"). 쇼핑몰 서버는 AWS 서명으로 호출합니다',
    en: 'This deployment has no keys (shopAuth: "iam"): the server of the shop signs its calls',
  },
  secretOfWebhook: { ko: '시크릿', en: 'secret' },
  previousSecretSigns: { ko: '함께 서명하는 이전 시크릿', en: 'previous secret, which signs too' },
  willRotateSecret: {
    ko: '새 시크릿을 만듭니다. 5분 안에 두 시크릿으로 모두 서명하기 시작하고, webhooks retire를 실행할 때까지 계속합니다',
    en: 'This generates a new secret. Within 5 minutes webhooks are signed with both, until webhooks retire',
  },
  willRetireSecret: {
    ko: '이전 시크릿을 폐기합니다. 5분 안에 새 시크릿으로만 서명합니다. 서버가 새 시크릿으로 검증하는지 먼저 확인하세요',
    en: 'This retires the previous secret. Within 5 minutes it signs nothing: first give the new one to your server',
  },
  previousSecretLeft: {
    ko: '이전 시크릿으로 아직 서명합니다. 먼저 webhooks retire로 폐기하세요',
    en: 'The previous secret still signs: retire it first with webhooks retire',
  },
  noPreviousSecret: { ko: '폐기할 이전 시크릿이 없습니다', en: 'There is no previous secret to retire' },
  oneWebhook: {
    ko: 'URL 하나를 지정하세요. 시크릿이 있는 URL:',
    en: 'Name one URL. These have a secret:',
  },
  noPayment: {
    ko: '아임포트에 없는 결제입니다. imp_uid와 시크릿의 키를 확인하세요',
    en: 'Payment not found at Iamport. Check the imp_uid, and the keys in the secret',
  },
  leftClosed: {
    ko: '남은 것: 종료된 주문 하나와 아임포트에 사전 등록된 그 금액. 구독자는 이 주문의 Order Closed를 받습니다:',
    en: 'Left behind: one closed order, and its amount at Iamport. Subscribers receive Order Closed of it:',
  },
  leftNothing: { ko: '남은 것 없음', en: 'Left behind: nothing' },
  postThis: {
    ko: '예상과 다르면 아래 내용을 이슈에 붙여 주세요. 주소, 키, 주문번호, 개인정보는 들어 있지 않습니다. 원인은 doctor로 점검하세요.',
    en: 'Post this text in an issue. It has no address, key, order number or personal data. Look for the cause with doctor first.',
  },
  amountColumn: { ko: '금액', en: 'amount' },
  reasonColumn: { ko: '사유', en: 'reason' },
  actionColumn: { ko: '처리', en: 'action' },
  stateColumn: { ko: '상태', en: 'state' },
  sinceColumn: { ko: '발생', en: 'since' },
} as const satisfies Record<string, Localized>;

export type MessageFor = (key: keyof typeof messages) => string;
export const messagesIn =
  (language: Language): MessageFor =>
  (key) =>
    messages[key][language];

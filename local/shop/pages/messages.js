/** The texts of the demo's pages, in Korean and in English, and the language switch. */

const texts = {
  shopTitle: ['고요문구 · 데모 상점', 'Goyo Stationery · demo shop'],
  shop: ['고요문구', 'Goyo Stationery'],
  demo: ['데모 상점 · 실제로 결제되지 않습니다', 'A demo shop · no money moves'],
  live: ['실시간으로 보기', 'Watch it live'],
  asPhone: ['휴대폰으로 열기', 'Open as a phone'],
  heading: ['책상 위의 작은 것들', 'Small things for a desk'],
  lead: [
    '골라서 결제해 보세요. 뒤에서 무슨 일이 일어나는지는 실시간 화면에 그려집니다.',
    'Choose something and pay. What happens behind it is drawn on the live page.',
  ],
  products: ['상품', 'Products'],
  method: ['결제 수단', 'Pay by'],
  card: ['신용카드', 'Card'],
  trans: ['계좌이체', 'Bank transfer'],
  vbank: ['가상계좌', 'Virtual account'],
  phone: ['휴대폰', 'Phone bill'],
  pay: ['결제하기', 'Pay'],
  developers: ['개발자용', 'For developers'],
  likePhone: ['휴대폰처럼 결제', 'Pay as on a phone'],
  likePhoneWhy: [
    '페이지가 결제창으로 옮겨 가고, 결과 페이지로 돌아옵니다',
    'The page moves to the window, and from there to the result page',
  ],
  forge: ['금액을 100원으로 변조', 'Forge the amount: 100 won'],
  forgeWhy: [
    '브라우저에서 누구나 할 수 있는 일입니다. 결제창 안에서도 변조해 보세요',
    'As any buyer can in the browser. Forge it inside the window too',
  ],
  toApp: ['결과를 앱으로', 'The result goes to an app'],
  toAppWhy: [
    'm_redirect_url에 to=app을 붙입니다. 설정에 app이 있어야 합니다',
    'Adds to=app to m_redirect_url. The configuration must have a target "app"',
  ],
  askAgain: ['다시 확인', 'Ask again'],
  record: ['주문 테이블의 기록', 'The order, as it stands in the table'],
  refresh: ['새로고침', 'Refresh'],
  control: ['입금·취소·웹훅 (샌드박스)', 'Deposit, cancel, webhook (sandbox)'],
  payAgain: ['같은 주문을 또 결제', 'Pay this order again'],
  standing: ['지금 이 주문은', 'This order is'],
  amount: ['금액', 'Amount'],
  bank: ['입금 은행', 'Bank'],
  number: ['계좌번호', 'Account'],
  holder: ['예금주', 'Holder'],
  due: ['입금 기한', 'Pay in by'],
  applyNum: ['승인번호', 'Approval'],
  reason: ['사유', 'Reason'],
  reversal: ['환불', 'Refund'],
  window: ['결제창의 답', 'The window said'],
  receipt: ['영수증', 'Receipt'],
  view: ['보기', 'View'],
  none: ['없음', 'none'],
  confirming: ['결제 결과를 확인하고 있습니다.', 'Your payment is being confirmed.'],
  noServer: [
    '서버에 연결하지 못했습니다. 인터넷 연결을 확인하고 다시 시도해 주세요.',
    'The server cannot be reached. Is npm start still running?',
  ],
  notUnderstood: [
    '서버가 알 수 없는 답을 보냈습니다. 잠시 후 다시 시도해 주세요.',
    'The server gave an answer that makes no sense. Please try again.',
  ],
  unexpected: [
    '예상하지 못한 문제가 생겼습니다. 새로고침 후 다시 시도해 주세요.',
    'Something unexpected happened. Reload the page and try again.',
  ],
  noModule: [
    '결제 모듈을 불러오지 못했습니다. 새로고침해 주세요.',
    'The payment module did not load. Is the fake Iamport running?',
  ],
  noWindow: ['이 실행에는 샌드박스 결제창이 없습니다.', 'With IAMPORT_API_URL there is no payment window here.'],
  'status.paid': ['결제 완료', 'Paid'],
  'status.virtual_account_issued': ['입금 대기', 'Waiting for the deposit'],
  'status.ready': ['결제 전', 'Not paid yet'],
  'status.failed': ['결제 실패', 'Failed'],
  'status.partial_cancelled': ['부분 취소', 'Partly refunded'],
  'status.cancelled': ['결제 취소', 'Cancelled'],
  'status.expired': ['기한 지남', 'Expired'],
  'status.deposit_reversed': ['입금 취소', 'The bank took the deposit back'],
  'status.closed': ['주문 마감', 'Closed'],
  'status.rejected': ['결제 거절', 'Rejected'],
  'status.unopened': ['결제창이 열리지 않음', 'The window did not open'],
  'status.unconfirmed': ['확인 중', 'Not confirmed yet'],
  'status.refused': ['확인할 수 없음', 'Cannot be confirmed'],
  'reversal.done': ['환불 완료', 'The money is back'],
  'reversal.requested': ['환불 처리 중', 'On its way back'],
  'reversal.manual': ['상점에서 환불 예정', 'The shop refunds it'],
  liveTitle: ['실시간 · iamport-serverless', 'Live · iamport-serverless'],
  liveHeading: ['결제 한 건에 일어나는 일', 'What happens in one payment'],
  liveLead: [
    '브라우저가 한 말은 믿지 않습니다. 어떤 경로로 오든 Iamport에 묻고, 판단하고, 한 번만 기록하고, 기록에서 이벤트를 냅니다.',
    'What a browser says is not believed. Whichever way it comes, Iamport is asked, a decision made, one write done, and the event read off that write.',
  ],
  liveEmpty: [
    '아직 아무 일도 없습니다. 상점에서 하나 사 보세요.',
    'Nothing has happened yet. Buy something in the shop.',
  ],
  liveNote: [
    '기록은 테이블의 스트림이 알리는 때에 보이므로, 판단보다 조금 늦게 그려집니다.',
    'A write is drawn when the stream of its table tells of it, a moment after the decision that made it.',
  ],
  toShop: ['상점 열기', 'Open the shop'],
  toControl: ['은행·PG 되어 보기', 'Be the bank and the PG'],
  orders: ['주문', 'Orders'],
  everything: ['모두', 'Everything'],
  connected: ['연결됨', 'Connected'],
  disconnected: ['연결이 끊겼습니다. 다시 잇는 중…', 'Disconnected. Trying again…'],
  'place.shop': ['상점 서버', 'Shop server'],
  'place.buyer': ['구매자', 'Buyer'],
  'place.functions': ['Lambda 함수', 'Lambda functions'],
  'place.iamport': ['Iamport', 'Iamport'],
  'place.bank': ['은행·콘솔', 'Bank, console'],
  'place.table': ['주문 테이블', 'Tables'],
  'place.bus': ['이벤트 버스', 'Event bus'],
  'place.queue': ['웹훅 큐', 'Webhook queue'],
  'place.shop.why': ['주문을 서명해 등록', 'registers orders, signed'],
  'place.buyer.why': ['브라우저, 휴대폰', 'a browser, a phone'],
  'place.functions.why': ['묻고, 판단한다', 'ask and decide'],
  'place.iamport.why': ['돈에 관한 유일한 진실', 'the one truth about money'],
  'place.table.why': ['조건부 쓰기 한 번', 'one conditional write'],
  'place.bus.why': ['기록에서 읽어 낸다', 'read off the write'],
  'place.queue.why': ['2xx 응답까지 재시도', 'repeats until a 2xx'],
  'kind.request': ['요청', 'Request'],
  'kind.call': ['조회', 'Call'],
  'kind.window': ['결제창', 'Window'],
  'kind.decision': ['판단', 'Decision'],
  'kind.write': ['기록', 'Write'],
  'kind.event': ['이벤트', 'Event'],
  'kind.queue': ['큐', 'Queue'],
  'kind.webhook': ['웹훅', 'Webhook'],
  repeat: ['%s초 뒤에 다시 시도', 'next attempt in %s s'],
  'dead-letter': ['데드레터 큐로 이동', 'moved to the dead-letter queue'],
  attempt: ['%s번째 시도', 'attempt %s'],
};

const storageKey = 'language';
let language = localStorage.getItem(storageKey) ?? (/^ko\b/.test(navigator.language) ? 'ko' : 'en');

/** `ko` or `en`. */
export const currentLanguage = () => language;

/** @param key a key of `texts`; any other string is returned unchanged */
export const translate = (key) => texts[key]?.[language === 'en' ? 1 : 0] ?? key;

/** Sets every text of the page that has a key, in the chosen language. */
function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll('[data-text]')) node.textContent = translate(node.dataset.text);
  for (const node of document.querySelectorAll('[data-text-label]')) {
    node.setAttribute('aria-label', translate(node.dataset.textLabel));
  }
  for (const node of document.querySelectorAll('[data-language]')) {
    node.setAttribute('aria-pressed', String(node.dataset.language === language));
  }
}

/**
 * Translates the page, now and after each change.
 * @param onChange called after each change, to render the dynamic parts
 */
export function initLanguage(onChange) {
  translatePage();
  for (const button of document.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => {
      language = button.dataset.language;
      localStorage.setItem(storageKey, language);
      translatePage();
      onChange();
    });
  }
}

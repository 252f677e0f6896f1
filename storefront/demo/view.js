/** What the page shows of a payment and of its order. Draws what it is given; asks nobody and decides nothing. */

export const element = (id) => document.getElementById(id);

/** @param amount in the currency's major units */
export const money = (amount, currency = 'KRW') =>
  new Intl.NumberFormat('ko-KR', { style: 'currency', currency }).format(amount);

const statuses = {
  paid: ['good', '결제 완료', 'Paid'],
  virtual_account_issued: ['wait', '입금 대기', 'Waiting for the deposit'],
  ready: ['wait', '결제 전', 'Not paid yet'],
  failed: ['bad', '결제 실패', 'Failed'],
  partial_cancelled: ['wait', '부분 취소', 'Partly refunded'],
  cancelled: ['bad', '결제 취소', 'Cancelled'],
  expired: ['bad', '기한 지남', 'Expired'],
  deposit_reversed: ['bad', '입금 취소', 'The bank took the deposit back'],
  closed: ['bad', '주문 마감', 'Closed'],
  rejected: ['bad', '결제 거절', 'Rejected'],
  unopened: ['bad', '결제창이 열리지 않음', 'The window did not open'],
  unconfirmed: ['wait', '확인 중', 'Not confirmed yet'],
};

const reversals = {
  done: '환불 완료 · the money is back',
  requested: '환불 처리 중 · on its way back',
  manual: '상점에서 환불 예정 · the shop refunds it',
};

/** Unix seconds, for a buyer in Korea. */
const time = (seconds) =>
  new Intl.DateTimeFormat('ko-KR', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Seoul' }).format(
    seconds * 1000,
  );

/**
 * @param outcome as `POST /payments/complete` answers it; or `{status, message}` alone
 * @param said what the payment window told the browser. Shown, and never believed
 */
export function showOutcome(outcome, said) {
  const [mood, word, english] = statuses[outcome.status] ?? ['wait', outcome.status, ''];
  const { amount, currency, virtual_account: account, reversal } = outcome;
  element('outcome').hidden = false;
  element('outcome').dataset.mood = mood;
  element('outcome').dataset.status = outcome.status;
  // Without a message it is only how the order stands, and not what a payment came to.
  element('status').replaceChildren(...(outcome.message ? [word, ' ', small(english)] : ['지금 이 주문은']));
  element('message').replaceChildren(...(outcome.message ? [outcome.message] : [word, ' ', small(english)]));
  element('ask-again').hidden = outcome.status !== 'unconfirmed';
  element('facts').replaceChildren(
    ...rows([
      ['amount', '금액', amount !== undefined && money(amount, currency)],
      ['bank', '입금 은행', account?.bank],
      ['account', '계좌번호', account?.number],
      ['holder', '예금주', account?.holder],
      ['due', '입금 기한', account?.due_at && time(account.due_at)],
      ['apply-num', '승인번호', outcome.apply_num],
      ['reason', '사유', outcome.status === 'failed' && outcome.reason],
      ['reversal', '환불', reversal && reversals[reversal.state]],
      ['window', '결제창의 답', said],
      ['receipt', '영수증', outcome.receipt_url && link(outcome.receipt_url)],
    ]),
  );
}

/** Every field that the table holds, under its own name. */
export function showRecord(order) {
  element('order').hidden = false;
  element('record').replaceChildren(...rows(fieldsOf(order).map(([path, value]) => [path, path, value])));
}

export function showFault(message = '') {
  element('fault').textContent = message;
  element('fault').hidden = message === '';
}

/** `[name for tests, label, text or node]`, without those that are not there. */
const rows = (facts) =>
  facts
    .filter(([, , value]) => value)
    .map(([name, label, value]) => {
      const row = document.createElement('div');
      row.dataset.field = name;
      row.append(document.createElement('dt'), document.createElement('dd'));
      row.firstChild.append(label);
      row.lastChild.append(value);
      return row;
    });

/** `[['payment.pg_tid', '…'], …]`: one line a leaf. */
function fieldsOf(value, path = '') {
  if (typeof value !== 'object' || value === null) {
    return [[path, path.endsWith('_at') ? time(value) : String(value)]];
  }
  const parts = Object.entries(value);
  if (parts.length === 0) return [[path, '없음 · none']];
  const step = (name) => (Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return parts.flatMap(([name, part]) => fieldsOf(part, step(name)));
}

function small(text) {
  const node = document.createElement('small');
  node.lang = 'en';
  node.textContent = text;
  return node;
}

function link(address) {
  const node = document.createElement('a');
  Object.assign(node, { href: address, target: '_blank', rel: 'noreferrer', textContent: '보기' });
  return node;
}

/** One of the products on the shelf: a radio button with a picture. */
export function productCard({ id, name, english, price }, isFirst) {
  const card = document.createElement('label');
  card.className = 'product';
  card.dataset.testid = `product-${id}`;
  const choice = Object.assign(document.createElement('input'), { type: 'radio', name: 'product', value: id });
  choice.checked = isFirst;
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'));
  picture.firstChild.setAttribute('href', `#picture-${id}`);
  const cost = document.createElement('strong');
  cost.textContent = money(price);
  card.append(choice, picture, name, small(english), cost);
  return card;
}

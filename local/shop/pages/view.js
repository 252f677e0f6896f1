/** What the page shows of a payment and of its order. Draws what it is given; asks nobody and decides nothing. */

import { say, spoken } from './messages.js';

export const element = (id) => document.getElementById(id);

/** @param amount in the currency's major units */
export const money = (amount, currency = 'KRW') =>
  new Intl.NumberFormat(locale(), { style: 'currency', currency }).format(amount);

export const nameOf = ({ name, english }) => (spoken() === 'en' ? english : name);

const moods = {
  paid: 'good',
  failed: 'bad',
  cancelled: 'bad',
  expired: 'bad',
  deposit_reversed: 'bad',
  closed: 'bad',
  rejected: 'bad',
  refused: 'bad',
  unopened: 'bad',
};

const locale = () => (spoken() === 'en' ? 'en-GB' : 'ko-KR');

/** Unix seconds, for a buyer in Korea. */
const time = (seconds) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Seoul' }).format(
    seconds * 1000,
  );

/** @param outcome as the checkout gives it; or the order as it stands, which has no message */
export function showOutcome(outcome) {
  const word = say(`status.${outcome.status}`);
  const { amount, currency, virtual_account: account, reversal } = outcome;
  element('outcome').hidden = false;
  element('outcome').dataset.mood = moods[outcome.status] ?? 'wait';
  element('outcome').dataset.status = outcome.status;
  // Without a message it is only how the order stands, and not what a payment came to.
  element('status').textContent = outcome.message ? word : say('standing');
  element('message').textContent = outcome.message ?? word;
  element('ask-again').hidden = outcome.status !== 'unconfirmed';
  element('facts').replaceChildren(
    ...rows([
      ['amount', say('amount'), amount !== undefined && money(amount, currency)],
      ['bank', say('bank'), account?.bank],
      ['account', say('number'), account?.number],
      ['holder', say('holder'), account?.holder],
      ['due', say('due'), account?.due_at && time(account.due_at)],
      ['apply-num', say('applyNum'), outcome.apply_num],
      ['reason', say('reason'), outcome.status === 'failed' && outcome.reason],
      ['reversal', say('reversal'), reversal && say(`reversal.${reversal.state}`)],
      ['window', say('window'), outcome.window?.error_msg],
      ['receipt', say('receipt'), outcome.receipt_url && link(outcome.receipt_url)],
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
  if (parts.length === 0) return [[path, say('none')]];
  const step = (name) => (Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return parts.flatMap(([name, part]) => fieldsOf(part, step(name)));
}

function link(address) {
  const node = document.createElement('a');
  Object.assign(node, { href: address, target: '_blank', rel: 'noreferrer', textContent: say('view') });
  return node;
}

/** One of the products on the shelf: a radio button with a picture. */
export function productCard(product, isChosen) {
  const { id, price } = product;
  const card = document.createElement('label');
  card.className = 'product';
  card.dataset.testid = `product-${id}`;
  const choice = Object.assign(document.createElement('input'), { type: 'radio', name: 'product', value: id });
  choice.checked = isChosen;
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(document.createElementNS('http://www.w3.org/2000/svg', 'use'));
  picture.firstChild.setAttribute('href', `#picture-${id}`);
  const cost = document.createElement('strong');
  cost.textContent = money(price);
  card.append(choice, picture, nameOf(product), cost);
  return card;
}

/** Renders a payment and its order. Makes no calls and no decisions. */

import { money, picture, time } from './format.js';
import { currentLanguage } from './language.js';
import { translate } from './messages.js';

export const element = (id) => document.getElementById(id);

export const nameOf = ({ name, english }) => (currentLanguage() === 'en' ? english : name);

const tones = {
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

/** @param outcome from the checkout; or an order in its form, without a message */
export function showOutcome(outcome) {
  const label = translate(`status.${outcome.status}`);
  const { amount, currency, virtual_account: account, reversal } = outcome;
  const cancelled = outcome.status === 'partial_cancelled' ? outcome.cancelled_amount : undefined;
  const reason = outcome.status === 'failed' ? outcome.reason : undefined;
  const windowMessage = outcome.window?.error_msg;
  element('outcome').hidden = false;
  element('outcome').dataset.tone = tones[outcome.status] ?? 'wait';
  element('outcome').dataset.status = outcome.status;
  // Without a message it is the state of the order, not the outcome of a payment.
  element('status').textContent = outcome.message ? label : translate('standing');
  element('message').textContent = outcome.message ?? label;
  element('ask-again').hidden = outcome.status !== 'unconfirmed';
  element('facts').replaceChildren(
    ...rows([
      ['amount', translate(cancelled ? 'paidAmount' : 'amount'), amount !== undefined && money(amount, currency)],
      ['cancelled-amount', translate('cancelledAmount'), cancelled && money(cancelled, currency)],
      ['left-amount', translate('leftAmount'), cancelled && money(amount - cancelled, currency)],
      ['bank', translate('bank'), account?.bank],
      ['account', translate('number'), account?.number],
      ['holder', translate('holder'), account?.holder],
      ['due', translate('due'), account?.due_at && time(account.due_at)],
      ['apply-num', translate('applyNum'), outcome.apply_num],
      ['reason', translate('reason'), reason],
      ['reversal', translate('reversal'), reversal && translate(`reversal.${reversal.state}`)],
      ['window', translate('window'), ![reason, outcome.message].includes(windowMessage) && windowMessage],
      ['receipt', translate('receipt'), outcome.receipt_url && link(outcome.receipt_url)],
    ]),
  );
}

/** Shows every field of the table's item, by its own name. */
export function showRecord(order) {
  element('order').hidden = false;
  element('record').replaceChildren(...rows(fieldsOf(order).map(([path, value]) => [path, path, value])));
}

export function showFault(message = '') {
  element('fault').textContent = message;
  element('fault').hidden = message === '';
}

/** Rows of `[name for tests, label, text or node]`, without the empty ones. */
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

/** `[['payment.pg_tid', '…'], …]`: one row per leaf. */
function fieldsOf(value, path = '') {
  if (typeof value !== 'object' || value === null) {
    return [[path, path.endsWith('_at') ? time(value) : String(value)]];
  }
  const parts = Object.entries(value);
  if (parts.length === 0) return [[path, translate('none')]];
  const pathTo = (name) => (Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return parts.flatMap(([name, part]) => fieldsOf(part, pathTo(name)));
}

function link(address) {
  const node = document.createElement('a');
  Object.assign(node, { href: address, target: '_blank', rel: 'noreferrer', textContent: translate('view') });
  return node;
}

/** A product of the catalog: a radio button with a picture. */
export function productCard(product, isChosen) {
  const { id, price } = product;
  const card = document.createElement('label');
  card.className = 'product';
  card.dataset.testid = `product-${id}`;
  const choice = Object.assign(document.createElement('input'), { type: 'radio', name: 'product', value: id });
  choice.checked = isChosen;
  const cost = document.createElement('strong');
  cost.textContent = money(price);
  card.append(choice, picture(`picture-${id}`), nameOf(product), cost);
  return card;
}

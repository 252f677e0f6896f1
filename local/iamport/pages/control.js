/**
 * The console: shows the state of the fake Iamport, and calls its JSON API for each action. Stateless, except for the
 * rows that are open. `/?merchant_uid=…` or `/?imp_uid=…` shows the payments of that order, or that payment, first.
 */

import {
  awaitsDeposit,
  code,
  factRows,
  leftOf,
  loadPictures,
  meansOf,
  methodOf,
  pgOf,
  pictureOf,
  stateOf,
} from './describe.js';
import { money, picture, time } from './format.js';
import { currentLanguage } from './language.js';
import { initLanguage, translate } from './messages.js';

const element = (id) => document.getElementById(id);
const settingsForm = element('settings');
const refreshMs = 1500;
const maxDeliveries = 6;
const asked = new URLSearchParams(location.search);
/** The rows by imp_uid, each with the text of what it shows. */
const rows = new Map();
/** The imp_uids whose actions are shown. */
const open = new Set();
let shown = '';

async function callApi(method, path, body) {
  const response = await fetch(`/__control/${path}`, { method, ...(body && { body: JSON.stringify(body) }) }).catch(
    (cause) => {
      throw new Error(translate('noServer'), { cause });
    },
  );
  const result = await response.json();
  if (!response.ok) throw new Error(result.error);
  return result;
}

/** Renders only what has changed, so that a half-typed amount and the focus stay. */
async function refresh() {
  const state = await callApi('GET', 'state');
  const text = JSON.stringify([state, currentLanguage()]);
  if (text === shown) return;
  shown = text;
  if (!settingsForm.contains(document.activeElement)) showSettings(state.settings);
  showFields(state.settings);
  showPayments(askedFirst(state.payments));
  showDeliveries(state.deliveries);
  showLinks(state.shopUrl);
}

const isAsked = ({ imp_uid, merchant_uid }) =>
  imp_uid === asked.get('imp_uid') || merchant_uid === asked.get('merchant_uid');

/** The newest payment that the address asks for is open at first. */
function askedFirst(payments) {
  const [first] = payments.filter(isAsked);
  if (first && !rows.has(first.imp_uid)) open.add(first.imp_uid);
  return [...payments.filter(isAsked), ...payments.filter((payment) => !isAsked(payment))];
}

function showLinks(shopUrl) {
  for (const link of document.querySelectorAll('[data-shop]')) {
    link.hidden = !shopUrl;
    if (shopUrl) link.href = `${shopUrl}${link.dataset.shop}?lang=${currentLanguage()}`;
  }
}

function showSettings(settings) {
  for (const field of settingsForm.elements) {
    if (field.type === 'checkbox') field.checked = settings[field.name];
    else field.value = settings[field.name];
  }
}

/** Shows a number only while its setting uses it. */
function showFields({ webhooks, repeats }) {
  settingsForm.querySelector('[data-when=late]').hidden = webhooks !== 'late';
  settingsForm.querySelector('[data-when=repeats]').hidden = !repeats;
}

function showPayments(payments) {
  element('payments').hidden = payments.length === 0;
  element('empty').hidden = payments.length > 0;
  payments.map(rowOf).forEach((row, index) => {
    const list = element('payments');
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

/** @returns the row of the payment: the shown one, or its replacement after a change */
function rowOf(payment) {
  const { imp_uid } = payment;
  const text = JSON.stringify([payment, currentLanguage()]);
  const known = rows.get(imp_uid);
  if (known?.text === text) return known.row;
  const row = newRow(payment);
  rows.set(imp_uid, { text, row });
  const hadFocus = known?.row.contains(document.activeElement);
  known?.row.replaceWith(row);
  if (hadFocus) row.querySelector('[data-more]').focus();
  return row;
}

function newRow(payment) {
  const row = element('payment').content.firstElementChild.cloneNode(true);
  const field = (name) => row.querySelector(`[data-field=${name}]`);
  const { imp_uid, merchant_uid, currency, started_at } = payment;
  const state = stateOf(payment);
  const { icon, name: method } = methodOf(payment);
  row.dataset.impUid = imp_uid;
  row.dataset.testid = `payment-${imp_uid}`;
  row.classList.toggle('asked', isAsked(payment));
  field('picture').append(picture(pictureOf(payment)));
  field('name').textContent = payment.name ?? merchant_uid;
  field('order').textContent = payment.name ? merchant_uid : imp_uid;
  field('time').textContent = time(started_at, { timeStyle: 'medium', hourCycle: 'h23' });
  field('time').dateTime = new Date(started_at * 1000).toISOString();
  field('method').append(picture(icon), method);
  field('amount').textContent = money(payment.amount, currency);
  if (state === 'partly-cancelled') {
    field('left').textContent = translate('left').replace('%s', money(leftOf(payment), currency));
  }
  field('state').textContent = translate(`state.${state}`);
  field('state').dataset.state = state;
  field('facts').append(...factsOf(payment));
  fillActions(row, payment);
  showOpen(row);
  return row;
}

function fillActions(row, payment) {
  const label = (selector, text) => row.querySelector(selector).setAttribute('aria-label', translate(text));
  const available = {
    deposit: awaitsDeposit(payment),
    'take-back': payment.status === 'paid' && payment.pay_method === 'vbank',
    approve: !payment.vbank_num && (payment.status === 'failed' || payment.status === 'ready'),
  };
  for (const button of row.querySelectorAll('[data-action]')) {
    button.textContent = translate(button.dataset.action === 'webhook-twice' ? 'twice' : button.dataset.action);
    button.hidden = available[button.dataset.action] === false;
  }
  row.querySelector('[data-part=cancel]').hidden = payment.paid_at === 0 || leftOf(payment) <= 0;
  row.querySelector('[data-testid=cancel-amount]').placeholder = translate(payment.cancel_amount > 0 ? 'rest' : 'all');
  row.querySelector('[data-testid=webhook-status] option').textContent = translate('asItIs');
  row.querySelector('[data-testid=webhook-format] option').textContent = translate('asSet');
  label('[data-testid=cancel-amount]', 'cancelAmount');
  label('[data-testid=webhook-status]', 'webhookStatus');
  label('[data-testid=webhook-format]', 'webhookFormat');
  const name = payment.name ?? payment.merchant_uid;
  row.querySelector('[data-more]').setAttribute('aria-label', `${name}: ${translate('actions')}`);
}

/** What the row has no place for, by name. */
function factsOf(payment) {
  const { currency, cancel_history, receipt_url } = payment;
  const cancels = cancel_history.map(({ amount, reason, cancelled_at }) => [
    'cancelled',
    `${money(amount, currency)} · ${time(cancelled_at, { timeStyle: 'medium', hourCycle: 'h23' })} · ${reason ?? translate('noReason')}`,
  ]);
  return factRows([
    ['order', payment.merchant_uid],
    ['paymentId', payment.imp_uid],
    ['status', code(payment.status)],
    ['pg', pgOf(payment)],
    ['channel', payment.sandbox && translate('test')],
    [payment.vbank_num ? 'bankAccount' : payment.card_name ? 'card' : 'bank', meansOf(payment)],
    ['depositUntil', payment.vbank_date > 0 && time(payment.vbank_date)],
    ['failReason', payment.fail_reason],
    ...cancels,
    ['receipt', receipt_url && link(receipt_url)],
  ]);
}

const link = (href) =>
  Object.assign(document.createElement('a'), {
    href,
    textContent: translate('view'),
    target: '_blank',
    rel: 'noopener',
  });

function showOpen(row) {
  const isOpen = open.has(row.dataset.impUid);
  row.querySelector('.panel').hidden = !isOpen;
  row.querySelector('[data-more]').setAttribute('aria-expanded', String(isOpen));
}

/** The newest webhooks, and the others behind a click. */
function showDeliveries(deliveries) {
  const earlier = deliveries.length - maxDeliveries;
  element('none-sent').hidden = deliveries.length > 0;
  element('deliveries').replaceChildren(...deliveries.slice(0, maxDeliveries).map(deliveryLine));
  element('earlier').hidden = earlier <= 0;
  element('earlier').querySelector('summary').textContent = translate('earlier').replace('%s', earlier);
  element('earlier')
    .querySelector('ol')
    .replaceChildren(...deliveries.slice(maxDeliveries).map(deliveryLine));
}

function deliveryLine({ notice, format, at, status }) {
  const line = document.createElement('li');
  const [sent, answer, about] = ['span', 'strong', 'small'].map((name) => document.createElement(name));
  sent.append(code(notice.status), ' ', time(at / 1000, { timeStyle: 'medium', hourCycle: 'h23' }));
  answer.textContent = status ?? translate('noAnswer');
  answer.dataset.tone = status >= 200 && status < 300 ? 'good' : 'bad';
  about.textContent = `${notice.imp_uid} · ${format === 'json' ? 'JSON' : format}`;
  line.append(sent, answer, about);
  return line;
}

async function act(row, action) {
  const value = (testid) => row.querySelector(`[data-testid=${testid}]`).value || undefined;
  const path = `payments/${row.dataset.impUid}`;
  if (action.startsWith('webhook')) {
    const times = action === 'webhook-twice' ? 2 : 1;
    await callApi('POST', `${path}/webhook`, {
      status: value('webhook-status'),
      format: value('webhook-format'),
      times,
    });
  } else {
    await callApi('POST', `${path}/${action}`, action === 'cancel' ? { amount: value('cancel-amount') } : {});
  }
}

function attempt(work) {
  showFault('');
  work.then(refresh).catch((error) => showFault(error.message));
}

function showFault(message) {
  element('error').textContent = message;
  element('error').hidden = message === '';
}

element('payments').addEventListener('click', ({ target }) => {
  const row = target.closest('.payment');
  const button = target.closest('[data-action]');
  if (button) attempt(act(row, button.dataset.action));
  else if (target.closest('[data-more]')) {
    const { impUid } = row.dataset;
    if (!open.delete(impUid)) open.add(impUid);
    showOpen(row);
  }
});
settingsForm.addEventListener('change', ({ target }) => {
  const value =
    target.type === 'checkbox' ? target.checked : target.type === 'number' ? Number(target.value) : target.value;
  attempt(callApi('PATCH', 'settings', { [target.name]: value }));
});
settingsForm.addEventListener('submit', (event) => event.preventDefault());
element('charge').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(callApi('POST', 'billing-key-payments', Object.fromEntries(new FormData(event.target))));
});
initLanguage(() => attempt(Promise.resolve()));
attempt(loadPictures());
setInterval(() => refresh().catch(() => undefined), refreshMs);

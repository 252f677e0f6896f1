/**
 * The payment window: shows the payment, sends the buyer's action to the fake Iamport, and returns the result to the
 * shop.
 */

import { loadPictures, methodOf, pictureOf } from './describe.js';
import { money, picture, time } from './format.js';
import { initLanguage, translate } from './messages.js';

const element = (id) => document.getElementById(id);
const impUid = location.pathname.split('/').pop();
const isOverPage = parent !== window;
const actions = [...document.querySelectorAll('[data-action]')];
let isBusy = true;

async function show() {
  const response = await fetch(`/checkout/${impUid}`);
  if (!response.ok) throw new Error(translate('noPayment'));
  const payment = await response.json();
  await loadPictures();
  const { amount, currency, name, merchant_uid } = payment;
  const isAccount = payment.pay_method === 'vbank';
  const { icon, name: method } = methodOf(payment);
  element('picture').replaceChildren(picture(pictureOf(payment)));
  element('name').textContent = name ?? merchant_uid;
  element('amount').textContent = money(amount, currency);
  element('method').replaceChildren(picture(icon), method);
  element('order').textContent = merchant_uid;
  element('payment-id').textContent = impUid;
  element('fail-reason').value = translate('limitExceeded');
  document.querySelector('[data-action=pay]').hidden = isAccount;
  document.querySelector('[data-action=account]').hidden = !isAccount;
  for (const id of ['until-row', 'deadline-field']) element(id).hidden = !isAccount;
  if (isAccount) element('tampered-label').textContent = translate('tamperedAccount');
  showDeadline();
  setBusy(false);
  document.querySelector('.main:not([hidden])').focus({ preventScroll: true });
}

/** The deadline of an account that is issued now. */
function showDeadline() {
  element('until').textContent = time(Date.now() / 1000 + Number(element('deadline').value));
}

async function act(action) {
  if (isBusy) return;
  setBusy(true);
  const amount = element('tampered-amount').value;
  const reason = element('fail-reason').value.trim();
  const isTest = element('test-channel').checked;
  const body = {
    ...(amount && { amount: Number(amount) }),
    ...(isTest && { test_channel: true }),
    ...(reason && { reason }),
    lasts_seconds: Number(element('deadline').value),
  };
  const response = await fetch(`/checkout/${impUid}/${action}`, { method: 'POST', body: JSON.stringify(body) });
  const { rsp, redirect_url, error } = await response.json();
  if (!response.ok) throw new Error(error);
  if (redirect_url) location.assign(redirect_url);
  // Any shop may include iamport.js, so the window cannot know the origin of the listener.
  else if (isOverPage) parent.postMessage({ rsp }, '*');
  else throw new Error(translate('noShop'));
}

function fail(error) {
  // A failed `fetch` is a TypeError with a message of the browser.
  element('error').textContent = error instanceof TypeError ? translate('noServer') : error.message;
  element('error').hidden = false;
  setBusy(false);
}

function setBusy(busy) {
  isBusy = busy;
  for (const button of actions) button.disabled = busy;
}

for (const button of actions) {
  button.addEventListener('click', () => void act(button.dataset.action).catch(fail));
}
const closeOnEscape = ({ key }) => key === 'Escape' && void act('close').catch(fail);
addEventListener('keydown', closeOnEscape);
// iamport.js passes the key of the shop's page. No other message has a meaning here.
addEventListener('message', ({ source, data }) => source === parent && isOverPage && closeOnEscape(Object(data)));
element('deadline').addEventListener('change', showDeadline);
document.body.classList.toggle('over-page', isOverPage);
initLanguage(() => undefined);
show().catch(fail);

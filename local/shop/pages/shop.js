/**
 * The demo shop: the buyer chooses, the shop's server registers the order, and the checkout does the rest. Whatever the window says is
 * shown and never believed. The order is kept for this tab, so that a reload, the back button or the way over a phone's result
 * page finds it again.
 */

import { confirm, pay, resume } from '/checkout.mjs';
import { Fault, orderInTable, products, register, surroundings } from './backend.js';
import { say, speak, spoken } from './messages.js';
import { element, money, nameOf, productCard, showFault, showOutcome, showRecord } from './view.js';

/** Orders that can be paid, after whatever has happened to them. */
const payable = ['ready', 'failed', 'expired', 'virtual_account_issued'];
const forgedAmount = 100;
/** While an outcome is on its way to another, the page asks again: for about three minutes, and then when it is told to. */
const againMs = 2000;
const mostTries = 90;
const form = element('purchase');
const completeUrl = `${location.origin}/payments/complete`;
let shelf = [];

/** The order of this tab: {product, merchant_uid, amount, name, imp_uid?, unopened?}. */
const kept = {
  read: () => JSON.parse(sessionStorage.getItem('order') ?? 'null'),
  write: (order) => sessionStorage.setItem('order', JSON.stringify(order)),
  forget: () => sessionStorage.removeItem('order'),
};

/** The order of an earlier try is paid, if there is one: another one would leave it open for nothing. */
async function orderFor(product) {
  const before = kept.read();
  if (before?.product === product) {
    // One that cannot be read is not in the way of a new one.
    const stored = await orderInTable(before.merchant_uid).catch(() => undefined);
    if (payable.includes(stored?.status)) return before;
  }
  return { ...(await register(product)), product };
}

async function buy(chooseOrder) {
  setBusy(true);
  showFault();
  try {
    const { imp_uid: _before, unopened: _refusal, ...order } = await chooseOrder();
    kept.write(order);
    const result = await payFor(order);
    if (result.status === 'left') return;
    const unopened =
      result.status === 'unopened' ? { message: result.message, said: result.window?.error_msg } : undefined;
    kept.write({ ...order, imp_uid: result.imp_uid ?? kept.read()?.imp_uid, unopened });
    await look({ result });
    element('message').focus();
  } catch (error) {
    showFault(wordsOf(error));
  } finally {
    setBusy(false);
  }
}

/** All that a shop's page has to do. On a phone the page moves away, and the result comes on another one. */
function payFor({ merchant_uid, amount, name }) {
  const { method, phone, forge, app } = form.elements;
  // By itself iamport.js goes by the browser's user agent.
  window.IMP.channel = phone.checked ? 'mobile' : undefined;
  window.IMP.init('imp00000000');
  return pay({
    pg: 'html5_inicis',
    pay_method: method.value,
    merchant_uid,
    name,
    amount: forge.checked ? forgedAmount : amount,
    buyer_email: 'buyer@shop.example',
    buyer_name: '구매자',
    buyer_tel: '010-1234-5678',
    language: spoken(),
    completeUrl,
    mobileRedirectUrl: `/payments/complete/mobile${app.checked ? '?to=app' : ''}`,
    onConfirming({ imp_uid }) {
      kept.write({ ...kept.read(), imp_uid });
      showOutcome({ status: 'unconfirmed', message: say('confirming') });
    },
  });
}

let looks = 0;

/**
 * Shows what became of the order of this tab.
 * @param result what is known already; without one the backend is asked
 * @param tries how often the page has asked by itself
 */
async function look({ result, tries = 0 } = {}) {
  const order = kept.read();
  if (!order) return;
  looks += 1;
  const turn = looks;
  const outcome = result ?? (await outcomeOf(order));
  const stored = await orderInTable(order.merchant_uid).catch((error) => {
    // A restart of the local system begins with empty tables.
    if (error.code === 'order_not_found') kept.forget();
    else throw error;
  });
  // Somebody asked after us, and is shown instead.
  if (!stored || turn !== looks) return;
  const shown = outcome ?? standingOf(stored);
  showOutcome(shown);
  showRecord(stored);
  if (isOnItsWay(shown) && tries < mostTries) {
    // Whoever has asked meanwhile looks on instead.
    setTimeout(() => turn === looks && attempt(() => look({ tries: tries + 1 })), againMs);
  }
}

const isOnItsWay = ({ status, reversal }) =>
  status === 'virtual_account_issued' || status === 'unconfirmed' || reversal?.state === 'requested';

/** @returns undefined when this tab knows of no payment, as after a phone's way through the result page */
async function outcomeOf({ merchant_uid, imp_uid, unopened }) {
  if (imp_uid) return confirm({ imp_uid, merchant_uid, completeUrl, language: spoken(), patienceMs: againMs });
  return unopened && { status: 'unopened', message: unopened.message, window: { error_msg: unopened.said } };
}

/** The order as if it were an outcome. */
const standingOf = ({ payment, ...order }) => ({
  ...order,
  apply_num: payment?.apply_num,
  receipt_url: payment?.receipt_url,
});

function wordsOf(error) {
  if (error instanceof Fault) return error.message;
  console.error(error);
  return say('unexpected');
}

function setBusy(isBusy) {
  for (const id of ['pay', 'pay-again']) element(id).disabled = isBusy || !window.IMP;
}

function showShelf() {
  const chosen = form.elements.product?.value ?? shelf[0].id;
  element('products').replaceChildren(...shelf.map((product) => productCard(product, product.id === chosen)));
  showChosen();
}

function showChosen() {
  const product = shelf.find(({ id }) => id === form.elements.product.value);
  element('chosen').textContent = nameOf(product);
  element('total').textContent = money(product.price);
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: address, onload: resolve });
    script.onerror = () => reject(new Fault(say('noModule')));
    document.head.append(script);
  });
}

async function open() {
  shelf = await products();
  showShelf();
  const { iamportJs, controlUrl } = await surroundings();
  if (!iamportJs) throw new Fault(say('noWindow'));
  Object.assign(element('control'), { href: `${controlUrl}/`, hidden: false });
  await loaded(iamportJs);
  setBusy(false);
}

/** A payment that was under way when this page was left; then whatever else this tab knows of. */
async function reopen() {
  const result = await resume({ completeUrl, language: spoken(), patienceMs: againMs });
  await look({ result: result?.status === 'left' ? undefined : result });
}

function attempt(work) {
  showFault();
  work().catch((error) => showFault(wordsOf(error)));
}

form.addEventListener('change', ({ target }) => target.name === 'product' && showChosen());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void buy(() => orderFor(form.elements.product.value));
});
element('pay-again').addEventListener('click', () => buy(async () => kept.read()));
for (const id of ['refresh', 'ask-again']) element(id).addEventListener('click', () => attempt(() => look()));
element('as-phone').addEventListener('click', () =>
  window.open('/?phone', 'iamport-phone', 'popup,width=390,height=844'),
);
// Back from the sandbox's page, where something may have been paid or cancelled.
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && attempt(() => look()));
// Back from a phone's result page the browser may show this page as it was left. The checkout has its own eye on that.
addEventListener('pageshow', ({ persisted }) => persisted && attempt(() => look()));
// The window that "Open as a phone" opens pays as a phone does.
form.elements.phone.checked = new URLSearchParams(location.search).has('phone');
document.body.classList.toggle('as-phone', form.elements.phone.checked);
speak(() => {
  if (shelf.length > 0) showShelf();
  attempt(() => look());
});
attempt(() => Promise.all([open(), reopen()]));

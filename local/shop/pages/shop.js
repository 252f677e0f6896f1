/**
 * The demo shop: the buyer chooses, the shop's server registers the order, and the checkout does the rest. The window's
 * result is shown but never trusted. sessionStorage keeps the order of this tab across a reload, the back button and a
 * phone's result page.
 */

import { confirm, pay, resume } from '/checkout.mjs';
import { Fault, fetchOrder, products, register, shopConfig } from './backend.js';
import { money } from './format.js';
import { currentLanguage } from './language.js';
import { initLanguage, translate } from './messages.js';
import { element, nameOf, productCard, showFault, showOutcome, showRecord } from './view.js';

/** The statuses in which an order can be paid. */
const payable = ['ready', 'failed', 'expired', 'virtual_account_issued'];
const forgedAmount = 100;
/** The page polls while an outcome is not final: for about three minutes, then only when the buyer presses a button. */
const pollMs = 2000;
const maxTries = 90;
const form = element('purchase');
const completeUrl = `${location.origin}/payments/complete`;
let catalog = [];
/** The `confirm_url` of a payment; undefined where no server is asked before an approval. */
let confirmUrl;
/** The address of the fake Iamport's console, once it is known. */
let consoleUrl;

/** The order of this tab: {product, merchant_uid, amount, name, imp_uid?, unopened?, ended?}. */
const stored = {
  read: () => JSON.parse(sessionStorage.getItem('order') ?? 'null'),
  write: (order) => sessionStorage.setItem('order', JSON.stringify(order)),
  forget: () => sessionStorage.removeItem('order'),
};

/** Reuses the order of an earlier try for the same product, which would stay open otherwise. */
async function orderFor(product) {
  const earlier = stored.read();
  if (earlier?.product === product) {
    // An order that cannot be read must not block a new one.
    const order = await fetchOrder(earlier.merchant_uid).catch(() => undefined);
    if (payable.includes(order?.status)) return earlier;
  }
  return { ...(await register(product, currentLanguage())), product };
}

async function buy(chooseOrder) {
  setBusy(true);
  showFault();
  try {
    const { imp_uid: _impUid, unopened: _unopened, ended: _ended, ...order } = await chooseOrder();
    stored.write(order);
    const result = await payFor(order);
    if (result.status === 'left') return;
    const unopened =
      result.status === 'unopened' ? { message: result.message, windowMessage: result.window?.error_msg } : undefined;
    // Only the checkout knows how the window ended. A later result of the backend does not have it.
    const { status, message, window: words } = result;
    const ended = status === 'ready' && words ? { message, window: words } : undefined;
    stored.write({ ...order, imp_uid: result.imp_uid ?? stored.read()?.imp_uid, unopened, ended });
    await refresh({ result });
    element('message').focus();
  } catch (error) {
    showFault(messageOf(error));
  } finally {
    setBusy(false);
  }
}

/** The whole integration of a shop's page. On a phone the page navigates away, and another page shows the result. */
function payFor({ merchant_uid, amount, name }) {
  const { method, phone, forge, app } = form.elements;
  // By default iamport.js decides by the browser's user agent.
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
    language: currentLanguage(),
    confirm_url: confirmUrl,
    completeUrl,
    mobileRedirectUrl: `/payments/complete/mobile${app.checked ? '?to=app' : ''}`,
    onConfirming({ imp_uid }) {
      stored.write({ ...stored.read(), imp_uid });
      showOutcome({ status: 'unconfirmed', message: translate('confirming') });
    },
  });
}

let refreshes = 0;

/**
 * Shows the state of this tab's order.
 * @param result a known result; without it the backend is called
 * @param tries how often the page has polled
 */
async function refresh({ result, tries = 0 } = {}) {
  const order = stored.read();
  if (!order) return;
  refreshes += 1;
  const turn = refreshes;
  const outcome = result ?? (await outcomeOf(order));
  const record = await fetchOrder(order.merchant_uid).catch((error) => {
    // After a restart of the local system the tables are empty.
    if (error.code === 'order_not_found') stored.forget();
    else throw error;
  });
  // A later refresh shows its own result instead.
  if (!record || turn !== refreshes) return;
  const shown = outcome ?? outcomeFrom(record);
  showOutcome(shown);
  showRecord(record);
  linkConsole();
  if (isPending(shown) && tries < maxTries) {
    // A later refresh continues the polling instead.
    setTimeout(() => turn === refreshes && attempt(() => refresh({ tries: tries + 1 })), pollMs);
  }
}

const isPending = ({ status, reversal }) =>
  status === 'virtual_account_issued' || status === 'unconfirmed' || reversal?.state === 'requested';

/** @returns undefined when this tab has no payment id, as after a phone's return from the result page */
async function outcomeOf({ merchant_uid, imp_uid, unopened, ended }) {
  if (imp_uid) {
    const language = currentLanguage();
    const result = await confirm({ imp_uid, merchant_uid, completeUrl, language, patienceMs: pollMs });
    return result.status === 'ready' ? { ...result, ...ended } : result;
  }
  return unopened && { status: 'unopened', message: unopened.message, window: { error_msg: unopened.windowMessage } };
}

/** The order in the form of an outcome. */
const outcomeFrom = ({ payment, ...order }) => ({
  ...order,
  apply_num: payment?.apply_num,
  receipt_url: payment?.receipt_url,
});

function messageOf(error) {
  if (error instanceof Fault) return error.message;
  console.error(error);
  return translate('unexpected');
}

function setBusy(isBusy) {
  for (const id of ['pay', 'pay-again']) element(id).disabled = isBusy || !window.IMP;
}

function showCatalog() {
  const chosen = form.elements.product?.value ?? catalog[0].id;
  element('products').replaceChildren(...catalog.map((product) => productCard(product, product.id === chosen)));
  showChosen();
}

function showChosen() {
  const product = catalog.find(({ id }) => id === form.elements.product.value);
  element('chosen').textContent = nameOf(product);
  element('total').textContent = money(product.price);
}

/** In the console the payments of this tab's order come first, in the language of this page. */
function linkConsole() {
  if (!consoleUrl) return;
  const order = stored.read();
  const query = new URLSearchParams({ ...(order && { merchant_uid: order.merchant_uid }), lang: currentLanguage() });
  Object.assign(element('control'), { href: `${consoleUrl}/?${query}`, hidden: false });
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: address, onload: resolve });
    script.onerror = () => reject(new Fault(translate('noModule')));
    document.head.append(script);
  });
}

async function open() {
  catalog = await products();
  showCatalog();
  const { iamportJs, controlUrl, ...config } = await shopConfig();
  if (!iamportJs) throw new Fault(translate('noWindow'));
  confirmUrl = config.confirmUrl;
  consoleUrl = controlUrl;
  linkConsole();
  await loaded(iamportJs);
  setBusy(false);
}

/** Resumes a payment that was pending when the buyer left the page; otherwise shows the stored order. */
async function reopen() {
  const result = await resume({ completeUrl, language: currentLanguage(), patienceMs: pollMs });
  await refresh({ result: result?.status === 'left' ? undefined : result });
}

function attempt(work) {
  showFault();
  work().catch((error) => showFault(messageOf(error)));
}

form.addEventListener('change', ({ target }) => target.name === 'product' && showChosen());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void buy(() => orderFor(form.elements.product.value));
});
element('pay-again').addEventListener('click', () => buy(async () => stored.read()));
for (const id of ['refresh', 'ask-again']) element(id).addEventListener('click', () => attempt(() => refresh()));
element('as-phone').addEventListener('click', () =>
  window.open('/?phone', 'iamport-phone', 'popup,width=390,height=844'),
);
// On the fake Iamport's control page the payment may have been paid or cancelled meanwhile.
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && attempt(() => refresh()));
// After a phone's result page the browser may restore this page from the back/forward cache. The checkout handles its
// own part.
addEventListener('pageshow', ({ persisted }) => persisted && attempt(() => refresh()));
// In the popup of "Open as a phone", payments use the phone channel.
form.elements.phone.checked = new URLSearchParams(location.search).has('phone');
document.body.classList.toggle('as-phone', form.elements.phone.checked);
initLanguage(() => {
  if (catalog.length > 0) showCatalog();
  attempt(() => refresh());
});
attempt(() => Promise.all([open(), reopen()]));

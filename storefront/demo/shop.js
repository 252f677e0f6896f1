/**
 * The demo shop: the buyer chooses, the shop's server registers the order, iamport.js opens the window, and the payment backend
 * says what became of it. Whatever the window says is shown and never believed. The order is kept for this tab, so that
 * a reload, the back button or the way over a phone's result page finds it again.
 */

import { complete, Fault, orderInTable, products, register, surroundings } from './backend.js';
import { element, money, productCard, showFault, showOutcome, showRecord } from './view.js';

/** Orders that can be paid, after whatever has happened to them. */
const payable = ['ready', 'failed', 'expired', 'virtual_account_issued'];
const forgedAmount = 100;
/** While an outcome is on its way to another, the page asks again: for about three minutes, and then when it is told to. */
const againMs = 2000;
const mostTries = 90;
const form = element('purchase');
let shelf = [];

/** The order of this tab: {product, merchant_uid, amount, name, imp_uid?, said?}. */
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

/** @returns what the window tells the browser. On a phone the page moves away, and nothing returns */
function payInWindow({ merchant_uid, amount, name }) {
  const { method, phone, forge } = form.elements;
  const { IMP } = window;
  // By itself it goes by the browser's user agent.
  IMP.channel = phone.checked ? 'mobile' : undefined;
  IMP.init('imp00000000');
  return new Promise((resolve, reject) => {
    const param = {
      pg: 'html5_inicis',
      pay_method: method.value,
      merchant_uid,
      name,
      amount: forge.checked ? forgedAmount : amount,
      buyer_email: 'buyer@shop.example',
      buyer_name: '구매자',
      buyer_tel: '010-1234-5678',
      m_redirect_url: `${location.origin}/payments/complete/mobile`,
    };
    // The stand-in answers a promise, and Iamport's own nothing.
    Promise.resolve(IMP.request_pay(param, resolve)).catch((cause) =>
      reject(new Fault('결제창을 열지 못했습니다. 잠시 후 다시 시도해 주세요. (Is the sandbox running?)', { cause })),
    );
  });
}

async function buy(chooseOrder) {
  setBusy(true);
  showFault();
  try {
    const { imp_uid: _before, said: _words, ...order } = await chooseOrder();
    kept.write(order);
    const { imp_uid, error_msg: said } = await payInWindow(order);
    kept.write({ ...order, imp_uid, said });
    await look();
    element('message').focus();
  } catch (error) {
    showFault(wordsOf(error));
  } finally {
    setBusy(false);
  }
}

let looks = 0;

/** Asks what became of the order of this tab, and shows it. @param tries how often it has asked by itself */
async function look(tries = 0) {
  const order = kept.read();
  if (!order) return;
  looks += 1;
  const turn = looks;
  const outcome = await outcomeOf(order);
  const stored = await orderInTable(order.merchant_uid).catch((error) => {
    // A restart of the local system begins with empty tables.
    if (error.code === 'order_not_found') kept.forget();
    else throw error;
  });
  // Somebody asked after us, and is shown instead.
  if (!stored || turn !== looks) return;
  const shown = outcome ?? standingOf(stored);
  showOutcome(shown, order.said);
  showRecord(stored);
  if (isOnItsWay(shown) && tries < mostTries) {
    // Whoever has asked meanwhile looks on instead.
    setTimeout(() => turn === looks && attempt(() => look(tries + 1)), againMs);
  }
}

const isOnItsWay = ({ status, reversal }) =>
  status === 'virtual_account_issued' || status === 'unconfirmed' || reversal?.state === 'requested';

/** @returns undefined when this tab knows of no payment, as after a phone's way through the result page */
async function outcomeOf({ merchant_uid, imp_uid, said }) {
  if (!imp_uid) return said ? { status: 'unopened', message: '결제되지 않았습니다. 다시 시도해 주세요.' } : undefined;
  // An answer that did not come says nothing about the money.
  return complete({ imp_uid, merchant_uid }).catch((error) => ({ status: 'unconfirmed', message: wordsOf(error) }));
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
  return '예상하지 못한 문제가 생겼습니다. 새로고침 후 다시 시도해 주세요.';
}

function setBusy(isBusy) {
  for (const id of ['pay', 'pay-again']) element(id).disabled = isBusy || !window.IMP;
}

function showChosen() {
  const { name, price } = shelf.find(({ id }) => id === form.elements.product.value);
  element('chosen').textContent = name;
  element('total').textContent = money(price);
}

function loaded(address) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: address, onload: resolve });
    script.onerror = () =>
      reject(new Fault('결제 모듈을 불러오지 못했습니다. 새로고침해 주세요. (Is the sandbox running?)'));
    document.head.append(script);
  });
}

async function open() {
  shelf = await products();
  element('products').replaceChildren(...shelf.map((product, place) => productCard(product, place === 0)));
  showChosen();
  const { iamportJs, controlUrl } = await surroundings();
  if (!iamportJs) {
    throw new Fault('이 실행에는 샌드박스 결제창이 없습니다. (With IAMPORT_API_URL there is no payment window here.)');
  }
  Object.assign(element('control'), { href: `${controlUrl}/`, hidden: false });
  await loaded(iamportJs);
  setBusy(false);
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
// Back from the sandbox's page, where something may have been paid or cancelled.
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && attempt(() => look()));
// Back from a phone's result page the browser may show this page as it was left, with its button still busy.
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  setBusy(false);
  attempt(() => look());
});
attempt(() => Promise.all([open(), look()]));

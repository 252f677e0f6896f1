/**
 * The payment window: shows the payment, sends the buyer's action to the fake Iamport, and returns the result to the
 * shop.
 */

const element = (id) => document.getElementById(id);
const impUid = location.pathname.split('/').pop();
const isOverPage = parent !== window;
document.body.classList.toggle('over-page', isOverPage);

async function show() {
  const response = await fetch(`/checkout/${impUid}`);
  const payment = await response.json();
  if (!response.ok) return fail(payment.error);
  const { amount, currency, name, merchant_uid } = payment;
  element('name').textContent = name ?? '';
  element('amount').textContent = new Intl.NumberFormat('ko-KR', { style: 'currency', currency }).format(amount);
  element('order').textContent = `${merchant_uid} · ${impUid}`;
}

async function act(action) {
  const amount = element('tampered-amount').value;
  const isTest = element('test-channel').checked;
  const body = {
    ...(amount && { amount: Number(amount) }),
    ...(isTest && { test_channel: true }),
    lasts_seconds: Number(element('deadline').value),
  };
  const response = await fetch(`/checkout/${impUid}/${action}`, { method: 'POST', body: JSON.stringify(body) });
  const { rsp, redirect_url, error } = await response.json();
  if (!response.ok) return fail(error);
  if (redirect_url) location.assign(redirect_url);
  // Any shop may include iamport.js, so the window cannot know the origin of the listener.
  else if (isOverPage) parent.postMessage({ rsp }, '*');
  else fail('이 결제창은 쇼핑몰에서 열어야 합니다. Open this window from a shop.');
}

function fail(message) {
  element('error').textContent = message;
  setBusy(false);
}

const setBusy = (isBusy) => {
  for (const button of document.querySelectorAll('[data-action]')) button.disabled = isBusy;
};

element('buttons').addEventListener('click', ({ target }) => {
  const action = target.closest('[data-action]')?.dataset.action;
  if (!action) return;
  setBusy(true);
  act(action).catch((error) => fail(error.message));
});

show().catch((error) => fail(error.message));

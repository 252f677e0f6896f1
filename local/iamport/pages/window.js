/** The payment window: shows the payment, tells the sandbox what the buyer pressed, and brings the result back to the shop. */

const element = (id) => document.getElementById(id);
const impUid = location.pathname.split('/').pop();
const isOverPage = parent !== window;
document.body.classList.toggle('over-page', isOverPage);

async function show() {
  const answer = await fetch(`/checkout/${impUid}`);
  const payment = await answer.json();
  if (!answer.ok) return fail(payment.error);
  const { amount, currency, name, merchant_uid } = payment;
  element('name').textContent = name ?? '';
  element('amount').textContent = new Intl.NumberFormat('ko-KR', { style: 'currency', currency }).format(amount);
  element('order').textContent = `${merchant_uid} · ${impUid}`;
}

async function act(deed) {
  const amount = element('tampered-amount').value;
  const isTest = element('test-channel').checked;
  const body = {
    ...(amount && { amount: Number(amount) }),
    ...(isTest && { test_channel: true }),
    lasts_seconds: Number(element('deadline').value),
  };
  const answer = await fetch(`/checkout/${impUid}/${deed}`, { method: 'POST', body: JSON.stringify(body) });
  const { rsp, redirect_url, error } = await answer.json();
  if (!answer.ok) return fail(error);
  if (redirect_url) location.assign(redirect_url);
  // Any shop may include iamport.js, so the window cannot know the origin that listens.
  else if (isOverPage) parent.postMessage({ rsp }, '*');
  else fail('이 결제창은 쇼핑몰에서 열어야 합니다. Open this window from a shop.');
}

function fail(message) {
  element('error').textContent = message;
  setBusy(false);
}

const setBusy = (isBusy) => {
  for (const button of document.querySelectorAll('[data-deed]')) button.disabled = isBusy;
};

element('buttons').addEventListener('click', ({ target }) => {
  const deed = target.closest('[data-deed]')?.dataset.deed;
  if (!deed) return;
  setBusy(true);
  act(deed).catch((error) => fail(error.message));
});

show().catch((error) => fail(error.message));

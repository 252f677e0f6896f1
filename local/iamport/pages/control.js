/** The control page: shows the state of the fake Iamport, and calls its JSON API for each action. Stateless. */

const element = (id) => document.getElementById(id);
const settingsForm = element('settings');
const refreshMs = 1500;
let shown = '';

async function callApi(method, path, body) {
  const response = await fetch(`/__control/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const result = await response.json();
  if (!response.ok) throw new Error(result.error);
  return result;
}

/** Renders only after a change, so that a half-typed amount does not disappear. */
async function refresh() {
  const state = await callApi('GET', 'state');
  const text = JSON.stringify(state);
  if (text === shown) return;
  shown = text;
  if (!settingsForm.contains(document.activeElement)) showSettings(state.settings);
  element('payments').replaceChildren(...state.payments.map(paymentCard));
  element('deliveries').replaceChildren(...state.deliveries.map(deliveryLine));
}

function showSettings(settings) {
  for (const field of settingsForm.elements) {
    if (field.type === 'checkbox') field.checked = settings[field.name];
    else field.value = settings[field.name];
  }
}

function paymentCard(payment) {
  const card = element('payment').content.firstElementChild.cloneNode(true);
  const field = (name) => card.querySelector(`[data-field=${name}]`);
  const { imp_uid, merchant_uid, amount, cancel_amount, currency, status, vbank_num, sandbox, fail_reason } = payment;
  const money = new Intl.NumberFormat('ko-KR', { style: 'currency', currency });
  const awaitsDeposit = status === 'ready' && vbank_num;
  card.dataset.impUid = imp_uid;
  card.dataset.testid = `payment-${imp_uid}`;
  field('amount').textContent = money.format(amount);
  field('status').textContent = status;
  field('status').dataset.status = status;
  field('uids').textContent = `${merchant_uid} · ${imp_uid}`;
  field('details').textContent = [
    payment.pay_method,
    sandbox && '테스트 채널 · test channel',
    vbank_num && `${payment.vbank_name} ${vbank_num}`,
    cancel_amount > 0 && `취소 · cancelled ${money.format(cancel_amount)}`,
    fail_reason,
  ]
    .filter(Boolean)
    .join(' · ');
  const available = {
    deposit: awaitsDeposit,
    'take-back': status === 'paid' && payment.pay_method === 'vbank',
    approve: !vbank_num && (status === 'failed' || status === 'ready'),
  };
  for (const [action, isAvailable] of Object.entries(available))
    card.querySelector(`[data-action=${action}]`).hidden = !isAvailable;
  card.querySelector('[data-part=cancel]').hidden = payment.paid_at === 0 || cancel_amount >= amount;
  return card;
}

function deliveryLine({ notice, format, at, status }) {
  const line = document.createElement('p');
  line.className = 'quiet';
  const time = new Date(at).toLocaleTimeString('ko-KR');
  line.textContent = `${time} ${format} ${notice.imp_uid} ${notice.status} → ${status ?? '응답 없음 · no answer'}`;
  return line;
}

async function act(card, action) {
  const value = (testid) => card.querySelector(`[data-testid=${testid}]`).value || undefined;
  const path = `payments/${card.dataset.impUid}`;
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
  element('error').textContent = '';
  work.then(refresh).catch((error) => {
    element('error').textContent = error.message;
  });
}

element('payments').addEventListener('click', ({ target }) => {
  const button = target.closest('[data-action]');
  if (button) attempt(act(button.closest('article'), button.dataset.action));
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
setInterval(() => refresh().catch(() => undefined), refreshMs);
attempt(Promise.resolve());

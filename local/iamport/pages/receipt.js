/** The receipt of a payment, with its cancels. Displays only. */

import { code, factRows, leftOf, loadPictures, meansOf, methodOf, pictureOf, stateOf } from './describe.js';
import { money, picture, time } from './format.js';
import { initLanguage, translate } from './messages.js';

const element = (id) => document.getElementById(id);
const impUid = location.pathname.split('/').pop();
let payment;

async function load() {
  const response = await fetch(`/checkout/${impUid}`);
  if (!response.ok) return showFault('noPayment');
  payment = await response.json();
  await loadPictures();
  show();
}

function show() {
  if (!payment) return;
  const { currency, paid_at, cancel_history } = payment;
  const state = stateOf(payment);
  if (paid_at === 0) return showFault('notPaid');
  element('receipt').hidden = false;
  element('picture').replaceChildren(picture(pictureOf(payment)));
  element('amount').textContent = money(payment.amount, currency);
  element('state').textContent = translate(`state.${state}`);
  element('state').dataset.state = state;
  element('facts').replaceChildren(
    ...factRows([
      ['product', payment.name],
      ['method', methodOf(payment).name],
      [payment.card_name ? 'card' : payment.vbank_num ? 'bankAccount' : 'bank', meansOf(payment)],
      ['applyNum', payment.apply_num],
      ['paidAt', time(paid_at, { dateStyle: 'medium', timeStyle: 'medium' })],
      ['order', payment.merchant_uid],
      ['paymentId', impUid],
      ['pgTid', payment.pg_tid && code(payment.pg_tid)],
    ]),
  );
  element('cancels').hidden = cancel_history.length === 0;
  element('cancel-facts').replaceChildren(
    ...cancel_history.map(cancelRow),
    ...factRows([['leftAmount', money(leftOf(payment), currency)]]),
  );
  element('to-console').href = `/?imp_uid=${impUid}`;
}

/** One cancel: its time and its amount. The receipt of the cancel links to it. */
function cancelRow({ cancellation_id, cancelled_at, amount }) {
  const [row] = factRows([[time(cancelled_at), `−${money(amount, payment.currency)}`]]);
  row.id = cancellation_id;
  return row;
}

function showFault(text) {
  element('error').textContent = translate(text);
  element('error').dataset.text = text;
  element('error').hidden = false;
}

initLanguage(show);
load().catch(() => showFault('noServer'));

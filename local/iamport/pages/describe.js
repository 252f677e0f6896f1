/** A payment in words and pictures. Each function takes a payment as the API of the fake Iamport returns it. */

import { translate } from './messages.js';

/** The amount not cancelled yet, in major units. */
export const leftOf = ({ amount, cancel_amount }) => (Math.round(amount * 100) - Math.round(cancel_amount * 100)) / 100;

export const awaitsDeposit = ({ status, vbank_num }) => status === 'ready' && vbank_num !== null;

/** A key of the texts `state.…`. Iamport's own status is `cancelled` after a part cancel too. */
export function stateOf(payment) {
  const { status, paid_at } = payment;
  if (awaitsDeposit(payment)) return 'awaits-deposit';
  if (status === 'ready') return 'not-paid';
  if (status !== 'cancelled') return status;
  if (paid_at === 0) return 'revoked';
  return leftOf(payment) > 0 ? 'partly-cancelled' : 'cancelled';
}

const icons = ['card', 'trans', 'vbank', 'phone'];

/** @returns the id of an icon, and the name; Iamport's own name for a method without a text */
export function methodOf({ pay_method, customer_uid }) {
  const key = `method.${pay_method}`;
  const name = translate(key) === key ? pay_method : translate(key);
  const icon = `icon-${icons.includes(pay_method) ? pay_method : 'card'}`;
  return { icon, name: customer_uid ? `${name} (${translate('method.billing')})` : name };
}

export function pgOf({ pg_provider, pg_id }) {
  const key = `pg.${pg_provider}`;
  return `${translate(key) === key ? pg_provider : translate(key)} ${pg_id}`;
}

/** `BC카드 910020*********1`, the name of the bank, or an account number. */
export const meansOf = ({ card_name, card_number, bank_name, vbank_name, vbank_num }) =>
  [card_name ?? bank_name ?? vbank_name, card_number ?? vbank_num].filter(Boolean).join(' ');

let products = [];
/** Loads the products of the demo shop, for their pictures. */
export async function loadPictures() {
  products = await fetch('/pages/products.json').then((response) => response.json());
}

/** The id of the picture of the product; that of a parcel for a payment of another shop. */
export function pictureOf({ name }) {
  const product = products.find((one) => one.name === name || one.english === name);
  return `picture-${product?.id ?? 'parcel'}`;
}

export const code = (text) => Object.assign(document.createElement('code'), { textContent: text });

/** A `<dl>` row, or undefined without a value. @param value text or a node */
export function factRow(label, value) {
  if (!value) return undefined;
  const row = document.createElement('div');
  const [term, description] = [document.createElement('dt'), document.createElement('dd')];
  term.append(translate(label));
  description.append(value);
  row.append(term, description);
  return row;
}

export const factRows = (facts) => facts.map(([label, value]) => factRow(label, value)).filter(Boolean);

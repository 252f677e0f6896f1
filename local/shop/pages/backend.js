/**
 * The HTTP calls of the shop's page to its own server. Each returns the response body, or throws a Fault with a message
 * for the buyer. Stateless. The checkout calls the payment backend, not this module.
 */

import { translate } from './messages.js';

/** A failed call, with a message for the buyer and the backend's `code`, if any. */
export class Fault extends Error {
  constructor(message, { cause, code } = {}) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws Fault with the response's own `message`, if any */
async function call(path, init) {
  const response = await fetch(path, init).catch((cause) => {
    throw new Fault(translate('noServer'), { cause });
  });
  const body = await response.json().catch((cause) => {
    throw new Fault(translate('notUnderstood'), { cause });
  });
  if (!response.ok) throw new Fault(body.message ?? body.error ?? translate('notUnderstood'), { code: body.code });
  return body;
}

const post = (path, fields) =>
  call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) });

/** The URLs of the fake Iamport: `{iamportJs, controlUrl, confirmUrl?}`; `{}` when the run uses another Iamport. */
export const shopConfig = () => call('/__shop/config');

/** `[{id, name, english, price}]`, prices in won. */
export const products = () => call('/products.json');

/** The shop's server registers an order at its own price, under the name in the language. @returns {merchant_uid, amount, name} */
export const register = (product, language) => post('/__shop/orders', { product, language });

/** The order in the orders table. */
export const fetchOrder = (merchantUid) => call(`/__shop/orders/${encodeURIComponent(merchantUid)}`);

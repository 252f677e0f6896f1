/**
 * What the shop's page asks its own server over HTTP. Answers what was said; a fault says, in words for a buyer, what to do.
 * Shows nothing and keeps nothing. The payment backend is asked by the checkout, not from here.
 */

import { say } from './messages.js';

/** Something that could not be found out. Its message is for the buyer, its `code` is the backend's, where there is one. */
export class Fault extends Error {
  constructor(message, { cause, code } = {}) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws Fault with the answer's own `message`, where it has one */
async function ask(path, init) {
  const answer = await fetch(path, init).catch((cause) => {
    throw new Fault(say('noServer'), { cause });
  });
  const said = await answer.json().catch((cause) => {
    throw new Fault(say('notUnderstood'), { cause });
  });
  if (!answer.ok) throw new Fault(said.message ?? said.error ?? say('notUnderstood'), { code: said.code });
  return said;
}

const post = (path, fields) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) });

/** Where the stand-in Iamport is: `{iamportJs, controlUrl}`; neither when the run uses another Iamport. */
export const surroundings = () => ask('/__shop/config');

/** `[{id, name, english, price}]`, prices in won. */
export const products = () => ask('/products.json');

/** The shop's server registers an order at its own price. @returns {merchant_uid, amount, name} */
export const register = (product) => post('/__shop/orders', { product });

/** The order as it stands in the orders table. */
export const orderInTable = (merchantUid) => ask(`/__shop/orders/${encodeURIComponent(merchantUid)}`);

/**
 * What the shop's page asks over HTTP: its own server, and the payment backend. Answers what was said; a fault says, in words
 * for a buyer, what to do. Shows nothing and keeps nothing.
 */

/** Something that could not be found out. Its message is for the buyer, its `code` is the backend's, where there is one. */
export class Fault extends Error {
  constructor(message, { cause, code } = {}) {
    super(message, { cause });
    this.code = code;
  }
}

const unreachable =
  '서버에 연결하지 못했습니다. 인터넷 연결을 확인하고 다시 시도해 주세요. (Is npm start still running?)';
const notUnderstood = '서버가 알 수 없는 답을 보냈습니다. 잠시 후 다시 시도해 주세요.';

/** @throws Fault with the answer's own `message`, where it has one */
async function ask(path, init) {
  const answer = await fetch(path, init).catch((cause) => {
    throw new Fault(unreachable, { cause });
  });
  const said = await answer.json().catch((cause) => {
    throw new Fault(notUnderstood, { cause });
  });
  if (!answer.ok) throw new Fault(said.message ?? said.error ?? notUnderstood, { code: said.code });
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

/** What became of the payment. Asking again does no harm, and answers the same. */
export const complete = (ids) => post('/payments/complete', ids);

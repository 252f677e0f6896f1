// The server of a small shop: Node.js 20 or later, no packages. node server.mjs
//
// It registers orders, shows a page that pays them, delivers when the webhook says so, and refunds.
// A real shop keeps `orders` and `seen` in its database, and writes both in one transaction.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const {
  PORT = '8080',
  PAYMENTS_URL = 'http://127.0.0.1:3000', // the output ApiUrl
  PAYMENTS_KEY = 'sk_money_local', // npm run ops -- keys
  WEBHOOK_SECRET = '', // whsec_…
  CHECKOUT_JS = 'http://127.0.0.1:3000/checkout.global.js', // serve your own copy of it
  ADMIN_TOKEN = '', // of the shop's own staff, who may refund
  IAMPORT_JS = 'http://127.0.0.1:3001/js/iamport.payment-1.2.0.js', // https://cdn.iamport.kr/v1/iamport.js
} = process.env;

// With an empty secret any caller could sign a webhook, and with an empty token any caller could refund.
if (!WEBHOOK_SECRET.startsWith('whsec_') || !ADMIN_TOKEN) {
  console.error('Set WEBHOOK_SECRET=whsec_… and ADMIN_TOKEN.');
  process.exit(1);
}

/** merchant_uid → { delivered }: how often the goods were sent. */
const orders = new Map();
/** webhook-id → the answer, pending while the webhook is processed. */
const seen = new Map();

/** Calls the payment backend. */
async function payments(method, path, body, headers = {}) {
  const response = await fetch(PAYMENTS_URL + path, {
    method,
    headers: {
      authorization: `Bearer ${PAYMENTS_KEY}`,
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** Registers an order at the shop's own price. The browser never says what it costs. */
async function registerOrder() {
  const merchantUid = `shop-${randomBytes(8).toString('hex')}`; // hard to guess
  const terms = { amount: 14000, name: 'Flowers' };
  const { status, body } = await payments('PUT', `/orders/${merchantUid}`, terms);
  if (status !== 201) return [502, body];
  orders.set(merchantUid, { delivered: 0 });
  return [201, { merchant_uid: merchantUid, ...terms }];
}

/** Standard Webhooks: the signature is of `id.timestamp.body`, and there may be several of them. */
function isSigned(headers, body) {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const key = Buffer.from(WEBHOOK_SECRET.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace('v1,', ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** Answers each webhook once it is processed, however often it comes. */
async function receiveWebhook(headers, body) {
  if (!isSigned(headers, body)) return [401, { error: 'wrong signature' }];
  const id = headers['webhook-id'];
  if (!seen.has(id)) {
    const answer = processWebhook(JSON.parse(body)).then((done) => {
      if (done[0] !== 200) seen.delete(id); // it comes again
      return done;
    });
    seen.set(id, answer);
  }
  // A second copy that arrives meanwhile waits: a 200 ends the repeats, also where the first copy then fails.
  return seen.get(id);
}

/** Delivers a paid order. */
async function processWebhook({ type, data }) {
  console.log('webhook:', type, data.merchant_uid);
  const order = orders.get(data.merchant_uid);
  if (type === 'Payment Paid' && order) {
    // Events may come late. The backend knows how the order is now.
    const now = await payments('GET', `/orders/${encodeURIComponent(data.merchant_uid)}`).catch(() => ({ status: 0 }));
    if (now.status !== 200) return [503, { error: 'send it again' }];
    // A part of it may have been refunded meanwhile.
    if (['paid', 'partial_cancelled'].includes(now.body.status)) order.delivered += 1;
  }
  return [200, {}];
}

async function refund(merchantUid) {
  const path = `/orders/${encodeURIComponent(merchantUid)}/refunds`;
  const { status, body } = await payments('POST', path, { reason: 'Sold out' }, { 'idempotency-key': 'all' });
  return [status, body];
}

const page = `<!doctype html><meta charset="utf-8"><title>Flowers</title>
<button id="pay">Buy flowers, 14,000 won</button><p id="result"></p>
<script src="${IAMPORT_JS}"></script><script src="${CHECKOUT_JS}"></script>
<script>
  IMP.init('imp00000000');
  document.querySelector('#pay').onclick = async () => {
    const order = await (await fetch('/orders', { method: 'POST' })).json();
    const result = await IamportCheckout.pay({
      completeUrl: '${PAYMENTS_URL}/payments/complete',
      mobileRedirectUrl: '${PAYMENTS_URL}/payments/complete/mobile',
      pg: 'html5_inicis', pay_method: 'card', buyer_tel: '010-1234-5678', ...order,
    });
    document.querySelector('#result').textContent = result.message; // to show, never to deliver by
  };
</script>`;

async function respond({ method, url, headers }, body) {
  const [, merchantUid, action] = /^\/orders\/([^/]+)(\/refund)?$/.exec(url) ?? [];
  if (method === 'POST' && url === '/orders') return registerOrder();
  if (method === 'POST' && url === '/webhooks') return receiveWebhook(headers, body);
  if (!orders.has(merchantUid)) return [404, { error: 'no such order' }];
  if (method === 'POST' && action) {
    return headers.authorization === `Bearer ${ADMIN_TOKEN}` ? refund(merchantUid) : [401, { error: 'staff only' }];
  }
  return [200, orders.get(merchantUid)];
}

createServer(async (request, response) => {
  if (request.url === '/') return response.setHeader('content-type', 'text/html').end(page);
  try {
    const body = Buffer.concat(await request.toArray()).toString();
    const [status, answer] = await respond(request, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(); // the webhook comes again
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/`));

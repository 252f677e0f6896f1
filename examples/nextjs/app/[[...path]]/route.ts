// The server of a small shop: Next.js 16 with the App Router. npm install && npx next dev -p 8080
//
// It registers orders, shows a page that pays them, delivers when the webhook says so, and refunds.
// A real shop keeps `orders` and `seen` in its database, and writes both in one transaction. Here they are in memory, so
// all routes are in this file: Next.js may load each route file in another process.

import { randomBytes } from 'node:crypto';
import {
  createPayments,
  PaymentsError,
  verifyWebhook,
  type WebhookEvent,
  WebhookVerificationError,
} from 'iamport-serverless/client';

/** Read at each use: `next build` loads this file too, without the secrets of the server. */
function setting(name: string, local?: string): string {
  const value = process.env[name] || local;
  if (!value) throw new Error(`Set ${name} in the environment or in .env.local.`);
  return value;
}

const paymentsUrl = () => setting('PAYMENTS_URL', 'http://127.0.0.1:3000'); // the output ApiUrl
const payments = () => createPayments({ url: paymentsUrl(), key: setting('PAYMENTS_KEY', 'sk_money_local') }); // npm run ops -- keys

/** By merchant_uid: how often the goods were sent. */
const orders = new Map<string, { delivered: number }>();
/** The webhooks by their ids, pending while they are processed. */
const seen = new Map<string, Promise<void>>();

/** Registers an order at the shop's own price. The browser never says what it costs. */
async function registerOrder(): Promise<Response> {
  const merchantUid = `shop-${randomBytes(8).toString('hex')}`; // hard to guess
  const terms = { amount: 14000, name: 'Flowers' };
  await payments().orders.register(merchantUid, terms);
  orders.set(merchantUid, { delivered: 0 });
  return Response.json({ merchant_uid: merchantUid, ...terms }, { status: 201 });
}

/** Answers each webhook once it is processed, however often it comes. */
async function receiveWebhook(request: Request): Promise<Response> {
  // The signature is of the body as it was received: `request.text()`, not `request.json()`.
  const event = await verifyWebhook(setting('WEBHOOK_SECRET'), request.headers, await request.text());
  const { id } = event.data;
  const processed = seen.get(id) ?? processWebhook(event);
  seen.set(id, processed);
  // A second copy that arrives meanwhile waits: a 2xx ends the repeats, also where the first copy then fails.
  await processed;
  return Response.json({});
}

/** Delivers a paid order. */
async function processWebhook({ type, data }: WebhookEvent): Promise<void> {
  console.log('webhook:', type, data.merchant_uid);
  const order = type === 'Payment Paid' ? orders.get(data.merchant_uid) : undefined;
  if (!order) return;
  try {
    // Events may come late. The backend knows how the order is now: a part of it may have been refunded meanwhile.
    const { status } = await payments().orders.get(data.merchant_uid);
    if (status === 'paid' || status === 'partial_cancelled') order.delivered += 1;
  } catch (error) {
    seen.delete(data.id);
    throw error; // the answer is no 2xx, so the webhook comes again
  }
}

/** Only the shop's own staff may refund. */
async function refund(request: Request, merchantUid: string): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${setting('ADMIN_TOKEN')}`) {
    return Response.json({ error: 'staff only' }, { status: 401 });
  }
  return Response.json(await payments().refunds.create(merchantUid, { reason: 'Sold out', idempotencyKey: 'all' }));
}

/** A page of React can `import { pay } from 'iamport-serverless/checkout'` in place of the second script. */
const page = () => `<!doctype html><meta charset="utf-8"><title>Flowers</title>
<button id="pay">Buy flowers, 14,000 won</button><p id="result"></p>
<script src="${setting('IAMPORT_JS', 'http://127.0.0.1:3001/js/iamport.payment-1.2.0.js')}"></script>
<script src="${setting('CHECKOUT_JS', 'http://127.0.0.1:3000/checkout.global.js')}"></script>
<script>
  IMP.init('imp00000000');
  document.querySelector('#pay').onclick = async () => {
    const order = await (await fetch('/orders', { method: 'POST' })).json();
    const result = await IamportCheckout.pay({
      completeUrl: '${paymentsUrl()}/payments/complete',
      mobileRedirectUrl: '${paymentsUrl()}/payments/complete/mobile',
      pg: 'html5_inicis', pay_method: 'card', buyer_tel: '010-1234-5678', ...order,
    });
    document.querySelector('#result').textContent = result.message; // to show, never to deliver by
  };
</script>`;

async function respond(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const isPost = request.method === 'POST';
  if (!isPost && pathname === '/') return new Response(page(), { headers: { 'content-type': 'text/html' } });
  if (isPost && pathname === '/orders') return registerOrder();
  if (isPost && pathname === '/webhooks') return receiveWebhook(request);
  const [, merchantUid = '', action] = /^\/orders\/([^/]+)(\/refund)?$/.exec(pathname) ?? [];
  const order = orders.get(merchantUid);
  if (!order) return Response.json({ error: 'no such order' }, { status: 404 });
  return isPost && action ? refund(request, merchantUid) : Response.json(order);
}

async function handle(request: Request): Promise<Response> {
  try {
    return await respond(request);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return Response.json({ error: error.code }, { status: 401 });
    console.error(error);
    return Response.json({ error: 'try again' }, { status: error instanceof PaymentsError ? 502 : 500 });
  }
}

export { handle as GET, handle as POST };

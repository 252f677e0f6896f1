/**
 * The demo shop: its pages, and the little server that a shop has of its own. That server knows the prices and registers
 * orders with a signed call, as a shop's server does; the browser only names a product.
 *
 *   GET  /__shop/config                   {iamportJs, controlUrl}; neither with another Iamport than the sandbox
 *   POST /__shop/orders {product}         registers an order -> {merchant_uid, amount, name}
 *   GET  /__shop/orders/{merchant_uid}    the order as it stands in the orders table
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Hono } from 'hono';
import { bundleCheckout } from '../../storefront/build.ts';
import { signed } from '../aws/signature.ts';

const folder = join(import.meta.dirname, 'pages');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

interface Product {
  readonly id: string;
  readonly name: string;
  /** Won. */
  readonly price: number;
}

export interface ShopSurroundings {
  /** Origin of the gateway. */
  apiUrl(): string;
  /** Origin of the sandbox Iamport, where there is one. */
  readonly iamportUrl?: string | undefined;
}

export function demoShop({ apiUrl, iamportUrl }: ShopSurroundings): Hono {
  const shop = new Hono();
  const toOrders = async (method: 'GET' | 'PUT', merchantUid: string, body = '') => {
    const path = `/orders/${encodeURIComponent(merchantUid)}`;
    const headers = { host: new URL(apiUrl()).host, ...(body && { 'content-type': 'application/json' }) };
    const request = { method, headers: await signed({ method, url: path, headers, body }), ...(body && { body }) };
    const answer = await fetch(apiUrl() + path, request);
    return { status: answer.status, body: await answer.json() };
  };

  shop.get('/__shop/config', (c) =>
    c.json(iamportUrl ? { iamportJs: `${iamportUrl}/js/iamport.payment-1.2.0.js`, controlUrl: iamportUrl } : {}),
  );

  shop.post('/__shop/orders', async (c) => {
    const { product: wanted } = await c.req.json<{ product?: string }>();
    const products: Product[] = JSON.parse(await readFile(join(folder, 'products.json'), 'utf8'));
    const product = products.find(({ id }) => id === wanted);
    if (!product) return c.json({ error: '그런 상품은 없습니다.' }, 404);
    // Unguessable, so that nobody can open a payment window for somebody else's order.
    const merchantUid = `demo-${randomBytes(8).toString('hex')}`;
    const terms = { amount: product.price, name: product.name };
    const { status, body } = await toOrders('PUT', merchantUid, JSON.stringify(terms));
    return status === 201 ? c.json({ merchant_uid: merchantUid, ...terms }) : c.json(body, 502);
  });

  shop.get('/__shop/orders/:merchantUid', async (c) => {
    const { status, body } = await toOrders('GET', c.req.param('merchantUid'));
    return c.json(body, status === 200 ? 200 : 404);
  });

  // The very builds that a shop would load.
  let builds: ReturnType<typeof bundleCheckout> | undefined;
  for (const name of ['checkout.mjs', 'checkout.global.js'] as const) {
    shop.get(`/${name}`, (c) => {
      builds ??= bundleCheckout();
      return c.body(builds[name], 200, { 'content-type': types['.js'] ?? '', 'cache-control': 'no-store' });
    });
  }

  shop.get('*', async (c) => {
    const file = c.req.path === '/' ? 'index.html' : c.req.path.slice(1);
    const type = types[extname(file)];
    if (!type || !/^[\w-]+\.\w+$/.test(file)) return c.notFound();
    const content = await readFile(join(folder, file)).catch(() => undefined);
    return content
      ? c.body(new Uint8Array(content), 200, { 'content-type': type, 'cache-control': 'no-store' })
      : c.notFound();
  });
  return shop;
}

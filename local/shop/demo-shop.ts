/**
 * The demo shop: its pages, and its own small server. The server has the prices and registers orders with its key, as a
 * shop's server does; the browser only names a product.
 *
 *   GET  /__shop/config                      {iamportJs, controlUrl, confirmUrl?}; {} with another Iamport than the fake one
 *   POST /__shop/orders {product, language}  registers an order -> {merchant_uid, amount, name}
 *   GET  /__shop/orders/{merchant_uid}       the order in the orders table
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Hono } from 'hono';
import { bundleCheckout } from '../../storefront/build.ts';
import { localShopKey } from '../aws/secrets.ts';
import { contentTypes } from '../content-types.ts';

const folder = join(import.meta.dirname, 'pages');

interface Product {
  readonly id: string;
  readonly name: string;
  readonly english: string;
  /** Won. */
  readonly price: number;
}

export interface ShopEnvironment {
  /** Origin of the gateway. */
  apiUrl(): string;
  /** Origin of the fake Iamport, if it runs. */
  readonly iamportUrl?: string | undefined;
  /** Whether a server is asked before an approval: payments then have a `confirm_url`. */
  readonly asksShop: boolean;
}

export function demoShop({ apiUrl, iamportUrl, asksShop }: ShopEnvironment): Hono {
  const shop = new Hono();
  const callOrders = async (method: 'GET' | 'PUT', merchantUid: string, body = '') => {
    const path = `/orders/${encodeURIComponent(merchantUid)}`;
    const headers = { authorization: `Bearer ${localShopKey}`, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(apiUrl() + path, { method, headers, ...(body && { body }) });
    return { status: response.status, body: await response.json() };
  };

  shop.get('/__shop/config', (c) => {
    if (!iamportUrl) return c.json({});
    const confirm = asksShop && { confirmUrl: `${apiUrl()}/payments/confirm` };
    return c.json({ iamportJs: `${iamportUrl}/js/iamport.payment-1.2.0.js`, controlUrl: iamportUrl, ...confirm });
  });

  shop.post('/__shop/orders', async (c) => {
    const { product: productId, language } = await c.req.json<{ product?: string; language?: string }>();
    const products: Product[] = JSON.parse(await readFile(join(folder, 'products.json'), 'utf8'));
    const product = products.find(({ id }) => id === productId);
    if (!product) return c.json({ error: '없는 상품입니다.' }, 404);
    // Unguessable, so that a buyer cannot open a payment window for another buyer's order.
    const merchantUid = `demo-${randomBytes(8).toString('hex')}`;
    const terms = { amount: product.price, name: language === 'en' ? product.english : product.name };
    const { status, body } = await callOrders('PUT', merchantUid, JSON.stringify(terms));
    return status === 201 ? c.json({ merchant_uid: merchantUid, ...terms }) : c.json(body, 502);
  });

  shop.get('/__shop/orders/:merchantUid', async (c) => {
    const { status, body } = await callOrders('GET', c.req.param('merchantUid'));
    return c.json(body, status === 200 ? 200 : 404);
  });

  // The same builds that a shop loads.
  let builds: ReturnType<typeof bundleCheckout> | undefined;
  for (const name of ['checkout.mjs', 'checkout.global.js'] as const) {
    shop.get(`/${name}`, (c) => {
      builds ??= bundleCheckout();
      return c.body(builds[name], 200, { 'content-type': contentTypes['.js'] ?? '', 'cache-control': 'no-store' });
    });
  }

  shop.get('*', async (c) => {
    const file = c.req.path === '/' ? 'index.html' : c.req.path.slice(1);
    const type = contentTypes[extname(file)];
    if (!type || !/^[\w-]+\.\w+$/.test(file)) return c.notFound();
    const content = await readFile(join(folder, file)).catch(() => undefined);
    return content
      ? c.body(new Uint8Array(content), 200, { 'content-type': type, 'cache-control': 'no-store' })
      : c.notFound();
  });
  return shop;
}

/**
 * The fake Iamport as one server on the loopback: the REST API, iamport.js, the payment window, the control page
 * and the receipts.
 * Composes the parts; the rules are in them.
 */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono, type HonoRequest, type MiddlewareHandler } from 'hono';
import { contentTypes } from '../content-types.ts';
import { observeRequest, type RequestObserver } from '../request-observer.ts';
import { apiRoutes, isApiPath, type Keys } from './api.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { Faults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { defaultSettings, type Settings, storedReasons } from './settings.ts';
import { Tokens } from './tokens.ts';
import { Webhooks } from './webhooks.ts';

export interface IamportOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** The URL to send webhooks to. Without it the server sends none. */
  readonly webhookUrl?: string;
  /** Origin of the demo shop, which the console links to. */
  readonly shopUrl?: string;
  readonly clock?: { now(): number };
  readonly random?: () => number;
  readonly keys?: Partial<Keys>;
  /** Called with every request. */
  readonly observe?: RequestObserver;
}

export interface FakeIamport {
  /** Origin, such as `http://127.0.0.1:3001`. */
  readonly url: string;
  readonly ledger: Ledger;
  readonly tokens: Tokens;
  /** Mutable: every part reads the fields at each use. */
  readonly settings: Settings;
  readonly webhooks: Webhooks;
  readonly faults: Faults;
  /** Closes the server and cancels pending webhooks. Idempotent. */
  close(): Promise<void>;
}

/** Default keys of the local run, which has no secrets. */
const localKeys: Keys = { impKey: 'local', impSecret: 'local', pgApiKey: 'local' };

export async function startIamport(options: IamportOptions): Promise<FakeIamport> {
  const now = () => options.clock?.now() ?? Date.now();
  const random = options.random ?? Math.random;
  const keys = { ...localKeys, ...options.keys };
  const settings = defaultSettings(options.webhookUrl);
  const webhooks = new Webhooks(settings, now);
  const ledger = new Ledger({
    now,
    random,
    announce: (notice) => webhooks.announce(notice),
    refusesCancels: () => settings.pgRefusesCancels,
    defersCancels: () => settings.pgDefersCancels,
    storedReason: (reason) => storedReasons[settings.cancelReasons](reason),
    siteUrl: () => url,
  });
  const tokens = new Tokens(now, random);
  const faults = new Faults();

  const api = apiRoutes({ ledger, tokens, keys, now });
  const rest = faults.before((request, env) => api.fetch(request, env));
  const site = new Hono<{ Bindings: HttpBindings }>();
  if (options.observe) site.use(observing(options.observe, now));
  site.route('/__control', controlRoutes({ ledger, tokens, webhooks, faults, settings, shopUrl: options.shopUrl }));
  site.route('/checkout', checkoutRoutes(ledger, settings));
  addPages(site);
  site.all('*', (c) => {
    if (isApiPath(c.req.path)) return rest(c.req.raw, c.env);
    if (isNavigation(c.req)) return c.html(unknownPage, 404);
    return c.json({ code: -1, message: '존재하지 않는 주소입니다.', response: null }, 404);
  });

  const server = createServer(
    getRequestListener((request, env) => site.fetch(request, env), { overrideGlobalObjects: false }),
  );
  const url = await listening(server, options.port);
  const close = async () => {
    faults.close();
    await webhooks.close();
    await ended(server);
  };
  return { url, ledger, tokens, settings, webhooks, faults, close };
}

const observing =
  (observe: RequestObserver, now: () => number): MiddlewareHandler =>
  async (c, next) => {
    const { method, url } = c.req;
    const startedAt = now();
    const body = method === 'GET' ? '' : await c.req.raw.clone().text();
    const onResponse = observe(observeRequest(method, url, body));
    await next();
    onResponse(c.res.status, now() - startedAt);
  };

/** Each page by its path. They load their scripts and styles from `/pages/`. */
const pages = {
  '/': 'control.html',
  '/window/:imp_uid': 'window.html',
  '/receipt/:imp_uid': 'receipt.html',
  '/js/iamport.payment-1.2.0.js': 'iamport.js',
} as const;
const ownFiles = ['iamport.css', 'control.js', 'window.js', 'receipt.js', 'messages.js', 'describe.js'] as const;
/** The pages have the style, the icons and the language of the demo shop, whose files these are. */
const shopFiles = ['style.css', 'language.js', 'format.js', 'pictures.svg', 'icon.svg', 'products.json'] as const;

/** Reads each file once, at the start: a changed file needs a restart. */
function addPages(site: Hono<{ Bindings: HttpBindings }>): void {
  const serve = (path: string, file: string) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    const type = contentTypes[extname(file)] ?? '';
    site.get(path, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-store' }));
  };
  for (const [path, file] of Object.entries(pages)) serve(path, `./pages/${file}`);
  for (const file of ownFiles) serve(`/pages/${file}`, `./pages/${file}`);
  for (const file of shopFiles) serve(`/pages/${file}`, `../shop/pages/${file}`);
}

const unknownPage = readFileSync(new URL('./pages/unknown.html', import.meta.url), 'utf8');

/** A browser that opens an address. */
const isNavigation = (request: HonoRequest): boolean =>
  request.method === 'GET' && /\btext\/html\b/.test(request.header('accept') ?? '');

function listening(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`http://127.0.0.1:${bound}`);
    });
  });
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // `close` fails only when the server is not running any more.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

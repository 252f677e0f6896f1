/**
 * The fake Iamport as one server on the loopback: the REST API, iamport.js, the payment window and the control page.
 * Composes the parts; the rules are in them.
 */

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
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
  });
  const tokens = new Tokens(now, random);
  const faults = new Faults();

  const api = apiRoutes({ ledger, tokens, keys, now });
  const rest = faults.before((request, env) => api.fetch(request, env));
  const site = new Hono<{ Bindings: HttpBindings }>();
  if (options.observe) site.use(observing(options.observe, now));
  site.route('/__control', controlRoutes({ ledger, tokens, webhooks, faults, settings }));
  site.route('/checkout', checkoutRoutes(ledger, settings));
  addPages(site);
  site.all('*', (c) =>
    isApiPath(c.req.path)
      ? rest(c.req.raw, c.env)
      : c.json({ code: -1, message: '존재하지 않는 주소입니다.', response: null }, 404),
  );

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

/** Reads each page once, at the start: a changed page needs a restart. */
function addPages(site: Hono<{ Bindings: HttpBindings }>): void {
  const pages = {
    '/': ['control.html', 'text/html'],
    '/window/:imp_uid': ['window.html', 'text/html'],
    '/js/iamport.payment-1.2.0.js': ['iamport.js', 'text/javascript'],
    '/pages/control.js': ['control.js', 'text/javascript'],
    '/pages/window.js': ['window.js', 'text/javascript'],
    '/pages/style.css': ['style.css', 'text/css'],
  };
  for (const [path, [file, type]] of Object.entries(pages)) {
    const text = readFileSync(new URL(`./pages/${file}`, import.meta.url), 'utf8');
    site.get(path, (c) => c.body(text, 200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }));
  }
}

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

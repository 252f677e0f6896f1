/** The servers in examples/, each started as its first line says, with the local system behind it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../local/aws/free-port.ts';
import { launchBrowser, pc } from '../support/browser.ts';
import { webhooksAssembly } from '../support/shop-server.ts';
import { type System, startSystem } from '../support/system.ts';

const root = join(import.meta.dirname, '../..');

const next = 'examples/nextjs/node_modules/next/dist/bin/next';

interface Example {
  readonly name: string;
  /** Arguments of the program that build the example. */
  readonly build?: readonly string[];
  /** The program, and its arguments for a port. */
  readonly program: string;
  readonly args: (port: number) => readonly string[];
  /** Arguments that print something with this text if the machine can run the example. */
  readonly needs: readonly [args: readonly string[], text: string];
}

const examples: readonly Example[] = [
  {
    name: 'node',
    program: process.execPath,
    args: () => ['examples/node/server.mjs'],
    needs: [['--version'], 'v'],
  },
  { name: 'python', program: 'python3', args: () => ['examples/python/server.py'], needs: [['--version'], 'Python 3'] },
  {
    name: 'php',
    program: 'php',
    args: (port) => ['-S', `127.0.0.1:${port}`, 'examples/php/server.php'],
    needs: [['--version'], 'PHP 8'],
  },
  // A runtime without a compiler cannot run a source file.
  {
    name: 'java',
    program: 'java',
    args: () => ['examples/java/Shop.java'],
    needs: [['--list-modules'], 'jdk.compiler'],
  },
  {
    name: 'nextjs, its route file without Next.js',
    program: process.execPath,
    args: () => ['test/support/next-route.ts'],
    needs: [['--version'], 'v'],
  },
  // Next.js is no dependency of this project: `npm install` in examples/nextjs adds it there.
  {
    name: 'nextjs',
    program: process.execPath,
    build: [next, 'build', 'examples/nextjs'],
    args: (port) => [next, 'start', 'examples/nextjs', '-H', '127.0.0.1', '-p', String(port)],
    needs: [[next, '--version'], 'Next.js'],
  },
];

const secret = `whsec_${randomBytes(32).toString('base64')}`;

const canRun = ({ program, needs: [args, text] }: Example): boolean =>
  spawnSync(program, [...args], { cwd: root, encoding: 'utf8' }).stdout?.includes(text) ?? false;

/** One system and one browser for all examples: they listen on the same port, one after another. */
let port: number;
let url: string;
let system: System;
let browser: Browser;

beforeAll(async () => {
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  system = await startSystem({ assembly: await webhooksAssembly(), webhooks: { url: `${url}/webhooks`, secret } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await system?.close();
});

interface Running {
  /** Everything that it has printed. */
  printed(): string;
  end(): Promise<void>;
}

async function start({ program, build, args }: Example, paymentsUrl = system.url): Promise<Running> {
  if (build) {
    const { status, stdout, stderr } = spawnSync(program, [...build], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`The example cannot be built: ${stdout}${stderr}`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'shop-'));
  const child = spawn(program, [...args(port)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PORT: String(port),
      PAYMENTS_URL: paymentsUrl,
      WEBHOOK_SECRET: secret,
      ADMIN_TOKEN: 'staff',
      CHECKOUT_JS: `${system.url}/checkout.global.js`,
      IAMPORT_JS: `${system.iamport.url}/js/iamport.payment-1.2.0.js`,
      STATE_FILE: join(directory, 'shop.json'),
    },
  });
  const end = async () => {
    await ended(child);
    await rm(directory, { recursive: true });
  };
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      printed += text;
    });
  }
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`The example ended: ${printed}`);
      const response = await fetch(url).catch(() => undefined);
      if (response?.ok) return { printed: () => printed, end };
      await delay(50);
    }
  } catch (error) {
    await end();
    throw error;
  }
}

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });

async function order(): Promise<string> {
  const response = await fetch(`${url}/orders`, { method: 'POST' });
  expect(response.status).toBe(201);
  const body = (await response.json()) as { merchant_uid: string; amount: number };
  expect(body.amount).toBe(14_000);
  return body.merchant_uid;
}

const delivered = async (merchantUid: string) =>
  ((await (await fetch(`${url}/orders/${merchantUid}`)).json()) as { delivered: number }).delivered;

/** Sends a webhook as an attacker, or again. */
async function send(id: string, body: string, options: { secret?: string; at?: number } = {}) {
  const at = options.at ?? Math.floor(Date.now() / 1000);
  const key = Buffer.from((options.secret ?? secret).slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${signature}`,
  };
  return (await fetch(`${url}/webhooks`, { method: 'POST', headers, body })).status;
}

/** A payment backend that answers a GET of an order once it is released, with a fault or as paid. */
async function slowBackend() {
  const waiting: (() => void)[] = [];
  const state = { isPaid: false, isReleased: false, reads: 0 };
  const server = createServer(async (request, response) => {
    await request.resume().toArray();
    const isRead = request.method === 'GET';
    state.reads += Number(isRead);
    if (isRead && !state.isReleased) await new Promise<void>((resolve) => waiting.push(resolve));
    const status = isRead ? (state.isPaid ? 200 : 500) : 201;
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"paid"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    release() {
      state.isReleased = true;
      for (const resolve of waiting) resolve();
    },
    close: () => void server.close(),
  };
}

describe.each(examples)('$name, behind a slow backend', (example) => {
  test.skipIf(!canRun(example))(
    'answers no copy of a webhook before the first is processed [T549]',
    async () => {
      const backend = await slowBackend();
      onTestFinished(backend.close);
      const running = await start(example, backend.url);
      onTestFinished(running.end);
      const merchantUid = await order();
      const body = JSON.stringify({
        type: 'Payment Paid',
        data: { id: `${merchantUid}:2`, merchant_uid: merchantUid },
      });
      const first = send(`${merchantUid}:2`, body);
      await expect.poll(() => backend.state.reads).toBe(1);
      const second = send(`${merchantUid}:2`, body);
      // A server that answers the second copy at once does so in this time.
      await Promise.race([second, delay(300)]);
      backend.release();
      expect(await first).toBeGreaterThanOrEqual(500);
      expect(await second).toBeGreaterThanOrEqual(500);
      backend.state.isPaid = true;
      expect(await send(`${merchantUid}:2`, body)).toBe(200);
      expect(await send(`${merchantUid}:2`, body)).toBe(200);
      expect(await delivered(merchantUid)).toBe(1);
    },
    60_000,
  );
});

describe.each(examples)('$name', (example) => {
  const runs = canRun(example);
  let running: Running | undefined;
  beforeAll(async () => {
    if (runs) running = await start(example);
  });
  afterAll(() => running?.end());

  test.skipIf(!runs)(
    'delivers a paid order once, refuses forged webhooks, and refunds',
    async () => {
      const merchantUid = await order();
      const unpaid = await order();
      const forged = JSON.stringify({ type: 'Payment Paid', data: { id: `${unpaid}:2`, merchant_uid: unpaid } });
      const other = `whsec_${randomBytes(32).toString('base64')}`;
      expect(await send(`${unpaid}:2`, forged, { secret: other })).toBe(401);
      expect(await send(`${unpaid}:2`, forged, { at: Math.floor(Date.now() / 1000) - 600 })).toBe(401);
      expect((await fetch(`${url}/webhooks`, { method: 'POST', body: forged })).status).toBe(401);

      const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
      system.iamport.ledger.pay(imp_uid);
      expect((await system.complete({ imp_uid, merchant_uid: merchantUid })).json).toMatchObject({ status: 'paid' });
      await expect.poll(() => delivered(merchantUid), { timeout: 30_000 }).toBe(1);
      await expect.poll(() => running?.printed()).toContain(`webhook: Payment Paid ${merchantUid}`);

      // The same event once more, as after a lost answer.
      const again = JSON.stringify({
        type: 'Payment Paid',
        data: { id: `${merchantUid}:2`, merchant_uid: merchantUid },
      });
      expect(await send(`${merchantUid}:2`, again)).toBe(200);
      expect(await delivered(merchantUid)).toBe(1);
      // A signed event of an order that is not paid: the backend is asked, and says so.
      expect(await send(`${unpaid}:2`, forged)).toBe(200);
      expect(await delivered(unpaid)).toBe(0);

      expect((await fetch(`${url}/orders/${merchantUid}/refund`, { method: 'POST' })).status).toBe(401);
      const refunded = await fetch(`${url}/orders/${merchantUid}/refund`, {
        method: 'POST',
        headers: { authorization: 'Bearer staff' },
      });
      expect([refunded.status, await refunded.json()]).toMatchObject([200, { refund: { state: 'done' } }]);
      expect((await system.shop('GET', merchantUid)).json).toMatchObject({ status: 'cancelled' });
      expect(system.faults).toEqual([]);
    },
    180_000,
  );

  test.skipIf(!runs)(
    'its page pays in a browser, and its server delivers',
    async () => {
      const context = await pc(browser);
      const page = await context.newPage();
      const failures: string[] = [];
      page.on('pageerror', (error) => failures.push(error.message));
      await page.goto(url);
      await page.locator('#pay').click();
      const window = page.frameLocator('#imp-iframe');
      await window.getByTestId('order').waitFor();
      await window.getByTestId('pay').click();
      await page.locator('#result').filter({ hasText: /./ }).waitFor();
      expect(await page.locator('#result').innerText()).toMatch(/완료|complete/);
      const { merchant_uid: merchantUid } = system.iamport.ledger.entries().at(-1)?.payment ?? { merchant_uid: '' };
      await expect.poll(() => delivered(merchantUid), { timeout: 30_000 }).toBe(1);
      expect(failures).toEqual([]);
      await context.close();
    },
    180_000,
  );
});

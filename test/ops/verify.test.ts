/** `verify` on the whole local system, and through a gateway with a planted fault. */

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { localShopKey } from '../../local/aws/secrets.ts';
import type { Call } from '../../ops/command.ts';
import { connect } from '../../ops/deployment.ts';
import { messagesIn } from '../../ops/messages.ts';
import { verifyWithin } from '../../ops/verify.ts';
import { runOperator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
});
afterAll(() => {
  vi.unstubAllEnvs();
  return system.close();
});

/** As `npm run verify` does, which is `ops/cli.ts verify`. */
const run = (url: string, ...args: string[]) => runOperator(['verify', '--local', '--url', url, ...args]);

interface Fault {
  /** Answers a request in place of the gateway. @returns false: the gateway answers it */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** The name of a header that is left out of every response. */
  readonly withoutHeader?: string;
  readonly delayMs?: (request: IncomingMessage) => number;
}

/** A gateway before the local system, with a fault. */
async function gatewayWith(fault: Fault) {
  const listener: RequestListener = async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (fault.answer?.(request, response)) return;
    const delay = fault.delayMs?.(request) ?? 0;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    const { method = 'GET', url = '/' } = request;
    const { connection: _, host: __, 'content-length': ___, ...headers } = request.headers;
    const received = await fetch(system.url + url, {
      method,
      headers: headers as Record<string, string>,
      ...(body.length > 0 && { body }),
      redirect: 'manual',
    });
    const passed = [...received.headers].filter(([name]) => !/^(connection|transfer-encoding|keep-alive)$/.test(name));
    response.writeHead(received.status, Object.fromEntries(passed.filter(([name]) => name !== fault.withoutHeader)));
    response.end(Buffer.from(await received.arrayBuffer()));
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = (response: ServerResponse, status: number, body: object): true => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
};
const linesOf = (stdout: string, mark: string) => stdout.split('\n').filter((line) => line.startsWith(`${mark} `));

describe('verify', () => {
  test('[T430] finds nothing at a healthy system, and leaves one closed order', async () => {
    const { code, stdout } = await run(system.url);
    expect(linesOf(stdout, '✗')).toEqual([]);
    expect(linesOf(stdout, '-')).toEqual([]);
    expect(code).toBe(0);
    for (const line of [
      'PUT /orders/{merchant_uid}, registers with the key for orders: 201 ready',
      'GET /orders/{merchant_uid}, reads with the key for orders: 200 closed',
      'DELETE /orders/{merchant_uid}, closes with the key for money: 204',
      'DELETE /orders/{merchant_uid}, with the key for orders: 403 forbidden',
      'POST /orders/{merchant_uid}/refunds, with a wrong key: 401 unauthorised',
      'POST /orders/{merchant_uid}/refunds, with the key for money, of an unpaid order: 409 not_paid',
      'POST /payments/complete, a payment that Iamport does not know: 404 payment_not_found',
      'POST /payments/confirm, a body over 64 KiB: 413 payload_too_large',
      'PATCH /payments/webhook, a method without a route: 404',
      'OPTIONS /payments/complete, preflight of the storefront: 204',
      'OPTIONS /payments/complete, preflight of a foreign site: 204',
      'events, event Order Closed: Order Closed',
    ]) {
      expect(stdout).toContain(` ${line} (`);
    }
    const order = /Left behind: one closed order.* (verify-[0-9a-f]{16})$/m.exec(stdout)?.[1] ?? expect.unreachable();
    expect((await system.shop('GET', order)).json).toMatchObject({ status: 'closed' });
    expect(stdout).not.toContain('Post this text');
    const events = system.bus.events.filter(({ detail }) => JSON.stringify(detail).includes('verify-'));
    expect(events.map((event) => event['detail-type'])).toEqual(['Order Closed']);
  });

  test('prints Korean, and JSON with every check and its time', async () => {
    expect((await run(system.url, '--lang', 'ko')).stdout).toMatch(
      /^[✓!] PUT \/orders\/{merchant_uid}, 잘못된 키로: 401 unauthorised \(\d+ ms/m,
    );
    const { code, stdout } = await run(system.url, '--json');
    const { checks, left } = JSON.parse(stdout) as { checks: object[]; left: string };
    expect(code).toBe(0);
    expect(left).toContain('verify-');
    expect(checks).toContainEqual(
      expect.objectContaining({
        route: 'DELETE /orders/{merchant_uid}',
        case: 'without a key',
        ok: true,
        expected: '401 unauthorised',
        found: '401 unauthorised',
        ms: expect.any(Number),
      }),
    );
  });

  test('[T431] reports a route that answers 200 without a key', async () => {
    await using gateway = await gatewayWith({
      answer: ({ method, url, headers }, response) =>
        method === 'GET' && url?.startsWith('/orders/') === true && !headers.authorization && answer(response, 200, {}),
    });
    const { code, stdout } = await run(gateway.url);
    expect([code, linesOf(stdout, '✗').length]).toEqual([5, 2]);
    expect(stdout).toContain('✗ GET /orders/{merchant_uid}, without a key: expected 401 unauthorised, got 200 (');
  });

  test('[T432] reports responses without the CORS header of the storefront', async () => {
    await using gateway = await gatewayWith({ withoutHeader: 'access-control-allow-origin' });
    const { code, stdout } = await run(gateway.url);
    expect(code).toBe(5);
    expect(new Set(linesOf(stdout, '✗').map((line) => line.replace(/ \(\d+ ms.*/, '')))).toEqual(
      new Set([
        '✗ OPTIONS /payments/complete, preflight of the storefront: expected access-control-allow-origin with the origin of the storefront, got 204 with no access-control-allow-origin',
        '✗ POST /payments/complete, request of the storefront: expected 400 invalid_request and access-control-allow-origin with the origin of the storefront, got 400 with no access-control-allow-origin',
      ]),
    );
  });

  test('reports a gateway that allows every origin', async () => {
    await using gateway = await gatewayWith({
      answer: ({ method }, response) => {
        if (method !== 'OPTIONS') return false;
        response.writeHead(204, { 'access-control-allow-origin': '*' }).end();
        return true;
      },
    });
    expect((await run(gateway.url)).stdout).toContain(
      '✗ OPTIONS /payments/complete, preflight of a foreign site: expected no access-control-allow-origin, got 204 with an access-control-allow-origin (',
    );
  });

  test('[T433] reports a route that fails, and an order that it could not close', async () => {
    await using gateway = await gatewayWith({
      answer: ({ method }, response) =>
        method === 'DELETE' && answer(response, 500, { message: 'Internal Server Error' }),
    });
    const { code, stdout } = await run(gateway.url);
    expect(code).toBe(5);
    expect(stdout).toContain('✗ DELETE /orders/{merchant_uid}, closes with the key for money: expected 204, got 500 (');
    expect(stdout).toMatch(
      /^Left behind: the order (verify-[0-9a-f]{16}) may still be open\. Close it with close \1\./m,
    );
  });

  test('reports a gateway that refuses connections', async () => {
    await using gateway = await gatewayWith({
      answer: ({ method, socket }) => method === 'PATCH' && Boolean(socket.destroy()),
    });
    expect((await run(gateway.url)).stdout).toMatch(/^✗ PATCH \/payments\/confirm, .*: expected 404, got no response/m);
  });

  test('[T434] reports a slow response, and does not fail for it', async () => {
    await using gateway = await gatewayWith({
      delayMs: ({ method, url }) => (method === 'PATCH' && url === '/payments/confirm' ? 400 : 0),
    });
    const checks = await resultsOf(gateway.url, { slowMs: 300, timeoutMs: 35_000, ruleMs: 0, eventTimeoutMs: 30_000 });
    expect(checks).toContainEqual(
      expect.objectContaining({ route: 'PATCH /payments/confirm', ok: true, isSlow: true, found: '404' }),
    );
  });

  test('reports a response that does not come', async () => {
    await using gateway = await gatewayWith({
      answer: ({ method, url }) => method === 'PATCH' && url === '/payments/webhook',
    });
    const checks = await resultsOf(gateway.url, { slowMs: 300, timeoutMs: 1_000, ruleMs: 0, eventTimeoutMs: 30_000 });
    expect(checks).toContainEqual(
      expect.objectContaining({ route: 'PATCH /payments/webhook', ok: false, found: 'no response in time' }),
    );
  });

  test('[T435] the text to post has no key, address, order number or text of a response', async () => {
    const hostile = { code: localShopKey, status: '010-1234-5678', message: '홍길동 buyer@shop.example' };
    await using gateway = await gatewayWith({
      answer: ({ url }, response) => !url?.startsWith('/__local/') && answer(response, 418, hostile),
    });
    const { code, stdout } = await run(gateway.url);
    const report = stdout.split('Post this text')[1]?.split('\n\n')[1] ?? '';
    expect(code).toBe(5);
    expect(report).toMatch(
      /^iamport-serverless \d+\.\d+\.\d+ verify, local system of version \d\S+, shopAuth key, Node\.js \d/,
    );
    expect(report).toContain('PUT /orders/{merchant_uid}, without a key: expected 401 unauthorised, got 418');
    expect(report).not.toMatch(/sk_|verify-|127\.0\.0\.1|https?:|홍길동|@|010-/);
    expect(stdout).not.toMatch(/sk_|홍길동|@|010-/);
  });
});

/** @returns the checks of the JSON */
async function resultsOf(url: string, limits: Parameters<typeof verifyWithin>[0]): Promise<object[]> {
  let printed: object | undefined;
  const call: Call = {
    subject: '',
    target: '',
    options: { queue: false, 'dry-run': false },
    deployment: await connect({ local: true, url, stack: '' }),
    language: 'en',
    messageFor: messagesIn('en'),
    print: (_, value) => {
      printed = value;
    },
    progress: () => undefined,
    confirm: async () => false,
    terminal: process,
  };
  await verifyWithin(limits)(call);
  return (printed as { checks: object[] }).checks;
}

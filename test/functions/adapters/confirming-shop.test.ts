/** Asking the shop's server and the shop's function, each a real HTTP server here. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignatureV4 } from '@smithy/signature-v4';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import { shopFunction, shopServer } from '../../../functions/adapters/confirming-shop.ts';
import { webhookSender } from '../../../functions/adapters/webhooks/receiver.ts';
import { confirmMessage } from '../../../functions/events/confirm-json.ts';
import type { Amount } from '../../../functions/payment/money.ts';
import { Sha256 } from '../../../local/aws/signature.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Seen {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server with one answer to every request. */
async function serverWith(answer: (response: ServerResponse, request: IncomingMessage) => unknown) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    seen.push({ url: request.url ?? '', headers: request.headers as Record<string, string>, body });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const question = { impUid: 'imp_1', merchantUid: '주문-1', amount: 1_999 as Amount, currency: 'USD' };
const message = confirmMessage(question, '2026-11-23T17:57:47.000Z');
const expected = {
  type: 'payment.confirm',
  timestamp: '2026-11-23T17:57:47.000Z',
  data: { version: 1, merchant_uid: '주문-1', imp_uid: 'imp_1', amount: 19.99, currency: 'USD' },
};

describe("the shop's server", () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  let doubts = 0;

  async function asking(answer: Parameters<typeof serverWith>[0], timeoutMs = 20_000) {
    const { url, seen } = await serverWith(answer);
    doubts = 0;
    const secrets = { read: async () => [secret], doubt: () => (doubts += 1) };
    const clock = { now: Date.now, sleep: async () => undefined };
    const ask = shopServer(secrets, webhookSender({ url: `${url}/confirm`, timeoutMs, allowsLoopback: true }), clock);
    return { ask: () => ask(message), seen };
  }

  test('gets a message that the library of Standard Webhooks verifies, without personal data [T305]', async () => {
    const { ask, seen } = await asking((response) => response.end('{"ok":false,"reason":"품절"}'));
    expect(await ask()).toEqual({ ok: false, reason: '품절' });
    const [{ url, headers, body } = { url: '', headers: {}, body: '' }] = seen;
    expect(new Webhook(secret).verify(body, headers)).toEqual(expected);
    expect([url, headers['webhook-id']]).toEqual(['/confirm', 'confirm:%EC%A3%BC%EB%AC%B8-1:imp_1']);
  });

  test.each([201, 204, 400, 500, 503])('gives no answer with the status %i', async (status) => {
    const { ask } = await asking((response) => response.writeHead(status).end(status === 204 ? '' : '{"ok":true}'));
    await expect(ask()).rejects.toThrow(`The server of the shop answered ${status}`);
    expect(doubts).toBe(0);
  });

  test('has the secret read again after a refused signature', async () => {
    const { ask } = await asking((response) => response.writeHead(401).end());
    await expect(ask()).rejects.toThrow('The server of the shop answered 401');
    expect(doubts).toBe(1);
  });

  test('is not followed to another address', async () => {
    const elsewhere = await serverWith((response) => response.end('{"ok":true}'));
    const { ask } = await asking((response) => response.writeHead(307, { location: elsewhere.url }).end());
    await expect(ask()).rejects.toThrow('The server of the shop answered 307');
    expect(elsewhere.seen).toEqual([]);
  });

  test('gives no answer with a body above 16 KB, nor with one that is no JSON', async () => {
    const long = await asking((response) => response.end(`{"ok":true,"x":"${'x'.repeat(16_384)}"}`));
    await expect(long.ask()).rejects.toThrow('longer than 16 KB');
    const text = await asking((response) => response.end('OK'));
    expect(await text.ask()).toBeUndefined();
  });

  test('gives no answer with a body that does not end in time', async () => {
    const { ask } = await asking((response) => response.writeHead(200).write('{"ok":true}'), 300);
    await expect(ask()).rejects.toThrow('broke off');
  });
});

describe("the shop's function", () => {
  const arn = 'arn:aws:lambda:ap-northeast-2:123456789012:function:stock:live';
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

  async function invoking(answer: Parameters<typeof serverWith>[0]) {
    const { url, seen } = await serverWith(answer);
    const client = new SecretsManagerClient({ region: 'ap-northeast-2', credentials, maxAttempts: 1 });
    closers.push(() => client.destroy());
    const ask = shopFunction(client, arn, url);
    return { ask: () => ask(message), seen, host: new URL(url).host };
  }

  test('is invoked with the message as its event, and its result is the answer', async () => {
    const { ask, seen } = await invoking((response) => response.end('{"ok":false,"reason":"한도 초과"}'));
    expect(await ask()).toEqual({ ok: false, reason: '한도 초과' });
    expect(seen.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
      [
        '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aap-northeast-2%3A123456789012%3Afunction%3Astock%3Alive/invocations',
        expected,
      ],
    ]);
    expect(seen[0]?.headers).toMatchObject({ 'x-amz-invocation-type': 'RequestResponse' });
  });

  test('gets a call with a valid signature of AWS', async () => {
    const { ask, seen, host } = await invoking((response) => response.end('{"ok":true}'));
    await ask();
    const [{ url = '', headers = {}, body = '' } = {}] = seen;
    const signer = new SignatureV4({ service: 'lambda', region: 'ap-northeast-2', credentials, sha256: Sha256 });
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
    expect(names).toContain('x-amz-invocation-type');
    const again = await signer.sign(
      {
        method: 'POST',
        protocol: 'http:',
        hostname: host,
        path: url,
        headers: Object.fromEntries(
          names.filter((name) => !/^x-amz-(?:date|content)/.test(name)).map((name) => [name, headers[name] ?? '']),
        ),
        body,
      },
      { signingDate: dateIn(headers['x-amz-date']) },
    );
    expect(again.headers.authorization).toBe(headers.authorization);
  });

  test('gives no answer when it fails, and its error is not read', async () => {
    const { ask } = await invoking((response) =>
      response.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end('{"ok":true,"errorMessage":"홍길동"}'),
    );
    await expect(ask()).rejects.toThrow('The function of the shop failed: its own log has the error');
  });

  test('gives no answer when Lambda refuses the invocation', async () => {
    const { ask } = await invoking((response) =>
      response.writeHead(429).end('{"Reason":"ConcurrentInvocationLimitExceeded"}'),
    );
    await expect(ask()).rejects.toThrow('Lambda answered 429 to the invocation of the function of the shop');
  });

  test('gives no answer with a result above 16 KB', async () => {
    const { ask } = await invoking((response) => response.end(`{"ok":true,"x":"${'x'.repeat(20_000)}"}`));
    await expect(ask()).rejects.toThrow('longer than 16 KB');
  });
});

/** `20261123T175747Z` as a date. */
const dateIn = (text = '') => new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

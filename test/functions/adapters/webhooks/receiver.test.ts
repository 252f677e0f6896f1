/** Sending a webhook to real servers, which answer, redirect, do not answer, or are at a private address. */

import type { LookupAddress, lookup as systemLookup } from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, expect, test } from 'vitest';
import { type ReceiverOptions, webhookSender } from '../../../../functions/adapters/webhooks/receiver.ts';
import { WebhookNoResponse } from '../../../../functions/application/faults.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function portOf(server: Server & { closeAllConnections?(): void }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function receiver(listener: RequestListener) {
  const seen: { method: string; headers: Record<string, unknown>; body: string }[] = [];
  const port = await portOf(
    createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      seen.push({ method: request.method ?? '', headers: request.headers, body });
      listener(request, response);
    }),
  );
  return { port, seen };
}

const callerOf = (url: string, more: Partial<ReceiverOptions> = {}) =>
  webhookSender({ url, timeoutMs: 20_000, allowsLoopback: true, ...more });
const headers = { 'webhook-id': 'order-1:2' };
const body = '{"data":{"merchant_uid":"주문-1"}}';

/** A DNS that has these addresses for every name. */
const dnsWith = (...addresses: string[]): typeof systemLookup =>
  ((_name: string, _options: object, done: (error: null, found: LookupAddress[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof systemLookup;

test('posts the body with the headers, and resolves with the status of the answer', async () => {
  const { port, seen } = await receiver((_request, response) => response.writeHead(202).end('accepted'));
  expect(await callerOf(`http://localhost:${port}/hook?shop=1`)(headers, body)).toMatchObject({ status: 202 });
  expect(seen).toEqual([
    {
      method: 'POST',
      body,
      headers: expect.objectContaining({
        host: `localhost:${port}`,
        'webhook-id': 'order-1:2',
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'iamport-serverless',
      }),
    },
  ]);
});

test('returns the header retry-after as it was sent', async () => {
  const { port } = await receiver((_request, response) => response.writeHead(503, { 'retry-after': '120' }).end());
  expect(await callerOf(`http://localhost:${port}/`)(headers, body)).toEqual({
    status: 503,
    retryAfter: '120',
    body: '',
  });
});

test('does not follow a redirect [T122]', async () => {
  const target = await receiver((_request, response) => response.end());
  const { port } = await receiver((_request, response) =>
    response.writeHead(307, { location: `http://localhost:${target.port}/` }).end(),
  );
  expect(await callerOf(`http://localhost:${port}/`)(headers, body)).toMatchObject({ status: 307 });
  expect(target.seen).toEqual([]);
});

test('gives up a receiver that does not answer in time [T124]', async () => {
  const { port } = await receiver(() => undefined);
  const sent = callerOf(`http://localhost:${port}/`, { timeoutMs: 100 })(headers, body);
  await expect(sent).rejects.toThrow(new WebhookNoResponse('No answer within 100 ms'));
});

test('gives up a DNS that does not answer in time', async () => {
  const silent = (() => undefined) as unknown as typeof systemLookup;
  const sent = callerOf('https://shop.example/', { timeoutMs: 100, lookup: silent })(headers, body);
  await expect(sent).rejects.toThrow('No answer within 100 ms');
});

test('takes the status of an answer whose body never ends', async () => {
  const { port } = await receiver((_request, response) => void response.writeHead(200).write('begins'));
  expect(await callerOf(`http://localhost:${port}/`, { timeoutMs: 300 })(headers, body)).toMatchObject({ status: 200 });
});

test('stops receiving an answer of endless length [T123]', async () => {
  let isClosed = false;
  const { port } = await receiver((_request, response) => {
    response.on('close', () => {
      isClosed = true;
    });
    const more = () => {
      while (!isClosed && response.write('x'.repeat(1_024)));
    };
    response.on('drain', more);
    more();
  });
  expect(await callerOf(`http://localhost:${port}/`)(headers, body)).toMatchObject({ status: 200 });
  await expect.poll(() => isClosed).toBe(true);
});

test('resolves with the whole body of an answer up to 16 KB, and without a longer one', async () => {
  const longest = '가'.repeat(5_461); // 16,383 bytes
  const bodies = [longest, `${longest}a`, `${longest}가`];
  const { port } = await receiver((_request, response) => response.end(bodies.shift()));
  const call = () => callerOf(`http://localhost:${port}/`)(headers, body);
  expect(await call()).toEqual({ status: 200, body: longest });
  expect(await call()).toEqual({ status: 200, body: `${longest}a` });
  expect(await call()).toEqual({ status: 200, body: undefined });
});

test('resolves without the body of an answer that breaks off or does not end in time', async () => {
  const answers: RequestListener[] = [
    (_request, response) => response.writeHead(200, { 'content-length': '100' }).write('{"ok":true}'),
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"ok":true}', () => response.destroy());
    },
  ];
  const { port } = await receiver((request, response) => answers.shift()?.(request, response));
  const call = () => callerOf(`http://localhost:${port}/`, { timeoutMs: 300 })(headers, body);
  expect(await call()).toEqual({ status: 200, body: undefined });
  expect(await call()).toEqual({ status: 200, body: undefined });
});

test('rejects when the connection is refused, and when it is closed without an answer', async () => {
  const { port } = await receiver((request) => request.socket.destroy());
  await expect(callerOf(`http://localhost:${port}/`)(headers, body)).rejects.toThrow(WebhookNoResponse);
  for (const close of closers.splice(0)) await close();
  await expect(callerOf(`http://localhost:${port}/`)(headers, body)).rejects.toThrow(WebhookNoResponse);
});

test.each([
  ['a name at 127.0.0.1', ['127.0.0.1']],
  ['a name at a private address', ['10.0.0.5']],
  ['a name at the metadata address', ['169.254.169.254']],
  ['a name at a mapped IPv4 address', ['::ffff:127.0.0.1']],
])('sends nothing to %s [T121]', async (_case, addresses) => {
  let connections = 0;
  const server = createServer((_request, response) => response.end()).on('connection', () => (connections += 1));
  const port = await portOf(server);
  const options = { allowsLoopback: false, lookup: dnsWith(...addresses) };
  const sent = callerOf(`https://internal.shop.example:${port}/`, options)(headers, body);
  await expect(sent).rejects.toMatchObject({
    name: 'WebhookNoResponse',
    cause: {
      message: `internal.shop.example is at ${addresses}: webhooks are sent only to public addresses`,
    },
  });
  expect(connections).toBe(0);
});

test('sends nothing to the name localhost, by the DNS of this machine', async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  const sent = callerOf(`https://localhost:${port}/`, { allowsLoopback: false })(headers, body);
  await expect(sent).rejects.toThrow('The URL of the webhook must be at a public address');
  expect(seen).toEqual([]);
});

test('locally sends nothing to a private address of the network either', async () => {
  const sent = callerOf('https://shop.example/', { lookup: dnsWith('192.168.0.10') })(headers, body);
  await expect(sent).rejects.toMatchObject({ cause: { message: expect.stringContaining('192.168.0.10') } });
});

test('connects to an allowed address when the name has a private one as well', async () => {
  const { port, seen } = await receiver((_request, response) => response.end());
  const options = { lookup: dnsWith('10.0.0.5', '127.0.0.1') };
  expect(await callerOf(`http://api.localhost:${port}/`, options)(headers, body)).toMatchObject({ status: 200 });
  expect(seen).toHaveLength(1);
});

test('sends over TLS only to a server with a valid certificate', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const seen: string[] = [];
  const port = await portOf(
    createTlsServer({ key, cert }, async (request, response) => {
      seen.push(Buffer.concat(await request.toArray()).toString());
      response.end();
    }),
  );
  const send = () => callerOf(`https://localhost:${port}/`)(headers, body);
  await expect(send()).rejects.toThrow(WebhookNoResponse);
  expect(seen).toEqual([]);
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, cert]);
  closers.push(() => setDefaultCACertificates(trusted));
  expect(await send()).toMatchObject({ status: 200 });
  expect(seen).toEqual([body]);
});

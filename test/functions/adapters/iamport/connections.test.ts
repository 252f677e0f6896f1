/** The connections of the transport: opened early, reused, and replaced after they were closed. */

import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { startCounting } from '../../../../bench/counted.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { ok, scripted } from './server.ts';

const request = { method: 'GET', path: '/payments/imp_1', headers: {}, timeoutMs: 2_000 } as const;

async function startServer() {
  const server = await scripted({ 'GET /payments/imp_1': [ok({})] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await startCounting(server.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

test('uses the connection that was opened early for all calls of an HTTP function', async () => {
  const server = await startServer();
  const transport = undiciTransport(server.url, 1);
  await transport.connect();
  expect(server.connections()).toBe(1);
  for (let call = 0; call < 3; call += 1) expect((await transport(request)).status).toBe(200);
  expect(server.connections()).toBe(1);
});

test('replaces an early connection that was closed, and the call succeeds', async () => {
  const server = await startServer();
  const open = buildConnector({ allowH2: false });
  const sockets: Socket[] = [];
  const transport = undiciTransport(server.url, 1, (options, callback) =>
    open(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      sockets.push(socket);
      callback(null, socket);
    }),
  );
  await transport.connect();
  server.hangUp();
  // The server closes its side before our socket notices.
  await expect.poll(() => sockets.map(({ closed }) => closed)).toEqual([true]);
  expect((await transport(request)).status).toBe(200);
  expect(server.connections()).toBe(2);
});

test('opens several connections for concurrent calls of a worker', async () => {
  const server = await startServer();
  const transport = undiciTransport(server.url, 8);
  await Promise.all(Array.from({ length: 8 }, () => transport(request)));
  expect(server.connections()).toBe(8);
});

test('rejects only the early connection when no server listens', async () => {
  const server = await startServer();
  await server.close();
  await expect(undiciTransport(server.url, 1).connect()).rejects.toThrow(/ECONNREFUSED/);
});

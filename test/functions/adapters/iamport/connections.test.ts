/** The transport's connections: opened before they are needed, used once more, replaced when they have died. */

import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { startCounting } from '../../../../bench/counted.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { ok, scripted } from './server.ts';

const request = { method: 'GET', path: '/payments/imp_1', headers: {}, timeoutMs: 2_000 } as const;

async function counted() {
  const server = await scripted({ 'GET /payments/imp_1': [ok({})] });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const front = await startCounting(server.url);
  onTestFinished(() => front.close());
  return front;
}

test('the connection that was opened early is the one that all calls of a door use', async () => {
  const server = await counted();
  const transport = undiciTransport(server.url, 1);
  await transport.connect();
  expect(server.connections()).toBe(1);
  for (let call = 0; call < 3; call += 1) expect((await transport(request)).status).toBe(200);
  expect(server.connections()).toBe(1);
});

test('an early connection that has died is replaced, and the call is none the worse', async () => {
  const server = await counted();
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
  // The server's side is closed before ours knows.
  await expect.poll(() => sockets.map(({ closed }) => closed)).toEqual([true]);
  expect((await transport(request)).status).toBe(200);
  expect(server.connections()).toBe(2);
});

test('a worker has several connections, for calls at the same time', async () => {
  const server = await counted();
  const transport = undiciTransport(server.url, 8);
  await Promise.all(Array.from({ length: 8 }, () => transport(request)));
  expect(server.connections()).toBe(8);
});

test('nobody there is an error of the early connection alone', async () => {
  const server = await counted();
  await server.close();
  await expect(undiciTransport(server.url, 1).connect()).rejects.toThrow(/ECONNREFUSED/);
});

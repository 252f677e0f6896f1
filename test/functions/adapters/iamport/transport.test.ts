/** The HTTP transport to Iamport, against a faulty server on the loopback interface. */

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { IamportUnexpected } from '../../../../functions/application/faults.ts';

async function transportTo(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return undiciTransport(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const get = { method: 'GET', path: '/payments/imp_1', headers: {}, timeoutMs: 10_000 } as const;

test('stops reading a response of more than 8 MB [T3]', async () => {
  let sent = 0;
  const megabyte = Buffer.alloc(1024 * 1024, 32);
  const transport = await transportTo((_request, response) => {
    const more = () => {
      while (!response.destroyed && sent < 100) {
        sent += 1;
        if (!response.write(megabyte)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  await expect(transport(get)).rejects.toThrow(IamportUnexpected);
  expect(sent).toBeLessThan(100);
});

test('reports notSent for a request without a connection', async () => {
  const transport = undiciTransport('http://127.0.0.1:1');
  await expect(transport(get)).rejects.toMatchObject({ name: 'IamportUnavailable', notSent: true });
});

test('does not report notSent after a reset connection', async () => {
  const transport = await transportTo(({ socket }) => socket.resetAndDestroy());
  await expect(transport(get)).rejects.toMatchObject({ name: 'IamportUnavailable', notSent: false });
});

test('does not report notSent after a timeout', async () => {
  const transport = await transportTo(() => undefined);
  await expect(transport({ ...get, timeoutMs: 50 })).rejects.toMatchObject({ notSent: false });
});

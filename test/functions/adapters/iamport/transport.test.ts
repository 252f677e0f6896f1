/** HTTP to Iamport, against a server on the loopback that does what no server should. */

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

test('an answer of more than 8 MB is not read to its end', async () => {
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

test('a request that no connection could be opened for is surely unsent', async () => {
  const transport = undiciTransport('http://127.0.0.1:1');
  await expect(transport(get)).rejects.toMatchObject({ name: 'IamportUnavailable', notSent: true });
});

test('a request whose connection was reset may have been received', async () => {
  const transport = await transportTo(({ socket }) => socket.resetAndDestroy());
  await expect(transport(get)).rejects.toMatchObject({ name: 'IamportUnavailable', notSent: false });
});

test('a request whose answer does not come may have been received', async () => {
  const transport = await transportTo(() => undefined);
  await expect(transport({ ...get, timeoutMs: 50 })).rejects.toMatchObject({ notSent: false });
});

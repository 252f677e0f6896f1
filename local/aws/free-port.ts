/** A port for a server that cannot bind port 0. */

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A free port of the loopback, below the ephemeral ports of Linux (32768 and up) and macOS (49152 and up). A process
 * that binds port 0 before the server has started cannot get this port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}

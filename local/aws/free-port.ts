/** A port for a server that can only be told its port, and not ask for one. */

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A free port of the loopback, from below those that Linux (32768 and up) and macOS (49152 and up) hand out by
 * themselves: until the server has started, nobody who asks for any port is given this one.
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

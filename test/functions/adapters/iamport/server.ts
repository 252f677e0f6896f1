/** A local HTTP server with scripted replies, which simulates faults of the network and of Iamport. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly tier: unknown;
  readonly body: unknown;
}

export type Reply = (request: IncomingMessage, response: ServerResponse) => void;

export const envelope =
  (status: number, code: number, response: unknown = null, message: string | null = null): Reply =>
  (_request, reply) => {
    reply.writeHead(status, { 'content-type': 'application/json' });
    reply.end(JSON.stringify({ code, message, response }));
  };

export const ok = (response: unknown) => envelope(200, 0, response);

export const tokenReply = (token: string, livesSeconds = 1800) =>
  ok({ access_token: token, now: 1_000_000, expired_at: 1_000_000 + livesSeconds });

/** Replies to the nth call of `<method> <path without query>` with its nth reply. Later calls get the last one. */
export async function scripted(script: Record<string, readonly Reply[]>) {
  const seen: Seen[] = [];
  const used = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { method = '', url: path = '' } = request;
      seen.push({
        method,
        path,
        authorization: request.headers.authorization,
        tier: request.headers.tier,
        body: text && JSON.parse(text),
      });
      const call = `${method} ${path.split('?')[0]}`;
      const replies = script[call] ?? [envelope(418, -1, null, `no reply for ${call}`)];
      const index = used.get(call) ?? 0;
      used.set(call, index + 1);
      replies[Math.min(index, replies.length - 1)]?.(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    count: (call: string) => seen.filter(({ method, path }) => `${method} ${path.split('?')[0]}` === call).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

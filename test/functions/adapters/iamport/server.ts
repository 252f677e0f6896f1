/** A local HTTP server that answers as a test tells it, to see how the client bears what a network and a service can do. */

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
  (_request, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ code, message, response }));
  };

export const ok = (response: unknown) => envelope(200, 0, response);

export const tokenReply = (token: string, livesSeconds = 1800) =>
  ok({ access_token: token, now: 1_000_000, expired_at: 1_000_000 + livesSeconds });

/** Answers the nth call of `<method> <path without query>` with its nth reply, and the last one from then on. */
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
      const replies = script[call] ?? [envelope(418, -1, null, `no script for ${call}`)];
      const turn = used.get(call) ?? 0;
      used.set(call, turn + 1);
      replies[Math.min(turn, replies.length - 1)]?.(request, response);
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

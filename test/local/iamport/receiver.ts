/** A server that records its requests: the shop's side of webhooks and of the confirm process. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  path: string;
  contentType: string;
  body: string;
}

export interface Receiver {
  readonly url: string;
  /** Oldest first. */
  readonly received: ReceivedRequest[];
  /** The responses in order; the last one repeats. */
  responses: { status: number; body?: object }[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedRequest[] = [];
  const receiver = { received, responses: [{ status: 200 }] as Receiver['responses'] };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ path: request.url ?? '', contentType: request.headers['content-type'] ?? '', body });
    const next = (receiver.responses.length > 1 ? receiver.responses.shift() : receiver.responses[0]) ?? {
      status: 200,
    };
    response.writeHead(next.status, { 'content-type': 'application/json' }).end(JSON.stringify(next.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** A server in front of another one, which counts what goes through. DynamoDB is asked, with every call, for the units that it took. */

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Passed {
  /** `GetItem`, `GET /payments/imp_1`. */
  readonly what: string;
  readonly answer: string;
}

export interface Counted {
  readonly url: string;
  /** What was called since this was asked last. */
  taken(): Passed[];
  /** How many were opened so far. */
  connections(): number;
  /** How many are open now. */
  open(): number;
  /** Breaks every connection, as the peers of a frozen instance do. */
  hangUp(): void;
  close(): Promise<void>;
}

/** @param target the address of the other server */
export async function startCounting(target: string): Promise<Counted> {
  const calls: Passed[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const operation = String(request.headers['x-amz-target'] ?? '').match(/^DynamoDB_\d+\.(\w+)$/)?.[1];
    const sent = Buffer.concat(await request.toArray()).toString();
    const body = operation && isCounted(operation) ? withUnits(sent) : sent;
    const { host: _host, 'content-length': _length, ...headers } = request.headers;
    const onward = httpRequest(new URL(request.url ?? '/', target), { method: request.method, headers }, (answer) => {
      void answer.toArray().then((chunks) => {
        const text = Buffer.concat(chunks).toString();
        calls.push({ what: operation ?? `${request.method} ${request.url?.split('?')[0]}`, answer: text });
        response
          .writeHead(answer.statusCode ?? 500, { 'content-type': answer.headers['content-type'] ?? '' })
          .end(text);
      });
    });
    onward.on('error', () => response.destroy()).end(body);
  };
  const server = createServer((request, response) => void pass(request, response));
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => calls.splice(0),
    connections: () => connections,
    open: () => sockets.size,
    hangUp: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isCounted = (operation: string): boolean => /^(?:GetItem|PutItem|UpdateItem|DeleteItem|Query)$/.test(operation);
const withUnits = (body: string): string => JSON.stringify({ ...JSON.parse(body), ReturnConsumedCapacity: 'TOTAL' });

export const isWritten = ({ what, answer }: Passed): boolean =>
  what === 'UpdateItem' && !answer.includes('ConditionalCheckFailedException');

/** DynamoDB's own count for each call that takes units: its name and how many, in the order of the calls. A write whose condition fails takes one too. */
export function unitsOf(calls: readonly Passed[]): [operation: string, units: number][] {
  return calls.flatMap(({ what, answer }) => {
    if (!isCounted(what)) return [];
    const { ConsumedCapacity } = JSON.parse(answer) as { ConsumedCapacity?: { CapacityUnits: number } };
    return [[what, ConsumedCapacity?.CapacityUnits ?? 1]];
  });
}

/** A proxy that counts calls and connections. It adds ReturnConsumedCapacity to calls of DynamoDB, which then returns their units. */

import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ProxiedCall {
  /** `GetItem`, `GET /payments/imp_1`. */
  readonly operation: string;
  readonly response: string;
}

export interface Counted {
  readonly url: string;
  /** @returns the calls since the last call of this function */
  taken(): ProxiedCall[];
  /** Connections opened so far. */
  connections(): number;
  /** Connections open now. */
  open(): number;
  /** Breaks every connection, as the peers of a frozen instance do. */
  hangUp(): void;
  close(): Promise<void>;
}

/** @param target the address of the other server */
export async function startCounting(target: string): Promise<Counted> {
  const calls: ProxiedCall[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const operation = String(request.headers['x-amz-target'] ?? '').match(/^DynamoDB_\d+\.(\w+)$/)?.[1];
    const sent = Buffer.concat(await request.toArray()).toString();
    const body = operation && isCounted(operation) ? withUnits(sent) : sent;
    const { host: _host, 'content-length': _length, ...headers } = request.headers;
    const forwarded = httpRequest(
      new URL(request.url ?? '/', target),
      { method: request.method, headers },
      (received) => {
        void received.toArray().then((chunks) => {
          const text = Buffer.concat(chunks).toString();
          calls.push({ operation: operation ?? `${request.method} ${request.url?.split('?')[0]}`, response: text });
          response
            .writeHead(received.statusCode ?? 500, { 'content-type': received.headers['content-type'] ?? '' })
            .end(text);
        });
      },
    );
    forwarded.on('error', () => response.destroy()).end(body);
  };
  const server = createServer((request, response) => void forward(request, response));
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

export const isWritten = ({ operation, response }: ProxiedCall): boolean =>
  operation === 'UpdateItem' && !response.includes('ConditionalCheckFailedException');

/** The units of each call that consumes some, as DynamoDB returned them, in the order of the calls. A failed condition costs one unit. */
export function unitsOf(calls: readonly ProxiedCall[]): [operation: string, units: number][] {
  return calls.flatMap(({ operation, response }) => {
    if (!isCounted(operation)) return [];
    const { ConsumedCapacity } = JSON.parse(response) as { ConsumedCapacity?: { CapacityUnits: number } };
    return [[operation, ConsumedCapacity?.CapacityUnits ?? 1]];
  });
}

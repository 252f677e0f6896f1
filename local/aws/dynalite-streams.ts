/**
 * Streams for dynalite, which does not implement them: a proxy that reads an item before and after each write, and
 * makes a stream record of both images. Writes run one at a time, so that no other write falls between the two reads.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { localCaller } from './signature.ts';
import type { ChangeSource } from './streams.ts';
import { region } from './template.ts';

export interface StreamingProxy {
  /** The endpoint of the proxy, for all requests. */
  readonly endpoint: string;
  changesOf(table: string): ChangeSource;
  close(): Promise<void>;
}

export async function startStreamingProxy(target: string): Promise<StreamingProxy> {
  const client = new DynamoDBClient({ endpoint: target, region, credentials: localCaller });
  const changes = new Map<string, DynamoDBRecord[]>();
  let sequence = 0;
  let last: Promise<unknown> = Promise.resolve();

  const forward = (headers: Record<string, string>, body: string) => fetch(target, { method: 'POST', headers, body });
  const forwardWrite = async (headers: Record<string, string>, body: string) => {
    const { TableName, Key } = JSON.parse(body);
    const item = async () => (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
    const before = await item();
    const response = await forward(headers, body);
    const after = await item();
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      sequence += 1;
      const images = { ...(before && { OldImage: before }), ...(after && { NewImage: after }) };
      const time = {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
        SequenceNumber: String(sequence).padStart(21, '0'),
      };
      const record = {
        eventName: before ? 'MODIFY' : 'INSERT',
        eventSource: 'aws:dynamodb',
        dynamodb: { Keys: Key, ...images, ...time },
      };
      changes.set(TableName, [...(changes.get(TableName) ?? []), record as DynamoDBRecord]);
    }
    return response;
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { 'x-amz-target': operation = '', authorization = '' } = request.headers;
    const headers = {
      'x-amz-target': String(operation),
      authorization,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': String(request.headers['x-amz-date']),
    };
    const isWrite = String(operation).endsWith('.UpdateItem');
    const forwarding = isWrite ? last.then(() => forwardWrite(headers, body)) : forward(headers, body);
    if (isWrite) last = forwarding.catch(() => undefined);
    const forwarded = await forwarding;
    response.writeHead(forwarded.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await forwarded.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    changesOf: (table) => ({
      async next() {
        const found = changes.get(table) ?? [];
        changes.delete(table);
        return found;
      },
    }),
    async close() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

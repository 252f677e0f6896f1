/**
 * Streams for dynalite, which has none: every write goes through here, and what an item was before and after it makes a record.
 * One write at a time, so that nothing comes between.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { localCaller } from './signature.ts';
import type { ChangeSource } from './streams.ts';
import { region } from './template.ts';

export interface Tap {
  /** The endpoint to write to. */
  readonly endpoint: string;
  changesOf(table: string): ChangeSource;
  close(): Promise<void>;
}

export async function startTap(behind: string): Promise<Tap> {
  const client = new DynamoDBClient({ endpoint: behind, region, credentials: localCaller });
  const changes = new Map<string, DynamoDBRecord[]>();
  let sequence = 0;
  let last: Promise<unknown> = Promise.resolve();

  const passOn = (headers: Record<string, string>, body: string) => fetch(behind, { method: 'POST', headers, body });
  const tapped = async (headers: Record<string, string>, body: string) => {
    const { TableName, Key } = JSON.parse(body);
    const item = async () => (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
    const before = await item();
    const answer = await passOn(headers, body);
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
    return answer;
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { 'x-amz-target': target = '', authorization = '' } = request.headers;
    const headers = {
      'x-amz-target': String(target),
      authorization,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': String(request.headers['x-amz-date']),
    };
    const isWrite = String(target).endsWith('.UpdateItem');
    const asked = isWrite ? last.then(() => tapped(headers, body)) : passOn(headers, body);
    if (isWrite) last = asked.catch(() => undefined);
    const answer = await asked;
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await answer.arrayBuffer()));
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

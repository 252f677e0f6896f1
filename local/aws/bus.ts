/**
 * EventBridge, as far as the publisher calls it: `PutEvents`. Keeps the newest events for the live page and for tests.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalEvent {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
}

export interface LocalBus {
  readonly endpoint: string;
  /** Oldest first. */
  readonly events: readonly LocalEvent[];
  close(): Promise<void>;
}

const maxEvents = 20_000;

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  /** Unix seconds. */
  readonly Time?: number;
}

/** @param onEvent called with every event */
export async function startBus(onEvent?: (event: LocalEvent) => void): Promise<LocalBus> {
  const events: LocalEvent[] = [];
  const put = ({ Source, DetailType, Detail, Time }: Entry) => {
    const id = randomUUID();
    const time = (Time === undefined ? new Date() : new Date(Time * 1000)).toISOString();
    const event = { id, time, source: Source, 'detail-type': DetailType, detail: JSON.parse(Detail) };
    events.push(event);
    onEvent?.(event);
    if (events.length > maxEvents) events.shift();
    return { EventId: id };
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const isKnown = request.headers['x-amz-target'] === 'AWSEvents.PutEvents';
    const { Entries = [] }: { Entries?: Entry[] } = isKnown ? JSON.parse(Buffer.concat(chunks).toString()) : {};
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(isKnown ? { FailedEntryCount: 0, Entries: Entries.map(put) } : { __type: 'UnknownOperation' }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${port}`, events, close };
}

/**
 * SQS, as far as the publisher and the operator's command call it: one queue, by three actions of its JSON protocol.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LocalQueue {
  readonly url: string;
  /** The bodies of the messages that were not deleted, oldest first. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

interface Message {
  readonly body: string;
  /** Milliseconds since 1970. */
  hiddenUntil: number;
}

interface Parameters {
  readonly MessageBody?: string;
  readonly MaxNumberOfMessages?: number;
  /** Seconds. */
  readonly VisibilityTimeout?: number;
  readonly ReceiptHandle?: string;
}

export async function startQueue(): Promise<LocalQueue> {
  const messages = new Map<string, Message>();
  const actions: Readonly<Record<string, (parameters: Parameters) => object>> = {
    SendMessage({ MessageBody = '' }) {
      const MessageId = randomUUID();
      messages.set(MessageId, { body: MessageBody, hiddenUntil: 0 });
      return { MessageId };
    },
    ReceiveMessage({ MaxNumberOfMessages = 1, VisibilityTimeout = 30 }) {
      const visible = [...messages].filter(([, { hiddenUntil }]) => hiddenUntil <= Date.now());
      const taken = visible.slice(0, MaxNumberOfMessages);
      for (const [, message] of taken) message.hiddenUntil = Date.now() + VisibilityTimeout * 1000;
      return { Messages: taken.map(([id, { body }]) => ({ MessageId: id, ReceiptHandle: id, Body: body })) };
    },
    DeleteMessage({ ReceiptHandle = '' }) {
      messages.delete(ReceiptHandle);
      return {};
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, name = ''] = /^AmazonSQS\.(\w+)$/.exec(String(request.headers['x-amz-target'])) ?? [];
    const action = actions[name];
    response.writeHead(action ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' });
    const parameters = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Parameters;
    response.end(JSON.stringify(action ? action(parameters) : { __type: 'com.amazonaws.sqs#UnsupportedOperation' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/000000000000/Unpublished`,
    get bodies() {
      return [...messages.values()].map(({ body }) => body);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

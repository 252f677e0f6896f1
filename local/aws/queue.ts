/**
 * SQS, as far as the functions and the operator's command call it: one queue, by some actions of its JSON protocol. The
 * local event source mapping calls the same actions in this process.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A delivery of a message. Times are milliseconds since 1970. */
export interface Received {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  readonly receiveCount: number;
}

export interface LocalQueue {
  readonly url: string;
  /** The bodies of the messages that were not deleted, oldest first. */
  readonly bodies: readonly string[];
  /** @returns the id of the message */
  send(body: string): string;
  /** @param seconds the visibility timeout */
  receive(most: number, seconds: number): Received[];
  remove(id: string): void;
  close(): Promise<void>;
}

interface Message {
  readonly body: string;
  readonly sentAt: number;
  hiddenUntil: number;
  receiveCount: number;
}

interface Parameters {
  readonly MessageBody?: string;
  readonly MaxNumberOfMessages?: number;
  /** Seconds. */
  readonly VisibilityTimeout?: number;
  readonly ReceiptHandle?: string;
}

/** @param name the last part of the URL */
export async function startQueue(name = 'Unpublished'): Promise<LocalQueue> {
  const messages = new Map<string, Message>();
  const send = (body: string) => {
    const id = randomUUID();
    messages.set(id, { body, sentAt: Date.now(), hiddenUntil: 0, receiveCount: 0 });
    return id;
  };
  const visible = () => [...messages].filter(([, { hiddenUntil }]) => hiddenUntil <= Date.now());
  const receive = (most: number, seconds: number) =>
    visible()
      .slice(0, most)
      .map(([id, message]) => {
        message.hiddenUntil = Date.now() + seconds * 1000;
        message.receiveCount += 1;
        const { body, sentAt, receiveCount } = message;
        return { id, body, sentAt, receiveCount };
      });
  const remove = (id: string) => void messages.delete(id);
  const actions: Readonly<Record<string, (parameters: Parameters) => object>> = {
    SendMessage: ({ MessageBody = '' }) => ({ MessageId: send(MessageBody) }),
    ReceiveMessage({ MaxNumberOfMessages = 1, VisibilityTimeout = 30 }) {
      const taken = receive(MaxNumberOfMessages, VisibilityTimeout);
      return { Messages: taken.map(({ id, body }) => ({ MessageId: id, ReceiptHandle: id, Body: body })) };
    },
    DeleteMessage({ ReceiptHandle = '' }) {
      remove(ReceiptHandle);
      return {};
    },
    ChangeMessageVisibility({ ReceiptHandle = '', VisibilityTimeout = 0 }) {
      const message = messages.get(ReceiptHandle);
      if (message) message.hiddenUntil = Date.now() + VisibilityTimeout * 1000;
      return {};
    },
    GetQueueAttributes: () => ({
      Attributes: {
        ApproximateNumberOfMessages: String(visible().length),
        ApproximateNumberOfMessagesNotVisible: String(messages.size - visible().length),
      },
    }),
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, called = ''] = /^AmazonSQS\.(\w+)$/.exec(String(request.headers['x-amz-target'])) ?? [];
    const action = actions[called];
    response.writeHead(action ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' });
    const parameters = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Parameters;
    response.end(JSON.stringify(action ? action(parameters) : { __type: 'com.amazonaws.sqs#UnsupportedOperation' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/000000000000/${name}`,
    send,
    receive,
    remove,
    get bodies() {
      return [...messages.values()].map(({ body }) => body);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

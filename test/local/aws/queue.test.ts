/**
 * The calls of functions/adapters/sqs.ts over HTTP, to the local queue and to servers that refuse or do not respond.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, expect, test } from 'vitest';
import { messageCount, messageHider, messageQueue } from '../../../functions/adapters/sqs.ts';
import { QueueUnavailable } from '../../../functions/application/faults.ts';
import { startQueue } from '../../../local/aws/queue.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function clientWith(requestTimeout = 2_000) {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const requestHandler = { connectionTimeout: 1_000, requestTimeout, throwOnRequestTimeout: true };
  const client = new EventBridgeClient({ region: 'ap-northeast-2', credentials, requestHandler });
  closers.push(() => client.destroy());
  return client;
}

async function server(handler: Parameters<typeof createServer>[1]) {
  const listening = createServer(handler as never);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  closers.push(
    () => listening.closeAllConnections(),
    () => listening.close(),
  );
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/123456789012/Unpublished`;
}

test('a message is sent, received once until its visibility timeout, and deleted', async () => {
  const local = await startQueue();
  closers.push(() => local.close());
  const queue = messageQueue(clientWith(), local.url);
  await queue.send({ key: { merchant_uid: '주문-1' } });
  const [message, ...others] = await queue.receive(60);
  expect(JSON.parse(message?.body ?? '')).toEqual({ key: { merchant_uid: '주문-1' } });
  expect(others).toEqual([]);
  expect(await queue.receive(60)).toEqual([]);
  expect(local.bodies).toHaveLength(1);
  if (message) await queue.remove(message);
  expect(local.bodies).toEqual([]);
});

test('a hidden message is received again after that time, and its text is unchanged', async () => {
  const local = await startQueue();
  closers.push(() => local.close());
  const queue = messageQueue(clientWith(), local.url);
  const hide = messageHider(clientWith(), local.url);
  await queue.send('{"a": 1}');
  const [message] = await queue.receive(600);
  expect(message?.body).toBe('{"a": 1}');
  await hide(message?.receipt ?? '', 0);
  expect(await queue.receive(600)).toHaveLength(1);
  await hide(message?.receipt ?? '', 600);
  expect(await queue.receive(600)).toEqual([]);
});

test('counts the messages, also those that a receiver has hidden', async () => {
  const local = await startQueue();
  closers.push(() => local.close());
  const queue = messageQueue(clientWith(), local.url);
  expect(await messageCount(clientWith(), local.url)).toBe(0);
  await queue.send('1');
  await queue.send('2');
  expect(await messageCount(clientWith(), local.url)).toBe(2);
  await queue.receive(600);
  expect(await messageCount(clientWith(), local.url)).toBe(2);
});

test('a call has the queue, the action and a signature for SQS in the region', async () => {
  const calls: { headers: Record<string, unknown>; body: string }[] = [];
  const url = await server(async (request, response) => {
    calls.push({ headers: request.headers, body: Buffer.concat(await request.toArray()).toString() });
    response.end('{}');
  });
  await messageQueue(clientWith(), url).send({ a: 1 });
  expect(JSON.parse(calls[0]?.body ?? '')).toEqual({ QueueUrl: url, MessageBody: '{"a":1}' });
  expect(calls[0]?.headers).toMatchObject({
    'x-amz-target': 'AmazonSQS.SendMessage',
    'content-type': 'application/x-amz-json-1.0',
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/ap-northeast-2\/sqs\/aws4_request/,
    ),
  });
});

test.each([
  [
    'refuses',
    (_request: unknown, response: { statusCode: number; end(text: string): void }) => {
      response.statusCode = 400;
      response.end('{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}');
    },
    'QueueDoesNotExist',
  ],
  ['does not respond', () => undefined, ''],
])('a queue that %s is unavailable', async (_case, handler, message) => {
  const url = await server(handler as never);
  const sent = messageQueue(clientWith(200), url).send({ a: 1 });
  await expect(sent).rejects.toThrow(QueueUnavailable);
  await expect(sent).rejects.toMatchObject({ cause: { message: expect.stringContaining(message) } });
});

/** `redeliver` and the webhooks in `attention`, on the whole local system with a real server of a shop. */

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { webhookDestination } from '../../ops/destinations.ts';
import { messagesIn } from '../../ops/messages.ts';
import { redeliver } from '../../ops/redeliver.ts';
import { runOperator } from '../support/operator.ts';
import { type ShopServer, startShopServer, webhooksAssembly } from '../support/shop-server.ts';
import { type System, startSystem } from '../support/system.ts';

/** A timeout against hanging, not a measure of speed. Milliseconds. */
const delivered = 50_000;

let shop: ShopServer;
let system: System;
beforeAll(async () => {
  shop = await startShopServer();
  const webhooks = { url: shop.url, secret: shop.secret };
  system = await startSystem({ assembly: await webhooksAssembly(), webhooks });
  system.iamport.settings.webhooks = 'never';
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
}, 300_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await system.close();
  await shop.close();
});

const run = (...args: string[]) => runOperator([...args, '--local', '--url', system.url]);

async function paidOrder(status = 204): Promise<{ merchantUid: string; impUid: string }> {
  shop.answers.push((response) => response.writeHead(status).end());
  const merchantUid = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
  system.iamport.ledger.pay(imp_uid);
  await system.complete({ imp_uid, merchant_uid: merchantUid });
  await arrived(merchantUid, 1);
  return { merchantUid, impUid: imp_uid };
}

/** Waits for so many webhooks of an order. */
const arrived = (merchantUid: string, count: number) =>
  vi.waitFor(() => {
    const seen = shop.seen.filter(({ event }) => event.data.merchant_uid === merchantUid);
    expect(seen).toHaveLength(count);
    return seen;
  }, delivered);

test.each([
  ['its merchant_uid', ({ merchantUid }: { merchantUid: string }) => merchantUid],
  ['the imp_uid of its payment', ({ impUid }: { impUid: string }) => impUid],
  ['the id of its event', ({ merchantUid }: { merchantUid: string }) => `${merchantUid}:2`],
])('sends the last event of an order again with the same body and id, by %s', async (_what, subjectOf) => {
  const order = await paidOrder();
  const published = system.bus.events.length;
  const { code, stdout } = await run('redeliver', subjectOf(order));
  expect([code, stdout]).toEqual([0, `Sent again: ${new URL(shop.url).host}: Payment Paid ${order.merchantUid}:2\n`]);
  const [first, second] = await arrived(order.merchantUid, 2);
  expect(second?.headers['webhook-id']).toBe(`${order.merchantUid}:2`);
  expect(second?.event.data).toEqual(first?.event.data);
  // Other subscribers of the bus get nothing.
  expect(system.bus.events).toHaveLength(published);
});

test('lists an event that is not the last one of its order, and exits with 5', async () => {
  const { merchantUid } = await paidOrder();
  const { code, stdout } = await run('redeliver', `${merchantUid}:1`);
  expect([code, stdout]).toEqual([5, expect.stringContaining(`Not sent: ${merchantUid}:1: the event is not the last`)]);
});

test.each(['unknown-order', 'unknown-order:2'])('is refused for %s', async (subject) => {
  const { code, stdout } = await run('redeliver', subject);
  expect([code, stdout]).toEqual([3, 'Nothing to send\n']);
});

test('is a misuse without a subject or --queue', async () => {
  expect((await run('redeliver')).code).toBe(2);
  expect((await run('redeliver', 'order', '--queue')).code).toBe(2);
});

describe('webhooks that are not sent again', () => {
  test('are counted by attention, and sent by redeliver --queue', async () => {
    const { merchantUid } = await paidOrder(410);
    const { host } = new URL(shop.url);
    await vi.waitFor(async () => {
      const { code, stdout } = await run('attention');
      expect([code, stdout]).toEqual([5, expect.stringContaining(`then redeliver --queue: ${host} (1)`)]);
    }, delivered);
    const { stdout: json } = await run('attention', '--json');
    expect(JSON.parse(json).webhooks).toEqual([{ receiver: host, count: 1 }]);
    const { code, stdout } = await run('redeliver', '--queue');
    expect([code, stdout]).toEqual([0, `Sent again: ${host}: Payment Paid ${merchantUid}:2\n`]);
    await arrived(merchantUid, 2);
    expect(await run('attention')).toMatchObject({ code: 0, stdout: 'No item needs the operator\n' });
    expect(await run('redeliver', '--queue')).toMatchObject({ code: 0, stdout: 'Nothing to send\n' });
  });

  test('are not forgotten while an interrupted run hides them', async () => {
    await paidOrder(410);
    const { host } = new URL(shop.url);
    const deadLetters = () => system.webhooks.destinations[0]?.deadLetters;
    await vi.waitFor(() => expect(deadLetters()?.bodies).toHaveLength(1), delivered);
    const [taken] = deadLetters()?.receive(10, 120) ?? [];
    const { code, stdout } = await run('redeliver', '--queue');
    expect([code, stdout]).toEqual([5, expect.stringContaining('Run this again in two minutes\n')]);
    expect(await run('attention')).toMatchObject({ code: 5, stdout: expect.stringContaining(`${host} (1)`) });
    deadLetters()?.remove(taken?.id ?? '');
  });

  test('of a server that still answers 410 end in the dead-letter queue again', async () => {
    const { merchantUid } = await paidOrder(410);
    const waiting = () => system.webhooks.destinations[0]?.deadLetters.bodies;
    await vi.waitFor(() => expect(waiting()).toHaveLength(1), delivered);
    shop.answers.push((response) => response.writeHead(410).end());
    expect((await run('redeliver', '--queue')).code).toBe(0);
    await arrived(merchantUid, 2);
    await vi.waitFor(() => expect(waiting()).toHaveLength(1), delivered);
  });
});

test('redeliver --queue moves no more than the queue had at its start', async () => {
  const message = { body: '{}', receipt: 'receipt-1' };
  // Ten calls return messages, so that a test of an unbounded loop ends.
  const receive = vi.fn(async () => (receive.mock.calls.length <= 10 ? [message, message] : []));
  const deadLetters = { receive, remove: async () => undefined };
  const queue = { send: vi.fn() };
  const destination = { receiver: 'shop.example', queue, deadLetters, undelivered: async () => 3 };
  const deployment = { webhooks: async () => [destination] };
  const call = { subject: '', options: { queue: true }, deployment, messageFor: messagesIn('en'), print: vi.fn() };
  await redeliver(call as never);
  // Two calls of two messages each.
  expect(queue.send).toHaveBeenCalledTimes(4);
});

test('a URL with named events receives no others', () => {
  const variables = {
    WEBHOOK_URL: 'https://shop.example/in?key=1',
    WEBHOOK_SECRET_ARN: 'arn',
    WEBHOOK_QUEUE_URL: 'https://sqs.example/1/queue',
    WEBHOOK_DEAD_LETTERS_URL: 'https://sqs.example/1/dead-letters',
  };
  expect(webhookDestination(variables).receives('Order Closed')).toBe(true);
  const named = webhookDestination({ ...variables, WEBHOOK_EVENTS: 'Payment Paid,Escrow Changed' });
  expect(['Payment Paid', 'Escrow Changed', 'Order Closed'].map(named.receives)).toEqual([true, true, false]);
  expect(named.receiver).toBe('shop.example');
});

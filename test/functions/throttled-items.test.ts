/** DynamoDB throttles one key or one index, or an index is missing: the reconciler processes everything else. */

import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { createReversals } from '../../functions/adapters/dynamodb/reversals.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { IamportBusy } from '../../functions/application/faults.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { beginning, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

type Command = BatchGetItemCommand | GetItemCommand | QueryCommand | UpdateItemCommand;

/** The client, whose calls that `isOf` selects fail with an error of this name. */
const failing = (client: DynamoDBClient, name: string, isOf: (command: Command) => boolean) =>
  ({
    send: async (command: Command) => {
      if (isOf(command)) throw Object.assign(new Error('No capacity'), { name });
      return client.send(command as GetItemCommand);
    },
  }) as unknown as DynamoDBClient;

test.each(['ThrottlingException', 'ProvisionedThroughputExceededException'])(
  'a throttled order stops neither the other due orders nor the scan: %s [T562]',
  async (name) => {
    const { order, paid, reconcile, pass, show, client, names, deps } = await startFixture();
    await order('hot', { expires_at: beginning + 60 });
    await order('due', { expires_at: beginning + 61 });
    await order('paid');
    paid(14_000, 'paid');
    pass(120);
    const hot = failing(
      client,
      name,
      (command) => command instanceof GetItemCommand && command.input.Key?.merchant_uid?.S === 'hot',
    );
    const orders = createOrders(table(hot, names.orders));
    expect(await reconcile({ ...deps, orders })).toMatchObject({
      settled: 1,
      faults: [expect.stringContaining('hot: DynamoDB throttled the call')],
    });
    expect([(await show('due')).status, (await show('paid')).status]).toEqual(['expired', 'paid']);
    pass(3_600);
    await reconcile();
    expect((await show('hot')).status).toBe('expired');
  },
);

test.each([
  ['a throttled', 'ThrottlingException'],
  ['a missing', 'ValidationException'],
])('%s index of orders stops neither refunds nor the scan [T563]', async (_case, name) => {
  const { order, paid, complete, refund, reconcile, pass, show, client, names, deps, iamport } = await startFixture();
  await order();
  await complete(paid());
  iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
  expect(await refund({ amount: 4_000 }, 'key-1')).toMatchObject({ status: 202 });
  await order('paid');
  paid(14_000, 'paid');
  pass(600);
  const orders = createOrders(
    table(
      failing(client, name, (command) => command instanceof QueryCommand),
      names.orders,
    ),
  );
  expect(await reconcile({ ...deps, orders })).toMatchObject({
    finished: false,
    settled: 1,
    faults: [expect.stringContaining('class order'), expect.stringContaining('class order')],
  });
  expect((await show()).refunds).toMatchObject([{ state: 'done' }]);
  expect((await show('paid')).status).toBe('paid');
});

test('a throttle of records of unmatched payments leaves the checkpoint before them', async () => {
  const { paid, reconcile, pass, client, names, deps, now } = await startFixture();
  await reconcile();
  paid(14_000, 'unmatched');
  pass(300);
  const hot = failing(client, 'ThrottlingException', (command) => command instanceof UpdateItemCommand);
  const reversals = createReversals(table(hot, names.reversals));
  expect(await reconcile({ ...deps, reversals })).toMatchObject({ orphans: 0, finished: false });
  pass(3_600);
  expect(await reconcile()).toMatchObject({ orphans: 1, finished: true, scannedUntil: now() });
});

test('counts how long items have waited that a 429 stops in every run [T659]', async () => {
  const { order, reconcile, pass, deps, counted } = await startFixture();
  for (const name of ['a', 'b']) await order(name, { expires_at: beginning + 60 });
  const payments = async (): Promise<never> => {
    throw new IamportBusy('Iamport returned 429', { retryAfterMs: 5_000 });
  };
  for (let run = 0; run < 13; run += 1) {
    pass(300);
    await reconcile({ ...deps, iamport: { ...deps.iamport, payments } });
  }
  expect(counted.at(-1)?.OldestOverdueItem).toBe(13 * 300 - 60);
  await reconcile();
  expect(counted.at(-1)?.OldestOverdueItem).toBe(0);
});

test('keeps items due that a 429 of Iamport stopped in the middle of a run [T567]', async () => {
  const { order, reconcile, pass, show, deps, now } = await startFixture();
  const names = Array.from({ length: 20 }, (_none, index) => `order-${index}`);
  for (const name of names) await order(name, { expires_at: beginning + 60 });
  pass(86_400);
  let calls = 0;
  const busyAfterFive: HandlerDependencies['iamport']['payments'] = async (...call) => {
    calls += 1;
    if (calls > 5) throw new IamportBusy('Iamport returned 429', { retryAfterMs: 5_000 });
    return deps.iamport.payments(...call);
  };
  await reconcile({ ...deps, iamport: { ...deps.iamport, payments: busyAfterFive } });
  const left = await deps.orders.due(now(), 100);
  expect(left).toHaveLength(15);
  pass(300);
  await reconcile();
  const after = await Promise.all(names.map(async (name) => (await show(name)).status));
  expect(new Set(after)).toEqual(new Set(['expired']));
});

test('reads no payment at Iamport to judge a throttle of DynamoDB [T665]', async () => {
  const { order, paid, reconcile, pass, client, names, deps } = await startFixture();
  await order();
  paid();
  paid(14_000, 'unmatched');
  await reconcile();
  await order('hot', { expires_at: beginning + 60 });
  pass(120);
  const read: string[] = [];
  const iamport: HandlerDependencies['iamport'] = {
    ...deps.iamport,
    payment: (impUid, tier) => {
      read.push(impUid);
      return deps.iamport.payment(impUid, tier);
    },
  };
  const isHot = (command: Command) => command instanceof GetItemCommand && command.input.Key?.merchant_uid?.S === 'hot';
  const orders = createOrders(table(failing(client, 'ThrottlingException', isHot), names.orders));
  expect(await reconcile({ ...deps, orders, iamport })).toMatchObject({ faultCount: 1, finished: true });
  expect(read).toEqual([]);
});

/** The client, to which DynamoDB answers as it does while it throttles these orders: it names no key. */
const throttling = (client: DynamoDBClient, isHot: (merchantUid: string) => boolean) =>
  failing(client, 'ProvisionedThroughputExceededException', (command) => {
    const batches = command instanceof BatchGetItemCommand ? Object.values(command.input.RequestItems ?? {}) : [];
    const keys = batches.flatMap(({ Keys = [] }) => Keys);
    if (command instanceof GetItemCommand && command.input.Key) keys.push(command.input.Key);
    return keys.some(({ merchant_uid }) => merchant_uid?.S !== undefined && isHot(merchant_uid.S));
  });

test('a throttled order does not keep the page of its payment unsettled [T661]', async () => {
  const { order, paid, reconcile, pass, show, client, names, deps, now } = await startFixture();
  const all = Array.from({ length: 12 }, (_none, index) => `order-${index}`);
  for (const name of ['hot', ...all]) {
    await order(name);
    paid(14_000, name);
  }
  pass(120);
  const orders = createOrders(
    table(
      throttling(client, (name) => name === 'hot'),
      names.orders,
    ),
  );
  expect(await reconcile({ ...deps, orders })).toMatchObject({
    ...{ settled: 12, finished: true, scannedUntil: now() },
    faults: [expect.stringContaining('order hot cannot be read: DynamoDB throttled the call')],
  });
  expect((await show('hot')).status).toBe('ready');
  pass(300);
  expect(await reconcile()).toMatchObject({ settled: 1, faults: [] });
  expect((await show('hot')).status).toBe('paid');
});

test('records a payment without an order whose number was throttled [T662]', async () => {
  const { order, paid, reconcile, pass, client, names, deps } = await startFixture();
  await order();
  paid();
  paid(14_000, 'unmatched');
  pass(120);
  const orders = createOrders(
    table(
      throttling(client, (name) => name === 'unmatched'),
      names.orders,
    ),
  );
  expect(await reconcile({ ...deps, orders })).toMatchObject({ settled: 1, orphans: 0, finished: true });
  const hot = failing(client, 'ThrottlingException', (command) => command instanceof UpdateItemCommand);
  const reversals = createReversals(table(hot, names.reversals));
  pass(300);
  expect(await reconcile({ ...deps, reversals })).toMatchObject({ orphans: 0 });
  pass(3_600);
  expect(await reconcile()).toMatchObject({ orphans: 1, faults: [] });
  pass(3_600);
  expect(await reconcile()).toMatchObject({ orphans: 0, faults: [] });
});

test('reads a page in shorter pages that the table has no capacity for [T663]', async () => {
  const { order, paid, reconcile, pass, show, client, names, deps, now } = await startFixture();
  const all = Array.from({ length: 30 }, (_none, index) => `order-${index}`);
  for (const name of all) {
    await order(name);
    paid(14_000, name);
  }
  pass(120);
  let [capacity, calls] = [0, 0];
  const limited = throttling(client, () => {
    calls += 1;
    capacity -= 1;
    return capacity < 0;
  });
  const orders = createOrders(table(limited, names.orders));
  expect(await reconcile({ ...deps, orders })).toMatchObject({ settled: 0, finished: false });
  expect(calls).toBeLessThan(40);
  expect((await deps.checkpoints.read(['recent'])).checkpoint('recent')?.unresolved).toEqual([]);
  const settled: number[] = [];
  for (let run = 0; run < 30 && settled.reduce((sum, one) => sum + one, 0) < 30; run += 1) {
    pass(300);
    // Less than the page of thirty payments takes, and enough for ten of them.
    capacity = 29;
    settled.push((await reconcile({ ...deps, orders })).settled);
  }
  expect(Math.max(...settled)).toBeLessThanOrEqual(10);
  expect(new Set(await Promise.all(all.map(async (name) => (await show(name)).status)))).toEqual(new Set(['paid']));
  pass(300);
  expect(await reconcile()).toMatchObject({ finished: true, scannedUntil: now() });
});

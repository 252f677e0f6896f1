/** DynamoDB throttles one key or one index, or an index is missing: the reconciler processes everything else. */

import { type DynamoDBClient, GetItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { createReversals } from '../../functions/adapters/dynamodb/reversals.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { IamportBusy } from '../../functions/application/faults.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { beginning, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

type Command = GetItemCommand | QueryCommand | UpdateItemCommand;

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

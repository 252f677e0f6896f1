/** Heartbeats: how far the publisher is behind, from the items in the tables. */

import { expect, test } from 'vitest';
import { createHeartbeats, heartbeatId } from '../../../functions/adapters/dynamodb/heartbeats.ts';
import { copyRules } from '../../../functions/adapters/dynamodb/restore.ts';
import { ownTable } from '../../../functions/adapters/dynamodb/table-mapping.ts';
import { StoreUnavailable } from '../../../functions/application/faults.ts';
import { sendHeartbeat } from '../../../functions/application/heartbeat.ts';
import type { StreamedTable } from '../../../functions/application/ports/stores.ts';
import { isOrderNumber } from '../../../functions/payment/order.ts';
import type { Counts } from '../../../functions/shared/metrics.ts';
import { portOf, SimulatedTable } from '../../simulation/table.ts';

const start = 1_795_000_000;
const interval = 300;

/** @param isShops the orders are in the shop's own table */
function startHeartbeats(isShops = false) {
  const orders = new SimulatedTable('merchant_uid');
  const reversals = new SimulatedTable('imp_uid');
  const heartbeats = createHeartbeats({ reversals: portOf(reversals), ...(!isShops && { orders: portOf(orders) }) });
  let runs = 0;
  return {
    orders,
    reversals,
    /** A run of the reconciler. @param received the streams whose heartbeat of this run reaches the publisher */
    async run(...received: StreamedTable[]): Promise<number | undefined> {
      const now = start + interval * runs++;
      let counts: Counts = {};
      const clock = { now: () => now * 1000, sleep: async () => undefined };
      await sendHeartbeat({
        heartbeats,
        clock,
        count: (counted) => (counts = counted),
        log: () => expect.unreachable(),
      });
      for (const table of received) await heartbeats.received({ table, sentAt: now });
      return counts.PublishLag;
    },
    /** Runs of the reconciler that the schedule does not start. */
    skip: (some: number) => {
      runs += some;
    },
    received: (table: StreamedTable, run: number) => heartbeats.received({ table, sentAt: start + interval * run }),
  };
}

test('the lag of the publisher is 0 from the first run on, while both streams reach it', async () => {
  const { run } = startHeartbeats();
  const lags = [];
  for (let runs = 0; runs < 5; runs += 1) lags.push(await run('orders', 'reversals'));
  expect(lags).toEqual([0, 0, 0, 0, 0]);
});

test.each<[string, StreamedTable[]]>([
  ['orders', ['reversals']],
  ['reversals', ['orders']],
  ['either table', []],
])(
  '[T490] the lag grows with each run while the stream of %s does not reach the publisher, and ends afterwards',
  async (_stopped, received) => {
    const { run } = startHeartbeats();
    await run('orders', 'reversals');
    const lags = [];
    for (let runs = 0; runs < 5; runs += 1) lags.push(await run(...received));
    expect(lags).toEqual([0, 300, 600, 900, 1_200]);
    expect(await run('orders', 'reversals')).toBe(1_500);
    expect(await run('orders', 'reversals')).toBe(0);
  },
);

test('the lag grows from the first run on where a stream has never reached the publisher', async () => {
  const { run } = startHeartbeats();
  const lags = [];
  for (let runs = 0; runs < 5; runs += 1) lags.push(await run('reversals'));
  expect(lags).toEqual([0, 0, 300, 600, 900]);
});

test('a heartbeat that the publisher receives again changes nothing', async () => {
  const { run, received } = startHeartbeats();
  for (let runs = 0; runs < 3; runs += 1) await run('orders', 'reversals');
  await received('orders', 0);
  expect(await run()).toBe(0);
});

test('a schedule that was off for a day leaves no lag', async () => {
  const { run, skip } = startHeartbeats();
  await run('orders', 'reversals');
  skip(288);
  expect(await run('orders', 'reversals')).toBe(0);
});

test('no heartbeat is written into the shop’s own table of orders, and none of it is missed', async () => {
  const { run, orders } = startHeartbeats(true);
  const lags = [];
  for (let runs = 0; runs < 4; runs += 1) lags.push(await run('reversals'));
  expect(lags).toEqual([0, 0, 0, 0]);
  expect(orders.changes).toEqual([]);
});

test('a heartbeat that cannot be written is logged, and does not fail the run', async () => {
  const logged: unknown[] = [];
  const deps = {
    heartbeats: { send: () => Promise.reject(new StoreUnavailable('DynamoDB returned no response')) },
    clock: { now: () => start * 1000, sleep: async () => undefined },
    count: () => expect.unreachable(),
    log: (...line: unknown[]) => void logged.push(line),
  };
  await sendHeartbeat(deps);
  const causes = ['StoreUnavailable: DynamoDB returned no response'];
  expect(logged).toEqual([[{ code: 'heartbeat_not_sent', causes }, true]]);
});

test('no order and no payment can have the key of a heartbeat', () => {
  expect(isOrderNumber(heartbeatId)).toBe(false);
  expect(heartbeatId.length).toBeGreaterThan(40);
});

test('a restoration copies no heartbeat', async () => {
  const { run, orders, reversals } = startHeartbeats();
  await run('orders', 'reversals');
  const rules = copyRules(ownTable, '1');
  const [ofOrders] = [...orders.items()];
  const [ofReversals] = [...reversals.items()];
  expect(rules.orders.plan(ofOrders ?? {}, undefined)).toBe('skipped');
  expect(rules.reversals.plan(ofReversals ?? {}, undefined)).toBe('skipped');
});

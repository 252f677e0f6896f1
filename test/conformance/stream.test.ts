/** The tables' streams, on every engine that the store runs on: each step of an item in order, and again until it is published. */

import type { DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHeartbeats } from '../../functions/adapters/dynamodb/heartbeats.ts';
import type { BusEntry } from '../../functions/application/ports/delivery.ts';
import { storedValue } from '../../functions/application/ports/stores.ts';
import { publish } from '../../functions/handlers/publish.ts';
import { systemClock } from '../../functions/runtime/clock.ts';
import { publisherDependenciesFrom } from '../../functions/runtime/publisher-dependencies.ts';
import { Activity } from '../../local/aws/activity.ts';
import type { LambdaFunction } from '../../local/aws/lambda.ts';
import { follow } from '../../local/aws/streams.ts';
import { type Fixture, nextRecords, startEngines } from './engines.ts';
import { now, storesIn, terms } from './stores.ts';

const engines = await startEngines();
const unreadable = { send: () => Promise.reject(new Error('every item here can be read')) };
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe.each(engines)('on $name', (engine) => {
  let fixture: Fixture;
  let store: ReturnType<typeof storesIn>;
  beforeEach(async () => {
    fixture = await engine.open();
    store = storesIn(fixture);
    fixture.sent.length = 0;
  });
  const registered = async () => storedValue(await store.orders.register(terms, now)) ?? expect.unreachable();

  describe('the stream', () => {
    test('has every step of an item in order, with both images, and no failed write', async () => {
      const changes = fixture.changesOf('orders');
      const order = await registered();
      await store.orders.register({ ...terms, merchantUid: 'order-2' }, now);
      await store.orders.register(terms, now);
      const failed = await store.orders.change(
        order,
        { status: 'failed', failure: { impUid: 'imp_1', failedAt: now } },
        now,
      );
      await store.orders.change(order, { status: 'expired' }, now);
      if (failed.written) await store.orders.change(failed.value, { status: 'closed' }, now);
      const steps = (await nextRecords(changes, 4)).map(({ eventName, dynamodb = {} }) => [
        dynamodb.Keys?.merchant_uid?.S,
        eventName,
        dynamodb.OldImage?.status?.S,
        dynamodb.NewImage?.status?.S,
        dynamodb.NewImage?.revision?.N,
      ]);
      expect(steps.filter(([key]) => key === 'order-1')).toEqual([
        ['order-1', 'INSERT', undefined, 'ready', '1'],
        ['order-1', 'MODIFY', 'ready', 'failed', '2'],
        ['order-1', 'MODIFY', 'failed', 'closed', '3'],
      ]);
      expect(steps.filter(([key]) => key === 'order-2')).toEqual([['order-2', 'INSERT', undefined, 'ready', '1']]);
    });

    test('keeps the order of an item’s steps under concurrent writes', async () => {
      const changes = fixture.changesOf('orders');
      let order = await registered();
      for (let round = 0; round < 5; round += 1) {
        const read = order;
        const results = await Promise.all([1, 2, 3].map(() => store.orders.change(read, { status: 'ready' }, now)));
        order = results.flatMap((result) => (result.written ? [result.value] : []))[0] ?? expect.unreachable();
      }
      const records = await nextRecords(changes, 6);
      expect(records.map(({ dynamodb }) => dynamodb?.NewImage?.revision?.N)).toEqual(['1', '2', '3', '4', '5', '6']);
      expect(records.map(({ dynamodb }) => dynamodb?.OldImage?.revision?.N)).toEqual([
        undefined,
        '1',
        '2',
        '3',
        '4',
        '5',
      ]);
    });

    test('is delivered again from the record that the bus refused, in order, until every record is published', async () => {
      const source = fixture.changesOf('orders');
      const order = await registered();
      const failure = { impUid: 'imp_1', failedAt: now };
      const failed = await store.orders.change(order, { status: 'failed', failure }, now);
      if (failed.written) await store.orders.change(failed.value, { status: 'closed' }, now);
      const names: string[] = [];
      const problems: string[] = [];
      let refusals = 2;
      const put = async (entries: readonly BusEntry[]) => {
        names.push(...entries.map(({ detailType }) => detailType));
        return entries.map(({ detailType }) => detailType !== 'Payment Failed' || refusals-- <= 0);
      };
      const deps = publisherDependenciesFrom({
        bus: { put },
        reversals: fixture.tables.reversals,
        clock: systemClock,
        count: () => undefined,
        log: () => undefined,
        unreadable,
      });
      const invoke = (event: DynamoDBStreamEvent) => publish(deps, event);
      const following = follow({
        lambda: { invoke } as unknown as LambdaFunction,
        source,
        activity: new Activity(),
        batchSize: 100,
        retries: 5,
        filters: [{ eventName: ['INSERT', 'MODIFY'] }],
        report: (problem) => problems.push(problem),
      });
      await vi.waitFor(() => expect(names.at(-1)).toBe('Order Closed'), 30_000);
      await following.close();
      expect(names).toEqual(['Payment Failed', 'Payment Failed', 'Payment Failed', 'Order Closed']);
      // A batch whose first record fails is reported whole, so that Lambda bisects it.
      expect(problems.filter((problem) => !problem.includes('Failed at the first of'))).toEqual([]);
    });

    test('[T491] returns the heartbeats of both tables to the reconciler through the publisher, without an event', async () => {
      const { tables } = fixture;
      const heartbeats = createHeartbeats(tables);
      const sources = [fixture.changesOf('orders'), fixture.changesOf('reversals')];
      const put = () => Promise.reject(new Error('a heartbeat is not an event'));
      const deps = publisherDependenciesFrom({
        bus: { put },
        reversals: tables.reversals,
        clock: systemClock,
        count: () => undefined,
        log: () => undefined,
        unreadable,
      });
      const lags = [await heartbeats.send(now), await heartbeats.send(now + 300), await heartbeats.send(now + 600)];
      expect(lags).toEqual([0, 0, 300]);
      for (const source of sources) {
        const Records = await nextRecords(source, 3);
        expect(await publish(deps, { Records })).toEqual({ batchItemFailures: [] });
      }
      expect(await heartbeats.send(now + 900)).toBe(0);
    });
  });
});

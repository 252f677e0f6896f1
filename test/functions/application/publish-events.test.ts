/** The use case of the publisher, on changes and ports of this process. */

import { describe, expect, test } from 'vitest';
import {
  BusUnavailable,
  EventRefused,
  QueueUnavailable,
  StoreRefused,
  StoreThrottled,
  StoreUnavailable,
  StoreUnexpected,
} from '../../../functions/application/faults.ts';
import type {
  EventPublisher,
  ItemChange,
  UnreadableRecord,
  Versions,
} from '../../../functions/application/ports/delivery.ts';
import type { Heartbeat } from '../../../functions/application/ports/stores.ts';
import { type PublishDependencies, publishEvents } from '../../../functions/application/publish-events.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import type { ReversalRequest } from '../../../functions/payment/reversal.ts';
import type { LogLine } from '../../../functions/shared/log-line.ts';
import type { Counts } from '../../../functions/shared/metrics.ts';
import { orderIn, refund, reversalIn, states, won } from '../payment/cases.ts';

const changedAt = 1_795_000_000;
const changeOf = (sequenceNumber: string, versions: () => Versions | undefined): ItemChange => ({
  table: 'orders',
  key: { merchant_uid: 'order-1' },
  sequenceNumber,
  changedAt,
  versions,
  restoreIfOverwritten: async () => undefined,
});
const paid: OrderState = { status: 'paid', impUid: 'imp_9', record: { payMethod: 'card' } };
/** The step of an order from one state to the next. */
const step = (
  sequenceNumber: string,
  next: OrderState,
  { from = { status: 'ready' }, terms = {} }: { from?: OrderState; terms?: Partial<Order> } = {},
) =>
  changeOf(sequenceNumber, () => ({
    kind: 'order',
    before: { ...orderIn(from), ...terms },
    after: { ...orderIn(next), ...terms, revision: 8 },
  }));
const unreadable = (sequenceNumber: string) =>
  changeOf(sequenceNumber, () => {
    throw new StoreUnexpected('The status of order order-1 is unknown');
  });

type Publish = EventPublisher['publish'];

/** @param publish the port; by default it accepts every event */
function createDeps(publish: Publish = async () => true) {
  const sent: string[] = [];
  const requested: ReversalRequest[] = [];
  const counted: [Counts, Readonly<Record<string, string>>][] = [];
  const kept: UnreadableRecord[] = [];
  const logged: [LogLine, boolean][] = [];
  const heartbeats: Heartbeat[] = [];
  const deps: PublishDependencies = {
    events: {
      publish: (event, at) => {
        sent.push(event.name);
        return publish(event, at);
      },
    },
    reversals: {
      request: async (request) => {
        requested.push(request);
        return { written: true, value: reversalIn(request) };
      },
    },
    heartbeats: { received: async (heartbeat) => void heartbeats.push(heartbeat) },
    clock: { now: () => changedAt * 1000, sleep: async () => undefined },
    count: (counts, by) => counted.push([counts, by]),
    log: (line, isFault) => logged.push([line, isFault]),
    unreadable: { send: async (record) => void kept.push(record) },
  };
  return { deps, sent, requested, counted, kept, logged, heartbeats };
}

describe('the events of a change', () => {
  test('are published with the time of the change', async () => {
    const times: number[] = [];
    const { deps } = createDeps(async (_event, at) => times.push(at) > 0);
    expect(await publishEvents(deps, [step('1', paid)])).toBeUndefined();
    expect(times).toEqual([changedAt]);
  });

  test('are those of its kind of item', async () => {
    const { deps, sent } = createDeps();
    const notification = { impUid: 'imp_1', merchantUid: 'order-1', event: 'New', content: {}, updatedAt: 5 };
    const versions: readonly Versions[] = [
      { kind: 'reversal', after: reversalIn() },
      { kind: 'refund', before: refund, after: { ...refund, state: 'done', revision: 2 } },
      { kind: 'notification', after: notification },
    ];
    await publishEvents(
      deps,
      versions.map((one, index) => changeOf(String(index), () => one)),
    );
    expect(sent).toEqual(['Payment Rejected', 'Refund Completed', 'Unrecognised Notification']);
  });

  test('are published one by one, and a later one never before the bus accepted the earlier one', async () => {
    const partly: OrderState = { ...paid, status: 'partial_cancelled', cancelledAmount: won(4_000) };
    const { deps, sent } = createDeps(async ({ name }) => name !== 'Payment Paid');
    const change = step('1', partly);
    expect(await publishEvents(deps, [change])).toBe(change);
    expect(sent).toEqual(['Payment Paid']);
  });

  test('are counted once the bus accepted them, and their money by currency', async () => {
    const { deps, counted } = createDeps(async ({ name }) => name !== 'Order Closed');
    const dollars = { terms: { currency: 'USD', amount: won(1_999) } };
    await publishEvents(deps, [
      step('1', paid),
      step('2', paid),
      step('3', paid, dollars),
      step('4', { status: 'expired' }),
      step('5', { status: 'closed' }),
      step('6', paid),
    ]);
    expect(counted).toEqual([
      [{ Events: 3 }, { Event: 'Payment Paid' }],
      [{ Money: 28_000 }, { Event: 'Payment Paid', Currency: 'KRW' }],
      [{ Money: 19.99 }, { Event: 'Payment Paid', Currency: 'USD' }],
      [{ Events: 1 }, { Event: 'Order Expired' }],
    ]);
  });
});

describe('a batch', () => {
  test.each<[string, Publish, LogLine]>([
    ['was not accepted', async () => false, { record: '3', code: 'event_not_accepted' }],
    [
      'got no response',
      () => Promise.reject(new BusUnavailable('down')),
      { record: '3', causes: ['BusUnavailable: down'] },
    ],
  ])('stops at the first change whose event %s', async (_name, fail, line) => {
    let calls = 0;
    const { deps, logged } = createDeps((event, at) => {
      calls += 1;
      return calls === 2 ? fail(event, at) : Promise.resolve(true);
    });
    const changes = [
      changeOf('1', () => undefined),
      step('2', { status: 'closed' }),
      step('3', paid),
      step('4', { status: 'closed' }),
    ];
    expect(await publishEvents(deps, changes)).toBe(changes[2]);
    expect(calls).toBe(2);
    expect(logged).toEqual([[line, true]]);
  });

  test('stops at an outage, so that no later event of the item overtakes the one that failed', async () => {
    for (const outage of [new StoreUnavailable('down'), new BusUnavailable('down'), new TypeError('our own fault')]) {
      const { deps, kept } = createDeps(() => Promise.reject(outage));
      const change = step('7', { status: 'closed' });
      expect(await publishEvents(deps, [change])).toBe(change);
      expect(kept).toEqual([]);
    }
  });
});

describe('a change that is at fault itself', () => {
  test('goes to the operator, and the changes behind it are published', async () => {
    const { deps, sent, kept, counted, logged } = createDeps();
    expect(await publishEvents(deps, [unreadable('7'), step('8', paid)])).toBeUndefined();
    expect(sent).toEqual(['Payment Paid']);
    const reason = 'StoreUnexpected: The status of order order-1 is unknown';
    const key = { merchant_uid: 'order-1' };
    expect(kept).toEqual([{ table: 'orders', key, sequenceNumber: '7', changedAt, reason }]);
    expect(counted).toContainEqual([{ UnreadableRecords: 1 }, {}]);
    const line = { record: '7', code: 'unreadable_record', key: JSON.stringify(key), causes: [reason] };
    expect(logged).toEqual([[line, true]]);
  });

  test('fails when the queue does not accept it', async () => {
    const { deps, sent } = createDeps();
    const queue = { send: () => Promise.reject(new QueueUnavailable('no response')) };
    const changes = [step('6', paid), unreadable('7'), step('8', paid)];
    expect(await publishEvents({ ...deps, unreadable: queue }, changes)).toBe(changes[1]);
    expect(sent).toHaveLength(1);
  });

  test('goes to the operator when the bus refuses its event for the content', async () => {
    const { deps, kept } = createDeps(() => Promise.reject(new EventRefused('MalformedDetail: Detail is malformed')));
    expect(await publishEvents(deps, [step('7', paid)])).toBeUndefined();
    expect(kept).toMatchObject([{ sequenceNumber: '7', reason: expect.stringContaining('MalformedDetail') }]);
  });
});

describe('an account that the order no longer uses', () => {
  const stale = () => step('1', paid, { from: states['waits for an older account'] as OrderState });

  test('is requested to be revoked, by the reconciler', async () => {
    const { deps, requested, sent } = createDeps();
    await publishEvents(deps, [stale()]);
    expect(requested).toMatchObject([{ impUid: 'imp_400', kind: 'revoke', reason: 'duplicate_payment', amount: 0 }]);
    expect(sent).toEqual(['Payment Paid']);
  });

  test('does not delay the event of the order when its reversal cannot be read or written', async () => {
    for (const fault of [new StoreUnexpected('The kind of reversal of imp_400 is missing'), new StoreRefused('full')]) {
      const { deps, sent, kept } = createDeps();
      await publishEvents({ ...deps, reversals: { request: () => Promise.reject(fault) } }, [stale()]);
      expect(sent).toEqual(['Payment Paid']);
      expect(kept).toMatchObject([{ sequenceNumber: '1', reason: expect.stringContaining(fault.message) }]);
    }
  });

  test('fails the change when the table returns no response', async () => {
    const { deps, sent } = createDeps();
    const change = stale();
    const reversals = { request: () => Promise.reject(new StoreUnavailable('down')) };
    expect(await publishEvents({ ...deps, reversals }, [change])).toBe(change);
    expect(sent).toEqual([]);
  });
});

describe('an item that the shop has overwritten', () => {
  const overwritten = (restoration: Awaited<ReturnType<ItemChange['restoreIfOverwritten']>>): ItemChange => ({
    ...step('1', paid),
    restoreIfOverwritten: async () => restoration,
  });

  test.each([
    ['restored', false, { RestoredItems: 1, UnrestoredItems: 0 }],
    ['restored_before', false, { RestoredItems: 0, UnrestoredItems: 0 }],
    ['deleted', false, { RestoredItems: 0, UnrestoredItems: 0 }],
    ['lost', true, { RestoredItems: 0, UnrestoredItems: 1 }],
  ] as const)('publishes nothing, and is logged and counted as %s', async (restoration, isFault, counts) => {
    const { deps, sent, counted, logged } = createDeps();
    expect(await publishEvents(deps, [overwritten(restoration)])).toBeUndefined();
    expect(sent).toEqual([]);
    expect(counted).toEqual([[counts, {}]]);
    const line = { record: '1', merchantUid: 'order-1', code: `overwritten_item_${restoration}` };
    expect(logged).toEqual([[line, isFault]]);
  });

  test('keeps the changes behind it for 15 minutes while DynamoDB throttles it [T664]', async () => {
    const { deps, sent, kept } = createDeps();
    const throttled: ItemChange = {
      ...step('1', paid),
      restoreIfOverwritten: () => Promise.reject(new StoreThrottled('DynamoDB throttled the call')),
    };
    const publishAt = (seconds: number) => {
      const clock = { ...deps.clock, now: () => (changedAt + seconds) * 1000 };
      return publishEvents({ ...deps, clock }, [throttled, step('2', paid)]);
    };
    expect(await publishAt(900)).toBe(throttled);
    expect([sent, kept]).toEqual([[], []]);
    expect(await publishAt(901)).toBeUndefined();
    expect(sent).toEqual(['Payment Paid']);
    const reason =
      'StoreRefused: DynamoDB throttled the restoration for 15 minutes: StoreThrottled: DynamoDB throttled the call';
    expect(kept).toMatchObject([{ sequenceNumber: '1', reason }]);
  });

  test('publishes and logs nothing for the restoration itself', async () => {
    const { deps, sent, counted, logged } = createDeps();
    expect(await publishEvents(deps, [overwritten('is_restoration')])).toBeUndefined();
    expect([sent, counted, logged]).toEqual([[], [], []]);
  });
});

describe('a heartbeat', () => {
  const sentAt = changedAt - 2;
  const beat = () => changeOf('1', () => ({ kind: 'heartbeat', heartbeat: { table: 'orders', sentAt } }));

  test('is recorded as received, and publishes, counts and logs nothing', async () => {
    const { deps, heartbeats, sent, counted, logged } = createDeps();
    expect(await publishEvents(deps, [beat(), step('2', paid)])).toBeUndefined();
    expect(heartbeats).toEqual([{ table: 'orders', sentAt }]);
    expect(sent).toEqual(['Payment Paid']);
    expect(counted.flatMap(([counts]) => Object.keys(counts))).toEqual(['Events', 'Money']);
    expect(logged).toEqual([]);
  });

  test.each([new StoreUnavailable('down'), new StoreRefused('refused')])(
    '[T485] whose receipt cannot be written is logged, and stops no change behind it: %s',
    async (fault) => {
      const { deps, sent, kept, logged } = createDeps();
      const heartbeats = { received: () => Promise.reject(fault) };
      expect(await publishEvents({ ...deps, heartbeats }, [beat(), step('2', paid)])).toBeUndefined();
      expect(sent).toEqual(['Payment Paid']);
      expect(kept).toEqual([]);
      const causes = [`${fault.name}: ${fault.message}`];
      expect(logged).toEqual([[{ record: '1', code: 'heartbeat_not_recorded', causes }, true]]);
    },
  );
});

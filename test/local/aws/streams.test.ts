/** Records are delivered as by an event source mapping: in order, and retried from the failed one. */

import { afterEach, expect, test, vi } from 'vitest';
import { Activity } from '../../../local/aws/activity.ts';
import type { LambdaFunction } from '../../../local/aws/lambda.ts';
import { follow, type Mapping } from '../../../local/aws/streams.ts';

const record = (number: number, eventName = 'MODIFY') => ({
  eventName,
  dynamodb: { SequenceNumber: String(number), Keys: { merchant_uid: { S: `order-${number}` } } },
});

let following: { close(): Promise<void> } | undefined;
afterEach(() => following?.close());

/** Delivers `records` to a function. @returns the batches that it received, and the reported problems */
function deliver(
  records: readonly ReturnType<typeof record>[],
  handler: (numbers: readonly number[]) => unknown,
  more: Partial<Mapping> = {},
) {
  const batches: number[][] = [];
  const reports: string[] = [];
  const pending = [records];
  const invoke = async (event: { Records: ReturnType<typeof record>[] }) => {
    const numbers = event.Records.map(({ dynamodb }) => Number(dynamodb.SequenceNumber));
    batches.push(numbers);
    return handler(numbers);
  };
  following = follow({
    lambda: { invoke } as unknown as LambdaFunction,
    source: { next: async () => (pending.shift() ?? []) as never },
    activity: new Activity(),
    batchSize: 4,
    retries: 3,
    filters: [{ eventName: ['INSERT', 'MODIFY'] }],
    report: (problem) => reports.push(problem),
    ...more,
  });
  return { batches, reports };
}

test('delivers batches without the filtered records', async () => {
  const records = [record(1), record(2), record(3, 'REMOVE'), record(4), record(5), record(6)];
  const { batches } = deliver(records, () => ({ batchItemFailures: [] }));
  await vi.waitFor(() => expect(batches).toEqual([[1, 2, 4, 5], [6]]), 30_000);
});

test('delivers only records whose images match one of several filters', async () => {
  const revision = { iamport_revision: { N: '1' } };
  const images = [
    { NewImage: revision },
    { OldImage: revision, NewImage: {} },
    { NewImage: { total: { N: '1' } } },
    {},
  ];
  const records = images.map((image, at) => ({
    ...record(at + 1),
    dynamodb: { ...record(at + 1).dynamodb, ...image },
  }));
  const pattern = { iamport_revision: { N: [{ exists: true }] } };
  const filters = [{ NewImage: pattern }, { OldImage: pattern }].map((dynamodb) => ({
    eventName: ['MODIFY'],
    dynamodb,
  }));
  const { batches } = deliver(records, () => ({ batchItemFailures: [] }), { filters });
  await vi.waitFor(() => expect(batches).toEqual([[1, 2]]), 30_000);
});

test('retries without end when the mapping sets no limit', async () => {
  let calls = 0;
  const { batches, reports } = deliver(
    [record(1)],
    () => {
      calls += 1;
      return { batchItemFailures: calls > 5 ? [] : [{ itemIdentifier: '1' }] };
    },
    { retries: -1 },
  );
  await vi.waitFor(() => expect(batches).toHaveLength(6), 30_000);
  expect(reports).toEqual([]);
});

test('retries from the failed record, not from those before it', async () => {
  let failed = false;
  const { batches } = deliver(
    [1, 2, 3, 4].map((number) => record(number)),
    (numbers) => {
      if (failed || !numbers.includes(3)) return { batchItemFailures: [] };
      failed = true;
      return { batchItemFailures: [{ itemIdentifier: '3' }] };
    },
  );
  await vi.waitFor(
    () =>
      expect(batches).toEqual([
        [1, 2, 3, 4],
        [3, 4],
      ]),
    10_000,
  );
});

test('bisects a failing batch until the bad record is alone, and gives that record up after its retries', async () => {
  const { batches, reports } = deliver(
    [1, 2, 3].map((number) => record(number)),
    (numbers) => {
      if (numbers.includes(2)) throw new Error('poison');
      return { batchItemFailures: [] };
    },
  );
  await vi.waitFor(() => expect(batches.at(-1)).toEqual([3]), 30_000);
  // Three failures of the first batch's halves, and one retry more than are allowed.
  expect(batches).toEqual([[1, 2, 3], [1], [2, 3], [2], [2], [2], [3]]);
  expect(reports.at(-1)).toContain('given up after 3 retries: {"merchant_uid":{"S":"order-2"}}');
});

test('reads an idle table once a second', async () => {
  const reads: number[] = [];
  const next = async () => {
    reads.push(performance.now());
    return [];
  };
  deliver([], () => undefined, { source: { next } });
  await vi.waitFor(() => expect(reads.length).toBeGreaterThan(4), 30_000);
  const [, , , fourth = 0, fifth = 0] = reads;
  expect(fifth - fourth).toBeGreaterThan(1_000);
});

test('a function that returns ends the wait for the next read, also if it returned during the last read', async () => {
  const activity = new Activity();
  const { signal } = new AbortController();
  const { count } = activity;
  const waiting = activity.wait(600_000, count, signal);
  activity.happened();
  await waiting;
  await activity.wait(600_000, count, signal);
  const ending = new AbortController();
  const ended = activity.wait(600_000, activity.count, ending.signal);
  ending.abort();
  await ended;
});

/**
 * Reads the tables' streams as Lambda does for an event source mapping: in order, in batches, retried from the failed
 * record.
 */

import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Activity } from './activity.ts';
import type { LambdaFunction } from './lambda.ts';

/** The changes of a table. Each call of `next` returns those since the call before. */
export interface ChangeSource {
  next(): Promise<readonly DynamoDBRecord[]>;
}

export interface Mapping {
  readonly lambda: LambdaFunction;
  readonly source: ChangeSource;
  readonly batchSize: number;
  /** -1 retries without end. Lambda does so until a record is too old, which is longer than a local system runs. */
  readonly retries: number;
  /** A record passes when one of the filters matches. */
  readonly filters: readonly RecordFilter[];
  /** Of all functions of the system, which are nearly the only ones to write. */
  readonly activity: Activity;
  /** Called with each skipped record, which Lambda would send to the failure queue, and with each error of a batch. */
  readonly report: (problem: string) => void;
}

/** A pattern of Lambda's event filtering: lists of names, and `[{"exists": true}]` at a leaf. */
export interface RecordFilter {
  readonly eventName: readonly string[];
  readonly dynamodb?: object;
}

/** Lambda reads a shard of a stream four times a second. */
const pollMs = 250;
/** Each poll of DynamoDB Local costs milliseconds of CPU, and only functions and operators write to the tables. */
const idleMs = 1_000;
/** So many polls without a record, and without a function that returned, make an idle system. */
const idleAfter = 4;
/** Lambda waits longer after each failure, up to an hour; a local run retries at this interval. */
const retryMs = 200;

/** Follows one table until it is closed. */
export function follow(mapping: Mapping): { close(): Promise<void> } {
  const ending = new AbortController();
  const done = run(mapping, ending.signal);
  return {
    async close() {
      ending.abort();
      await done;
    },
  };
}

async function run({ source, filters, activity, ...mapping }: Mapping, signal: AbortSignal): Promise<void> {
  let problem = '';
  let idlePolls = 0;
  while (!signal.aborted) {
    const { count } = activity;
    const changes = await source.next().catch((error: Error) => {
      // One failure may be an expired iterator. The same error twice in a row is reported.
      if (problem === error.message && !signal.aborted) mapping.report(problem);
      problem = error.message;
      return [];
    });
    if (changes.length > 0) problem = '';
    const records = changes.filter((change) => filters.some((filter) => isMatched(filter, change)));
    await deliver(mapping, records, signal);
    idlePolls = changes.length > 0 || activity.count !== count ? 0 : idlePolls + 1;
    if (changes.length > 0) continue;
    await wait(pollMs, undefined, { signal }).catch(() => undefined);
    if (idlePolls >= idleAfter) await activity.wait(idleMs, count, signal);
  }
}

/**
 * Source: "Control which events Lambda sends to your function", AWS Lambda developer guide; only the patterns of our
 * template.
 */
function isMatched(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((one) => (Object(one).exists ? value !== undefined : one === value));
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(pattern as object).every(([name, inner]) => isMatched(inner, fields[name]));
}

type Delivery = Omit<Mapping, 'source' | 'filters' | 'activity'>;

async function deliver(
  { lambda, batchSize, retries, report }: Delivery,
  records: readonly DynamoDBRecord[],
  signal: AbortSignal,
) {
  let size = batchSize;
  let failures = 0;
  for (let at = 0; at < records.length && !signal.aborted; ) {
    const batch = records.slice(at, at + size);
    const processed = await invokeWith(lambda, batch, report);
    at += processed;
    if (processed > 0) failures = 0;
    if (processed === batch.length) {
      size = batchSize;
      continue;
    }
    // As in Lambda: after a partial success it continues at the failed record, and it bisects a batch that fails whole.
    size = processed > 0 ? batchSize : Math.max(1, Math.floor(batch.length / 2));
    failures += 1;
    if (retries >= 0 && failures > retries) {
      report(`given up after ${retries} retries: ${JSON.stringify(records[at]?.dynamodb?.Keys)}`);
      at += 1;
      failures = 0;
    }
    await wait(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns the number of records of the batch that the function processed */
async function invokeWith(
  lambda: LambdaFunction,
  Records: readonly DynamoDBRecord[],
  report: Mapping['report'],
): Promise<number> {
  try {
    const returned = (await lambda.invoke({ Records })) as
      | { batchItemFailures?: { itemIdentifier: string }[] }
      | undefined;
    const failed = returned?.batchItemFailures?.[0]?.itemIdentifier;
    if (failed === undefined) return Records.length;
    return Math.max(
      0,
      Records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed),
    );
  } catch (error) {
    report(String(error));
    return 0;
  }
}

/** The stream of a table in DynamoDB Local, from its first record. */
export function streamOf(client: DynamoDBStreamsClient, TableName: string): ChangeSource {
  let iterator: string | undefined;
  let last: string | undefined;
  const begin = async () => {
    const { Streams = [] } = await client.send(new ListStreamsCommand({ TableName }));
    const StreamArn = Streams.at(-1)?.StreamArn;
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
    const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
    const after = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: last } as const;
    const from = last === undefined ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const) : after;
    return (await client.send(new GetShardIteratorCommand({ StreamArn, ShardId, ...from }))).ShardIterator;
  };
  return {
    async next() {
      iterator ??= await begin();
      const current = iterator;
      // DynamoDB Local rejects an iterator from before the first record. After a failure the next call gets a new
      // iterator.
      iterator = undefined;
      const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator: current }));
      iterator = NextShardIterator;
      last = Records.at(-1)?.dynamodb?.SequenceNumber ?? last;
      return Records.map((record) => ({
        ...record,
        eventSource: 'aws:dynamodb',
        dynamodb: {
          ...record.dynamodb,
          ApproximateCreationDateTime: Math.floor(
            (record.dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0) / 1000,
          ),
        },
      })) as DynamoDBRecord[];
    },
  };
}

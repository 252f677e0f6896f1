/** The tables' streams, read as Lambda reads them for an event source mapping: in order, in batches, again from the record that failed. */

import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import type { LambdaFunction } from './lambda.ts';

/** Where a table's changes come from, the next ones each time it is asked. */
export interface ChangeSource {
  next(): Promise<readonly DynamoDBRecord[]>;
}

export interface Mapping {
  readonly lambda: LambdaFunction;
  readonly source: ChangeSource;
  readonly batchSize: number;
  /** -1 retries without end, as Lambda does until a record is too old: longer than a local system runs. */
  readonly retries: number;
  /** The filters of the mapping. A record passes when one of them matches. */
  readonly filters: readonly RecordFilter[];
  /** Told what was given up, as the queue of what failed would hold it, and why a batch failed. */
  readonly report: (problem: string) => void;
}

/** A pattern of Lambda's event filtering: lists of names, and `[{"exists": true}]` at a leaf. */
export interface RecordFilter {
  readonly eventName: readonly string[];
  readonly dynamodb?: object;
}

const pollMs = 100;
/** Lambda waits longer each time; here nobody has an hour. */
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

async function run({ source, filters, ...mapping }: Mapping, signal: AbortSignal): Promise<void> {
  let problem = '';
  while (!signal.aborted) {
    const changes = await source.next().catch((error: Error) => {
      // Twice in a row is more than an iterator that has ended.
      if (problem === error.message && !signal.aborted) mapping.report(problem);
      problem = error.message;
      return [];
    });
    if (changes.length > 0) problem = '';
    const records = changes.filter((change) => filters.some((filter) => isMatched(filter, change)));
    await deliver(mapping, records, signal);
    if (changes.length === 0) await wait(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Source: "Control which events Lambda sends to your function", AWS Lambda developer guide; as much of it as our template has. */
function isMatched(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((one) => (Object(one).exists ? value !== undefined : one === value));
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(pattern as object).every(([name, inner]) => isMatched(inner, fields[name]));
}

type Delivery = Omit<Mapping, 'source' | 'filters'>;

async function deliver(
  { lambda, batchSize, retries, report }: Delivery,
  records: readonly DynamoDBRecord[],
  signal: AbortSignal,
) {
  let size = batchSize;
  let failures = 0;
  for (let at = 0; at < records.length && !signal.aborted; ) {
    const batch = records.slice(at, at + size);
    const told = await tell(lambda, batch, report);
    at += told;
    if (told > 0) failures = 0;
    if (told === batch.length) {
      size = batchSize;
      continue;
    }
    // As Lambda does it: after a part it goes on where that ended, and a batch that fails whole is halved.
    size = told > 0 ? batchSize : Math.max(1, Math.floor(batch.length / 2));
    failures += 1;
    if (retries >= 0 && failures > retries) {
      report(`given up after ${retries} retries: ${JSON.stringify(records[at]?.dynamodb?.Keys)}`);
      at += 1;
      failures = 0;
    }
    await wait(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns how many of the batch were told */
async function tell(
  lambda: LambdaFunction,
  Records: readonly DynamoDBRecord[],
  report: Mapping['report'],
): Promise<number> {
  try {
    const answer = (await lambda.invoke({ Records })) as
      | { batchItemFailures?: { itemIdentifier: string }[] }
      | undefined;
    const failed = answer?.batchItemFailures?.[0]?.itemIdentifier;
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

/** The stream of a table in DynamoDB Local, from its beginning. */
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
      const asked = iterator;
      // DynamoDB Local forgets an iterator that was given out before the first record: the next one begins anew.
      iterator = undefined;
      const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator: asked }));
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

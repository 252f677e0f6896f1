/** Invokes functions by the template's event source mappings and schedules. */

import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Activity } from './activity.ts';
import type { Database } from './dynamodb.ts';
import type { LambdaFunction } from './lambda.ts';
import { localCaller } from './signature.ts';
import { type ChangeSource, follow, type RecordFilter, streamOf } from './streams.ts';
import { type CloudAssembly, idOfArn, region } from './template.ts';

interface WorkerContext {
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly activity: Activity;
  readonly database: Database;
  /** The access key of this system's database. */
  readonly accessKeyId: string;
  readonly report: (problem: string) => void;
  /** Called with every change of a table. */
  readonly onChange?: (table: string, record: DynamoDBRecord) => void;
}

interface Closable {
  close(): Promise<void>;
}

/** Feeds every event source mapping of a table. Those of queues: webhooks.ts. */
export function followStreams(
  assembly: CloudAssembly,
  { functions, activity, database, accessKeyId, report, onChange }: WorkerContext,
): Closable {
  const credentials = { ...localCaller, accessKeyId };
  const client = new DynamoDBStreamsClient({ endpoint: database.endpoint, region, credentials });
  const mappings = assembly
    .ofType('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => isTable(String(properties.EventSourceArn)));
  const followers = mappings.map(({ id, properties }) => {
    const table = idOfArn(String(properties.EventSourceArn)).replace('#StreamArn', '');
    return follow({
      lambda: functionNamed(functions, String(properties.FunctionName)),
      activity,
      source: withArn(table, database.changesOf?.(table) ?? streamOf(client, table), (record) =>
        onChange?.(table, record),
      ),
      batchSize: Number(properties.BatchSize),
      retries: Number(properties.MaximumRetryAttempts),
      filters: filtersIn(properties.FilterCriteria),
      report: (problem) => report(`${id}: ${problem}`),
    });
  });
  return {
    async close() {
      await Promise.all(followers.map((follower) => follower.close()));
      client.destroy();
    },
  };
}

const isTable = (arn: string): boolean => arn.startsWith('arn:aws:dynamodb:');

/** Adds the ARN of the stream to each record, as Lambda does. @param onRecord called with each record */
const withArn = (table: string, source: ChangeSource, onRecord: (record: DynamoDBRecord) => void): ChangeSource => ({
  async next() {
    const eventSourceARN = `arn:aws:dynamodb:${region}:000000000000:table/${table}/stream/local`;
    const records = (await source.next()).map((record) => ({ ...record, eventSourceARN }));
    records.forEach(onRecord);
    return records;
  },
});

/** Invokes the scheduled functions, the first time soon after the start. */
export function runSchedules(assembly: CloudAssembly, { functions, report }: WorkerContext): Closable {
  const timers = assembly.ofType('AWS::Scheduler::Schedule').flatMap(({ id, properties }) => {
    const { Arn, Input = '{}' } = properties.Target as { Arn: string; Input?: string };
    const lambda = functionNamed(functions, idOfArn(Arn));
    const invoke = () => void lambda.invoke(JSON.parse(Input)).catch((error: unknown) => report(`${id}: ${error}`));
    return [setTimeout(invoke, firstRunMs), setInterval(invoke, everyMs(String(properties.ScheduleExpression)))];
  });
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

const firstRunMs = 3_000;

/** `rate(5 minutes)`. @throws Error for an expression of another form */
function everyMs(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour)s?\)$/.exec(expression);
  if (!rate) throw new Error(`The local system does not support the schedule ${expression}`);
  return Number(rate[1]) * (rate[2] === 'hour' ? 3_600_000 : 60_000);
}

/** @throws Error without a filter by `eventName`, which every mapping of the template has */
function filtersIn(criteria: unknown): RecordFilter[] {
  const { Filters = [] } = (criteria ?? {}) as { Filters?: { Pattern: string }[] };
  const patterns = Filters.map(({ Pattern }) => JSON.parse(Pattern) as Partial<RecordFilter>);
  return patterns.length > 0 ? patterns.map(byEventName) : [byEventName({})];
}

function byEventName({ eventName, dynamodb }: Partial<RecordFilter>): RecordFilter {
  if (!eventName) throw new Error('The local system supports only filters with a list of eventName');

  return { eventName, ...(dynamodb && { dynamodb }) };
}

function functionNamed(functions: ReadonlyMap<string, LambdaFunction>, id: string): LambdaFunction {
  const lambda = functions.get(id);
  if (!lambda) throw new Error(`The template has no function ${id}`);
  return lambda;
}

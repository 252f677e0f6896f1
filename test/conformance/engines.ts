/**
 * The engines under the store: AWS's DynamoDB Local, dynalite with the streams of the local system, and the tables of the simulation.
 * The `Engine` flags declare the features that an engine lacks.
 */

import { randomBytes } from 'node:crypto';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { inject } from 'vitest';
import { prefix } from '../../functions/adapters/dynamodb/shop-columns.ts';
import { type Table, table } from '../../functions/adapters/dynamodb/table.ts';
import { startDatabase } from '../../local/aws/dynamodb.ts';
import { type ChangeSource, streamOf } from '../../local/aws/streams.ts';
import { type Change, portOf, SimulatedTable } from '../simulation/table.ts';
import type { TableName } from '../support/provided.d.ts';

/** A command to the engine: its name and its input. */
export interface Sent {
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Fresh tables in one engine. */
export interface Fixture {
  readonly tables: Readonly<Record<TableName | 'shop', Table>>;
  /** The commands so far; empty without a wire. */
  readonly sent: Sent[];
  /** The changes of a table as Lambda receives them. Each call of `next` returns the changes since the last one. */
  changesOf(table: TableName): ChangeSource;
}

export interface Engine {
  readonly name: string;
  /** A failed condition returns the current item. Without this, the store reads the item. */
  readonly returnsItem: boolean;
  /** A condition can compare maps. Without this, a notification that arrives twice is published twice. */
  readonly comparesMaps: boolean;
  /** Commands go over a wire, in pages and batches. */
  readonly hasWire: boolean;
  open(): Promise<Fixture>;
  close(): Promise<void>;
}

/** @returns the three engines, started */
export async function startEngines(): Promise<Engine[]> {
  const dynalite = await startDatabase('dynalite');
  const local = { endpoint: inject('dynamodbEndpoint') };
  return [
    { name: 'DynamoDB Local', returnsItem: true, comparesMaps: true, ...overWire(local) },
    { name: 'dynalite', returnsItem: false, comparesMaps: false, ...overWire(dynalite), close: dynalite.close },
    {
      name: 'the simulation',
      returnsItem: true,
      comparesMaps: true,
      hasWire: false,
      open: async () => simulated(),
      close: nothing,
    },
  ];
}

/** A shop's own table of orders, with our index. */
const shopOrders = {
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [{ AttributeName: 'order_no', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'order_no', AttributeType: 'S' },
    { AttributeName: `${prefix}due_shard`, AttributeType: 'S' },
    { AttributeName: `${prefix}due_at`, AttributeType: 'N' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: `${prefix}due`,
      KeySchema: [
        { AttributeName: `${prefix}due_shard`, KeyType: 'HASH' },
        { AttributeName: `${prefix}due_at`, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
} satisfies Omit<CreateTableCommandInput, 'TableName'>;

const nothing = async () => undefined;

function overWire(database: { endpoint: string; changesOf?: ((table: string) => ChangeSource) | undefined }) {
  const { endpoint, changesOf } = database;
  const opened: { destroy(): void }[] = [];
  const accessKeyId = `test${randomBytes(6).toString('hex')}`;
  const open = async (): Promise<Fixture> => {
    // Each test has its own tables. One database for all: DynamoDB Local runs three polling threads in each until it exits.
    const suffix = randomBytes(6).toString('hex');
    const credentials = { accessKeyId, secretAccessKey: 'local' };
    const options = { endpoint, region: 'ap-northeast-2', credentials };
    const client = new DynamoDBClient(options);
    const streams = new DynamoDBStreamsClient(options);
    opened.push(client, streams);
    const nameOf = (name: TableName | 'shop') => `${name}-${suffix}`;
    for (const [name, { StreamSpecification, ...definition }] of Object.entries(inject('tables'))) {
      const stream = !changesOf && StreamSpecification && { StreamSpecification };
      await client.send(new CreateTableCommand({ ...definition, ...stream, TableName: nameOf(name as TableName) }));
    }
    await client.send(new CreateTableCommand({ ...shopOrders, TableName: nameOf('shop') }));
    const sent = recordCommands(client);
    return {
      tables: {
        orders: table(client, nameOf('orders')),
        reversals: table(client, nameOf('reversals')),
        state: table(client, nameOf('state')),
        shop: table(client, nameOf('shop'), prefix),
      },
      sent,
      changesOf: (name) => changesOf?.(nameOf(name)) ?? streamOf(streams, nameOf(name)),
    };
  };
  const close = async () => {
    for (const client of opened) client.destroy();
  };
  return { hasWire: true, open, close };
}

function recordCommands(client: DynamoDBClient): Sent[] {
  const sent: Sent[] = [];
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        sent.push({ command: commandName, input: args.input as Sent['input'] });
        return next(args);
      },
    { step: 'initialize' },
  );
  return sent;
}

function simulated(): Fixture {
  const tables = {
    orders: new SimulatedTable('merchant_uid'),
    reversals: new SimulatedTable('imp_uid'),
    state: new SimulatedTable('id', '', Math.floor(Date.now() / 1000)),
  };
  const keys = { orders: 'merchant_uid', reversals: 'imp_uid', state: 'id' };
  return {
    tables: {
      orders: portOf(tables.orders),
      reversals: portOf(tables.reversals),
      state: portOf(tables.state),
      shop: portOf(new SimulatedTable('order_no', prefix)),
    },
    sent: [],
    changesOf(name) {
      let returned = 0;
      return {
        async next() {
          const changes = tables[name].changes.slice(returned);
          returned += changes.length;
          return changes.map((change) => recordOf(change, keys[name]));
        },
      };
    },
  };
}

/** A change of the simulated table as a stream record. */
function recordOf({ sequence, key, before, after }: Change, keyAttribute: string): DynamoDBRecord {
  const images = { ...(before && { OldImage: before }), NewImage: after };
  const dynamodb = { Keys: { [keyAttribute]: { S: key } }, SequenceNumber: String(sequence), ...images };
  return { eventName: before ? 'MODIFY' : 'INSERT', eventSource: 'aws:dynamodb', dynamodb } as DynamoDBRecord;
}

/** The next records of a table: waits for `count`, and returns any further ones too, so that a test detects them. */
export async function nextRecords(source: ChangeSource, count: number): Promise<DynamoDBRecord[]> {
  const records: DynamoDBRecord[] = [];
  for (const giveUpAt = Date.now() + 10_000; records.length < count && Date.now() < giveUpAt; ) {
    records.push(...(await source.next()));
  }
  return [...records, ...(await source.next())];
}

/**
 * The engines under the store: AWS's own DynamoDB Local, dynalite behind the tap of the local system, and the tables of the
 * simulation. What an engine cannot do is said here, and nowhere guessed.
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

/** A command that went to the engine, by its name and what it asked. */
export interface Sent {
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Fresh tables in one engine. */
export interface Opened {
  readonly tables: Readonly<Record<TableName | 'shop', Table>>;
  /** What went over the wire so far, where there is one. */
  readonly sent: Sent[];
  /** Everything that changed in a table, as Lambda is told it, and more each time it is asked. */
  changesOf(table: TableName): ChangeSource;
}

export interface Engine {
  readonly name: string;
  /** A condition that failed comes with the item that was in the way. Where it does not, the store reads it. */
  readonly handsBack: boolean;
  /** Two equal maps are equal. Where they are not, a notification that comes twice is told twice. */
  readonly comparesMaps: boolean;
  /** Commands go over a wire, and are cut into pages and batches there. */
  readonly hasWire: boolean;
  open(): Promise<Opened>;
  close(): Promise<void>;
}

/** @returns the three, each ready to open tables in */
export async function startEngines(): Promise<Engine[]> {
  const dynalite = await startDatabase('dynalite');
  const local = { endpoint: inject('dynamodbEndpoint') };
  return [
    { name: 'DynamoDB Local', handsBack: true, comparesMaps: true, ...overWire(local) },
    { name: 'dynalite', handsBack: false, comparesMaps: false, ...overWire(dynalite), close: dynalite.close },
    {
      name: 'the simulation',
      handsBack: true,
      comparesMaps: true,
      hasWire: false,
      open: async () => simulated(),
      close: nothing,
    },
  ];
}

/** A shop's own table of orders, with the index that we need in it. */
const shopOrders = {
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [{ AttributeName: 'order_no', KeyType: 'HASH' }],
  AttributeDefinitions: [
    { AttributeName: 'order_no', AttributeType: 'S' },
    { AttributeName: `${prefix}watch`, AttributeType: 'S' },
    { AttributeName: `${prefix}due_at`, AttributeType: 'N' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: `${prefix}due`,
      KeySchema: [
        { AttributeName: `${prefix}watch`, KeyType: 'HASH' },
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
  const open = async (): Promise<Opened> => {
    // Tables of their own for each test, in an engine that all of them share.
    const suffix = randomBytes(6).toString('hex');
    const credentials = { accessKeyId: `test${suffix}`, secretAccessKey: 'local' };
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
    const sent = recorded(client);
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

function recorded(client: DynamoDBClient): Sent[] {
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

function simulated(): Opened {
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
      let told = 0;
      return {
        async next() {
          const changes = tables[name].changes.slice(told);
          told += changes.length;
          return changes.map((change) => recordOf(change, keys[name]));
        },
      };
    },
  };
}

/** A change of the simulation in the shape of a stream's record. */
function recordOf({ sequence, key, before, after }: Change, keyAttribute: string): DynamoDBRecord {
  const images = { ...(before && { OldImage: before }), NewImage: after };
  const dynamodb = { Keys: { [keyAttribute]: { S: key } }, SequenceNumber: String(sequence), ...images };
  return { eventName: before ? 'MODIFY' : 'INSERT', eventSource: 'aws:dynamodb', dynamodb } as DynamoDBRecord;
}

/** The next records of a table, as many as there should be by now. More than that come along, so that a test sees them. */
export async function told(source: ChangeSource, count: number): Promise<DynamoDBRecord[]> {
  const records: DynamoDBRecord[] = [];
  for (const giveUpAt = Date.now() + 10_000; records.length < count && Date.now() < giveUpAt; ) {
    records.push(...(await source.next()));
  }
  return [...records, ...(await source.next())];
}

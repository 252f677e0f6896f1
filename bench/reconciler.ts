/** The reconciler's dependencies, tables and orders, for the benchmarks that run it. */

import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { type Table, table } from '../functions/adapters/dynamodb/table.ts';
import type { Transport } from '../functions/adapters/iamport/transport.ts';
import { systemClock } from '../functions/runtime/clock.ts';
import { dependenciesFrom, type HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { cdkContext } from '../infra/context.ts';
import { localAssembly } from '../local/assembly.ts';
import { tableOf } from '../local/aws/dynamodb.ts';
import { CloudAssembly } from '../local/aws/template.ts';

type StoredItem = Record<string, AttributeValue>;

/** Of the 120 s of a run. */
export const runMs = 115_000;

/**
 * Creates the tables of the template, empty, and the dependencies on them.
 * @param endpoint of DynamoDB Local
 * @param orders replaces methods of the table of orders
 */
export async function dependenciesAt(transport: Transport, endpoint: string, orders: Partial<Table> = {}) {
  const credentials = { accessKeyId: `bench${randomBytes(4).toString('hex')}`, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'ap-northeast-2', credentials });
  const assembly = CloudAssembly.read(await localAssembly(cdkContext()));
  for (const { id, properties } of assembly.ofType('AWS::DynamoDB::GlobalTable')) {
    const name = ['orders', 'reversals', 'state'].find((word) => id.toLowerCase().includes(`tables${word}`));
    await client.send(new CreateTableCommand(tableOf(name ?? id, properties)));
  }
  const deps: HandlerDependencies = dependenciesFrom({
    tables: {
      orders: { ...table(client, 'orders'), ...orders },
      reversals: table(client, 'reversals'),
      // The deployment is a day old.
      state: { ...table(client, 'state'), madeAt: async () => Math.floor(Date.now() / 1000) - 86_400 },
    },
    transport,
    credentials: async () => ({ impKey: 'local', impSecret: 'local' }),
    clock: systemClock,
    random: Math.random,
    count: () => undefined,
    policy: { acceptTestPayments: false, reversals: 'automatic' },
    config: {
      iamportApiUrl: 'https://api.iamport.kr',
      ...{ resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any', orderPrefix: '', tiers: [] },
    },
  });
  return { client, deps };
}

/** Writes the checkpoints of a run that ended at this time, so that only the recent payments are scanned. @param at Unix seconds */
export async function lastRunAt(deps: HandlerDependencies, at: number): Promise<void> {
  for (const name of ['recent', 'week', 'quarter']) {
    const completedUntil = name === 'recent' ? at : Math.floor(Date.now() / 1000);
    await deps.checkpoints.write(name, { completedUntil, unresolved: [], revision: 0 });
  }
}

export const orderItem = (merchantUid: string, status: string): StoredItem => ({
  merchant_uid: { S: merchantUid },
  amount: { N: '14000' },
  currency: { S: 'KRW' },
  status: { S: status },
  revision: { N: '1' },
  created_at: { N: '1' },
  updated_at: { N: '1' },
});

/** Orders that have expired and are due. @param now Unix seconds */
export const expiringOrders = (count: number, now: number): StoredItem[] =>
  Array.from({ length: count }, (_none, index) => ({
    ...orderItem(`expiring-${index}`, 'ready'),
    expires_at: { N: String(now - 1) },
    due_at: { N: String(now - 1) },
    due_shard: { S: String(index % 4) },
  }));

/** Writes new items, 25 a call. */
export async function put(client: DynamoDBClient, items: readonly StoredItem[], tableName = 'orders'): Promise<void> {
  for (let from = 0; from < items.length; from += 25) {
    const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
  }
}

/**
 * Records the heap after each page of payments and a garbage collection. It must not grow with the number of payments.
 * Needs `--expose-gc`.
 */
export function watchingHeap(deps: HandlerDependencies) {
  const aliveMb: number[] = [];
  const listPayments: HandlerDependencies['iamport']['listPayments'] = async (query, deadline) => {
    const page = await deps.iamport.listPayments(query, deadline);
    globalThis.gc?.();
    aliveMb.push(process.memoryUsage().heapUsed / 2 ** 20);
    return page;
  };
  const watched: HandlerDependencies = { ...deps, iamport: { ...deps.iamport, listPayments } };
  return { watched, aliveMb };
}

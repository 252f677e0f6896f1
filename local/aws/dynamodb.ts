/**
 * The database of the local system: AWS's own DynamoDB Local where Java is found, else dynalite, or a given endpoint.
 */

import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ResourceInUseException,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb';
import { startStreamingProxy } from './dynalite-streams.ts';
import { javaVersion, startDynamodbLocal } from './dynamodb-local.ts';
import { localCaller } from './signature.ts';
import type { ChangeSource } from './streams.ts';
import { type CloudAssembly, region } from './template.ts';

export interface Database {
  readonly endpoint: string;
  /** The name of the engine, for the console. */
  readonly engine: string;
  /** The changes of a table, where the engine has no streams of its own. */
  readonly changesOf?: (table: string) => ChangeSource;
  close(): Promise<void>;
}

/** `local`, `dynalite` or the URL of an endpoint. Undefined: DynamoDB Local with Java 17, otherwise dynalite. */
export type Choice = string | undefined;

/** @throws Error that names the missing tool, or the allowed choices */
export async function startDatabase(choice: Choice): Promise<Database> {
  if (choice && /^https?:\/\//.test(choice)) return { endpoint: choice, engine: choice, close: async () => undefined };
  if (choice === 'dynalite') return startDynalite('dynalite');
  if (!choice && (javaVersion() ?? 0) < 17)
    return startDynalite('dynalite (no Java 17 found: enough to try it out; the tests need DynamoDB Local)');
  if (!choice || choice === 'local') return { ...(await startDynamodbLocal()), engine: 'DynamoDB Local' };
  throw new Error(`DYNAMODB must be "local", "dynalite" or the URL of an endpoint, and is "${choice}".`);
}

async function startDynalite(engine: string): Promise<Database> {
  const dynalite: (options: object) => Server = createRequire(import.meta.url)('dynalite');
  const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  const proxy = await startStreamingProxy(`http://127.0.0.1:${port}`);
  return {
    endpoint: proxy.endpoint,
    engine,
    changesOf: proxy.changesOf,
    async close() {
      await proxy.close();
      await close();
    },
  };
}

/**
 * Creates the tables of the template that do not exist yet.
 * @returns the names of all tables, which are their logical ids
 */
export async function createTables(
  assembly: CloudAssembly,
  { endpoint, changesOf }: Database,
  accessKeyId: string,
): Promise<string[]> {
  const client = new DynamoDBClient({ endpoint, region, credentials: { ...localCaller, accessKeyId } });
  try {
    const tables = assembly.ofType('AWS::DynamoDB::GlobalTable');
    for (const { id, properties } of tables) {
      const { StreamSpecification, ...table } = tableOf(id, properties);
      const stream = !changesOf && StreamSpecification && { StreamSpecification };
      await client.send(new CreateTableCommand({ ...table, ...stream })).catch((error: unknown) => {
        if (!(error instanceof ResourceInUseException)) throw error;
      });
    }
    return tables.map(({ id }) => id);
  } finally {
    client.destroy();
  }
}

/** The part of the template's table that an emulator supports: its keys, its indexes and its stream. */
export function tableOf(TableName: string, properties: Readonly<Record<string, unknown>>): CreateTableCommandInput {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = properties as unknown as CreateTableCommandInput;
  const indexes = GlobalSecondaryIndexes && { GlobalSecondaryIndexes };
  const { StreamViewType } = (properties.StreamSpecification ?? {}) as { StreamViewType?: StreamViewType };
  const stream = StreamViewType && { StreamSpecification: { StreamEnabled: true, StreamViewType } };
  return { TableName, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions, KeySchema, ...indexes, ...stream };
}

/** Empty tables for each test in DynamoDB Local, created by the definitions of the template. */

import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  paginateScan,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import { inject, onTestFinished, TestRunner } from 'vitest';

/** The access keys of the databases of this file that no test uses now. A key has letters and digits only. */
const free: string[] = [];

/**
 * Empty tables, alone in their database until the test ends. DynamoDB Local keeps one database for each access key, and
 * runs three polling threads in each until it exits. Therefore the next test of the file empties and reuses a database.
 */
export async function freshTables() {
  const endpoint = inject('dynamodbEndpoint');
  const accessKeyId = free.pop() ?? `test${randomBytes(8).toString('hex')}`;
  if (TestRunner.getCurrentTest()) onTestFinished(() => void free.push(accessKeyId));
  const credentials = { accessKeyId, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'ap-northeast-2', credentials });
  const tables = Object.values(inject('tables'));
  await deleteOthers(
    client,
    tables.map(({ TableName }) => TableName),
  );
  for (const table of tables) await createEmpty(client, table);
  return { client, endpoint, credentials, names: { orders: 'orders', reversals: 'reversals', state: 'state' } };
}

/** Deletes the tables that a test created on its own. */
async function deleteOthers(client: DynamoDBClient, names: readonly (string | undefined)[]): Promise<void> {
  const { TableNames = [] } = await client.send(new ListTablesCommand());
  for (const TableName of TableNames) {
    if (!names.includes(TableName)) await client.send(new DeleteTableCommand({ TableName }));
  }
}

/** Creates the table, or deletes every item of the existing one. */
async function createEmpty(client: DynamoDBClient, definition: CreateTableCommandInput): Promise<void> {
  const { TableName, KeySchema = [] } = definition;
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
      for (const item of Items) {
        const Key = Object.fromEntries(
          KeySchema.map(({ AttributeName = '' }) => [AttributeName, item[AttributeName] as AttributeValue]),
        );
        await client.send(new DeleteItemCommand({ TableName, Key }));
      }
    }
  }
}

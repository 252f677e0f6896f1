/** Empty tables for each test in DynamoDB Local, created by the definitions of the template. */

import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  paginateScan,
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
  await makeEmpty(client, Object.values(inject('tables')));
  return { client, endpoint, credentials, names: { orders: 'orders', reversals: 'reversals', state: 'state' } };
}

/** Leaves exactly these tables in the database, without items. Hundreds of tests need this, and each request costs milliseconds. */
async function makeEmpty(client: DynamoDBClient, definitions: readonly CreateTableCommandInput[]): Promise<void> {
  const { TableNames: existing = [] } = await client.send(new ListTablesCommand());
  const wanted = definitions.map(({ TableName }) => TableName);
  await Promise.all([
    // A test has created them on its own.
    ...existing
      .filter((name) => !wanted.includes(name))
      .map((TableName) => client.send(new DeleteTableCommand({ TableName }))),
    ...definitions.map((definition) =>
      existing.includes(definition.TableName ?? '')
        ? deleteItems(client, definition)
        : client.send(new CreateTableCommand(definition)),
    ),
  ]);
}

/** The most items of one BatchWriteItem. */
const batchSize = 25;

async function deleteItems(
  client: DynamoDBClient,
  { TableName = '', KeySchema = [] }: CreateTableCommandInput,
): Promise<void> {
  const keyOf = (item: Record<string, AttributeValue>) =>
    Object.fromEntries(
      KeySchema.map(({ AttributeName = '' }) => [AttributeName, item[AttributeName] as AttributeValue]),
    );
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    for (let from = 0; from < Items.length; from += batchSize) {
      const deletes = Items.slice(from, from + batchSize).map((item) => ({ DeleteRequest: { Key: keyOf(item) } }));
      const { UnprocessedItems = {} } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: deletes } }),
      );
      if (Object.keys(UnprocessedItems).length > 0) throw new Error(`DynamoDB Local left items of ${TableName}`);
    }
  }
}

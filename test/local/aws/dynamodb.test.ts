/** The database of the local system: the choice of an engine, and the template's tables in each. */

import { randomBytes } from 'node:crypto';
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, inject, it } from 'vitest';
import { createTables, startDatabase } from '../../../local/aws/dynamodb.ts';
import { CloudAssembly } from '../../../local/aws/template.ts';

const assembly = CloudAssembly.read(inject('assembly'));
const accessKeyId = `test${randomBytes(8).toString('hex')}`;
const clientOf = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: 'ap-northeast-2', credentials: { accessKeyId, secretAccessKey: 'local' } });

describe.each([
  ['dynalite', 'dynalite'],
  ['a given DynamoDB endpoint', inject('dynamodbEndpoint')],
])('in %s', (_engine, choice) => {
  it('the tables of the template are created with their keys and indexes, and store items', async () => {
    const database = await startDatabase(choice);
    const client = clientOf(database.endpoint);
    const tables = await createTables(assembly, database, accessKeyId);
    const [orders = '', reversals = ''] = tables;
    const { Table } = await client.send(new DescribeTableCommand({ TableName: reversals }));
    expect(Table?.KeySchema).toEqual([{ AttributeName: 'imp_uid', KeyType: 'HASH' }]);
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName).sort()).toEqual(['by-order', 'due']);
    await client.send(
      new PutItemCommand({ TableName: orders, Item: { merchant_uid: { S: 'm_1' }, amount: { N: '14000' } } }),
    );
    const { Item } = await client.send(new GetItemCommand({ TableName: orders, Key: { merchant_uid: { S: 'm_1' } } }));
    expect(Item?.amount).toEqual({ N: '14000' });
    client.destroy();
    await database.close();
  });
});

it('keeps tables that exist already', async () => {
  const database = await startDatabase(inject('dynamodbEndpoint'));
  const created = await createTables(assembly, database, `${accessKeyId}again`);
  expect(await createTables(assembly, database, `${accessKeyId}again`)).toEqual(created);
});

it('rejects an unknown engine, and names the allowed ones', async () => {
  await expect(startDatabase('postgres')).rejects.toThrow(
    'DYNAMODB must be "local", "dynalite" or the URL of an endpoint, and is "postgres".',
  );
});

/** New tables for each test in DynamoDB Local, created by the definitions of the template. */

import { randomBytes } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inject } from 'vitest';

/** DynamoDB Local keeps one database for each access key. A key has letters and digits only. */
export async function freshTables() {
  const endpoint = inject('dynamodbEndpoint');
  const credentials = { accessKeyId: `test${randomBytes(8).toString('hex')}`, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'ap-northeast-2', credentials });
  for (const table of Object.values(inject('tables'))) await client.send(new CreateTableCommand(table));
  return { client, endpoint, credentials, names: { orders: 'orders', reversals: 'reversals', state: 'state' } };
}

/** Once for a whole run of tests: one DynamoDB Local for all of them, or a loud failure that says what is missing. */

import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import type { TestProject } from 'vitest/node';
import { startDynamodbLocal } from '../../sandbox/local/dynamodb-local.ts';
import type {} from '../provided.d.ts';
import { ofType, synthesized } from './synthesized.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(
      `The tests run on Node.js 24, as Lambda does; this is ${process.version}. Run npm ci, then npm test.`,
    );
  }
  const dynamodb = await startDynamodbLocal();
  const template = synthesized({ storefront: { origins: ['https://shop.example'] } });
  const tables = Object.entries(ofType(template, 'AWS::DynamoDB::GlobalTable')).map(([id, { Properties }]) => {
    const name = id.replace(/^Tables/, '').toLowerCase();
    const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = Properties;
    const indexes = GlobalSecondaryIndexes ? { GlobalSecondaryIndexes } : {};
    return [name, { TableName: name, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions, KeySchema, ...indexes }];
  });
  project.provide('dynamodbEndpoint', dynamodb.endpoint);
  project.provide(
    'tables',
    Object.fromEntries(tables) as Record<'orders' | 'reversals' | 'state', CreateTableCommandInput>,
  );
  return dynamodb.close;
}

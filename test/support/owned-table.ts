/** The fixture of functions.ts on a table of the shop's own. */

import { CreateTableCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import { startFixture } from './functions.ts';

const TableName = 'shop';

/**
 * Creates a table of the shop with `order-1`, which costs 14,000 won.
 * @param deployedAt when the deployment began; Unix seconds by the clock of the test
 * @param hasItem false: the shop writes the item later, with `write`
 */
export async function startOwnedFixture(deployedAt?: number, hasItem = true) {
  const fixture = await startFixture(deployedAt);
  const { client, deps } = fixture;
  const mapping = shopTable({ key: 'id', amount: 'total' });
  const name = (attribute: string) => ({ AttributeName: attribute, KeyType: 'HASH' as const });
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [name('id')],
      AttributeDefinitions: [
        { AttributeName: 'id', AttributeType: 'S' },
        { AttributeName: 'iamport_due_shard', AttributeType: 'S' },
        { AttributeName: 'iamport_due_at', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'iamport_due',
          KeySchema: [name('iamport_due_shard'), { AttributeName: 'iamport_due_at', KeyType: 'RANGE' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  const write = () =>
    client.send(new PutItemCommand({ TableName, Item: { id: { S: 'order-1' }, total: { N: '14000' } } }));
  if (hasItem) await write();
  const shop: HandlerDependencies = {
    ...deps,
    orders: createOrders(table(client, TableName, mapping.prefix), mapping),
  };
  return {
    ...fixture,
    /** The dependencies on the shop's table. */
    shop,
    /** The shop writes the item. */
    write,
    /** The shop changes the price. */
    price: (total: number) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: { id: { S: 'order-1' } },
          UpdateExpression: 'SET #total = :total',
          ExpressionAttributeNames: { '#total': 'total' },
          ExpressionAttributeValues: { ':total': { N: String(total) } },
        }),
      ),
    status: async () => (await shop.orders.read('order-1'))?.state.status,
  };
}

/** An attribute of another type than this version writes makes its item unreadable. It never counts as absent. */

import { expect, test } from 'vitest';
import { checkpointFromItem } from '../../../../functions/adapters/dynamodb/checkpoints.ts';
import { orderFromItem } from '../../../../functions/adapters/dynamodb/order-item.ts';
import { createRefunds, isRefundItem, refundFromItem } from '../../../../functions/adapters/dynamodb/refunds.ts';
import { reversalFromItem } from '../../../../functions/adapters/dynamodb/reversals.ts';
import type { Item, Table } from '../../../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../../../functions/adapters/dynamodb/table-mapping.ts';
import { StoreUnexpected } from '../../../../functions/application/faults.ts';
import { columns, itemsOfThisVersion } from '../../../support/release-items.ts';

const { items } = await itemsOfThisVersion();
const ofKind = (...kinds: string[]) => items.reversals.filter(({ kind }) => kinds.includes(kind?.S ?? ''));

const readers: readonly (readonly [name: string, read: (item: Item) => unknown, items: readonly Item[]])[] = [
  ['orders', orderFromItem, items.orders],
  ['orders in a shop’s own table', (item) => orderFromItem(shopTable(columns).ours(item)), items.shop],
  ['reversals', reversalFromItem, ofKind('cancel', 'revoke', 'manual', 'orphan')],
  ['refunds', refundFromItem, items.reversals.filter(isRefundItem)],
  [
    'checkpoints',
    (item) => checkpointFromItem(item, 'recent'),
    items.state.filter(({ completed_until }) => completed_until),
  ],
];

/** The item once for each attribute, and for each field of its maps, which then has another type. */
function withOtherTypes(item: Item): readonly (readonly [path: string, changed: Item])[] {
  return Object.entries(item).flatMap(([name, value]) => {
    const other = value.S === undefined ? { S: '1795000000' } : { N: '1795000000' };
    const inside = value.M === undefined ? [] : withOtherTypes(value.M);
    return [
      [name, { ...item, [name]: other }] as const,
      ...inside.map(([path, M]) => [`${name}.${path}`, { ...item, [name]: { M } }] as const),
    ];
  });
}

/** @returns the value, or undefined for an item that is unreadable */
function readWith(read: (item: Item) => unknown, item: Item): unknown {
  try {
    return read(item);
  } catch (error) {
    if (error instanceof StoreUnexpected) return undefined;
    throw error;
  }
}

test.each(readers)('reads no attribute of another type as absent: %s [T561]', (_name, read, ofTable) => {
  expect(ofTable.length).toBeGreaterThan(0);
  for (const item of ofTable) {
    for (const [path, changed] of withOtherTypes(item)) {
      const value = readWith(read, changed);
      // An attribute that is not read at all changes nothing, such as `due_shard`.
      if (value !== undefined) expect(value, path).toEqual(read(item));
    }
  }
});

test('reads an attribute with the value NULL as absent', () => {
  const [item] = ofKind('cancel');
  expect(reversalFromItem({ ...item, accepted_at: { NULL: true }, returned: { NULL: true } })).not.toMatchObject({
    acceptedAt: expect.anything(),
  });
});

test('decides no refund beside a list of refunds whose keys cannot be read', async () => {
  const list: Item = { imp_uid: { S: 'imp_1#refunds' }, refund_keys: { L: [{ S: 'key-1' }] }, version: { N: '1' } };
  const table: Pick<Table, 'read'> = { read: async () => list };
  await expect(createRefunds(table as Table).ofPayment('imp_1')).rejects.toThrow(StoreUnexpected);
});

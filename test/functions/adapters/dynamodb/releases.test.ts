/**
 * What one release writes, the others read. A fixture has the items of each release as its own code wrote them: it is added once, with
 * `vitest -u` before the release, and never changes afterwards.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { changeFrom } from '../../../../functions/adapters/dynamodb/stream.ts';
import type { Item } from '../../../../functions/adapters/dynamodb/table.ts';
import type { UnreadableRecord } from '../../../../functions/application/ports/delivery.ts';
import { publishEvents } from '../../../../functions/application/publish-events.ts';
import {
  byTable,
  itemsOfThisVersion,
  type ReleaseItems,
  type ReleaseTable,
  tablesWith,
  valuesOf,
} from '../../../support/release-items.ts';

const folder = join(import.meta.dirname, '../../../fixtures');
const { version } = JSON.parse(readFileSync(join(folder, '../../package.json'), 'utf8')) as { version: string };
const fixtures = readdirSync(folder).filter((file) => /^items-\d+\.\d+\.\d+\.json$/.test(file));
const itemsIn = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as ReleaseItems;
/** JSON has no undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The order of attributes has no meaning. */
const sorted = (_name: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

test('the fixture of this version has exactly the items that this version writes', async () => {
  const written = `${JSON.stringify(await itemsOfThisVersion(), sorted, 1)}\n`;
  await expect(written).toMatchFileSnapshot(join(folder, `items-${version}.json`));
});

describe.each(fixtures)('%s', (file) => {
  const { items, values } = itemsIn(file);

  test('is read by this version with the same values [T451]', async () => {
    expect(values.unreadable).toEqual([]);
    expect(plain(await valuesOf(tablesWith(items)))).toMatchObject(values);
  });

  test('is read with the same values when a later version has added attributes', async () => {
    const added = { S: 'of a later version' };
    const withMore = (item: Item): Item => ({
      ...Object.fromEntries(
        Object.entries(item).map(([name, value]) => [name, value.M ? { M: { ...value.M, later: added } } : value]),
      ),
      later: added,
      iamport_later: added,
    });
    const more = byTable((table) => items[table].map(withMore));
    expect(plain(await valuesOf(tablesWith(more)))).toMatchObject(values);
  });

  test.each<[ReleaseTable, string]>([
    ['orders', 'status'],
    ['shop', 'iamport_status'],
    ['reversals', 'state'],
    ['reversals', 'reason'],
  ])('hides only the item of %s whose %s is a word of a later version [T452]', async (table, attribute) => {
    const [first, ...rest] = items[table].filter((item) => item[attribute] && item.kind?.S !== 'notification');
    // The reason of a refund is free text.
    const changed = { ...first, [attribute]: { S: 'later_word' } };
    const others = items[table].filter((item) => item !== first);
    const read = await valuesOf(tablesWith({ ...items, [table]: [changed, ...others] }));
    expect(rest.length).toBeGreaterThan(5);
    expect(read.unreadable).toEqual(
      [first?.merchant_uid?.S, first?.order_no?.S, first?.imp_uid?.S].filter(Boolean).slice(-1),
    );
    const countOf = (found: ReleaseItems['values']) =>
      found.orders.length + found.shop.length + found.reversals.length + found.refunds.length;
    expect(countOf(read)).toBe(countOf(values) - 1);
  });

  test('the publisher keeps an item with a word of a later version for the operator, and publishes the next ones', async () => {
    const orders = items.orders.filter(({ revision }) => revision?.N === '2');
    const records = orders.map((item, index) =>
      recordOf(index === 1 ? { ...item, status: { S: 'later_word' } } : item),
    );
    const published: string[] = [];
    const kept: UnreadableRecord[] = [];
    const failed = await publishEvents(
      {
        // Some of these steps publish two events.
        events: { publish: async ({ id }) => published.push(id.replace(/:paid$/, '')) > 0 },
        reversals: { request: () => Promise.reject(new Error('no account is left')) },
        heartbeats: { received: () => Promise.reject(new Error('no heartbeat is sent')) },
        unreadable: { send: async (record) => void kept.push(record) },
        clock: { now: () => 0, sleep: async () => undefined },
        count: () => undefined,
        log: () => undefined,
      },
      records.map((record) => changeFrom(record)),
    );
    expect(failed).toBeUndefined();
    expect(kept.map(({ key }) => key.merchant_uid)).toEqual([orders[1]?.merchant_uid?.S]);
    expect([...new Set(published)]).toEqual(
      orders.filter((_item, index) => index !== 1).map((item) => `${item.merchant_uid?.S}:2`),
    );
  });
});

/** The stream record of the last write of an order that was registered. */
const recordOf = (after: Item): DynamoDBRecord => {
  const { imp_uid: _impUid, payment: _payment, virtual_account: _account, failure: _failure, ...terms } = after;
  const before = { ...terms, status: { S: 'ready' }, revision: { N: '1' } };
  return {
    eventSourceARN: 'arn:aws:dynamodb:ap-northeast-2:123456789012:table/orders/stream/2026-11-27T00:00:00.000',
    dynamodb: {
      Keys: { merchant_uid: after.merchant_uid } as never,
      SequenceNumber: '1',
      OldImage: before as never,
      NewImage: after as never,
    },
  };
};

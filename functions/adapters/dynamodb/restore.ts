/**
 * Copies items of a table that was restored to a point in time into the live table: which item is written, and under which condition. Only
 * the operator's command uses it.
 */

import {
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { StoreUnexpected } from '../../application/faults.ts';
import { ItemReader, text } from './attributes.ts';
import { beginningKey, checkpointFromItem, checkpointPrefix } from './checkpoints.ts';
import { isHeartbeatItem } from './heartbeats.ts';
import { isNotificationItem, notificationFromItem } from './notifications.ts';
import { orderFromItem } from './order-item.ts';
import { restoredBy } from './overwritten.ts';
import { isRefundItem, isRefundListItem, refundFromItem } from './refunds.ts';
import { reversalFromItem } from './reversals.ts';
import { tokenKey } from './state.ts';
import { type Item, type Table, type Write, withStoreFaults } from './table.ts';
import type { TableMapping } from './table-mapping.ts';

/**
 * `unchanged`: the live item is as new, or newer. `skipped`: the item is never copied. `missing`: the live table lacks the item of the shop, which
 * only the shop can write.
 */
export type CopyResult = 'copied' | 'unchanged' | 'skipped' | 'missing';

/**
 * Plans the write of one item. Pure.
 * @param live the item of the same key in the live table
 * @throws StoreUnexpected for an item that this version cannot read
 */
export type CopyPlan = (item: Item, live: Item | undefined) => Write | Exclude<CopyResult, 'copied'>;

/** Which items of a table are copied, and how. */
export interface CopyRules {
  /** The attribute that is the table's key, a text. */
  readonly key: string;
  readonly plan: CopyPlan;
}

/**
 * @param mapping of the live table of orders
 * @param mark another one for each restoration, decimal digits. It marks the writes, so that the publisher publishes no event for them.
 */
export const copyRules = (
  mapping: TableMapping,
  mark: string,
): Record<'orders' | 'reversals' | 'state', CopyRules> => ({
  orders: { key: mapping.key, plan: (item, live) => planOrder(mapping, mark, item, live) },
  reversals: { key: 'imp_uid', plan: (item, live) => planReversal(mark, item, live) },
  state: { key: 'id', plan: planState },
});

/** Writes one item if its plan allows it. A live item that changes meanwhile is planned again. */
export async function copyItem(
  table: Table,
  { plan }: CopyRules,
  item: Item,
  found: Item | undefined,
): Promise<CopyResult> {
  let live = found;
  // Revisions only grow, so this ends.
  for (;;) {
    const write = plan(item, live);
    if (typeof write === 'string') return write;
    const result = await table.write(write);
    if (result.written) return 'copied';
    live = result.current;
  }
}

function planOrder(mapping: TableMapping, mark: string, item: Item, live: Item | undefined): ReturnType<CopyPlan> {
  const { key, prefix, isShops } = mapping;
  // An item of the shop that we have not written yet has nothing of ours.
  if (isShops && !item[`${prefix}revision`]) return 'skipped';
  if (isHeartbeatItem(item)) return 'skipped';
  orderFromItem(mapping.ours(item));
  if (isShops && !live) return 'missing';
  return planVersion({ key, prefix, mark }, item, live);
}

function planReversal(mark: string, item: Item, live: Item | undefined): ReturnType<CopyPlan> {
  // The index `by-order` has the restored refunds, so a new list may begin without them.
  if (isHeartbeatItem(item) || isRefundListItem(item)) return 'skipped';
  if (isNotificationItem(item)) notificationFromItem(item);
  else if (isRefundItem(item)) refundFromItem(item);
  else reversalFromItem(item);
  return planVersion({ key: 'imp_uid', prefix: '', mark }, item, live);
}

/** Replaces an absent item, or one of a lower revision. */
function planVersion(
  { key, prefix, mark }: { readonly key: string; readonly prefix: string; readonly mark: string },
  item: Item,
  live: Item | undefined,
): Write | 'unchanged' {
  const revision = `${prefix}revision`;
  const known = live?.[revision];
  if (known && Number(known.N) >= Number(item[revision]?.N)) return 'unchanged';
  // In the shop's own table, our attributes are never added to an item that the shop has deleted.
  const stillThere: Record<string, string> = prefix === '' ? {} : { isThere: 'attribute_exists(#shop_key)' };
  return {
    key: keyOf(item, key),
    set: {
      ...replacing(item, live, (name) => name !== key && name.startsWith(prefix)),
      [prefix + restoredBy]: text(mark),
    },
    conditions: { ...stillThere, isAsRead: known ? `#${revision} = :live` : `attribute_not_exists(#${revision})` },
    ...(known && { values: { ':live': known } }),
    ...(prefix !== '' && { names: { '#shop_key': key } }),
  };
}

/**
 * State has no history to protect, but a place from which scans continue. The earlier one counts: payments after it are scanned again, and a
 * payment that is scanned twice does no harm. The access token stays, since Iamport issues another one.
 */
function planState(item: Item, live: Item | undefined): ReturnType<CopyPlan> {
  const id = item.id?.S ?? '';
  if (id === tokenKey.id.S) return 'skipped';
  if (id === beginningKey.id.S) {
    const begunAt = new ItemReader(item, 'the beginning').count('begun_at');
    if (live && Number(live.begun_at?.N) <= begunAt) return 'unchanged';
    return {
      key: keyOf(item, 'id'),
      set: replacing(item, live, (name) => name !== 'id'),
      conditions: { isAsRead: live ? '#begun_at = :live' : 'attribute_not_exists(id)' },
      ...(live?.begun_at && { values: { ':live': live.begun_at } }),
    };
  }
  if (!id.startsWith(checkpointPrefix)) throw new StoreUnexpected(`The item ${id} of the table of state is unknown`);
  const { completedUntil, revision } = checkpointFromItem(item, id.slice(checkpointPrefix.length));
  if (live && Number(live.completed_until?.N) <= completedUntil) return 'unchanged';
  const known = live?.revision;
  return {
    key: keyOf(item, 'id'),
    // Above the live revision, so that a run that read the live checkpoint cannot write it back.
    set: {
      ...replacing(item, live, (name) => name !== 'id'),
      revision: { N: String(known ? Number(known.N) + 1 : revision) },
    },
    conditions: { isAsRead: known ? '#revision = :live' : 'attribute_not_exists(#revision)' },
    ...(known && { values: { ':live': known } }),
  };
}

const keyOf = (item: Item, key: string): Item =>
  Object.fromEntries(Object.entries(item).filter(([name]) => name === key));

/** Sets our attributes of an item, and removes those that only the live item has. */
function replacing(item: Item, live: Item | undefined, isOurs: (name: string) => boolean): Write['set'] {
  const ours = (of: Item) => Object.entries(of).filter(([name]) => isOurs(name));
  return {
    ...Object.fromEntries(ours(live ?? {}).map(([name]) => [name, undefined])),
    ...Object.fromEntries(ours(item)),
  };
}

/** A table to copy from. */
export interface CopySource {
  readonly arn: string;
  /** The attribute that is the table's partition key. */
  readonly key: string;
  /** False while AWS is restoring the table. */
  readonly isReadable: boolean;
}

/** @returns undefined when there is no table of this name */
export async function describeSource(client: DynamoDBClient, name: string): Promise<CopySource | undefined> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    const { TableArn: arn = '', KeySchema: [key] = [], TableStatus } = Table ?? {};
    return { arn, key: key?.AttributeName ?? '', isReadable: TableStatus !== 'CREATING' };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    return withStoreFaults(Promise.reject(error));
  }
}

/** DynamoDB reads the live items of a page in one batch of this size. */
const itemsPerPage = 100;

/**
 * Reads a table page after page, in the order of DynamoDB's scans.
 * @param after the key of an item: the scan continues behind it
 */
export async function* pagesOf(
  client: DynamoDBClient,
  name: string,
  key: string,
  after?: string,
): AsyncGenerator<readonly Item[], void> {
  let start: Item | undefined = after === undefined ? undefined : { [key]: text(after) };
  do {
    const { Items = [], LastEvaluatedKey } = await withStoreFaults(
      client.send(
        new ScanCommand({
          TableName: name,
          Limit: itemsPerPage,
          ConsistentRead: true,
          ...(start && { ExclusiveStartKey: start }),
        }),
      ),
    );
    yield Items;
    start = LastEvaluatedKey;
  } while (start);
}

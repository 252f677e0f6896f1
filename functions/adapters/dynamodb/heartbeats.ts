/**
 * Heartbeats: the reconciler writes one item into each table with a stream, and the publisher records in the table of
 * reversals which of them it has received. Without payments the streams are empty, so a publisher that never runs would
 * otherwise look like one that has nothing to do.
 */

import type { Heartbeat, Heartbeats, StreamedTable } from '../../application/ports/stores.ts';
import { count } from './attributes.ts';
import type { Item, Table, Write } from './table.ts';

/** The key in both tables: longer than an order number can be, so that no order or payment has it. */
export const heartbeatId = 'heartbeat-of-the-publisher-not-an-order-number';

const keyNames: Readonly<Record<StreamedTable, string>> = { orders: 'merchant_uid', reversals: 'imp_uid' };
const keyOf = (table: StreamedTable): Item => ({ [keyNames[table]]: { S: heartbeatId } });

/** The publisher has received every heartbeat of the table up to this time. */
const receivedUntil = (table: StreamedTable): string => `${table}_received_until`;

/** Writes a time, unless the attribute has a later one. The other attributes stay. */
const later = (key: Item, attribute: string, time: number, more: Write['set'] = {}): Write => ({
  key,
  set: { [attribute]: count(time), ...more },
  conditions: { isLater: `attribute_not_exists(#${attribute}) OR #${attribute} < :${attribute}` },
});

/** @param orders absent where the orders are in the shop's own table: no item of ours is added to that */
export function createHeartbeats({ orders, reversals }: { orders?: Table; reversals: Table }): Heartbeats {
  const tables: readonly StreamedTable[] = orders ? ['orders', 'reversals'] : ['reversals'];
  return {
    async send(now) {
      const known = (await reversals.read(keyOf('reversals'))) ?? {};
      await orders?.write(later(keyOf('orders'), 'sent_at', now));
      // No heartbeat before the first one is missing.
      const begun = tables.map(receivedUntil).filter((attribute) => !known[attribute]);
      const baseline = Object.fromEntries(begun.map((attribute) => [attribute, count(now)]));
      await reversals.write(later(keyOf('reversals'), 'sent_at', now, baseline));
      const sentAt = Number(known.sent_at?.N ?? 0);
      return Math.max(0, ...tables.map((table) => sentAt - Number(known[receivedUntil(table)]?.N ?? sentAt)));
    },

    async received({ table, sentAt }) {
      await reversals.write(later(keyOf('reversals'), receivedUntil(table), sentAt));
    },
  };
}

export const isHeartbeatItem = (item: Item): boolean =>
  Object.values(keyNames).some((name) => item[name]?.S === heartbeatId);

/** @returns the heartbeat of a write; undefined where the write only recorded that one was received */
export function heartbeatFrom(before: Item | undefined, after: Item): Heartbeat | undefined {
  const sentAt = after.sent_at?.N;
  if (sentAt === undefined || sentAt === before?.sent_at?.N) return undefined;
  return { table: after[keyNames.orders] ? 'orders' : 'reversals', sentAt: Number(sentAt) };
}

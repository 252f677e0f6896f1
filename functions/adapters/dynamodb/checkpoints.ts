/** The checkpoints of the scans of Iamport's payment lists, in the table `state`. */

import type { Checkpoints, ScanCheckpoint, Unresolved } from '../../application/ports/stores.ts';
import type { ListStatus, ScanCursor } from '../../payment/scan-cursor.ts';
import { defined } from '../../shared/defined.ts';
import { count, ItemReader, map, optional, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

export const checkpointPrefix = 'scan-';
export const beginningKey = { id: { S: `${checkpointPrefix}beginning` } } satisfies Item;
const keyOf = (name: string): Item => ({ id: text(checkpointPrefix + name) });

const beginningFrom = (item: Item) => new ItemReader(item, 'the beginning').count('begun_at');

export function createCheckpoints(table: Table): Checkpoints {
  let recorded: number | undefined;
  return {
    async read(names) {
      const items = await table.readMany([beginningKey, ...names.map(keyOf)]);
      const itemOf = ({ id }: Item) => items.find((item) => item.id?.S === id?.S);
      return {
        beginning() {
          const known = itemOf(beginningKey);
          return known && beginningFrom(known);
        },
        checkpoint(name) {
          const item = itemOf(keyOf(name));
          return item && checkpointFromItem(item, name);
        },
      };
    },

    async begin() {
      const begunAt = await table.madeAt();
      await table.write({
        key: beginningKey,
        set: { begun_at: count(begunAt) },
        conditions: { isNew: 'attribute_not_exists(id)' },
      });
      return begunAt;
    },

    async beginning() {
      if (recorded !== undefined) return recorded;
      const known = await table.read(beginningKey);
      recorded = known ? beginningFrom(known) : await table.madeAt();
      return recorded;
    },

    async write(name, checkpoint) {
      const { completedUntil, cursor, unresolved, revision } = checkpoint;
      const { written } = await table.write({
        key: keyOf(name),
        set: {
          completed_until: count(completedUntil),
          cursor: optional(cursorMap, cursor),
          unresolved: { L: unresolved.map(unresolvedMap) },
          revision: count(revision + 1),
        },
        conditions: { isNewOrUnchanged: 'attribute_not_exists(id) OR #revision = :read' },
        values: { ':read': count(revision) },
      });
      return written ? { ...checkpoint, revision: revision + 1 } : undefined;
    },
  };
}

const cursorMap = ({ from, to, status, offset, size, failures, total }: ScanCursor) =>
  map({
    from: count(from),
    to: count(to),
    status: text(status),
    offset: count(offset),
    size: count(size),
    failures: count(failures),
    total: optional(count, total),
  });

const unresolvedMap = ({ impUid, merchantUid, since, nextAt }: Unresolved) =>
  map({ imp_uid: text(impUid), merchant_uid: text(merchantUid), since: count(since), next_at: count(nextAt) });

/** @throws StoreUnexpected for an item that this version cannot read */
export function checkpointFromItem(item: Item, name: string): ScanCheckpoint {
  const read = new ItemReader(item, `the checkpoint of the ${name} scan`);
  return defined<ScanCheckpoint>({
    completedUntil: read.count('completed_until'),
    cursor: read.optionalMap('cursor', cursorFrom),
    unresolved: read.maps('unresolved', unresolvedFrom),
    revision: read.count('revision'),
  });
}

const cursorFrom = (fields: ItemReader): ScanCursor =>
  defined<ScanCursor>({
    from: fields.count('from'),
    to: fields.count('to'),
    status: fields.word('status', listStatuses),
    offset: fields.count('offset'),
    size: fields.count('size'),
    failures: fields.count('failures'),
    total: fields.optionalCount('total'),
  });

const listStatuses: Readonly<Record<ListStatus, true>> = { paid: true, cancelled: true, ready: true, failed: true };

const unresolvedFrom = (fields: ItemReader): Unresolved => ({
  impUid: fields.text('imp_uid'),
  merchantUid: fields.text('merchant_uid'),
  since: fields.count('since'),
  nextAt: fields.count('next_at'),
});

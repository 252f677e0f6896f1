/** How far the scans of Iamport's payment lists have come, in the table `state`. */

import type { Checkpoints, ScanCheckpoint, Unresolved } from '../../application/ports.ts';
import type { ListStatus, ScanCursor } from '../../payment/scan-cursor.ts';
import { defined } from '../../shared/defined.ts';
import { count, map, optional, Reader, text } from './attributes.ts';
import type { Item, Table } from './table.ts';

const beginningKey: Item = { id: text('scan-beginning') };
const keyOf = (name: string): Item => ({ id: text(`scan-${name}`) });

export function checkpointsIn(table: Table): Checkpoints {
  return {
    async read(names) {
      const items = await table.readMany([beginningKey, ...names.map(keyOf)]);
      const itemOf = ({ id }: Item) => items.find((item) => item.id?.S === id?.S);
      return {
        beginning() {
          const known = itemOf(beginningKey);
          return known && new Reader(known, 'the beginning').count('begun_at');
        },
        checkpoint(name) {
          const item = itemOf(keyOf(name));
          return item && checkpointIn(item, name);
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

function checkpointIn(item: Item, name: string): ScanCheckpoint {
  const of = `the checkpoint of the ${name} scan`;
  const read = new Reader(item, of);
  return defined<ScanCheckpoint>({
    completedUntil: read.count('completed_until'),
    cursor: read.optionalMap('cursor', cursorIn),
    unresolved: (item.unresolved?.L ?? []).map(({ M = {} }) => unresolvedIn(new Reader(M, of))),
    revision: read.count('revision'),
  });
}

const cursorIn = (fields: Reader): ScanCursor =>
  defined<ScanCursor>({
    from: fields.count('from'),
    to: fields.count('to'),
    status: statusIn(fields),
    offset: fields.count('offset'),
    size: fields.count('size'),
    failures: fields.count('failures'),
    total: fields.optionalCount('total'),
  });

const listStatuses: Readonly<Record<ListStatus, true>> = { paid: true, cancelled: true, ready: true, failed: true };

function statusIn(fields: Reader): ListStatus {
  const status = fields.text('status');
  return Object.hasOwn(listStatuses, status) ? (status as ListStatus) : fields.fail('status');
}

const unresolvedIn = (fields: Reader): Unresolved => ({
  impUid: fields.text('imp_uid'),
  merchantUid: fields.text('merchant_uid'),
  since: fields.count('since'),
  nextAt: fields.count('next_at'),
});

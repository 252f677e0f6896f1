/**
 * Restores our attributes in an item of the shop's own table, after the shop has overwritten the whole item. Without
 * them a later payment would begin the order anew, with event ids that were used before. The first payment would then
 * be cancelled as a duplicate.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Restoration } from '../../application/ports/delivery.ts';
import { count, text } from './attributes.ts';
import type { Item, Table } from './table.ts';
import type { TableMapping } from './table-mapping.ts';

export interface OverwrittenItems {
  /**
   * Where the shop has removed our attributes or written older ones, writes those of `before` again, if our revision in
   * the item is still the one of `after`.
   * @param before the item before the write
   * @param after the item after the write
   * @param sequenceNumber of the stream record, which marks the write as a restoration
   * @returns undefined for any other write
   */
  restore(before: Item, after: Item, sequenceNumber: string): Promise<Restoration | undefined>;
}

/**
 * The attribute with the cause of the last restoration: the sequence number of a stream record, or the mark of the operator's `restore`.
 * Decimal digits.
 */
export const restoredBy = 'restored_by';

const revisionOf = (item: Item): number => Number(item.revision?.N ?? 0);
const updatedAt = (item: Item): number => Number(item.updated_at?.N ?? 0);

/** Our attributes were removed, or replaced by older ones. @param before @param after with our attribute names */
const isOverwritten = (before: Item, after: Item): boolean => revisionOf(after) < revisionOf(before);

/** The write is a restoration: its events were published after the first write. */
export const isRestoration = (before: Item | undefined, after: Item): boolean =>
  after[restoredBy] !== undefined && after[restoredBy].S !== before?.[restoredBy]?.S;

/** @returns the cause of a restoration; undefined for a text that the shop wrote, which must not stop the stream */
const causeIn = (mark: AttributeValue | undefined): bigint | undefined =>
  mark?.S !== undefined && /^\d+$/.test(mark.S) ? BigInt(mark.S) : undefined;

export function createOverwrittenItems(table: Table, mapping: TableMapping): OverwrittenItems {
  const isOurs = (name: string) => name.startsWith(mapping.prefix);
  const ours = (item: Item): Item => Object.fromEntries(Object.entries(item).filter(([name]) => isOurs(name)));
  const mark = `${mapping.prefix}${restoredBy}`;
  const revision = `${mapping.prefix}revision`;

  /**
   * An earlier record restored the item, or the shop wrote it again with older attributes, and nothing has settled it
   * since. A later settlement has a later time than the version that is to be restored.
   */
  const isOlderVersion = (item: Item, old: Item, sequenceNumber: string): boolean => {
    const { [restoredBy]: last, ...now } = mapping.ours(item);
    const cause = causeIn(last);
    const isEarlier = cause === undefined || cause < BigInt(sequenceNumber);
    return isEarlier && revisionOf(now) < revisionOf(old) && updatedAt(now) < updatedAt(old);
  };

  return {
    async restore(before, after, sequenceNumber) {
      const [old, now] = [mapping.ours(before), mapping.ours(after)];
      if (isRestoration(old, now)) return 'is_restoration';
      if (!isOverwritten(old, now)) return undefined;
      const key = before[mapping.key];
      if (!key) return 'deleted';
      /** Writes the attributes of `before` over an item, if our revision in it is still the same. */
      const restoreOver = (item: Item) => {
        const removed = Object.fromEntries(Object.keys(ours(item)).map((name) => [name, undefined]));
        const remaining = revisionOf(mapping.ours(item));
        return table.write({
          key: { [mapping.key]: key },
          set: { ...removed, ...ours(before), [mark]: text(sequenceNumber) },
          conditions: {
            // UpdateItem would create an item with our attributes alone where the shop has deleted it.
            isThere: 'attribute_exists(#shop_key)',
            isAsOverwritten: remaining === 0 ? `attribute_not_exists(#${revision})` : `#${revision} = :remaining`,
          },
          names: { '#shop_key': mapping.key },
          ...(remaining > 0 && { values: { ':remaining': count(remaining) } }),
        });
      };
      let result = await restoreOver(after);
      // Lambda may repeat an earlier record, which then restored an older version of the item. The shop may write twice.
      if (!result.written && result.current && isOlderVersion(result.current, old, sequenceNumber)) {
        result = await restoreOver(result.current);
      }
      if (result.written) return 'restored';
      if (!result.current) return 'deleted';
      // Lambda may deliver a record twice. Then this restoration, or a later one, is written already.
      const last = causeIn(result.current[mark]);
      return last !== undefined && last >= BigInt(sequenceNumber) ? 'restored_before' : 'lost';
    },
  };
}

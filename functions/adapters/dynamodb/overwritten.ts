/**
 * Restores our attributes in an item of the shop's own table, after the shop has written the item back whole. Without them a later
 * payment would begin the order anew, with event ids that were used before, and the first payment would be sent back as a duplicate.
 */

import { count, text } from './attributes.ts';
import type { Item, Table, Write } from './table.ts';
import type { Layout } from './table-mapping.ts';

/** `lost`: another settlement has begun in the item. An operator has to compare the two. */
export type Restoration = 'restored' | 'restored_before' | 'deleted' | 'lost';

export interface OverwrittenItems {
  /**
   * Writes our attributes of `before` into the item, only while it is as the shop's write left it.
   * @param before the item with our attributes
   * @param after the item as the shop wrote it
   * @param sequenceNumber of the stream record, which marks the write as a restoration
   */
  restore(before: Item, after: Item, sequenceNumber: string): Promise<Restoration>;
}

/** The sequence number of the record that led to the last restoration of the item. */
const restoredBy = 'restored_by';

const revisionOf = (item: Item): number => Number(item.revision?.N ?? 0);

/** Our attributes are gone, or older ones are back. @param before @param after under our own names */
export const isOverwritten = (before: Item, after: Item): boolean => revisionOf(after) < revisionOf(before);

/** The write is a restoration: all that it says was published when it was written first. */
export const isRestored = (before: Item, after: Item): boolean =>
  after[restoredBy] !== undefined && after[restoredBy].S !== before[restoredBy]?.S;

export function overwrittenItemsIn(table: Table, layout: Layout): OverwrittenItems {
  const isOurs = (name: string) => name.startsWith(layout.prefix);
  const ours = (item: Item): Item => Object.fromEntries(Object.entries(item).filter(([name]) => isOurs(name)));
  const mark = `${layout.prefix}${restoredBy}`;
  const revision = `${layout.prefix}revision`;

  return {
    async restore(before, after, sequenceNumber) {
      const key = before[layout.key];
      if (!key) return 'deleted';
      const left = revisionOf(layout.ours(after));
      const removed = Object.fromEntries(Object.keys(ours(after)).map((name) => [name, undefined]));
      const set: Write['set'] = { ...removed, ...ours(before), [mark]: text(sequenceNumber) };
      const result = await table.write({
        key: { [layout.key]: key },
        set,
        conditions: {
          // An item that the shop has deleted must not come back as a few attributes of ours.
          isThere: 'attribute_exists(#shop_key)',
          isAsOverwritten: left === 0 ? `attribute_not_exists(#${revision})` : `#${revision} = :left`,
        },
        names: { '#shop_key': layout.key },
        ...(left > 0 && { values: { ':left': count(left) } }),
      });
      if (result.written) return 'restored';
      if (!result.item) return 'deleted';
      // Lambda delivers a record again: this restoration, or one after it, has been written.
      const last = result.item[mark]?.S;
      return last !== undefined && BigInt(last) >= BigInt(sequenceNumber) ? 'restored_before' : 'lost';
    },
  };
}

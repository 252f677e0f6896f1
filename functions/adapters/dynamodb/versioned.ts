/** Code shared by the repositories of orders, reversals and refunds: one value is one item with a revision. */

import { StoreUnexpected } from '../../application/faults.ts';
import type { Due, WriteResult } from '../../application/ports/stores.ts';
import { count, text } from './attributes.ts';
import type { Guard, Item, Table, Write } from './table.ts';

/** How a value is stored. */
export interface ItemMapping<Value> {
  /** The attribute that is the table's key, a text. */
  readonly key: string;
  /** The prefix of our attributes, in a shop's own table. */
  readonly prefix?: string;
  /** The key of a value. */
  readonly idOf: (value: Value) => string;
  /** @throws StoreUnexpected for an item that this version cannot read */
  readonly fromItem: (item: Item) => Value;
}

/** Values, and the keys of the items that cannot be read: those do not hide the others. */
export interface ReadItems<Value> {
  readonly found: readonly Value[];
  readonly unreadable: readonly string[];
}

export interface VersionedItems<Value> {
  read(id: string): Promise<Value | undefined>;
  /** @param attributes the attributes to read; all of them by default */
  readMany(ids: readonly string[], attributes?: readonly string[]): Promise<ReadItems<Value>>;
  /** Reads the items one by one. */
  readEach(items: readonly Item[]): ReadItems<Value>;
  /**
   * Writes a value if the conditions of the guard are true.
   * @param set the attributes of the value
   * @returns `written: false` with the stored value, if there is one
   */
  write(value: Value, set: Write['set'], guard: Guard): Promise<WriteResult<Value>>;
  /** @param limit of each shard */
  due(shards: readonly string[], now: number, limit: number): Promise<readonly Due[]>;
  postpone(due: Due, until: number): Promise<void>;
}

/** The guard of a write on a value as it was read. */
export const isAsRead = ({ revision }: { readonly revision: number }): Guard => ({
  conditions: { revisionIsUnchanged: '#revision = :read' },
  values: { ':read': count(revision) },
});

export function versionedItems<Value>(
  table: Table,
  { key, prefix = '', idOf, fromItem }: ItemMapping<Value>,
): VersionedItems<Value> {
  const keyOf = (id: string): Item => ({ [key]: text(id) });
  const readEach = (items: readonly Item[]): ReadItems<Value> => {
    const found: Value[] = [];
    const unreadable: string[] = [];
    for (const item of items) {
      try {
        found.push(fromItem(item));
      } catch (error) {
        if (!(error instanceof StoreUnexpected)) throw error;
        unreadable.push(item[key]?.S ?? '');
      }
    }
    return { found, unreadable };
  };

  return {
    readEach,
    async read(id) {
      const item = await table.read(keyOf(id));
      return item && fromItem(item);
    },
    readMany: async (ids, attributes) => readEach(await table.readMany([...new Set(ids)].map(keyOf), attributes)),
    async write(value, set, guard) {
      const result = await table.write({ key: keyOf(idOf(value)), set, ...guard });
      if (result.written) return { written: true, value };
      return { written: false, ...(result.current && { current: fromItem(result.current) }) };
    },
    async due(shards, now, limit) {
      const items = await table.due(shards, now, limit);
      return items.flatMap((item) => {
        const id = item[key]?.S;
        return id === undefined ? [] : { id, dueAt: Number(item[`${prefix}due_at`]?.N) };
      });
    },
    async postpone({ id, dueAt }, until) {
      await table.postpone(keyOf(id), dueAt, until);
    },
  };
}

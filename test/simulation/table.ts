/**
 * DynamoDB for the simulation: one table in memory, with its indexes and its stream. Every call is instant and complete; network.ts
 * adds delays and faults. test/conformance compares its behaviour with DynamoDB.
 */

import type { Item, ItemWriteResult, Table, Write } from '../../functions/adapters/dynamodb/table.ts';
import { conditionOf } from './condition.ts';

/** A record of the stream: the item before and after a write. */
export interface Change {
  readonly sequence: number;
  readonly key: string;
  readonly before: Item | undefined;
  /** undefined when the item was deleted. */
  readonly after: Item | undefined;
}

export class SimulatedTable {
  /** Unix seconds. */
  readonly madeAt: number;
  /** The whole stream, the oldest first. */
  readonly changes: Change[] = [];
  readonly keyAttribute: string;
  readonly #dueShard: string;
  readonly #dueAt: string;
  readonly #items = new Map<string, Item>();

  /**
   * @param keyAttribute the table's partition key, a text; the table has no sort key
   * @param prefix of the attributes of the index `due`, in a shop's own table
   */
  constructor(keyAttribute: string, prefix = '', madeAt = 0) {
    this.madeAt = madeAt;
    this.keyAttribute = keyAttribute;
    this.#dueShard = `${prefix}due_shard`;
    this.#dueAt = `${prefix}due_at`;
  }

  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** The item with this key. */
  named(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** A write replaces an item and never changes it, so that an item that was read stays as it was. */
  read(key: Item): Item | undefined {
    return this.#items.get(this.#keyOf(key));
  }

  write(write: Write): ItemWriteResult {
    const { key, set, conditions } = write;
    const name = this.#keyOf(key);
    const before = this.#items.get(name);
    for (const condition of Object.values(conditions)) {
      if (!conditionOf(condition)(before, write)) return { written: false, ...(before && { current: before }) };
    }
    this.#replace(name, updated(before ?? key, set));
    return { written: true };
  }

  /** The owner of the table writes a whole item. */
  put(item: Item): void {
    this.#replace(this.#keyOf(item), item);
  }

  /** The owner of the table deletes an item. */
  remove(key: Item): void {
    this.#replace(this.#keyOf(key), undefined);
  }

  /** Keys of items that cannot grow any more: DynamoDB accepts at most 400 KB. */
  readonly full = new Set<string>();

  /** Keys that other callers read more often than DynamoDB serves: it throttles every call for them. */
  readonly hot = new Set<string>();

  /** Whether DynamoDB throttles a call for these keys. */
  throttles(keys: readonly Item[]): boolean {
    return this.hot.size > 0 && keys.some((key) => this.hot.has(this.#keyOf(key)));
  }

  /** Whether DynamoDB refuses this write because of the item size. DynamoDB evaluates the conditions first. */
  refuses(write: Write): boolean {
    if (this.full.size === 0 || !this.full.has(this.#keyOf(write.key))) return false;
    const before = this.read(write.key);
    return Object.values(write.conditions).every((condition) => conditionOf(condition)(before, write));
  }

  /** The items with a next check, and when they are due; Unix seconds. */
  *awaited(): Generator<{ key: string; dueAt: number; item: Item }> {
    for (const [key, item] of this.#items) {
      const shard = item[this.#dueShard]?.S;
      // The operator's list shows an unmatched payment. It has no next check.
      if (shard === undefined || shard === 'unmatched') continue;
      yield { key, dueAt: Number(item[this.#dueAt]?.N), item };
    }
  }

  #replace(key: string, after: Item | undefined): void {
    const before = this.#items.get(key);
    if (after) this.#items.set(key, after);
    else this.#items.delete(key);
    this.changes.push({ sequence: this.changes.length, key, before, after });
  }

  byOrder(merchantUid: string): Item[] {
    return [...this.#items.values()].filter((item) => item.merchant_uid?.S === merchantUid);
  }

  /** The due items in the index `due`, as it was after the first `until` changes: an index lags. */
  due(shards: readonly string[], now: number, max: number, until = this.changes.length): Item[] {
    const notIndexed = new Map<string, Item | undefined>();
    for (let at = this.changes.length - 1; at >= until; at -= 1) {
      const { key, before } = this.changes[at] as Change;
      notIndexed.set(key, before);
    }
    const [shardAttribute, dueAt] = [this.#dueShard, this.#dueAt];
    const due: Item[] = [];
    for (const [key, stored] of this.#items) {
      const item = notIndexed.has(key) ? notIndexed.get(key) : stored;
      if (item?.[shardAttribute] !== undefined && Number(item[dueAt]?.N) <= now) due.push(item);
    }
    if (due.length === 0) return [];
    return shards.flatMap((shard) =>
      due
        .filter((item) => item[shardAttribute]?.S === shard)
        .sort((one, other) => Number(one[dueAt]?.N) - Number(other[dueAt]?.N))
        .slice(0, max)
        .map((item) => projected(item, [this.keyAttribute, shardAttribute, dueAt])),
    );
  }

  /** Moves the next check of an item. */
  postpone(key: Item, from: number, to: number): ItemWriteResult {
    const dueAt = this.#dueAt;
    return this.write({
      key,
      set: { [dueAt]: { N: String(to) } },
      conditions: { checkIsUnchanged: `#${dueAt} = :from` },
      values: { ':from': { N: String(from) } },
    });
  }

  #keyOf(key: Item): string {
    const text = key[this.keyAttribute]?.S;
    if (!text) throw new Error(`A key needs a text ${this.keyAttribute}`);
    return text;
  }
}

/** The item after an update. A new object: to delete attributes from a copy would make it a slow one. */
function updated(before: Item, set: Write['set']): Item {
  const after: Item = {};
  for (const attribute of Object.keys(before)) {
    const value = before[attribute];
    if (value !== undefined && !Object.hasOwn(set, attribute)) after[attribute] = value;
  }
  for (const attribute of Object.keys(set)) {
    const value = set[attribute];
    if (value !== undefined) after[attribute] = value;
  }
  return after;
}

/** The index has keys only. */
function projected(item: Item, attributes: readonly string[]): Item {
  const kept: Item = {};
  for (const attribute of attributes) {
    const value = item[attribute];
    if (value) kept[attribute] = value;
  }
  return kept;
}

/** The table as the port of the store, without a network. */
export function portOf(table: SimulatedTable): Table {
  return {
    read: async (key) => table.read(key),
    write: async (write) => table.write(write),
    readMany: async (keys) => keys.map((key) => table.read(key)).filter((item) => item !== undefined),
    madeAt: async () => table.madeAt,
    byOrder: async (merchantUid) => table.byOrder(merchantUid),
    due: async (shards, now, max) => table.due(shards, now, max),
    postpone: async (key, from, to) => table.postpone(key, from, to),
  };
}

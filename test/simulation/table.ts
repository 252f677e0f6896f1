/**
 * DynamoDB for the simulation: one table in memory, with its indexes and its stream. Every call is instant and total; what the
 * network does to a call is decided outside. That it behaves as DynamoDB does is shown in test/conformance.
 */

import type { Item, Table, Write, Written } from '../../functions/adapters/dynamodb/table.ts';
import { conditionOf } from './condition.ts';

/** A record of the stream: what an item was, and what it became. */
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
  readonly #prefix: string;
  readonly #items = new Map<string, Item>();

  /**
   * @param keyAttribute the table's partition key, a text; there is no sort key
   * @param prefix goes before the attributes of the index `due`, in a shop's own table
   */
  constructor(keyAttribute: string, prefix = '', madeAt = 0) {
    this.madeAt = madeAt;
    this.keyAttribute = keyAttribute;
    this.#prefix = prefix;
  }

  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** The item whose key is this text. */
  named(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** Items are replaced and never changed, so that what was read stays what it was. */
  read(key: Item): Item | undefined {
    return this.#items.get(this.#keyOf(key));
  }

  write(write: Write): Written {
    const { key, set, conditions } = write;
    const name = this.#keyOf(key);
    const before = this.#items.get(name);
    for (const condition of Object.values(conditions)) {
      if (!conditionOf(condition)(before, write)) return { written: false, ...(before && { item: before }) };
    }
    const after: Item = { ...key, ...before };
    for (const attribute of Object.keys(set)) {
      const value = set[attribute];
      if (value === undefined) delete after[attribute];
      else after[attribute] = value;
    }
    this.#replace(name, after);
    return { written: true };
  }

  /** The table's owner writes a whole item, or writes some attributes over those that are there. */
  put(item: Item): void {
    this.#replace(this.#keyOf(item), item);
  }

  /** The table's owner deletes an item. */
  remove(key: Item): void {
    this.#replace(this.#keyOf(key), undefined);
  }

  /** Items that may not grow any more, by their key: DynamoDB takes 400 KB at the most. */
  readonly full = new Set<string>();

  /** Would DynamoDB refuse this write for its item's size? It looks at the conditions first. */
  refuses(write: Write): boolean {
    if (this.full.size === 0 || !this.full.has(this.#keyOf(write.key))) return false;
    const before = this.read(write.key);
    return Object.values(write.conditions).every((condition) => conditionOf(condition)(before, write));
  }

  /** The items that wait for something, and when they are due; Unix seconds. */
  *awaited(): Generator<{ key: string; dueAt: number; item: Item }> {
    for (const [key, item] of this.#items) {
      const watch = item[`${this.#prefix}watch`]?.S;
      // An unmatched payment is listed for the operator, and waits for no check.
      if (watch === undefined || watch === 'unmatched') continue;
      yield { key, dueAt: Number(item[`${this.#prefix}due_at`]?.N), item };
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

  /** The items of the index `due` whose time has come, as it was after the first `until` changes: an index lags. */
  due(shards: readonly string[], now: number, most: number, until = this.changes.length): Item[] {
    const late = new Map<string, Item | undefined>();
    for (const change of this.changes.slice(until).reverse()) late.set(change.key, change.before);
    const seen = [...this.#items].map(([key, item]) => (late.has(key) ? late.get(key) : item));
    const [watch, dueAt] = [`${this.#prefix}watch`, `${this.#prefix}due_at`];
    const due = seen.filter((item) => item?.[watch] !== undefined && Number(item[dueAt]?.N) <= now) as Item[];
    return shards.flatMap((shard) =>
      due
        .filter((item) => item[watch]?.S === shard)
        .sort((one, other) => Number(one[dueAt]?.N) - Number(other[dueAt]?.N))
        .slice(0, most)
        .map((item) => projected(item, [this.keyAttribute, watch, dueAt])),
    );
  }

  /** Moves the next check of an item. */
  postpone(key: Item, from: number, to: number): Written {
    const dueAt = `${this.#prefix}due_at`;
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

/** The index holds keys only. */
function projected(item: Item, attributes: readonly string[]): Item {
  const kept: Item = {};
  for (const attribute of attributes) {
    const value = item[attribute];
    if (value) kept[attribute] = value;
  }
  return kept;
}

/** The table as the store sees it, with nothing between them. */
export function portOf(table: SimulatedTable): Table {
  return {
    read: async (key) => table.read(key),
    write: async (write) => table.write(write),
    readMany: async (keys) => keys.map((key) => table.read(key)).filter((item) => item !== undefined),
    madeAt: async () => table.madeAt,
    byOrder: async (merchantUid) => table.byOrder(merchantUid),
    due: async (shards, now, most) => table.due(shards, now, most),
    postpone: async (key, from, to) => table.postpone(key, from, to),
  };
}

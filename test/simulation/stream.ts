/** The event source mappings: the streams of the tables into the publisher, in order, and again from the first record that failed. */

import type { DynamoDBRecord } from 'aws-lambda';
import type { UnreadableRecord } from '../../functions/application/ports.ts';
import { publish } from '../../functions/handlers/publish.ts';
import type { World } from './world.ts';

type Streamed = 'orders' | 'reversals';

export class Stream {
  readonly #world: World;
  readonly #delivered = { orders: 0, reversals: 0 };
  readonly #delivering = { orders: false, reversals: false };

  constructor(world: World) {
    this.#world = world;
  }

  /** A table was written. */
  soon(table: Streamed): void {
    if (this.#delivering[table]) return;
    this.#delivering[table] = true;
    const { time, chance } = this.#world;
    time.after(chance.whole(100, 1_000), () => time.begin(() => this.#deliver(table)));
  }

  /** The changes up to now were delivered before the schedule began. */
  skip(): void {
    this.#delivered.orders = this.#world.tables.orders.changes.length;
    this.#delivered.reversals = this.#world.tables.reversals.changes.length;
  }

  async #deliver(table: Streamed): Promise<void> {
    const { tables, chance, weather, lambda } = this.#world;
    const from = this.#delivered[table];
    const batch = tables[table].changes.slice(from, from + chance.whole(1, 5));
    const unreadable = {
      keep: async ({ key, reason }: UnreadableRecord) => {
        // Only what the world made unreadable may be passed over: the events of every other record are missing in the end.
        const { shop, rules } = this.#world;
        const broken = Object.values(key).find((id) => shop.isBroken(id) || shop.wereBroken.has(id));
        if (broken === undefined) throw new Error(reason);
        // It became readable by our next write, and the events of that write are with the operator.
        if (!shop.isBroken(broken)) rules.restored.lost.add(broken);
      },
    };
    const Records = batch.map(
      ({ sequence, key, before, after }) =>
        ({
          dynamodb: {
            SequenceNumber: String(sequence),
            ApproximateCreationDateTime: this.#world.began,
            Keys: { [tables[table].keyAttribute]: { S: key } },
            ...(before && { OldImage: before }),
            ...(after && { NewImage: after }),
          },
        }) as unknown as DynamoDBRecord,
    );
    const { value } = await lambda.run('publish', 60_000, ({ rooms, bus, shopTable: ofShop }) => {
      const shopTable = table === 'orders' ? ofShop : undefined;
      const { clock, reversals } = rooms;
      return publish({ bus, clock, count: () => undefined, reversals, shopTable, unreadable }, { Records });
    });
    const failed = value?.batchItemFailures[0]?.itemIdentifier;
    const isAgain = weather.strikes('batch again');
    if (value && !isAgain) this.#moveTo(table, failed === undefined ? from + batch.length : Number(failed));
    this.#delivering[table] = false;
    if (this.#delivered[table] < tables[table].changes.length) this.soon(table);
  }

  #moveTo(table: Streamed, end: number): void {
    const { tables, rules, books, shop } = this.#world;
    for (let at = this.#delivered[table]; table === 'orders' && at < end; at += 1) {
      const change = tables.orders.changes[at];
      // An item that can be neither read nor written cannot be restored.
      if (change && !shop.isBroken(change.key))
        rules.restored.delivered(change, (merchantUid) => books.entry(merchantUid));
    }
    this.#delivered[table] = end;
  }
}

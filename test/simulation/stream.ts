/** The event source mappings: they deliver each table's stream to the publisher in order, and again from the first record that failed. */

import type { DynamoDBRecord } from 'aws-lambda';
import type { UnreadableRecord } from '../../functions/application/ports/delivery.ts';
import { publish } from '../../functions/handlers/publish.ts';
import type { PublisherStream, SimulationContext, StreamedTable } from './context.ts';

export class Stream implements PublisherStream {
  readonly #context: SimulationContext;
  readonly #delivered = { orders: 0, reversals: 0 };
  readonly #delivering = { orders: false, reversals: false };
  /** When the oldest change that is not delivered was first to be delivered; Unix seconds. */
  readonly #since = { orders: 0, reversals: 0 };

  constructor(context: SimulationContext) {
    this.#context = context;
  }

  soon(table: StreamedTable): void {
    if (this.#delivering[table]) return;
    this.#delivering[table] = true;
    const { time, random } = this.#context;
    this.#since[table] ||= Math.floor(time.now / 1000);
    time.after(random.whole(100, 1_000), () => time.begin(() => this.#deliver(table)));
  }

  skip(): void {
    this.#delivered.orders = this.#context.tables.orders.changes.length;
    this.#delivered.reversals = this.#context.tables.reversals.changes.length;
  }

  async #deliver(table: StreamedTable): Promise<void> {
    const { tables, random, faults, lambda } = this.#context;
    const from = this.#delivered[table];
    const batch = tables[table].changes.slice(from, from + random.whole(1, 5));
    const unreadable = {
      send: async ({ key, reason }: UnreadableRecord) => {
        // The publisher may skip only a record that the world made unreadable. The liveness checks miss the events of every other one.
        const { shop, rules } = this.#context;
        const broken = Object.values(key).find((id) => shop.isBroken(id) || shop.wereBroken.has(id));
        if (broken === undefined) throw new Error(reason);
        // Our next write made it readable, and the operator has the events of that write.
        if (!shop.isBroken(broken)) rules.restored.lost.add(broken);
      },
    };
    const Records = batch.map(
      ({ sequence, key, before, after }) =>
        ({
          dynamodb: {
            SequenceNumber: String(sequence),
            ApproximateCreationDateTime: this.#since[table],
            Keys: { [tables[table].keyAttribute]: { S: key } },
            ...(before && { OldImage: before }),
            ...(after && { NewImage: after }),
          },
        }) as unknown as DynamoDBRecord,
    );
    const { value } = await lambda.run('publish', 60_000, ({ publisherDeps }) =>
      publish(publisherDeps(unreadable), { Records }),
    );
    const failed = value?.batchItemFailures[0]?.itemIdentifier;
    const isAgain = faults.happens('batch again');
    if (value && !isAgain) this.#moveTo(table, failed === undefined ? from + batch.length : Number(failed));
    this.#delivering[table] = false;
    if (this.#delivered[table] < tables[table].changes.length) this.soon(table);
  }

  #moveTo(table: StreamedTable, end: number): void {
    const { tables, rules, safety, shop } = this.#context;
    for (let at = this.#delivered[table]; table === 'orders' && at < end; at += 1) {
      const change = tables.orders.changes[at];
      // The publisher cannot restore an item that it can neither read nor write.
      if (change && !shop.isBroken(change.key))
        rules.restored.delivered(change, (merchantUid) => safety.entry(merchantUid));
    }
    if (end > this.#delivered[table]) this.#since[table] = 0;
    this.#delivered[table] = end;
  }
}

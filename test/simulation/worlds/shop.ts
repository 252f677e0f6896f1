/**
 * The shop's own table of orders, and what the shop does to the items in it: it changes a price, writes an item back whole, deletes it,
 * lets it grow to the limit of DynamoDB, or writes what we cannot read.
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import { jsonBody } from '../../support/event.ts';
import { entryOf, shopColumns } from '../entry.ts';
import type { Wanted } from '../workload/buyers.ts';
import { minute, second } from '../workload/notifications.ts';
import type { World } from '../world.ts';

const doings = {
  nothing: 4,
  'changes the price for a while': 5,
  'writes the item whole': 3,
  'writes the item whole, as it was before': 2,
  'spoils the price': 2,
  'spoils our status': 1,
  'lets the item grow': 2,
  'deletes the item': 2,
} as const;

export class Shop {
  readonly #world: World;
  /** Their items are too large to be written. */
  readonly #full = new Set<string>();

  /** The item could not be read or written for a while, or was gone. */
  readonly wereBroken = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The item cannot be read or written, or is gone. */
  isBroken(merchantUid: string): boolean {
    const item = this.#item(merchantUid);
    if (!item) return this.#world.books.known.has(merchantUid);
    return this.#full.has(merchantUid) || !entryOf(item).isReadable;
  }

  /** The shop takes an order into its table. */
  create({ merchantUid, amount, currency }: Wanted): void {
    this.#put({
      [shopColumns.key]: { S: merchantUid },
      [shopColumns.amount]: { N: String(amount) },
      [shopColumns.currency]: { S: currency },
      buyer: { S: '홍길동' },
    });
    this.#world.books.known.add(merchantUid);
  }

  /** What the shop does to an order, at some time. */
  async act(wanted: Wanted): Promise<void> {
    const { reached, worlds } = this.#world;
    const does = worlds.chance.pick(doings);
    reached.count(`shop: ${does}`);
    switch (does) {
      case 'nothing':
        return;
      case 'changes the price for a while':
        return this.#coupon(wanted);
      case 'writes the item whole':
        return this.#writeWhole(wanted.merchantUid, ours);
      case 'writes the item whole, as it was before':
        return this.#writeBefore(wanted.merchantUid);
      case 'spoils the price':
        return this.#spoil(wanted.merchantUid, { [shopColumns.amount]: { S: '14,000원' } });
      case 'spoils our status':
        return this.#spoil(wanted.merchantUid, { iamport_status: { S: 'something_new' } });
      case 'lets the item grow':
        return this.#grow(wanted.merchantUid);
      case 'deletes the item':
        return this.#delete(wanted.merchantUid);
    }
  }

  /** A buyer who has just paid takes a coupon, so that the payment is wrong and goes back, and gives it back meanwhile. */
  paid(wanted: Wanted, impUid: string): void {
    const { time, worlds, reached } = this.#world;
    if (!worlds.has('shop table') || !worlds.chance.is(0.4)) return;
    reached.count('shop: changes the price of what has just been paid');
    const { merchantUid } = wanted;
    const ask = (afterMs: number) =>
      time.after(afterMs, () =>
        time.begin(async () => {
          await this.#world.request('complete', jsonBody({ imp_uid: impUid, merchant_uid: merchantUid }));
        }),
      );
    time.begin(() => this.#coupon(wanted, worlds.chance.whole(50, 900)));
    ask(1);
    for (let count = worlds.chance.whole(1, 3); count > 0; count -= 1) ask(worlds.chance.whole(100, 900));
  }

  /** The buyer takes a coupon, and gives it back. */
  async #coupon(wanted: Wanted, forMs = this.#whileMs()): Promise<void> {
    const { time } = this.#world;
    const { amount } = wanted;
    const lower = wanted.currency === 'KRW' ? Math.ceil(amount * 0.9) : Math.ceil(amount * 90) / 100;
    for (const price of [lower, amount]) {
      const item = this.#item(wanted.merchantUid);
      if (!item || entryOf(item).isSettled) return;
      this.#put({ ...item, [shopColumns.amount]: { N: String(price) } });
      wanted.amount = price;
      this.#world.books.priceChangedAt = time.now;
      await time.sleep(forMs);
    }
  }

  #whileMs(): number {
    const { chance } = this.#world.worlds;
    return chance.is(0.6) ? chance.whole(50, 3_000) : chance.whole(5, 300) * second;
  }

  /** The shop's server reads the item, and writes all that it knows of it back. */
  async #writeWhole(merchantUid: string, forgets: (name: string) => boolean): Promise<void> {
    const item = this.#item(merchantUid);
    if (!item) return;
    this.#put(Object.fromEntries(Object.entries(item).filter(([name]) => !forgets(name))));
  }

  /** Between its read and its write, we have written. */
  async #writeBefore(merchantUid: string): Promise<void> {
    const { time, worlds } = this.#world;
    const item = this.#item(merchantUid);
    await time.sleep(worlds.chance.whole(1, 600) * second);
    if (item && this.#item(merchantUid)) this.#put(item);
  }

  /** Sometimes the shop repairs the item later. */
  async #spoil(merchantUid: string, attributes: Item): Promise<void> {
    const { time, worlds } = this.#world;
    const before = this.#item(merchantUid);
    const isOurs = attributes.iamport_status !== undefined;
    if (!before || (isOurs && !before.iamport_status)) return;
    this.#put({ ...before, ...attributes });
    this.wereBroken.add(merchantUid);
    if (worlds.chance.is(0.5)) return;
    await time.sleep(worlds.chance.whole(1, 60) * minute);
    const item = this.#item(merchantUid);
    if (!item) return;
    const mended = Object.fromEntries(Object.keys(attributes).map((name) => [name, before[name]]));
    this.#put({ ...item, ...mended } as Item);
    this.#world.hasLongWait = true;
  }

  async #grow(merchantUid: string): Promise<void> {
    const { tables, time, worlds } = this.#world;
    tables.orders.full.add(merchantUid);
    this.#full.add(merchantUid);
    this.wereBroken.add(merchantUid);
    if (worlds.chance.is(0.5)) return;
    await time.sleep(worlds.chance.whole(1, 60) * minute);
    tables.orders.full.delete(merchantUid);
    this.#full.delete(merchantUid);
    this.#world.hasLongWait = true;
  }

  async #delete(merchantUid: string): Promise<void> {
    const { tables, trace } = this.#world;
    if (!this.#item(merchantUid)) return;
    trace?.('shop', `deletes ${merchantUid}`);
    this.wereBroken.add(merchantUid);
    tables.orders.remove({ [shopColumns.key]: { S: merchantUid } });
    this.#world.stream.soon('orders');
  }

  #item(merchantUid: string): Item | undefined {
    return this.#world.tables.orders.named(merchantUid);
  }

  #put(item: Item): void {
    const { tables, trace, rules, stream } = this.#world;
    trace?.('shop', 'writes', item);
    tables.orders.put(item);
    const entry = entryOf(item);
    rules.restored.shopWrote(entry);
    stream.soon('orders');
  }
}

const ours = (name: string): boolean => name.startsWith('iamport_');

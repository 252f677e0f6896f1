/**
 * The shop's own table of orders, and the shop's writes to its items. The shop changes a price, writes an item back whole or deletes
 * it. An item may grow to the size limit of DynamoDB, get a value that we cannot read, or be read so often that DynamoDB throttles it.
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import { jsonBody } from '../../support/event.ts';
import type { ShopTableOwner, SimulationContext } from '../context.ts';
import { entryOf, shopColumns } from '../entry.ts';
import { minute, second } from '../units.ts';
import type { Wanted } from '../workload/wanted.ts';

const actions = {
  nothing: 2,
  'reads the item too often': 2,
  'changes the price for a while': 5,
  'writes the item whole': 3,
  'writes the item whole, as it was before': 2,
  'spoils the price': 2,
  'spoils our status': 1,
  'lets the item grow': 2,
  'deletes the item': 2,
} as const;

export class Shop implements ShopTableOwner {
  readonly #context: SimulationContext;
  /** Orders whose items are too large to be written. */
  readonly #full = new Set<string>();
  readonly wereBroken = new Set<string>();

  constructor(context: SimulationContext) {
    this.#context = context;
  }

  isBroken(merchantUid: string): boolean {
    const item = this.#item(merchantUid);
    if (!item) return this.#context.safety.known.has(merchantUid);
    const { hot } = this.#context.tables.orders;
    return this.#full.has(merchantUid) || hot.has(merchantUid) || !entryOf(item).isReadable;
  }

  create({ merchantUid, amount, currency }: Wanted): void {
    this.#put({
      [shopColumns.key]: { S: merchantUid },
      [shopColumns.amount]: { N: String(amount) },
      [shopColumns.currency]: { S: currency },
      buyer: { S: '홍길동' },
    });
    this.#context.safety.known.add(merchantUid);
  }

  async act(wanted: Wanted): Promise<void> {
    const { coverage, worlds } = this.#context;
    const action = worlds.random.pick(actions);
    coverage.count(`shop: ${action}`);
    switch (action) {
      case 'nothing':
        return;
      case 'reads the item too often':
        return this.#readTooOften(wanted.merchantUid);
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

  /** Sometimes the buyer redeems a coupon right after the payment, so that the amount is wrong, and returns it during the reversal. */
  paid(wanted: Wanted, impUid: string): void {
    const { time, worlds, coverage } = this.#context;
    if (!worlds.has('shop table') || !worlds.random.is(worlds.has('pg forgets') ? 0.9 : 0.4)) return;
    coverage.count('shop: changes the price of what has just been paid');
    const { merchantUid } = wanted;
    const completeAfter = (afterMs: number) =>
      time.after(afterMs, () =>
        time.begin(async () => {
          await this.#context.request('complete', jsonBody({ imp_uid: impUid, merchant_uid: merchantUid }));
        }),
      );
    time.begin(() => this.#coupon(wanted, worlds.random.whole(50, 900)));
    completeAfter(1);
    for (let count = worlds.random.whole(1, 3); count > 0; count -= 1) completeAfter(worlds.random.whole(100, 900));
  }

  /** The buyer redeems a coupon, and returns it. */
  async #coupon(wanted: Wanted, forMs = this.#whileMs()): Promise<void> {
    const { time } = this.#context;
    const { amount } = wanted;
    const lower = wanted.currency === 'KRW' ? Math.ceil(amount * 0.9) : Math.ceil(amount * 90) / 100;
    for (const price of [lower, amount]) {
      const item = this.#item(wanted.merchantUid);
      if (!item || entryOf(item).isSettled) return;
      this.#put({ ...item, [shopColumns.amount]: { N: String(price) } });
      wanted.amount = price;
      this.#context.safety.priceChangedAt = time.now;
      await time.sleep(forMs);
    }
  }

  #whileMs(): number {
    const { random } = this.#context.worlds;
    return random.is(0.6) ? random.whole(50, 3_000) : random.whole(5, 300) * second;
  }

  /** The shop's server reads the item, and writes back the attributes that it knows. */
  async #writeWhole(merchantUid: string, forgets: (name: string) => boolean): Promise<void> {
    const item = this.#item(merchantUid);
    if (!item) return;
    this.#put(Object.fromEntries(Object.entries(item).filter(([name]) => !forgets(name))));
  }

  /** The shop's server reads the item and writes it back later. Our write falls between the two. */
  async #writeBefore(merchantUid: string): Promise<void> {
    const { time, worlds } = this.#context;
    const item = this.#item(merchantUid);
    await time.sleep(worlds.random.whole(1, 600) * second);
    if (item && this.#item(merchantUid)) this.#put(item);
  }

  /** Sometimes the shop repairs the item later. */
  async #spoil(merchantUid: string, attributes: Item): Promise<void> {
    const { time, worlds } = this.#context;
    const before = this.#item(merchantUid);
    const isOurs = attributes.iamport_status !== undefined;
    if (!before || (isOurs && !before.iamport_status)) return;
    this.#put({ ...before, ...attributes });
    this.wereBroken.add(merchantUid);
    if (worlds.random.is(0.5)) return;
    await time.sleep(worlds.random.whole(1, 60) * minute);
    const item = this.#item(merchantUid);
    // A repair of what was written over since would put an earlier status back, such as `ready` on an order that we closed.
    if (!item || Object.keys(attributes).some((name) => item[name] !== attributes[name])) return;
    const repaired = Object.fromEntries(Object.keys(attributes).map((name) => [name, before[name]]));
    this.#put({ ...item, ...repaired } as Item);
    this.#context.hasLongWait = true;
  }

  async #grow(merchantUid: string): Promise<void> {
    const { tables, time, worlds } = this.#context;
    tables.orders.full.add(merchantUid);
    this.#full.add(merchantUid);
    this.wereBroken.add(merchantUid);
    if (worlds.random.is(0.5)) return;
    await time.sleep(worlds.random.whole(1, 60) * minute);
    tables.orders.full.delete(merchantUid);
    this.#full.delete(merchantUid);
    this.#context.hasLongWait = true;
  }

  async #readTooOften(merchantUid: string): Promise<void> {
    const { tables, time, worlds } = this.#context;
    if (!this.#item(merchantUid)) return;
    tables.orders.hot.add(merchantUid);
    this.wereBroken.add(merchantUid);
    if (worlds.random.is(0.5)) return;
    await time.sleep(worlds.random.whole(1, 60) * minute);
    tables.orders.hot.delete(merchantUid);
    this.#context.hasLongWait = true;
  }

  async #delete(merchantUid: string): Promise<void> {
    const { tables, trace } = this.#context;
    if (!this.#item(merchantUid)) return;
    trace?.('shop', `deletes ${merchantUid}`);
    this.wereBroken.add(merchantUid);
    tables.orders.hot.delete(merchantUid);
    tables.orders.remove({ [shopColumns.key]: { S: merchantUid } });
    this.#context.stream.soon('orders');
  }

  #item(merchantUid: string): Item | undefined {
    return this.#context.tables.orders.named(merchantUid);
  }

  #put(item: Item): void {
    const { tables, trace, rules, stream } = this.#context;
    trace?.('shop', 'writes', item);
    tables.orders.put(item);
    const entry = entryOf(item);
    rules.restored.shopWrote(entry);
    stream.soon('orders');
  }
}

const ours = (name: string): boolean => name.startsWith('iamport_');

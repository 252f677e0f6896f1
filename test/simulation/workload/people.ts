/** Who is there in a schedule, and what the shop's own server and strangers do. Buyers are in buyers.ts. */

import type { PreparedAmounts } from '../../../local/iamport/prepared.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import { jsonBody } from '../../support/event.ts';
import { Violation } from '../violation.ts';
import { everybodyHasBegunMs, type World } from '../world.ts';
import { halfAWon, makeAttempts, makeBrokenAttempt, openWindows } from '../worlds/crowd.ts';
import { Neighbours } from '../worlds/neighbours.ts';
import { Buyers, type Wanted } from './buyers.ts';
import { minute, News, second } from './notifications.ts';

/** A request may lose its races while nothing is wrong, but not so often. */
const mostInCalm = 5;

export class People {
  readonly #world: World;
  readonly #news: News;
  readonly #buyers: Buyers;

  constructor(world: World) {
    this.#world = world;
    this.#news = new News(world);
    this.#buyers = new Buyers(world, this.#news);
  }

  /** Everybody, on their own, from now on. */
  begin(): void {
    const { chance } = this.#world;
    // What is wrong with one item of the shop's must not stop another order.
    const count = chance.is(0.9) && !this.#world.worlds.has('shop table') ? 1 : 2;
    for (let order = 1; order <= count; order += 1) {
      const currency = chance.is(0.85) ? 'KRW' : 'USD';
      const amount = currency === 'KRW' ? chance.whole(100, 50_000) : chance.whole(100, 50_000) / 100;
      this.#aboutOrder({ merchantUid: `m_${order}`, amount, currency });
    }
    if (chance.is(0.5))
      this.#news.after(Math.max(this.#world.badForMs, everybodyHasBegunMs) + minute, () => this.#askForOne());
    if (chance.is(0.6)) this.#news.at(30 * minute, () => this.#stranger());
  }

  #aboutOrder(wanted: Wanted): void {
    const { chance } = this.#world;
    // Some orders are registered after their payment, and some never: the account serves other shops too.
    const registration = chance.pick({ early: 87, late: 8, never: 5 });
    const begin = registration === 'never' ? 0 : this.#beginWorlds(wanted);
    if (registration !== 'never') {
      const after = registration === 'early' ? begin : chance.whole(5, 20) * minute;
      this.#news.after(after, () => this.#register(wanted));
      // A server that is not sure registers it once more.
      if (chance.is(0.2)) this.#news.at(5 * minute, () => this.#register(wanted));
    }
    // A browser may register an amount too, and a wrong one.
    const forged = { merchant_uid: wanted.merchantUid, amount: 1, currency: null };
    if (chance.is(0.05)) this.#registersForged(forged);
    for (let attempt = Number(chance.pick({ 1: 60, 2: 30, 3: 10 })); attempt > 0; attempt -= 1)
      this.#news.at(20 * minute, () => this.#buyers.attempt(wanted));
    if (registration === 'never') return;
    if (chance.is(0.15)) this.#news.at(30 * minute, () => this.#close(wanted));
    if (chance.is(0.3)) this.#news.at(30 * minute, () => this.#refund(wanted));
    if (chance.is(0.2)) this.#news.at(30 * minute, () => this.#show(wanted));
    if (chance.is(0.2)) this.#news.at(30 * minute, () => this.#confirm(wanted));
  }

  #registersForged(forged: Parameters<PreparedAmounts['register']>[0]): void {
    try {
      this.#world.iamport.ledger.prepared.register(forged);
    } catch (error) {
      // Another system was there first.
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** @returns how long after the beginning the shop registers the order; milliseconds */
  #beginWorlds(wanted: Wanted): number {
    const { worlds, shop } = this.#world;
    if (worlds.has('shop table')) {
      shop.create(wanted);
      for (let count = worlds.chance.whole(1, 2); count > 0; count -= 1) {
        this.#news.after(worlds.chance.whole(0, 30 * minute), () => shop.act(wanted));
      }
    }
    if (worlds.has('many attempts')) {
      this.#news.after(worlds.chance.whole(1, 20) * minute, () => makeAttempts(this.#world, wanted));
    }
    if (worlds.has('broken attempt')) {
      this.#news.after(worlds.chance.whole(0, 10 * minute), () => makeBrokenAttempt(this.#world, wanted));
    }
    if (worlds.has('lists')) this.#news.after(worlds.chance.whole(0, 20 * minute), () => openWindows(this.#world));
    return worlds.has('two shops') ? new Neighbours(this.#world, this.#news).begin(wanted) : 0;
  }

  async #register(wanted: Wanted): Promise<void> {
    const { merchantUid, amount, currency } = wanted;
    const { chance, time } = this.#world;
    const expires = chance.is(0.2) && { expires_at: Math.floor(time.now / second) + chance.whole(60, 1_800) };
    const terms = { amount, currency, ...expires };
    // An order that cannot be read is answered with 500 each time, and no server repeats that for ever.
    for (let tries = 0; tries < 200; tries += 1) {
      const { status, body } = await this.#ofOrder('orders', 'PUT', merchantUid, terms);
      if (status < 300 && wanted.amount === amount)
        this.#world.books.prepared(wanted, (JSON.parse(body) as { prepared?: boolean }).prepared);
      if (status < 500) return;
      await time.sleep(20 * second);
    }
  }

  async #close({ merchantUid }: Wanted): Promise<void> {
    const { books, chance, time, reached, judge } = this.#world;
    books.closing.add(merchantUid);
    let refusedInCalm = 0;
    // An order whose item cannot be written is answered with 500 each time.
    for (let tries = 0; tries < 200; tries += 1) {
      const wasCalm = this.#world.isCalm && !this.#world.isThrottled() && !this.#world.shop.isBroken(merchantUid);
      const { status } = await this.#ofOrder('close', 'DELETE', merchantUid);
      reached.count(`close: ${status}`);
      if (status < 500) return;
      refusedInCalm += wasCalm ? 1 : 0;
      if (refusedInCalm > mostInCalm) judge.broken('L11', `${merchantUid} cannot be closed: ${status}`);
      await time.sleep(chance.whole(20, 300) * second);
    }
  }

  /** The shop gives money back, and asks again with the same key until it knows, or has asked often enough; the reconciler goes on. */
  async #refund(wanted: Wanted): Promise<void> {
    const { merchantUid, amount, currency } = wanted;
    const { chance, time, reached } = this.#world;
    const part = chance.is(0.5) ? {} : { amount: currency === 'KRW' ? Math.ceil(amount / 2) : 0.5 };
    const account = chance.is(0.8) && { account: { holder: '홍길동', bank: '004', number: '1234567890' } };
    const key = `key-${chance.whole(1, 2)}`;
    const asksAgain = chance.is(0.7);
    if (chance.is(0.3)) this.#news.at(5 * minute, () => this.#buyers.giveBackAsWell(wanted, part.amount));
    for (let calmTries = 0; calmTries < 20; calmTries += this.#world.isCalm ? 1 : 0) {
      const { status } = await this.#ofOrder(
        'refunds',
        'POST',
        merchantUid,
        { reason: this.#reasonOf(key), ...part, ...account },
        key,
      );
      reached.count(`refund: ${status}`);
      if (!asksAgain || (status !== 202 && status < 500)) return;
      await time.sleep(chance.whole(30, 300) * second);
    }
  }

  /** The shop's words name the refund, so that the simulation knows the cancel again whatever becomes of the key. */
  #reasonOf(key: string): string {
    if (!this.#world.worlds.has('pg words')) return `변심 ${key}`;
    return `${this.#world.worlds.chance.is(0.3) ? ' ' : ''}변심 ${key} 상품이 마음에 들지 않아요 😀 색상이 사진과 다릅니다`;
  }

  async #show({ merchantUid }: Wanted): Promise<void> {
    const { status, body } = await this.#ofOrder('orders', 'GET', merchantUid);
    if (status === 200) this.#world.books.said(merchantUid, (JSON.parse(body) as { status: string }).status);
  }

  async #confirm({ merchantUid, amount }: Wanted): Promise<void> {
    const body = jsonBody({ imp_uid: 'imp_000000000001', merchant_uid: merchantUid, amount });
    const { status } = await this.#world.request('confirm', body);
    this.#world.reached.count(`confirm: ${status}`);
  }

  #ofOrder(name: 'orders' | 'close' | 'refunds', method: string, merchantUid: string, fields?: object, key?: string) {
    const { headers = {}, body } = fields ? jsonBody(fields) : {};
    return this.#world.request(name, {
      method,
      pathParameters: { merchant_uid: merchantUid },
      headers: { ...headers, ...(key && { 'idempotency-key': key }) },
      ...(body !== undefined && { body }),
    });
  }

  /** Asks for a payment, now that nothing goes wrong. For one, since what is asked for is settled, and the others must be too. */
  async #askForOne(): Promise<void> {
    const { iamport } = this.#world;
    const payment = iamport.payments().find(({ amount }) => amount !== halfAWon);
    if (!payment || this.#world.shop.isBroken(payment.merchant_uid)) return;
    const { imp_uid: impUid } = payment;
    const { status } = await this.#news.asked(impUid, () =>
      this.#world.request('complete', jsonBody({ imp_uid: impUid })),
    );
    if (status >= 500 && !this.#world.isThrottled())
      throw new Violation('L11', `${impUid} was answered with ${status}, and nothing was wrong`);
  }

  /** Somebody who wants something for nothing, or to break something. */
  async #stranger(): Promise<void> {
    const { chance, iamport, reached } = this.#world;
    const payments = iamport.payments();
    const some = payments[chance.whole(0, Math.max(0, payments.length - 1))];
    const what = chance.pick({ nobodys: 1, anothers: 1, paid: 1, delivered: 5, bad: 2 });
    reached.count(`stranger: ${what}`);
    if (what === 'nobodys') {
      await this.#world.request(
        'webhook',
        jsonBody({ imp_uid: 'imp_999999999999', merchant_uid: 'm_1', status: 'paid' }),
      );
    } else if (what === 'anothers' && some) {
      await this.#world.request('complete', jsonBody({ imp_uid: some.imp_uid, merchant_uid: 'm_2' }));
    } else if (what === 'paid' && some) {
      await this.#world.request('webhook', jsonBody({ ...iamport.ledger.notice(some.imp_uid), status: 'paid' }));
    } else if (what === 'delivered' && some) {
      const { imp_uid, merchant_uid } = some;
      const extra = { logis_company: '우체국' };
      await this.#world.request('webhook', jsonBody({ imp_uid, merchant_uid, event: 'Inicis.Escrow.Changed', extra }));
    } else if (what === 'bad') {
      const body = chance.pick({ '{': 1, '[]': 1, '{"imp_uid":"../users"}': 1, '{"imp_uid":["imp_1"]}': 1, null: 1 });
      const { status, calls } = await this.#world.request('webhook', { ...jsonBody(''), body });
      if (status !== 400 || calls > 0) throw new Violation('S15', `${body}: ${status}, after ${calls} calls`);
    }
  }
}

/** Who does something in a schedule: buyers, their banks and browsers, Iamport's notifications, the shop, and strangers. */

import { awaitsDeposit } from '../../sandbox/iamport/ledger.ts';
import { hundredths } from '../../sandbox/iamport/payment.ts';
import { Refused } from '../../sandbox/iamport/refused.ts';
import { formBody, jsonBody } from '../functions/event.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

const second = 1_000;
const minute = 60 * second;

/** An order as the shop means it. Major units. */
export interface Wanted {
  readonly merchantUid: string;
  readonly amount: number;
  readonly currency: 'KRW' | 'USD';
}

/** How an attempt to pay goes. */
const attempts = {
  pays: 34,
  'pays a forged amount': 8,
  'pays in a forged currency': 4,
  'pays by a test channel': 4,
  fails: 8,
  'fails, and is approved later': 6,
  leaves: 4,
  'takes an account': 22,
  'takes an account of a forged amount': 4,
  'takes an account by a test channel': 1,
  'takes a fixed account': 3,
} as const;

/** About a half. Major units. */
const partOf = (amount: number): number => Math.max(1, Math.floor(amount / 2));

export class People {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Everybody, on their own, from now on. */
  begin(): void {
    const { chance } = this.#world;
    const count = chance.is(0.7) ? 1 : 2;
    for (let order = 1; order <= count; order += 1) {
      const currency = chance.is(0.85) ? 'KRW' : 'USD';
      const amount = currency === 'KRW' ? chance.whole(100, 50_000) : chance.whole(100, 50_000) / 100;
      this.#aboutOrder({ merchantUid: `m_${order}`, amount, currency });
    }
    if (chance.is(0.3)) this.#after(this.#world.badForMs + minute, () => this.#askForOne());
    for (let stranger = chance.whole(0, 3); stranger > 0; stranger -= 1) this.#at(30 * minute, () => this.#stranger());
  }

  #aboutOrder(wanted: Wanted): void {
    const { chance } = this.#world;
    // Some orders are registered after their payment, and some never: the account serves other shops too.
    const registration = chance.pick({ early: 87, late: 8, never: 5 });
    if (registration !== 'never') {
      this.#after(registration === 'early' ? 0 : chance.whole(5, 20) * minute, () => this.#register(wanted));
      // A server that is not sure registers it once more.
      if (chance.is(0.2)) this.#at(5 * minute, () => this.#register(wanted));
    }
    // A browser may register an amount too, and a wrong one.
    const forged = { merchant_uid: wanted.merchantUid, amount: 1, currency: null };
    if (chance.is(0.05)) this.#world.iamport.ledger.prepared.register(forged);
    for (let attempt = chance.whole(1, 3); attempt > 0; attempt -= 1)
      this.#at(20 * minute, () => this.#attempt(wanted));
    if (registration === 'never') return;
    if (chance.is(0.15)) this.#at(30 * minute, () => this.#close(wanted));
    if (chance.is(0.3)) this.#at(30 * minute, () => this.#refund(wanted));
    if (chance.is(0.2)) this.#at(30 * minute, () => this.#show(wanted));
    if (chance.is(0.2)) this.#at(30 * minute, () => this.#confirm(wanted));
  }

  async #register(wanted: Wanted): Promise<void> {
    const { merchantUid, amount, currency } = wanted;
    const { chance, time } = this.#world;
    const expires = chance.is(0.2) && { expires_at: Math.floor(time.now / second) + chance.whole(60, 1_800) };
    const terms = { amount, currency, ...expires };
    for (;;) {
      const { status, body } = await this.#ofOrder('orders', 'PUT', merchantUid, terms);
      if (status < 300) this.#world.books.prepared(wanted, (JSON.parse(body) as { prepared?: boolean }).prepared);
      if (status < 500) return;
      await time.sleep(20 * second);
    }
  }

  async #attempt(wanted: Wanted): Promise<void> {
    const { chance, iamport, time, reached, weather } = this.#world;
    const how = chance.pick(attempts);
    const isAccount = how.startsWith('takes');
    let impUid: string;
    try {
      const { merchantUid: merchant_uid, amount, currency } = wanted;
      const pay_method = isAccount ? 'vbank' : chance.is(0.8) ? 'card' : 'trans';
      impUid = iamport.ledger.open({ merchant_uid, amount, currency, pay_method }).imp_uid;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return;
    }
    reached.count(`buyer: ${how}`);
    iamport.note(impUid);
    if (weather.strikes('a payment is unreadable')) iamport.unreadable.add(impUid);
    if (chance.is(0.1)) this.#tell(impUid);
    await time.sleep(chance.whole(5, 60) * second);
    if (isAccount) await this.#takeAccount(impUid, how, wanted);
    else await this.#pay(impUid, how, wanted);
    if (chance.is(0.2)) this.#at(15 * minute, () => this.#console(impUid));
  }

  async #pay(impUid: string, how: keyof typeof attempts, wanted: Wanted): Promise<void> {
    const { chance, iamport, time } = this.#world;
    const { ledger } = iamport;
    if (how === 'leaves') return;
    if (how.startsWith('fails')) {
      ledger.fail(impUid, '한도 초과');
      this.#changed(impUid, { isNotified: false });
      if (how === 'fails') return;
      await time.sleep(chance.whole(10, 300) * second);
    }
    if (how === 'pays in a forged currency') {
      ledger.payment(impUid).currency = wanted.currency === 'KRW' ? 'JPY' : 'KRW';
      ledger.payment(impUid).amount = Math.ceil(wanted.amount);
    }
    const amount = how === 'pays a forged amount' ? this.#forged(wanted) : undefined;
    ledger.pay(impUid, { ...(amount !== undefined && { amount }), sandbox: how === 'pays by a test channel' });
    this.#changed(impUid);
  }

  /** Less than the order costs, or more. */
  #forged({ amount }: Wanted): number {
    return this.#world.chance.is(0.8) ? Math.max(1, Math.floor(amount / 10)) : Math.ceil(amount) + 1;
  }

  async #takeAccount(impUid: string, how: keyof typeof attempts, wanted: Wanted): Promise<void> {
    const { chance, iamport, time, reached } = this.#world;
    const { ledger } = iamport;
    const lastsSeconds = chance.is(0.7) ? chance.whole(300, 1_800) : chance.whole(20_000, 70_000);
    const amount = how === 'takes an account of a forged amount' ? this.#forged(wanted) : undefined;
    const sandbox = how === 'takes an account by a test channel';
    ledger.issueAccount(impUid, { lastsSeconds, sandbox, ...(amount !== undefined && { amount }) });
    this.#changed(impUid);
    if (chance.is(0.3)) return;
    const inParts = how === 'takes a fixed account' && chance.is(0.4);
    if (inParts) {
      await time.sleep(chance.whole(10, 300) * second);
      if (ledger.payment(impUid).status !== 'ready') return;
      // A part of it arrives, and the account waits for the rest.
      iamport.depositHistory(impUid, [partOf(ledger.payment(impUid).amount)]);
      reached.count('fixed account: a part');
      this.#changed(impUid);
    }
    const wait = chance.whole(30, 2_000) * second;
    // A buyer who looks just while the bank moves the money: what is asked for a moment too early is told a moment too late.
    if (chance.is(0.5)) this.#after(wait - chance.whole(0, 1_000), () => this.#browser(impUid, { isAlone: true }));
    await time.sleep(wait);
    // Nobody can pay into an account that was revoked meanwhile.
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    if (how === 'takes a fixed account') {
      const { amount: due } = ledger.payment(impUid);
      const part = partOf(due);
      const sum = inParts ? 'exact' : chance.pick({ exact: 2, less: 1, more: 1 });
      reached.count(`fixed account: ${sum}`);
      const exact = inParts ? [part, (hundredths(due) - hundredths(part)) / 100].filter((one) => one > 0) : [due];
      iamport.depositHistory(impUid, { exact, less: [part], more: [due, due] }[sum]);
      if (sum === 'exact' && chance.is(0.5)) this.#at(15 * minute, () => this.#depositAgain(impUid, due));
    }
    this.#changed(impUid);
    if (!chance.is(0.2)) return;
    const bankWaits = chance.whole(10, 900) * second;
    if (chance.is(0.5)) this.#after(bankWaits - chance.whole(0, 1_000), () => this.#browser(impUid, { isAlone: true }));
    await time.sleep(bankWaits);
    await this.#bankTakesBack(impUid);
    // A bank that takes its time is seen only by the walk through a week.
    if (bankWaits > 540 * second) this.#world.hasLongWait = true;
  }

  /** Into the fixed account, though everything is paid. */
  async #depositAgain(impUid: string, amount: number): Promise<void> {
    const { iamport, reached } = this.#world;
    if (iamport.ledger.payment(impUid).status !== 'paid') return;
    iamport.depositHistory(impUid, [amount, amount]);
    reached.count('fixed account: once more');
    this.#changed(impUid);
  }

  async #bankTakesBack(impUid: string): Promise<void> {
    const { chance, iamport, time, reached } = this.#world;
    const { ledger } = iamport;
    if (ledger.payment(impUid).status !== 'paid') return;
    ledger.takeBackDeposit(impUid);
    reached.count('bank: takes a deposit back');
    this.#changed(impUid, { isNotified: chance.is(0.3) });
    if (!chance.is(0.5)) return;
    await time.sleep(chance.whole(10, 900) * second);
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    reached.count('bank: a deposit returns');
    this.#changed(impUid);
  }

  /** Somebody at the shop cancels in the console: all of it, or a part. */
  async #console(impUid: string): Promise<void> {
    const { chance, iamport, reached } = this.#world;
    const payment = iamport.ledger.payment(impUid);
    const left = payment.amount - payment.cancel_amount;
    const part = chance.is(0.5) ? undefined : Math.floor(left / 3) || undefined;
    const isOpenAccount = awaitsDeposit(payment);
    try {
      if (isOpenAccount) iamport.ledger.revokeAccount(impUid);
      else iamport.ledger.cancelInConsole(impUid, part);
    } catch (error) {
      if (error instanceof Refused) return;
      throw error;
    }
    reached.count(
      `console: ${isOpenAccount ? 'revokes an account' : `cancels ${part === undefined ? 'all' : 'a part'}`}`,
    );
    this.#changed(impUid);
  }

  /** A payment is not what it was: Iamport may send a notification, and the buyer's browser may come back. */
  #changed(impUid: string, { isNotified = true } = {}): void {
    const { chance, iamport, weather } = this.#world;
    iamport.note(impUid);
    this.#world.trace?.('iamport', `${impUid} is`, iamport.truths(impUid).at(-1));
    if (isNotified && !weather.strikes('webhook lost')) {
      this.#tell(impUid);
      if (weather.strikes('webhook twice')) this.#tell(impUid);
    }
    if (chance.is(0.6)) this.#after(chance.whole(0, 5) * second, () => this.#browser(impUid));
    if (chance.is(0.2)) this.#after(chance.whole(0, 5) * second, () => this.#phone(impUid));
  }

  #tell(impUid: string): void {
    const { chance, weather } = this.#world;
    const wait = weather.strikes('webhook late') ? chance.whole(0, 15 * minute) : chance.whole(0, 3 * second);
    this.#after(wait, () => this.#notify(impUid));
  }

  /** Iamport's webhook; five times again, a minute apart, where the shop has asked for that. */
  async #notify(impUid: string): Promise<void> {
    const { chance, iamport, time } = this.#world;
    const isRepeated = chance.is(0.5);
    for (let times = 0; times <= (isRepeated ? 5 : 0); times += 1) {
      const { status } = await this.#asked(impUid, () =>
        this.#world.request('webhook', { ...jsonBody(iamport.ledger.notice(impUid)), sourceIp: '52.78.100.19' }),
      );
      if (status === 200) return;
      await time.sleep(minute);
    }
  }

  /** @param isAlone the browser names the payment only, so that its order is read after it */
  async #browser(impUid: string, { isAlone = false } = {}): Promise<void> {
    const { chance, iamport, time, reached } = this.#world;
    const { merchant_uid } = iamport.ledger.payment(impUid);
    const other = chance.is(0.05);
    const fields = {
      imp_uid: impUid,
      ...(!isAlone && chance.is(0.8) && { merchant_uid: other ? 'm_other' : merchant_uid }),
    };
    const body = chance.is(0.5) ? jsonBody(fields) : formBody(new URLSearchParams(fields).toString());
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, body: text } = await this.#asked(impUid, () => this.#world.request('complete', body));
      reached.count(`complete: ${status}`);
      if (status === 200) {
        const { status: outcome } = JSON.parse(text) as { status: string };
        reached.count(`outcome: ${outcome}`);
        this.#world.books.said(merchant_uid, outcome);
      }
      if (status < 500) return;
      await time.sleep(2 * second);
    }
  }

  async #phone(impUid: string): Promise<void> {
    const { chance, iamport } = this.#world;
    const { merchant_uid } = iamport.ledger.payment(impUid);
    const query = new URLSearchParams({ merchant_uid, ...(chance.is(0.6) && { imp_uid: impUid }) }).toString();
    const { status, headers } = await this.#world.request('mobile', { method: 'GET', query });
    if (status !== 303) return;
    const told = new URL(String(headers.location)).searchParams.get('status') ?? '';
    this.#world.reached.count(`phone: ${told}`);
    this.#world.books.said(merchant_uid, told);
  }

  /** Holds a 200 against the money that was there when it was asked for. */
  async #asked<Answer extends { status: number; body: string }>(impUid: string, ask: () => Promise<Answer>) {
    const hadMoney = (this.#world.iamport.truths(impUid).at(-1)?.kept ?? 0) > 0;
    const answer = await ask();
    const isSettled = answer.status === 200 && !answer.body.includes('"settled":false');
    if (isSettled) this.#world.books.answered(impUid, hadMoney);
    return answer;
  }

  async #close({ merchantUid }: Wanted): Promise<void> {
    const { books, chance, time, reached } = this.#world;
    books.closing.add(merchantUid);
    for (;;) {
      const { status } = await this.#ofOrder('close', 'DELETE', merchantUid);
      reached.count(`close: ${status}`);
      if (status < 500) return;
      await time.sleep(chance.whole(20, 300) * second);
    }
  }

  /** The shop gives money back, and asks again with the same key until it knows, or has asked often enough; the reconciler goes on. */
  async #refund({ merchantUid, amount, currency }: Wanted): Promise<void> {
    const { chance, time, reached } = this.#world;
    const part = chance.is(0.5) ? {} : { amount: currency === 'KRW' ? Math.ceil(amount / 2) : 0.5 };
    const account = chance.is(0.8) && { account: { holder: '홍길동', bank: '004', number: '1234567890' } };
    const key = `key-${chance.whole(1, 2)}`;
    const asksAgain = chance.is(0.7);
    for (let calmTries = 0; calmTries < 20; calmTries += this.#world.isCalm ? 1 : 0) {
      const { status } = await this.#ofOrder(
        'refunds',
        'POST',
        merchantUid,
        { reason: '변심', ...part, ...account },
        key,
      );
      reached.count(`refund: ${status}`);
      if (!asksAgain || (status !== 202 && status < 500)) return;
      await time.sleep(chance.whole(30, 300) * second);
    }
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
    const impUid = iamport.payments()[0]?.imp_uid;
    if (impUid === undefined) return;
    const { status } = await this.#asked(impUid, () => this.#world.request('complete', jsonBody({ imp_uid: impUid })));
    if (status >= 500) throw new Violation('L11', `${impUid} was answered with ${status}, and nothing was wrong`);
  }

  /** Somebody who wants something for nothing, or to break something. */
  async #stranger(): Promise<void> {
    const { chance, iamport, tables, reached } = this.#world;
    const payments = iamport.payments();
    const some = payments[chance.whole(0, Math.max(0, payments.length - 1))];
    const what = chance.pick({ nobodys: 1, anothers: 1, paid: 1, delivered: 3, bad: 2 });
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
      const writes = () => tables.orders.changes.length + tables.reversals.changes.length;
      const before = writes();
      const body = chance.pick({ '{': 1, '[]': 1, '{"imp_uid":"../users"}': 1, '{"imp_uid":["imp_1"]}': 1, null: 1 });
      const { status, by } = await this.#world.request('webhook', { ...jsonBody(''), body });
      const isUntouched = by.calls === 0 || writes() === before;
      if (status !== 400 || !isUntouched) throw new Violation('S15', `${body} was answered with ${status}`);
    }
  }

  /** At some time within that many milliseconds. */
  #at(withinMs: number, act: () => Promise<void>): void {
    this.#after(this.#world.chance.whole(0, withinMs), act);
  }

  #after(ms: number, act: () => Promise<void>): void {
    const { time } = this.#world;
    time.after(ms, () => {
      act().catch((violation: unknown) => {
        // Out of the promise, and into the schedule, which ends with it.
        time.after(0, () => {
          throw violation;
        });
      });
    });
  }
}

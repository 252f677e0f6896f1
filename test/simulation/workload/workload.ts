/** The actors of a scenario. This file has the shop's server and the unknown senders; buyers.ts has the buyers. */

import type { PreparedAmounts } from '../../../local/iamport/prepared.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import { jsonBody } from '../../support/event.ts';
import { actorsBegunByMs, type SimulationContext } from '../context.ts';
import { minute, second } from '../units.ts';
import { Violation } from '../violation.ts';
import { adoptOrder } from '../worlds/adopted.ts';
import { halfAWon, makeAttempts, makeBrokenAttempt, openWindows } from '../worlds/crowd.ts';
import { Neighbours } from '../worlds/neighbours.ts';
import { Buyers } from './buyers.ts';
import { NotificationSender } from './notifications.ts';
import type { Wanted } from './wanted.ts';

/** Without faults a request may still lose a race, but not more often than this. */
const maxRefusedInCalm = 5;

export class Workload {
  readonly #context: SimulationContext;
  readonly #notifications: NotificationSender;
  readonly #buyers: Buyers;

  constructor(context: SimulationContext) {
    this.#context = context;
    this.#notifications = new NotificationSender(context);
    this.#buyers = new Buyers(context, this.#notifications);
  }

  /** Plans the actions of every actor. The actors act independently. */
  begin(): void {
    const { random } = this.#context;
    // A broken item in the shop's table must not stop another order, and `orderPrefix` may exclude one of two: these worlds have two.
    const { worlds } = this.#context;
    const count = random.is(0.9) && !worlds.has('shop table') && !worlds.has('redeployed') ? 1 : 2;
    for (let order = 1; order <= count; order += 1) {
      const currency = random.is(0.85) ? 'KRW' : 'USD';
      const amount = currency === 'KRW' ? random.whole(100, 50_000) : random.whole(100, 50_000) / 100;
      this.#planOrder({ merchantUid: `m_${order}`, amount, currency });
    }
    if (worlds.has('adopted table')) adoptOrder(this.#context, this.#notifications);
    if (random.is(0.5))
      this.#notifications.after(Math.max(this.#context.faultsForMs, actorsBegunByMs) + minute, () =>
        this.#completeOne(),
      );
    if (random.is(0.6)) this.#notifications.at(30 * minute, () => this.#unknownSender());
  }

  #planOrder(wanted: Wanted): void {
    const { random } = this.#context;
    // Some orders are registered after their payment, and some never, because the account serves other shops too.
    const registration = random.pick({ early: 87, late: 8, never: 5 });
    const begin = registration === 'never' ? 0 : this.#beginWorlds(wanted);
    if (registration !== 'never') {
      const after = registration === 'early' ? begin : random.whole(5, 20) * minute;
      this.#notifications.after(after, () => this.#register(wanted));
      // The shop's server may repeat the registration.
      if (random.is(0.2)) this.#notifications.at(5 * minute, () => this.#register(wanted));
    }
    // A browser can register an amount at Iamport too, and a wrong one.
    const forged = { merchant_uid: wanted.merchantUid, amount: 1, currency: null };
    if (random.is(0.05)) this.#registerForged(forged);
    for (let attempt = Number(random.pick({ 1: 60, 2: 30, 3: 10 })); attempt > 0; attempt -= 1)
      this.#notifications.at(20 * minute, () => this.#buyers.attempt(wanted));
    if (registration === 'never') return;
    if (random.is(0.15)) this.#notifications.at(30 * minute, () => this.#close(wanted));
    if (random.is(0.3)) this.#notifications.at(30 * minute, () => this.#refund(wanted));
    if (random.is(0.2)) this.#notifications.at(30 * minute, () => this.#readOrder(wanted));
    if (random.is(0.2)) this.#notifications.at(30 * minute, () => this.#confirm(wanted));
  }

  #registerForged(forged: Parameters<PreparedAmounts['register']>[0]): void {
    try {
      this.#context.iamport.ledger.prepared.register(forged);
    } catch (error) {
      // Another system has registered an amount before.
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** @returns when the shop registers the order; milliseconds after the beginning */
  #beginWorlds(wanted: Wanted): number {
    const { worlds, shop } = this.#context;
    let createdAfter = 0;
    if (worlds.has('shop table')) {
      createdAfter = this.#createItem(wanted);
      for (let count = worlds.random.whole(1, 2); count > 0; count -= 1) {
        this.#notifications.after(worlds.random.whole(0, 30 * minute), () => shop.act(wanted));
      }
    }
    if (worlds.has('many attempts')) {
      this.#notifications.after(worlds.random.whole(1, 20) * minute, () => makeAttempts(this.#context, wanted));
    }
    if (worlds.has('broken attempt')) {
      this.#notifications.after(worlds.random.whole(0, 10 * minute), () => makeBrokenAttempt(this.#context, wanted));
    }
    if (worlds.has('lost cancels')) {
      // Late enough for a deposit; and the reconciler runs on, since it would repeat a refund 5 minutes later.
      this.#notifications.after(worlds.random.whole(20, 90) * minute, () => this.#refund(wanted, { mayRepeat: false }));
      this.#context.extendTo(150 * minute);
    }
    if (worlds.has('late refunds')) {
      const at = worlds.random.whole(20, 60) * minute;
      const part = wanted.currency === 'KRW' ? Math.floor(wanted.amount / 3) : 0.25;
      this.#notifications.after(at, () => this.#refund(wanted, { mayRepeat: false }));
      // Before the reconciler would repeat the refund. Otherwise the PG may refuse the repeat.
      const meanwhile = at + worlds.random.whole(0, 5 * minute);
      if (worlds.random.is(0.6)) this.#notifications.after(meanwhile, () => this.#buyers.refundInConsole(wanted, part));
    }
    if (worlds.has('two refunds')) this.#refundTwice(wanted);
    if (worlds.has('repeated refunds')) this.#refundAgain(wanted);
    if (worlds.has('redeployed')) this.#continueBeside(wanted);
    if (worlds.has('lists'))
      this.#notifications.after(worlds.random.whole(0, 20 * minute), () => openWindows(this.#context));
    const neighbours = worlds.has('two shops') && new Neighbours(this.#context, this.#notifications);
    return Math.max(createdAfter, neighbours ? neighbours.begin(wanted) : 0);
  }

  /** Payments are rejected just before each deployment. Buyers pay and the shop registers after it, and another shop sells. */
  #continueBeside(wanted: Wanted): void {
    const { worlds, deploysAt, began } = this.#context;
    const { random } = worlds;
    let last = 0;
    for (const at of deploysAt) {
      last = at - began * second;
      const before = Math.max(0, last - random.whole(30 * second, 4 * minute));
      const course = random.pick({ 'pays a forged amount': 5, pays: 2, 'takes an account': 2 });
      if (random.is(0.8)) this.#notifications.after(before, () => this.#buyers.attempt(wanted, course));
      const soon = () => last + random.whole(0, 12 * minute);
      if (random.is(0.5)) this.#notifications.after(soon(), () => this.#register(wanted));
      if (random.is(0.5)) this.#notifications.after(soon(), () => this.#buyers.attempt(wanted));
    }
    new Neighbours(this.#context, this.#notifications).beginBeside(wanted, last + 20 * minute);
  }

  /** @returns when the shop writes the item: at once, or after a payment; milliseconds after the beginning */
  #createItem(wanted: Wanted): number {
    const { worlds, shop, coverage } = this.#context;
    if (!worlds.has('adopted table') || !worlds.random.is(0.5)) {
      shop.create(wanted);
      return 0;
    }
    const after = worlds.random.whole(5, 120) * minute;
    coverage.count('adopted: an item after its payment');
    this.#notifications.after(after, async () => shop.create(wanted));
    // Without a request, only the scan of a week finds the payment again.
    this.#context.hasLongWait = true;
    this.#context.extendTo(after + 90 * minute);
    return after;
  }

  /** Two servers of the shop refund at once, or the second one while the PG still has to perform the first refund. */
  #refundTwice(wanted: Wanted): void {
    const { worlds, coverage } = this.#context;
    const at = worlds.random.whole(20, 60) * minute;
    const isAtOnce = worlds.random.is(0.5);
    coverage.count(`two refunds: ${isAtOnce ? 'at once' : 'one after the other'}`);
    const later = isAtOnce ? worlds.random.whole(0, second) : worlds.random.whole(1, 90) * minute;
    this.#notifications.after(at, () => this.#refund(wanted, { mayRepeat: false, key: 'key-1' }));
    this.#notifications.after(at + later, () => this.#refund(wanted, { mayRepeat: false, key: 'key-2' }));
  }

  /** The shop repeats a refund without a response, once the second check is due, while another server of the shop refunds. */
  #refundAgain(wanted: Wanted): void {
    const { random } = this.#context.worlds;
    const at = random.whole(20, 60) * minute;
    const again = at + 5 * minute + random.whole(5, 60) * second;
    const refund = (afterMs: number, key: string) =>
      this.#notifications.after(afterMs, () => this.#refund(wanted, { mayRepeat: false, key, isWhole: true }));
    refund(at, 'key-1');
    refund(again + random.whole(0, second), 'key-1');
    refund(again + random.whole(0, second), 'key-2');
  }

  async #register(wanted: Wanted): Promise<void> {
    const { merchantUid, amount, currency } = wanted;
    const { random, time, worlds } = this.#context;
    // An order that expires makes the reconciler read all its attempts.
    const expires = (random.is(0.2) || worlds.has('many attempts')) && {
      expires_at: Math.floor(time.now / second) + random.whole(60, 1_800),
    };
    const terms = { amount, currency, ...expires };
    // An order that cannot be read gets a 500 each time, and a server does not retry for ever.
    for (let tries = 0; tries < 200; tries += 1) {
      const { status, body } = await this.#shopRequest('orders', 'PUT', merchantUid, terms);
      if (status === 400 && body.includes('orderPrefix'))
        this.#context.coverage.count('redeployed: a registration is refused');
      if (status < 300 && wanted.amount === amount)
        this.#context.safety.preparedReported(wanted, (JSON.parse(body) as { prepared?: boolean }).prepared);
      if (status < 500) return;
      await time.sleep(20 * second);
    }
  }

  async #close({ merchantUid }: Wanted): Promise<void> {
    const { safety, random, time, coverage, judge } = this.#context;
    safety.closing.add(merchantUid);
    let refusedInCalm = 0;
    // An order whose item cannot be written gets a 500 each time.
    for (let tries = 0; tries < 200; tries += 1) {
      const wasCalm = this.#context.isCalm && !this.#context.isThrottled() && !this.#context.shop.isBroken(merchantUid);
      const { status } = await this.#shopRequest('close', 'DELETE', merchantUid);
      coverage.count(`close: ${status}`);
      if (status < 500) return;
      refusedInCalm += wasCalm ? 1 : 0;
      if (refusedInCalm > maxRefusedInCalm) judge.broken('L11', `${merchantUid} cannot be closed: ${status}`);
      await time.sleep(random.whole(20, 300) * second);
    }
  }

  /** The shop refunds. It may repeat the request with the same key until the result is final, or 20 times; the reconciler goes on. */
  async #refund(wanted: Wanted, { mayRepeat = true, key: wantedKey = '', isWhole = false } = {}): Promise<void> {
    const { merchantUid, amount, currency } = wanted;
    const { random, time, coverage } = this.#context;
    const part = isWhole || random.is(0.5) ? {} : { amount: currency === 'KRW' ? Math.ceil(amount / 2) : 0.5 };
    const account = random.is(0.8) && { account: { holder: '홍길동', bank: '004', number: '1234567890' } };
    const key = wantedKey || `key-${random.whole(1, 2)}`;
    const retries = mayRepeat && random.is(0.7);
    if (random.is(0.3)) this.#notifications.at(5 * minute, () => this.#buyers.refundInConsole(wanted, part.amount));
    for (let calmTries = 0; calmTries < 20; calmTries += this.#context.isCalm ? 1 : 0) {
      const { status } = await this.#shopRequest(
        'refunds',
        'POST',
        merchantUid,
        { reason: this.#reasonOf(key), ...part, ...account },
        key,
      );
      coverage.count(`refund: ${status}`);
      if (!retries || (status !== 202 && status < 500)) return;
      await time.sleep(random.whole(30, 300) * second);
    }
  }

  /** The shop's reason contains the key, so that the simulation recognises the cancel even if our cancel key is lost. */
  #reasonOf(key: string): string {
    if (!this.#context.worlds.has('pg words')) return `변심 ${key}`;
    return `${this.#context.worlds.random.is(0.3) ? ' ' : ''}변심 ${key} 상품이 마음에 들지 않아요 😀 색상이 사진과 다릅니다`;
  }

  async #readOrder({ merchantUid }: Wanted): Promise<void> {
    const { status, body } = await this.#shopRequest('orders', 'GET', merchantUid);
    if (status === 200) this.#context.safety.reported(merchantUid, (JSON.parse(body) as { status: string }).status);
  }

  async #confirm({ merchantUid, amount }: Wanted): Promise<void> {
    const body = jsonBody({ imp_uid: 'imp_000000000001', merchant_uid: merchantUid, amount });
    const { status } = await this.#context.request('confirm', body);
    this.#context.coverage.count(`confirm: ${status}`);
  }

  #shopRequest(
    name: 'orders' | 'close' | 'refunds',
    method: string,
    merchantUid: string,
    fields?: object,
    key?: string,
  ) {
    const { headers = {}, body } = fields ? jsonBody(fields) : {};
    return this.#context.request(name, {
      method,
      pathParameters: { merchant_uid: merchantUid },
      headers: { ...headers, ...(key && { 'idempotency-key': key }) },
      ...(body !== undefined && { body }),
    });
  }

  /** Completes one payment after the faults. Only one, because a request settles its payment, and the reconciler must settle the others. */
  async #completeOne(): Promise<void> {
    const { iamport, worlds, coverage } = this.#context;
    const payment = iamport.payments().find(({ amount }) => amount !== halfAWon);
    if (!payment || this.#context.shop.isBroken(payment.merchant_uid)) return;
    const { imp_uid: impUid } = payment;
    if (worlds.has('short tokens')) {
      // The instance of `complete` has an older token than the table, and Iamport accepts neither.
      iamport.forgetTokens();
      await this.#context.request('webhook', jsonBody({ imp_uid: impUid }));
      iamport.forgetTokens();
      coverage.count('short tokens: before a request');
    }
    const { status } = await this.#notifications.checked(impUid, () =>
      this.#context.request('complete', jsonBody({ imp_uid: impUid })),
    );
    if (status >= 500 && !this.#context.isThrottled())
      throw new Violation('L11', `${impUid} got ${status}, although no fault happened`);
  }

  /** A request of an unknown sender: an attack, a guess or bad input. */
  async #unknownSender(): Promise<void> {
    const { random, iamport, coverage } = this.#context;
    const payments = iamport.payments();
    const payment = payments[random.whole(0, Math.max(0, payments.length - 1))];
    const kind = random.pick({
      'unknown payment': 1,
      'other order': 1,
      'claims paid': 1,
      'escrow event': 5,
      'bad input': 2,
    });
    coverage.count(`unknown sender: ${kind}`);
    if (kind === 'unknown payment') {
      await this.#context.request(
        'webhook',
        jsonBody({ imp_uid: 'imp_999999999999', merchant_uid: 'm_1', status: 'paid' }),
      );
    } else if (kind === 'other order' && payment) {
      await this.#context.request('complete', jsonBody({ imp_uid: payment.imp_uid, merchant_uid: 'm_2' }));
    } else if (kind === 'claims paid' && payment) {
      await this.#context.request('webhook', jsonBody({ ...iamport.ledger.notice(payment.imp_uid), status: 'paid' }));
    } else if (kind === 'escrow event' && payment) {
      const { imp_uid, merchant_uid } = payment;
      const extra = { logis_company: '우체국' };
      await this.#context.request(
        'webhook',
        jsonBody({ imp_uid, merchant_uid, event: 'Inicis.Escrow.Changed', extra }),
      );
    } else if (kind === 'bad input') {
      const body = random.pick({ '{': 1, '[]': 1, '{"imp_uid":"../users"}': 1, '{"imp_uid":["imp_1"]}': 1, null: 1 });
      const { status, calls } = await this.#context.request('webhook', { ...jsonBody(''), body });
      if (status !== 400 || calls > 0) throw new Violation('S15', `${body}: ${status}, after ${calls} calls`);
    }
  }
}

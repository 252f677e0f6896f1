/** Buyers, their banks, and whoever cancels in the shop's console: everybody who changes a payment at Iamport. */

import { awaitsDeposit } from '../../../local/iamport/ledger.ts';
import { hundredths } from '../../../local/iamport/payment.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import type { World } from '../world.ts';
import { minute, type News, second } from './notifications.ts';

/** An order as the shop means it. Major units. */
export interface Wanted {
  readonly merchantUid: string;
  /** The shop may change it in a table of its own. */
  amount: number;
  readonly currency: 'KRW' | 'USD';
}

/** How an attempt to pay goes. */
const attempts = {
  pays: 34,
  'pays a forged amount': 8,
  'pays in a forged currency': 4,
  'pays by a test channel': 6,
  fails: 8,
  'fails, and is approved later': 6,
  leaves: 4,
  'takes an account': 22,
  'takes an account of a forged amount': 4,
  'takes an account by a test channel': 4,
  'takes a fixed account': 3,
} as const;

/** About a half. Major units. */
const partOf = (amount: number): number => Math.max(1, Math.floor(amount / 2));

export class Buyers {
  readonly #world: World;
  readonly #news: News;

  constructor(world: World, news: News) {
    this.#world = world;
    this.#news = news;
  }

  /** One attempt to pay an order, to its end. */
  async attempt(wanted: Wanted): Promise<void> {
    const { chance, iamport, time, reached, weather, worlds } = this.#world;
    const how = chance.pick(attempts);
    const isAccount = how.startsWith('takes');
    let impUid: string;
    try {
      const { merchantUid: merchant_uid, amount, currency } = wanted;
      const byPhone = worlds.has('slow pg') && worlds.chance.is(0.3);
      const pay_method = isAccount ? 'vbank' : byPhone ? 'phone' : chance.is(0.8) ? 'card' : 'trans';
      impUid = iamport.ledger.open({ merchant_uid, amount, currency, pay_method }).imp_uid;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return;
    }
    reached.count(`buyer: ${how}`);
    this.#world.lists.opened(impUid, how === 'leaves');
    iamport.note(impUid);
    if (weather.strikes('a payment is unreadable')) iamport.unreadable.add(impUid);
    if (chance.is(0.1)) this.#news.tell(impUid);
    await time.sleep(chance.whole(5, 60) * second);
    if (isAccount) await this.#takeAccount(impUid, how, wanted);
    else await this.#pay(impUid, how, wanted);
    if (chance.is(0.2)) this.#news.at(15 * minute, () => this.#console(impUid));
  }

  async #pay(impUid: string, how: keyof typeof attempts, wanted: Wanted): Promise<void> {
    const { chance, iamport, time } = this.#world;
    const { ledger } = iamport;
    if (how === 'leaves') return;
    if (how.startsWith('fails')) {
      ledger.fail(impUid, '한도 초과');
      this.#news.changed(impUid, { isNotified: false });
      if (how === 'fails') return;
      await time.sleep(chance.whole(10, 300) * second);
    }
    if (how === 'pays in a forged currency') {
      ledger.payment(impUid).currency = wanted.currency === 'KRW' ? 'JPY' : 'KRW';
      ledger.payment(impUid).amount = Math.ceil(wanted.amount);
    }
    const amount = how === 'pays a forged amount' ? this.#forged(wanted) : undefined;
    ledger.pay(impUid, { ...(amount !== undefined && { amount }), sandbox: how === 'pays by a test channel' });
    this.#world.shop.paid(wanted, impUid);
    this.#news.changed(impUid);
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
    this.#news.changed(impUid);
    if (chance.is(0.3)) return;
    const inParts = how === 'takes a fixed account' && chance.is(0.4);
    if (inParts) {
      await time.sleep(chance.whole(10, 300) * second);
      if (ledger.payment(impUid).status !== 'ready') return;
      // A part of it arrives, and the account waits for the rest.
      iamport.depositHistory(impUid, [partOf(ledger.payment(impUid).amount)]);
      reached.count('fixed account: a part');
      this.#news.changed(impUid);
    }
    const wait = chance.whole(30, 2_000) * second;
    // A buyer who looks just while the bank moves the money: what is asked for a moment too early is told a moment too late.
    if (chance.is(0.8))
      this.#news.after(wait - chance.whole(0, 400), () => this.#news.browser(impUid, { isAlone: true }));
    await time.sleep(wait);
    // Nobody can pay into an account that was revoked meanwhile.
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    this.#world.rules.once.paidInto(impUid);
    if (how === 'takes a fixed account') {
      const { amount: due } = ledger.payment(impUid);
      const part = partOf(due);
      const sum = inParts ? 'exact' : chance.pick({ exact: 2, less: 1, more: 1 });
      reached.count(`fixed account: ${sum}`);
      const exact = inParts ? [part, (hundredths(due) - hundredths(part)) / 100].filter((one) => one > 0) : [due];
      iamport.depositHistory(impUid, { exact, less: [part], more: [due, due] }[sum]);
      if (sum === 'exact' && chance.is(0.5)) this.#news.at(15 * minute, () => this.#depositAgain(impUid, exact));
    }
    this.#news.changed(impUid);
    if (!chance.is(0.35) && !this.#world.worlds.has('late bank')) return;
    const bankWaits = this.#bankWaits();
    if (chance.is(0.8) && !this.#world.worlds.has('late bank'))
      this.#news.after(bankWaits - chance.whole(0, 400), () => this.#news.browser(impUid, { isAlone: true }));
    await time.sleep(bankWaits);
    await this.#bankTakesBack(impUid);
    // A bank that takes its time is seen only by the walk through a week.
    if (bankWaits > 540 * second) this.#world.hasLongWait = true;
  }

  /** How long after the deposit the bank takes it back; milliseconds. */
  #bankWaits(): number {
    const { chance, worlds, reached } = this.#world;
    const soon = chance.whole(10, 900) * second;
    if (!worlds.has('late bank')) return soon;
    const when = worlds.chance.pick({ minutes: 2, hours: 3, days: 3 });
    reached.count(`late bank: ${when}`);
    const [least, most] = { minutes: [10, 60], hours: [60, 1_440], days: [1_440, 4_310] }[when] as [number, number];
    return worlds.chance.whole(least, most) * minute;
  }

  /** Into the fixed account, though everything is paid. */
  async #depositAgain(impUid: string, before: readonly number[]): Promise<void> {
    const { chance, iamport, reached } = this.#world;
    const { status, amount } = iamport.ledger.payment(impUid);
    if (status !== 'paid') return;
    iamport.depositHistory(impUid, [...before, chance.is(0.5) ? amount : partOf(partOf(amount))]);
    reached.count('fixed account: once more');
    this.#news.changed(impUid);
    // When it was paid is not later for it, so what nobody is told of is seen only by the walk through a week.
    this.#world.hasLongWait = true;
  }

  async #bankTakesBack(impUid: string): Promise<void> {
    const { chance, iamport, time, reached } = this.#world;
    const { ledger } = iamport;
    const { status, paid_at: paidAt, merchant_uid: merchantUid } = ledger.payment(impUid);
    if (status !== 'paid') return;
    ledger.takeBackDeposit(impUid);
    this.#world.rules.deposits.takenBack(impUid, { merchantUid, paidAt, takenAt: Math.floor(time.now / second) });
    reached.count('bank: takes a deposit back');
    const isLate = this.#world.worlds.has('late bank');
    this.#news.changed(impUid, { isNotified: !isLate && chance.is(0.3), isWatched: !isLate && chance.is(0.5) });
    if (!chance.is(0.5)) return;
    await time.sleep(chance.whole(10, 900) * second);
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    this.#world.rules.once.paidInto(impUid);
    this.#world.rules.deposits.returned(impUid);
    reached.count('bank: a deposit returns');
    this.#news.changed(impUid);
    // A part goes back before we have seen that the money is there again.
    if (this.#world.worlds.chance.is(0.3)) this.#cancel(impUid, partOf(ledger.payment(impUid).amount));
  }

  /** Somebody at the shop cancels in the console: all of it, or a part. */
  async #console(impUid: string): Promise<void> {
    const { chance, iamport } = this.#world;
    const payment = iamport.ledger.payment(impUid);
    const left = payment.amount - payment.cancel_amount;
    this.#cancel(impUid, chance.is(0.5) ? undefined : Math.floor(left / 3) || undefined);
  }

  /** Somebody gives back in the console what the shop's server gives back too: neither knows of the other. */
  async giveBackAsWell({ merchantUid, currency }: Wanted, part: number | undefined): Promise<void> {
    const ofIt = this.#world.iamport.payments().filter((one) => one.merchant_uid === merchantUid);
    const paid = ofIt.find((one) => one.paid_at > 0 && one.currency === currency);
    if (paid) this.#cancel(paid.imp_uid, part);
  }

  #cancel(impUid: string, part: number | undefined): void {
    const { iamport, reached } = this.#world;
    const isOpenAccount = awaitsDeposit(iamport.ledger.payment(impUid));
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
    this.#news.changed(impUid);
  }
}

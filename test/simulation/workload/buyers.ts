/** The actors who change a payment at Iamport: buyers, their banks, and operators who cancel in the shop's console. */

import { awaitsDeposit } from '../../../local/iamport/ledger.ts';
import { hundredths } from '../../../local/iamport/payment.ts';
import { Refused } from '../../../local/iamport/refused.ts';
import type { SimulationContext } from '../context.ts';
import { hour, minute, second } from '../units.ts';
import type { NotificationSender } from './notifications.ts';
import type { Wanted } from './wanted.ts';

/** The course of an attempt to pay, by its relative probability. */
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

export type Course = keyof typeof attempts;

/** About a half of the amount. Major units. */
const partOf = (amount: number): number => Math.max(1, Math.floor(amount / 2));

export class Buyers {
  readonly #context: SimulationContext;
  readonly #notifications: NotificationSender;

  constructor(context: SimulationContext, notifications: NotificationSender) {
    this.#context = context;
    this.#notifications = notifications;
  }

  /** One attempt to pay an order, with everything that follows from it. */
  async attempt(wanted: Wanted, course?: Course): Promise<void> {
    const { random, iamport, time, coverage, faults, worlds } = this.#context;
    const how = course ?? random.pick(attempts);
    const isAccount = how.startsWith('takes');
    let impUid: string;
    try {
      const { merchantUid: merchant_uid, amount, currency } = wanted;
      const byPhone = worlds.has('dead cancels') || (worlds.has('slow pg') && worlds.random.is(0.3));
      const pay_method = isAccount ? 'vbank' : byPhone ? 'phone' : random.is(0.8) ? 'card' : 'trans';
      impUid = iamport.ledger.open({ merchant_uid, amount, currency, pay_method }).imp_uid;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return;
    }
    coverage.count(`buyer: ${how}`);
    this.#context.lists.opened(impUid, how === 'leaves');
    iamport.recordChange(impUid);
    if (faults.happens('a payment is unreadable')) iamport.unreadable.add(impUid);
    if (random.is(0.1)) this.#notifications.notify(impUid);
    await time.sleep(random.whole(5, 60) * second);
    if (isAccount) await this.#takeAccount(impUid, how, wanted);
    else await this.#pay(impUid, how, wanted);
    if (random.is(0.2)) this.#notifications.at(15 * minute, () => this.#cancelInConsole(impUid));
  }

  async #pay(impUid: string, how: Course, wanted: Wanted): Promise<void> {
    const { random, iamport, time } = this.#context;
    const { ledger } = iamport;
    if (how === 'leaves') return;
    if (how.startsWith('fails')) {
      ledger.fail(impUid, '한도 초과');
      this.#notifications.changed(impUid, { isNotified: false });
      if (how === 'fails') return;
      await time.sleep(random.whole(10, 300) * second);
    }
    if (how === 'pays in a forged currency') {
      ledger.payment(impUid).currency = wanted.currency === 'KRW' ? 'JPY' : 'KRW';
      ledger.payment(impUid).amount = Math.ceil(wanted.amount);
    }
    const { worlds } = this.#context;
    const isForged = how === 'pays a forged amount' || (worlds.has('dead cancels') && worlds.random.is(0.5));
    const amount = isForged ? this.#forged(wanted) : undefined;
    ledger.pay(impUid, { ...(amount !== undefined && { amount }), sandbox: how === 'pays by a test channel' });
    this.#context.shop.paid(wanted, impUid);
    this.#notifications.changed(impUid);
    // The buyer opens the page again, after the operator has taken over the cancel.
    if (worlds.has('pg forgets')) this.#notifications.after(6 * 24 * hour, () => this.#notifications.browser(impUid));
  }

  /** An amount below or above that of the order. */
  #forged({ amount }: Wanted): number {
    return this.#context.random.is(0.8) ? Math.max(1, Math.floor(amount / 10)) : Math.ceil(amount) + 1;
  }

  async #takeAccount(impUid: string, how: Course, wanted: Wanted): Promise<void> {
    const { random, iamport, time, coverage } = this.#context;
    const { ledger } = iamport;
    const lastsSeconds = random.is(0.7) ? random.whole(300, 1_800) : random.whole(20_000, 70_000);
    const amount = how === 'takes an account of a forged amount' ? this.#forged(wanted) : undefined;
    const sandbox = how === 'takes an account by a test channel';
    ledger.issueAccount(impUid, { lastsSeconds, sandbox, ...(amount !== undefined && { amount }) });
    this.#notifications.changed(impUid);
    if (random.is(0.3)) return;
    const inParts = how === 'takes a fixed account' && random.is(0.4);
    if (inParts) {
      await time.sleep(random.whole(10, 300) * second);
      if (ledger.payment(impUid).status !== 'ready') return;
      // A part of the amount arrives, and the account waits for the rest.
      iamport.depositHistory(impUid, [partOf(ledger.payment(impUid).amount)]);
      coverage.count('fixed account: a part');
      this.#notifications.changed(impUid);
    }
    const wait = random.whole(30, 2_000) * second;
    // The browser sends its request while the bank moves the money: an early read may end in a late response.
    if (random.is(0.8))
      this.#notifications.after(wait - random.whole(0, 400), () =>
        this.#notifications.browser(impUid, { isAlone: true }),
      );
    await time.sleep(wait);
    // A revoked account takes no deposit.
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    this.#context.rules.once.paidInto(impUid);
    if (how === 'takes a fixed account') {
      const { amount: due } = ledger.payment(impUid);
      const part = partOf(due);
      const sum = inParts ? 'exact' : random.pick({ exact: 2, less: 1, more: 1 });
      coverage.count(`fixed account: ${sum}`);
      const exact = inParts ? [part, (hundredths(due) - hundredths(part)) / 100].filter((one) => one > 0) : [due];
      iamport.depositHistory(impUid, { exact, less: [part], more: [due, due] }[sum]);
      if (sum === 'exact' && random.is(0.5))
        this.#notifications.at(15 * minute, () => this.#depositAgain(impUid, exact));
    }
    this.#notifications.changed(impUid);
    if (!random.is(0.35) && !this.#context.worlds.has('late bank')) return;
    const bankWaits = this.#bankWaits();
    if (random.is(0.8) && !this.#context.worlds.has('late bank'))
      this.#notifications.after(bankWaits - random.whole(0, 400), () =>
        this.#notifications.browser(impUid, { isAlone: true }),
      );
    await time.sleep(bankWaits);
    await this.#bankTakesBack(impUid);
    // Only the scan of a week finds a deposit that a slow bank takes back.
    if (bankWaits > 540 * second) this.#context.hasLongWait = true;
  }

  /** When the bank takes the deposit back; milliseconds after the deposit. */
  #bankWaits(): number {
    const { random, worlds, coverage } = this.#context;
    const soon = random.whole(10, 900) * second;
    if (!worlds.has('late bank')) return soon;
    const when = worlds.random.pick({ minutes: 2, hours: 3, days: 3 });
    coverage.count(`late bank: ${when}`);
    const [min, max] = { minutes: [10, 60], hours: [60, 1_440], days: [1_440, 4_310] }[when] as [number, number];
    return worlds.random.whole(min, max) * minute;
  }

  /** A further deposit into the fixed account of a paid order. */
  async #depositAgain(impUid: string, before: readonly number[]): Promise<void> {
    const { random, iamport, coverage } = this.#context;
    const { status, amount } = iamport.ledger.payment(impUid);
    if (status !== 'paid') return;
    iamport.depositHistory(impUid, [...before, random.is(0.5) ? amount : partOf(partOf(amount))]);
    coverage.count('fixed account: once more');
    this.#notifications.changed(impUid);
    // The deposit does not change `paid_at`. Without a webhook, only the scan of a week finds it.
    this.#context.hasLongWait = true;
  }

  async #bankTakesBack(impUid: string): Promise<void> {
    const { random, iamport, time, coverage } = this.#context;
    const { ledger } = iamport;
    const { status, paid_at: paidAt, merchant_uid: merchantUid } = ledger.payment(impUid);
    if (status !== 'paid') return;
    ledger.takeBackDeposit(impUid);
    this.#context.rules.deposits.takenBack(impUid, { merchantUid, paidAt, takenAt: Math.floor(time.now / second) });
    coverage.count('bank: takes a deposit back');
    const isLate = this.#context.worlds.has('late bank');
    this.#notifications.changed(impUid, {
      isNotified: !isLate && random.is(0.3),
      isWatched: !isLate && random.is(0.5),
    });
    if (!random.is(0.5)) return;
    await time.sleep(random.whole(10, 900) * second);
    if (ledger.payment(impUid).status !== 'ready') return;
    ledger.deposit(impUid);
    this.#context.rules.once.paidInto(impUid);
    this.#context.rules.deposits.returned(impUid);
    coverage.count('bank: a deposit returns');
    this.#notifications.changed(impUid);
    // The shop cancels a part before we have read that the money is back.
    if (this.#context.worlds.random.is(0.3)) this.#cancel(impUid, partOf(ledger.payment(impUid).amount));
  }

  /** An operator of the shop cancels all of a payment, or a part, in the console. */
  async #cancelInConsole(impUid: string): Promise<void> {
    const { random, iamport } = this.#context;
    const payment = iamport.ledger.payment(impUid);
    const left = payment.amount - payment.cancel_amount;
    this.#cancel(impUid, random.is(0.5) ? undefined : Math.floor(left / 3) || undefined);
  }

  /** An operator refunds in the console, and the shop's server refunds the same order independently. */
  async refundInConsole({ merchantUid, currency }: Wanted, part: number | undefined): Promise<void> {
    const ofOrder = this.#context.iamport.payments().filter((one) => one.merchant_uid === merchantUid);
    const paid = ofOrder.find((one) => one.paid_at > 0 && one.currency === currency);
    if (paid) this.#cancel(paid.imp_uid, part);
  }

  #cancel(impUid: string, part: number | undefined): void {
    const { iamport, coverage } = this.#context;
    const isOpenAccount = awaitsDeposit(iamport.ledger.payment(impUid));
    try {
      if (isOpenAccount) iamport.ledger.revokeAccount(impUid);
      else iamport.ledger.cancelInConsole(impUid, part);
    } catch (error) {
      if (error instanceof Refused) return;
      throw error;
    }
    coverage.count(
      `console: ${isOpenAccount ? 'revokes an account' : `cancels ${part === undefined ? 'all' : 'a part'}`}`,
    );
    this.#notifications.changed(impUid);
  }
}

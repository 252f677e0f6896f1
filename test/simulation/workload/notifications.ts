/** What follows from a change of a payment: Iamport may notify us, and the buyer's browser or phone may come back. */

import { formBody, jsonBody } from '../../support/event.ts';
import type { World } from '../world.ts';

export const second = 1_000;
export const minute = 60 * second;

export class News {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * A payment is not what it was: Iamport may send a notification, and the buyer's browser may come back.
   * @param isWatched there is a buyer, and a page of the shop in front of him
   */
  changed(impUid: string, { isNotified = true, isWatched = true } = {}): void {
    const { chance, iamport, weather } = this.#world;
    iamport.note(impUid);
    this.#world.trace?.('iamport', `${impUid} is`, iamport.truths(impUid).at(-1));
    if (isNotified && !weather.strikes('webhook lost')) {
      this.tell(impUid);
      if (weather.strikes('webhook twice')) this.tell(impUid);
    }
    if (!isWatched) return;
    if (chance.is(0.5)) this.after(chance.whole(0, 5) * second, () => this.browser(impUid));
    if (chance.is(0.2)) this.after(chance.whole(0, 5) * second, () => this.#phone(impUid));
  }

  tell(impUid: string): void {
    const { chance, weather } = this.#world;
    const wait = weather.strikes('webhook late') ? chance.whole(0, 15 * minute) : chance.whole(0, 3 * second);
    this.after(wait, () => this.#notify(impUid));
  }

  /** Iamport's webhook; five times again, a minute apart, where the shop has asked for that. */
  async #notify(impUid: string): Promise<void> {
    const { chance, iamport, time } = this.#world;
    const isRepeated = chance.is(0.5);
    for (let times = 0; times <= (isRepeated ? 5 : 0); times += 1) {
      const { status } = await this.asked(impUid, () =>
        this.#world.request('webhook', { ...jsonBody(iamport.ledger.notice(impUid)), sourceIp: '52.78.100.19' }),
      );
      if (status === 200) return;
      await time.sleep(minute);
    }
  }

  /** @param isAlone the browser names the payment only, so that its order is read after it */
  async browser(impUid: string, { isAlone = false } = {}): Promise<void> {
    const { chance, iamport, time, reached } = this.#world;
    const { merchant_uid } = iamport.ledger.payment(impUid);
    const other = chance.is(0.05);
    const fields = {
      imp_uid: impUid,
      ...(!isAlone && chance.is(0.8) && { merchant_uid: other ? this.#otherThan(merchant_uid) : merchant_uid }),
    };
    const body = chance.is(0.5) ? jsonBody(fields) : formBody(new URLSearchParams(fields).toString());
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, body: text } = await this.asked(impUid, () => this.#world.request('complete', body));
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

  /** An order number that another payment names, where there is one. */
  #otherThan(merchantUid: string): string {
    const { chance, iamport } = this.#world;
    const others = iamport.payments().flatMap(({ merchant_uid }) => (merchant_uid === merchantUid ? [] : merchant_uid));
    return others[chance.whole(0, others.length)] ?? 'm_other';
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
  async asked<Answer extends { status: number; body: string }>(impUid: string, ask: () => Promise<Answer>) {
    const hadMoney = (this.#world.iamport.truths(impUid).at(-1)?.kept ?? 0) > 0;
    const answer = await ask();
    const isSettled = answer.status === 200 && !answer.body.includes('"settled":false');
    if (isSettled) this.#world.books.answered(impUid, hadMoney);
    return answer;
  }

  /** At some time within that many milliseconds. */
  at(withinMs: number, act: () => Promise<void>): void {
    this.after(this.#world.chance.whole(0, withinMs), act);
  }

  after(ms: number, act: () => Promise<void>): void {
    const { time } = this.#world;
    time.after(ms, () => time.begin(act));
  }
}

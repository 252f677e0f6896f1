/** The requests that follow a change of a payment: Iamport's webhook, and the buyer's browser or phone. */

import { formBody, jsonBody } from '../../support/event.ts';
import type { SimulationContext } from '../context.ts';
import { minute, second } from '../units.ts';

export class NotificationSender {
  readonly #context: SimulationContext;

  constructor(context: SimulationContext) {
    this.#context = context;
  }

  /**
   * Records a change of a payment, and plans the webhook and the requests of the buyer.
   * @param isWatched a buyer has a page of the shop open
   */
  changed(impUid: string, { isNotified = true, isWatched = true } = {}): void {
    const { random, iamport, faults } = this.#context;
    iamport.recordChange(impUid);
    this.#context.trace?.('iamport', `${impUid} is`, iamport.truths(impUid).at(-1));
    if (isNotified && !faults.happens('webhook lost')) {
      this.notify(impUid);
      if (faults.happens('webhook twice')) this.notify(impUid);
    }
    if (!isWatched) return;
    if (random.is(0.5)) this.after(random.whole(0, 5) * second, () => this.browser(impUid));
    if (random.is(0.2)) this.after(random.whole(0, 5) * second, () => this.#phone(impUid));
  }

  /** Plans the webhook of a payment. */
  notify(impUid: string): void {
    const { random, faults } = this.#context;
    const wait = faults.happens('webhook late') ? random.whole(0, 15 * minute) : random.whole(0, 3 * second);
    this.after(wait, () => this.#sendWebhook(impUid));
  }

  /** Sends Iamport's webhook. It repeats five times, a minute apart, if the shop has enabled retries. */
  async #sendWebhook(impUid: string): Promise<void> {
    const { random, iamport, time } = this.#context;
    const isRepeated = random.is(0.5);
    for (let retries = 0; retries <= (isRepeated ? 5 : 0); retries += 1) {
      const { status } = await this.checked(impUid, () =>
        this.#context.request('webhook', { ...jsonBody(iamport.ledger.notice(impUid)), sourceIp: '52.78.100.19' }),
      );
      if (status === 200) return;
      await time.sleep(minute);
    }
  }

  /** @param isAlone the browser sends only the `imp_uid`, so that the handler reads the order after the payment */
  async browser(impUid: string, { isAlone = false } = {}): Promise<void> {
    const { random, iamport, time, coverage } = this.#context;
    const { merchant_uid } = iamport.ledger.payment(impUid);
    const other = random.is(0.05);
    const fields = {
      imp_uid: impUid,
      ...(!isAlone && random.is(0.8) && { merchant_uid: other ? this.#otherThan(merchant_uid) : merchant_uid }),
    };
    const body = random.is(0.5) ? jsonBody(fields) : formBody(new URLSearchParams(fields).toString());
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, body: text } = await this.checked(impUid, () => this.#context.request('complete', body));
      coverage.count(`complete: ${status}`);
      if (status === 200) {
        const { status: outcome } = JSON.parse(text) as { status: string };
        coverage.count(`outcome: ${outcome}`);
        this.#context.safety.reported(merchant_uid, outcome);
      }
      if (status < 500) return;
      await time.sleep(2 * second);
    }
  }

  /** The order number of another payment, if there is one. */
  #otherThan(merchantUid: string): string {
    const { random, iamport } = this.#context;
    const others = iamport.payments().flatMap(({ merchant_uid }) => (merchant_uid === merchantUid ? [] : merchant_uid));
    return others[random.whole(0, others.length)] ?? 'm_other';
  }

  async #phone(impUid: string): Promise<void> {
    const { random, iamport } = this.#context;
    const { merchant_uid } = iamport.ledger.payment(impUid);
    const query = new URLSearchParams({ merchant_uid, ...(random.is(0.6) && { imp_uid: impUid }) }).toString();
    const { status, headers } = await this.#context.request('mobile', { method: 'GET', query });
    if (status !== 303) return;
    const shown = new URL(String(headers.location)).searchParams.get('status') ?? '';
    this.#context.coverage.count(`phone: ${shown}`);
    this.#context.safety.reported(merchant_uid, shown);
  }

  /** Sends a request about a payment. A 200 is compared with the money that Iamport kept before the request. */
  async checked<Response extends { status: number; body: string }>(impUid: string, send: () => Promise<Response>) {
    const hadMoney = (this.#context.iamport.truths(impUid).at(-1)?.kept ?? 0) > 0;
    const response = await send();
    const isSettled = response.status === 200 && !response.body.includes('"settled":false');
    if (isSettled) this.#context.safety.answeredOk(impUid, hadMoney);
    return response;
  }

  /** Acts at a random time within that many milliseconds. */
  at(withinMs: number, act: () => Promise<void>): void {
    this.after(this.#context.random.whole(0, withinMs), act);
  }

  after(ms: number, act: () => Promise<void>): void {
    const { time } = this.#context;
    time.after(ms, () => time.begin(act));
  }
}

/** Another shop on the same Iamport account: its payments have other order numbers, or the same ones as ours. */

import { Refused } from '../../../local/iamport/refused.ts';
import type { SimulationContext } from '../context.ts';
import { minute } from '../units.ts';
import type { NotificationSender } from '../workload/notifications.ts';
import type { Wanted } from '../workload/wanted.ts';

const latestRegistration = 180 * minute;

export class Neighbours {
  readonly #context: SimulationContext;
  readonly #notifications: NotificationSender;

  constructor(context: SimulationContext, notifications: NotificationSender) {
    this.#context = context;
    this.#notifications = notifications;
  }

  /** @returns when our shop registers the order; milliseconds after the beginning */
  begin(wanted: Wanted): number {
    const { random } = this.#context.worlds;
    const registersAfter = random.is(0.5) ? 0 : random.whole(1, latestRegistration);
    for (let count = random.whole(1, 2); count > 0; count -= 1) {
      const isSameNumber = random.is(0.7);
      const merchantUid = isSameNumber ? wanted.merchantUid : `B-${random.whole(1, 99)}`;
      const at = random.whole(0, Math.max(10 * minute, registersAfter));
      this.#notifications.after(at, () => this.#sell({ ...wanted, merchantUid }));
    }
    if (random.is(0.3)) this.#registerAmount(wanted);
    this.#context.extendTo(registersAfter + 90 * minute);
    return registersAfter;
  }

  /** Plans sales of the other shop under numbers of its own. @param untilMs after the beginning */
  beginBeside(wanted: Wanted, untilMs: number): void {
    const { random } = this.#context.worlds;
    for (let count = random.whole(0, 2); count > 0; count -= 1) {
      const merchantUid = `B-${random.whole(1, 99)}`;
      this.#notifications.after(random.whole(0, untilMs), () => this.#sell({ ...wanted, merchantUid }));
    }
  }

  /** A buyer of the other shop pays there. Iamport may send us the webhook, because an account has one webhook address. */
  async #sell({ merchantUid, amount, currency }: Wanted): Promise<void> {
    const { iamport, worlds, coverage } = this.#context;
    const { random } = worlds;
    const price = random.is(0.5) ? amount : amount + 1;
    coverage.count(`neighbour: sells ${merchantUid.startsWith('B-') ? 'another number' : 'the same number'}`);
    let impUid: string;
    try {
      impUid = iamport.ledger.open({ merchant_uid: merchantUid, amount: price, currency }).imp_uid;
    } catch (error) {
      // Another amount is registered under this number.
      if (error instanceof Refused) return;
      throw error;
    }
    iamport.recordChange(impUid);
    if (random.is(0.3)) {
      coverage.count('neighbour: issues an account');
      iamport.ledger.issueAccount(impUid, { lastsSeconds: 86_400 });
    } else {
      iamport.ledger.pay(impUid);
    }
    this.#notifications.changed(impUid, { isWatched: false });
  }

  #registerAmount({ merchantUid, amount }: Wanted): void {
    const { ledger } = this.#context.iamport;
    try {
      ledger.prepared.register({ merchant_uid: merchantUid, amount: amount + 1, currency: null });
      this.#context.coverage.count('neighbour: registers an amount');
    } catch (error) {
      // Another system has registered an amount before.
      if (!(error instanceof Refused)) throw error;
    }
  }
}

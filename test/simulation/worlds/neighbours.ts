/** Another shop, and another system, on the same Iamport account: payments under other order numbers, and under the same ones. */

import { Refused } from '../../../local/iamport/refused.ts';
import type { Wanted } from '../workload/buyers.ts';
import { minute, type News } from '../workload/notifications.ts';
import type { World } from '../world.ts';

const furthestRegistration = 180 * minute;

export class Neighbours {
  readonly #world: World;
  readonly #news: News;

  constructor(world: World, news: News) {
    this.#world = world;
    this.#news = news;
  }

  /** @returns how long after the beginning our shop registers the order; milliseconds */
  begin(wanted: Wanted): number {
    const { chance } = this.#world.worlds;
    const registersAfter = chance.is(0.5) ? 0 : chance.whole(1, furthestRegistration);
    for (let count = chance.whole(1, 2); count > 0; count -= 1) {
      const isSameNumber = chance.is(0.7);
      const merchantUid = isSameNumber ? wanted.merchantUid : `B-${chance.whole(1, 99)}`;
      const at = chance.whole(0, Math.max(10 * minute, registersAfter));
      this.#news.after(at, () => this.#sells({ ...wanted, merchantUid }));
    }
    if (chance.is(0.3)) this.#prepares(wanted);
    this.#world.extendTo(registersAfter + 90 * minute);
    return registersAfter;
  }

  /** A buyer of the other shop pays there. Iamport may notify us of it: an account has one address for that. */
  async #sells({ merchantUid, amount, currency }: Wanted): Promise<void> {
    const { iamport, worlds, reached } = this.#world;
    const { chance } = worlds;
    const price = chance.is(0.5) ? amount : amount + 1;
    reached.count(`neighbour: sells ${merchantUid.startsWith('B-') ? 'another number' : 'the same number'}`);
    let impUid: string;
    try {
      impUid = iamport.ledger.open({ merchant_uid: merchantUid, amount: price, currency }).imp_uid;
    } catch (error) {
      // Another amount is registered under this number.
      if (error instanceof Refused) return;
      throw error;
    }
    iamport.note(impUid);
    if (chance.is(0.3)) {
      reached.count('neighbour: issues an account');
      iamport.ledger.issueAccount(impUid, { lastsSeconds: 86_400 });
    } else {
      iamport.ledger.pay(impUid);
    }
    this.#news.changed(impUid, { isWatched: false });
  }

  #prepares({ merchantUid, amount }: Wanted): void {
    const { ledger } = this.#world.iamport;
    try {
      ledger.prepared.register({ merchant_uid: merchantUid, amount: amount + 1, currency: null });
      this.#world.reached.count('neighbour: registers an amount');
    } catch (error) {
      // Another one was there first.
      if (!(error instanceof Refused)) throw error;
    }
  }
}

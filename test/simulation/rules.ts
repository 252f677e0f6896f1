/** The invariants that have their own files. `safety.ts` and `liveness.ts` judge the others. */

import { Announced } from './invariants/announced.ts';
import { Attempted } from './invariants/attempted.ts';
import { Deployed } from './invariants/deployed.ts';
import { Deposits } from './invariants/deposits.ts';
import { Once } from './invariants/once.ts';
import { Ownership } from './invariants/ownership.ts';
import { Restored } from './invariants/restored.ts';
import type { Judge } from './judge.ts';

export class Rules {
  readonly judge: Judge;
  readonly once: Once;
  readonly ownership: Ownership;
  readonly announced: Announced;
  readonly attempted: Attempted;
  readonly deposits: Deposits;
  readonly restored: Restored;
  readonly deployed: Deployed;

  /**
   * @param startedAt when the payment window opened; Unix seconds
   * @param now milliseconds since 1970
   */
  constructor(judge: Judge, startedAt: (impUid: string) => number, isShops: boolean, now: () => number) {
    this.judge = judge;
    this.once = new Once(judge, now);
    this.ownership = new Ownership(judge, startedAt, isShops);
    this.announced = new Announced(judge);
    this.attempted = new Attempted(judge);
    this.deposits = new Deposits(judge);
    this.restored = new Restored(judge);
    this.deployed = new Deployed(judge, now);
  }
}

/**
 * Payments and amounts that may be another system's, and payments that we have sent back.
 *
 * S21 a payment that was begun before its order was registered is never sent back by us, nor its account revoked unless the order has
 *     waited for it. It settles the order only when it was begun at most an hour before. A shop's own table does not say when the
 *     order was made
 * S22 an amount that another system registered with Iamport is not overwritten
 * S23 an order is not written `paid` by a payment after our cancel of it was accepted
 */

import type { Entry } from '../entry.ts';
import type { Judge } from '../judge.ts';

/** The clocks of Iamport and of an instance differ by no more. Seconds. */
export const clockError = 10;
/** A shop may register its order late. Seconds. */
export const lateRegistration = 3_600;

export class Ownership {
  readonly #judge: Judge;
  /** Unix seconds; when the window of a payment opened. */
  readonly #startedAt: (impUid: string) => number;
  readonly #isShops: boolean;
  readonly #ourAmounts = new Set<string>();
  readonly #sentBack = new Set<string>();
  /** Accounts that an order has waited for. */
  readonly #waitedFor = new Set<string>();

  constructor(judge: Judge, startedAt: (impUid: string) => number, isShops: boolean) {
    this.#judge = judge;
    this.#isShops = isShops;
    this.#startedAt = startedAt;
  }

  /** We are about to cancel a payment that we do not take. */
  sendingBack(impUid: string, order: Entry | undefined): void {
    if (!order || order.createdAt === 0 || this.#isShops) return;
    const before = order.createdAt - this.#startedAt(impUid);
    this.#judge.judged('S21');
    if (before > clockError) {
      this.#judge.broken('S21', `${impUid} was begun ${before} s before ${order.merchantUid}, and is sent back`);
    }
  }

  /** We are about to revoke an account. One that an order has waited for counts as ours. */
  revoking(impUid: string, order: Entry | undefined): void {
    if (!this.#waitedFor.has(impUid)) this.sendingBack(impUid, order);
  }

  cancelAccepted(impUid: string): void {
    this.#sentBack.add(impUid);
  }

  /** An order was written. */
  orderWritten(before: Entry | undefined, now: Entry): void {
    const { impUid, merchantUid, createdAt } = now;
    if (now.accountOf !== undefined) this.#waitedFor.add(now.accountOf);
    if (!now.isSettled || impUid === undefined) return;
    if (now.kept > 0 && this.#sentBack.has(impUid)) {
      this.#judge.broken('S23', `${merchantUid} is written ${now.status} by ${impUid}, which we have sent back`);
    }
    if (before?.isSettled || createdAt === 0 || this.#isShops) return;
    const early = createdAt - this.#startedAt(impUid);
    if (early > 0) this.#judge.judged('S21, late registration');
    if (early > lateRegistration + clockError) {
      this.#judge.broken('S21', `${merchantUid} is settled by ${impUid}, begun ${early} s before it was registered`);
    }
  }

  /** We have registered an amount with Iamport where there was none. */
  amountRegistered(merchantUid: string): void {
    this.#ourAmounts.add(merchantUid);
  }

  /** We change an amount at Iamport. */
  amountChanged(merchantUid: string): void {
    this.#judge.judged('S22');
    if (!this.#ourAmounts.has(merchantUid)) {
      this.#judge.broken('S22', `the amount of ${merchantUid} was registered by another system, and is overwritten`);
    }
  }
}

/**
 * Payments and amounts that may belong to another system, payments that we have cancelled, and payments of before the deployment: S21,
 * S22, S23 and S31 (invariants.ts).
 */

import type { Entry } from '../entry.ts';
import type { Judge } from '../judge.ts';

/** The largest difference between the clocks of Iamport and of an instance. Seconds. */
export const clockError = 10;
/** How late a shop may register an order. Seconds. */
export const lateRegistration = 3_600;

export class Ownership {
  readonly #judge: Judge;
  /** When the payment window opened; Unix seconds. */
  readonly #startedAt: (impUid: string) => number;
  readonly #isShops: boolean;
  readonly #ourAmounts = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** Payments that an earlier system of the shop settled, before the deployment. */
  readonly #adopted = new Set<string>();
  /** Virtual accounts that an order has waited for. */
  readonly #waitedFor = new Set<string>();

  constructor(judge: Judge, startedAt: (impUid: string) => number, isShops: boolean) {
    this.#judge = judge;
    this.#isShops = isShops;
    this.#startedAt = startedAt;
  }

  /** An earlier system of the shop has settled the payment. */
  adopted(impUid: string): void {
    this.#adopted.add(impUid);
  }

  isAdopted(impUid: string): boolean {
    return this.#adopted.has(impUid);
  }

  /** Our code is about to cancel a rejected payment. */
  cancelling(impUid: string, order: Entry | undefined): void {
    if (this.#adopted.has(impUid))
      this.#judge.broken('S31', `${impUid} is older than the deployment, and we cancel it`);
    if (!order || order.createdAt === 0 || this.#isShops) return;
    const before = order.createdAt - this.#startedAt(impUid);
    this.#judge.judged('S21');
    if (before > clockError) {
      this.#judge.broken('S21', `${impUid} began ${before} s before ${order.merchantUid}, and we cancel it`);
    }
  }

  /** Our code is about to revoke an account. An account that an order has waited for is ours. */
  revoking(impUid: string, order: Entry | undefined): void {
    if (!this.#waitedFor.has(impUid)) this.cancelling(impUid, order);
  }

  cancelAccepted(impUid: string): void {
    this.#cancelled.add(impUid);
  }

  /** Iamport has accepted our cancel of the payment. */
  hasCancelled(impUid: string): boolean {
    return this.#cancelled.has(impUid);
  }

  /** An order was written. */
  orderWritten(before: Entry | undefined, now: Entry): void {
    const { impUid, merchantUid, createdAt } = now;
    if (now.accountOf !== undefined) this.#waitedFor.add(now.accountOf);
    if (this.#adopted.size > 0) this.#judge.judged('S31');
    if (!now.isSettled || impUid === undefined) return;
    if (this.#adopted.has(impUid)) {
      this.#judge.broken('S31', `${merchantUid} is settled by ${impUid}, which is older than the deployment`);
    }
    if (now.kept > 0 && this.#cancelled.has(impUid)) {
      this.#judge.broken('S23', `${merchantUid} is written ${now.status} by ${impUid}, which we have cancelled`);
    }
    if (before?.isSettled || createdAt === 0 || this.#isShops) return;
    const early = createdAt - this.#startedAt(impUid);
    if (early > 0) this.#judge.judged('S21, late registration');
    if (early > lateRegistration + clockError) {
      this.#judge.broken(
        'S21',
        `${merchantUid} is settled by ${impUid}, which began ${early} s before the registration`,
      );
    }
  }

  /** Our code has registered an amount with Iamport that had none. */
  amountRegistered(merchantUid: string): void {
    this.#ourAmounts.add(merchantUid);
  }

  /** Our code changes an amount at Iamport. */
  amountChanged(merchantUid: string): void {
    this.#judge.judged('S22');
    if (!this.#ourAmounts.has(merchantUid)) {
      this.#judge.broken('S22', `we overwrite the amount of ${merchantUid}, which another system registered`);
    }
  }
}

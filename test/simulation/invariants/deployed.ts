/** The settings of deployments, while one follows another: S33, S34 and S35 (invariants.ts). */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';
import { isForeign, leavesToOperator } from '../settings.ts';

/** As in the template. */
const longestRequestMs = 12_000;

export class Deployed {
  readonly #judge: Judge;
  readonly #now: () => number;
  /** When the operator got a reversal; milliseconds since 1970, by `imp_uid`. */
  readonly #operators = new Map<string, number>();
  readonly #handedOver = new Set<string>();

  /** @param now milliseconds since 1970 */
  constructor(judge: Judge, now: () => number) {
    this.#judge = judge;
    this.#now = now;
  }

  /**
   * An instance sends a cancel of a rejected payment, or the revocation of an account.
   * @param recorded its reversal when it is sent
   * @param is what is sent, and whether the payment is one of a test channel
   */
  sending(
    impUid: string,
    recorded: Item | undefined,
    { isTest, isRevocation }: { isTest: boolean; isRevocation: boolean },
    from: Instance,
  ): void {
    this.#judge.judged('S33');
    if (leavesToOperator(from.settings, isTest)) {
      this.#judge.broken('S33', `${from.name} undoes ${impUid}, which its settings leave to the operator`);
    }
    this.#judge.judged('S34');
    const since = this.#operators.get(impUid);
    if (since === undefined) return;
    // The request was claimed just before: by the earlier version, or before the deposit arrived. No money moves.
    const isOnItsWay = isRevocation && this.#now() - since < longestRequestMs;
    if (!isOnItsWay) {
      this.#judge.broken('S34', `${from.name} undoes ${impUid}, which the operator has: ${JSON.stringify(recorded)}`);
    }
  }

  /** An instance has written a reversal. */
  reversalWritten(impUid: string, before: Item | undefined, after: Item, by: Instance): void {
    const [kind, state] = [after.kind?.S, after.state?.S];
    const merchantUid = after.merchant_uid?.S ?? '';
    if (kind === 'orphan' && before?.kind?.S !== 'orphan') {
      this.#judge.judged('S35');
      if (isForeign(by.settings, merchantUid)) {
        this.#judge.broken('S35', `${by.name} records ${impUid} of ${merchantUid}, which is another shop's`);
      }
    }
    // The bank took the deposit back, and the open account is revoked: `Refund No Longer Required`.
    if (kind === 'revoke' && before?.kind?.S === 'manual') this.#operators.delete(impUid);
    if ((kind === 'manual' || kind === 'cancel') && state === 'manual') {
      if (before?.kind?.S === 'cancel' && before.state?.S === 'requested' && leavesToOperator(by.settings, false)) {
        this.#judge.judged('S34, handed over');
        if (Number(after.amount?.N) > 0) this.#handedOver.add(impUid);
      }
      if (!this.#operators.has(impUid)) this.#operators.set(impUid, this.#now());
    }
    const wasAccepted = before?.accepted_at !== undefined && before.state?.S !== 'done' && Number(before.amount?.N) > 0;
    if (!wasAccepted) return;
    if (leavesToOperator(by.settings, false)) this.#judge.judged('S34, accepted before');
    if (state !== 'done' && after.accepted_at === undefined) {
      this.#judge.broken(
        'S34',
        `${by.name} gives ${impUid} to the operator, although Iamport accepted it: ${JSON.stringify(after)}`,
      );
    }
  }

  /** The PG performs a cancel, and our code has recorded before that Iamport accepted it. */
  performedLater(impUid: string, recorded: Item | undefined): void {
    if (recorded?.state?.S === 'done' || !(Number(recorded?.amount?.N) > 0)) return;
    this.#judge.judged('S34, performed later');
    if (recorded?.accepted_at === undefined) {
      this.#judge.broken('S34', `the PG cancels ${impUid}, whose acceptance is lost: ${JSON.stringify(recorded)}`);
    }
  }

  /** An open cancel was given to the operator, who must have an event about it. */
  wasHandedOver(impUid: string): boolean {
    return this.#handedOver.has(impUid);
  }

  /** An instance has written a new order. */
  orderWritten(merchantUid: string, by: Instance): void {
    if (isForeign(by.settings, merchantUid)) {
      this.#judge.broken('S35', `${by.name} registers ${merchantUid}, although another prefix is set`);
    }
  }

  /** Another shop's payment kept money, and has no record. */
  ignored(): void {
    this.#judge.judged('S35, ignored');
  }
}

/**
 * Refunds and reversals happen once: S14 (with `safety.ts`), S19, S20, S32 and L16 (invariants.ts). S14 has an exception: a refund may pay
 * twice when the PG had not performed its first cancel yet, and the acceptance of it was lost (`isLost`).
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance, Invocation } from '../network.ts';

/** A cancel or a revocation that Iamport answered with `code: 0`. */
interface Accepted {
  /** In hundredths; 0 for a revocation. */
  readonly amount: number;
  isPending: boolean;
  /** When Iamport accepted it; milliseconds since 1970. */
  readonly at: number;
  /** The invocation that received the response, and when. The next one of the same instance does not know the response. */
  received: { readonly by: Instance; readonly in: Invocation; readonly at: number } | undefined;
  /** That invocation has written the item after it received the response. */
  isRecorded: boolean;
}

/**
 * The method pays back on the next business day. Iamport's data does not change until then. A deposit has refunds only:
 * a reversal without a key revokes its account.
 */
const isDeferred = (payMethod: string, id: string): boolean =>
  payMethod === 'phone' || (payMethod === 'vbank' && id.includes('/'));

/**
 * A change is sent only with this time left until the deadline, and its acceptance is recorded until a second before the deadline.
 * Milliseconds.
 */
const leastLeftMs = 4_000;
const longestWaitMs = 1_000;

/**
 * No read shows that Iamport accepted the request: its response was lost, the instance died before the record, or DynamoDB did not
 * respond until the deadline.
 */
function isLost({ at, received, isRecorded }: Accepted): boolean {
  if (isRecorded) return false;
  if (!received) return true;
  // An invocation that still runs still has to record it.
  if (received.in.endedAt === undefined) return !received.by.isAlive;
  // The request took half of the round trip.
  const sentAt = at - (received.at - at);
  return received.in.endedAt >= sentAt + leastLeftMs - longestWaitMs;
}

export class Once {
  readonly #judge: Judge;
  readonly #now: () => number;
  /** By the key of the item: `imp_uid` of a reversal, `<imp_uid>/<key>` of a refund. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #paidBack = new Set<string>();
  readonly #refused = new Set<string>();
  /** Sent again after a lost acceptance, before the PG performed the first request. No read at Iamport can show the first one. */
  readonly #undetectable = new Set<string>();
  /** The attempts of the item at its last write. */
  readonly #attempts = new Map<string, string | undefined>();

  /** @param now milliseconds since 1970 */
  constructor(judge: Judge, now: () => number) {
    this.#judge = judge;
    this.#now = now;
  }

  /** An instance sends a cancel or a revocation. */
  sending(id: string, payMethod: string, from: Instance): void {
    const before = this.#accepted.get(id);
    if (!before) return;
    this.#judge.judged('S19');
    if (before.isPending && isLost(before)) this.#undetectable.add(id);
    const broken = (why: string) => this.#judge.broken('S19', `${from.name} sends ${id} again: ${why}`);
    if (before.isPending && !isLost(before))
      broken(`its acceptance was ${before.isRecorded ? 'recorded' : 'received'}`);
    else if (isDeferred(payMethod, id) && !from.name.startsWith('refunds')) {
      broken(`its response was lost, and a ${payMethod} payment does not show the first request`);
    }
  }

  /**
   * An instance sends a refund. The PG may perform those that it accepted before as well, so they are not left. An earlier one is
   * done when a cancel of the same amount took its place (S14).
   * @param kept what the payment keeps; amounts in hundredths
   */
  refunding(id: string, amount: number, kept: number, isDone: (id: string) => boolean): void {
    const [impUid] = id.split('/');
    const earlier = [...this.#accepted].filter(
      ([other, one]) =>
        other !== id && other.startsWith(`${impUid}/`) && one.isPending && !isLost(one) && !isDone(other),
    );
    if (earlier.length === 0) return;
    this.#judge.judged('S32');
    const left = kept - earlier.reduce((sum, [, one]) => sum + one.amount, 0);
    if (amount > left) this.#judge.broken('S32', `the refund ${id} of ${amount} is sent, and ${left} is left`);
  }

  /** A deposit arrived on an account. It voids an earlier revocation. */
  paidInto(impUid: string): void {
    this.#accepted.delete(impUid);
  }

  /** @param amount in hundredths */
  accepted(id: string, isPending: boolean, amount: number): void {
    this.#accepted.set(id, { amount, isPending, at: this.#now(), received: undefined, isRecorded: false });
    if (isPending) this.#judge.judged('accepted, performed later');
  }

  /** A live instance has received the response `code: 0`. */
  received(id: string, by: Instance): void {
    const accepted = this.#accepted.get(id);
    if (accepted) accepted.received = { by, in: by.invocation, at: this.#now() };
  }

  /** The PG has performed a cancel or a revocation. */
  performed(id: string): void {
    const accepted = this.#accepted.get(id);
    if (accepted) accepted.isPending = false;
    if (!id.includes('/')) return;
    if (this.#paidBack.has(id) && !this.#undetectable.has(id)) {
      this.#judge.broken('S14', `the refund ${id} paid back twice`);
    }
    this.#paidBack.add(id);
    if (this.#refused.has(id)) this.#judge.broken('S20', `the refund ${id} was refused, and pays back`);
  }

  /** Iamport accepted the cancel, the PG has not performed it, and an invocation that has ended recorded that. */
  isRecordedPending(id: string): boolean {
    const accepted = this.#accepted.get(id);
    // A revocation moves no money: a part of a deposit takes its place.
    if (!accepted?.isPending || accepted.amount === 0) return false;
    return accepted.isRecorded && accepted.received?.in.endedAt !== undefined;
  }

  hasPaidBack(id: string): boolean {
    return this.#paidBack.has(id);
  }

  /** An item of the table of reversals was written. */
  written(id: string, after: Item | undefined, by: Instance): void {
    const accepted = this.#accepted.get(id);
    const attempts = after?.attempts?.N;
    // This write announces a further attempt, and does not record the acceptance of the earlier one.
    const isNext = this.#attempts.has(id) && this.#attempts.get(id) !== attempts;
    this.#attempts.set(id, attempts);
    if (accepted?.received?.in === by.invocation && !isNext) accepted.isRecorded = true;
    if (after?.kind?.S !== 'refund') return;
    if (after.state?.S !== 'refused') {
      this.#refused.delete(id);
      return;
    }
    this.#refused.add(id);
    this.#judge.judged('S20');
    if (this.#paidBack.has(id)) this.#judge.broken('S20', `the refund ${id} paid back, and is refused`);
  }

  /** @param stateOf the state of a refund's item; undefined when the invariant does not apply to it */
  checkLiveness(stateOf: (id: string) => string | undefined): void {
    for (const id of this.#paidBack) {
      const state = stateOf(id);
      if (state === undefined) continue;
      this.#judge.judged('L16');
      if (state !== 'done') this.#judge.broken('L16', `the refund ${id} paid back, and is ${state}`);
    }
  }
}

/** The key of a refund. The simulation puts it into the shop's reason. Cancels of reversals have none. */
export const keyIn = (reason: string | undefined): string | undefined => /key-\d+/.exec(reason ?? '')?.[0];

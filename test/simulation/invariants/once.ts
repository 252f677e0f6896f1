/**
 * Refunds and reversals happen once: S14 (with `safety.ts`), S19, S20 and L16 (invariants.ts). S14 has an exception: a refund may pay
 * twice when the response to its first cancel was lost and the PG had not performed it yet.
 */

import type { Item } from '../../../functions/adapters/dynamodb/table.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';

/** A cancel or a revocation that Iamport answered with `code: 0`. */
interface Accepted {
  isPending: boolean;
  /** The instance that received the response, and the number of its invocation: the next one does not know the response. */
  received: { readonly by: Instance; readonly in: number } | undefined;
  /** That invocation has written the item after it received the response. */
  isRecorded: boolean;
}

/** Methods that pay back on the next business day. Iamport's data does not change until then. */
const deferredMethods = new Set(['vbank', 'phone']);

export class Once {
  readonly #judge: Judge;
  /** By the key of the item: `imp_uid` of a reversal, `<imp_uid>/<key>` of a refund. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #paidBack = new Set<string>();
  readonly #refused = new Set<string>();
  /** Sent again after a lost response, before the PG performed the first request. No read at Iamport can show the first one. */
  readonly #undetectable = new Set<string>();
  /** The attempts of the item at its last write. */
  readonly #attempts = new Map<string, string | undefined>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** An instance sends a cancel or a revocation. */
  sending(id: string, payMethod: string, from: Instance): void {
    const before = this.#accepted.get(id);
    if (!before) return;
    this.#judge.judged('S19');
    if (before.isPending && !before.isRecorded) this.#undetectable.add(id);
    const broken = (why: string) => this.#judge.broken('S19', `${from.name} sends ${id} again: ${why}`);
    if (before.isPending && before.isRecorded) broken('its acceptance was recorded');
    else if (deferredMethods.has(payMethod) && id.includes('/') && !from.name.startsWith('refunds')) {
      broken(`its response was lost, and a ${payMethod} payment does not show the first request`);
    }
  }

  /** A deposit arrived on an account. It voids an earlier revocation. */
  paidInto(impUid: string): void {
    this.#accepted.delete(impUid);
  }

  accepted(id: string, isPending: boolean): void {
    this.#accepted.set(id, { isPending, received: undefined, isRecorded: false });
    if (isPending) this.#judge.judged('accepted, performed later');
  }

  /** A live instance has received the response `code: 0`. */
  received(id: string, by: Instance): void {
    const accepted = this.#accepted.get(id);
    if (accepted) accepted.received = { by, in: by.invocations };
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
    const { received } = accepted ?? {};
    if (accepted && received?.by === by && received.in === by.invocations && !isNext) accepted.isRecorded = true;
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

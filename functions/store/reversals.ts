/** The table of reversals: payments that must be undone, one item a payment. The intent is here before Iamport is asked. */

import { defined } from '../edge/defined.ts';
import type { UnixSeconds } from '../payment/payment.ts';
import type { Objection, Reversal, ReversalKind, ReversalRequest, ReversalState } from '../payment/reversal.ts';
import { count, money, Reader, text } from './attributes.ts';
import type { Item, Table, Write } from './table.ts';
import { watched } from './watched.ts';

export interface Reversals {
  /**
   * Records that a payment must be undone, with the first attempt claimed by the caller.
   * @returns `created: false` with what is recorded already
   */
  request(request: ReversalRequest, now: UnixSeconds): Promise<{ created: boolean; reversal: Reversal }>;
  /** Claims the next attempt, once it is due. @returns undefined when it is not, or somebody else has claimed it */
  claim(reversal: Reversal, now: UnixSeconds): Promise<Reversal | undefined>;
  /** Records what Iamport answered to an attempt that did not work. After the last attempt it is for a person. */
  fail(reversal: Reversal, message: string, now: UnixSeconds): Promise<Reversal>;
  /** The money is back. @returns the reversal, which is over, or undefined when the payment has none */
  finish(impUid: string, now: UnixSeconds): Promise<Reversal | undefined>;
  /** Everything that was, or is, to be undone of an order. */
  ofOrder(merchantUid: string): Promise<readonly Reversal[]>;
}

/** The first attempt is made by who finds the payment; the next ones wait 1, 2, 4, … minutes, at most 6 hours. Seconds. */
const retryAfter = (attempts: number) => Math.min(60 * 2 ** (attempts - 1), 21_600);
/** About a day of attempts. A PG that still refuses then will not change its mind by itself. */
const lastAttempt = 12;
/** What waits for a person is looked at once a day: it may have been refunded in the console. Seconds. */
const manualLookEvery = 86_400;

export function reversalsIn(table: Table): Reversals {
  const change = async (reversal: Reversal, conditions: Write['conditions'], values: Item) => {
    const key = { imp_uid: text(reversal.impUid) };
    return table.write({ key, set: attributesOf(reversal), conditions, values });
  };
  const unchanged = { attemptsAreUnchanged: '#attempts = :read', isRequested: '#state = :requested' };
  const valuesOf = (reversal: Reversal) => ({ ':read': count(reversal.attempts), ':requested': text('requested') });

  return {
    async request(request, now) {
      const byPerson = request.kind === 'manual' || request.kind === 'orphan';
      const state = byPerson ? 'manual' : 'requested';
      const reversal: Reversal = { ...request, state, attempts: byPerson ? 0 : 1, createdAt: now, updatedAt: now };
      // What was an account without a deposit, or money without an order, may have become more since.
      const isNewOrMore = 'attribute_not_exists(imp_uid) OR (#kind IN (:revoke, :orphan) AND #kind <> :kind)';
      const values = { ':revoke': text('revoke'), ':orphan': text('orphan') };
      const result = await change(reversal, { isNewOrMore }, values);
      if (result.written || !result.item) return { created: true, reversal };
      return { created: false, reversal: reversalOf(result.item) };
    },

    async claim(reversal, now) {
      const isDue = reversal.updatedAt + retryAfter(reversal.attempts) <= now;
      if (reversal.state !== 'requested' || !isDue) return undefined;
      const claimed: Reversal = { ...reversal, attempts: reversal.attempts + 1, updatedAt: now };
      return (await change(claimed, unchanged, valuesOf(reversal))).written ? claimed : undefined;
    },

    async fail(reversal, message, now) {
      const state = reversal.attempts >= lastAttempt ? 'manual' : 'requested';
      const failed: Reversal = { ...reversal, state, message, updatedAt: now };
      const result = await change(failed, unchanged, valuesOf(reversal));
      return result.written || !result.item ? failed : reversalOf(result.item);
    },

    async finish(impUid, now) {
      const result = await table.write({
        key: { imp_uid: text(impUid) },
        set: { state: text('done'), updated_at: count(now), message: undefined, ...watched(impUid, undefined) },
        conditions: { exists: 'attribute_exists(imp_uid)', isNotOver: '#state <> :done' },
        values: { ':done': text('done') },
      });
      const item = result.written ? await table.read({ imp_uid: text(impUid) }) : result.item;
      return item && reversalOf(item);
    },

    async ofOrder(merchantUid) {
      return (await table.query('by-order', 'merchant_uid', text(merchantUid))).map(reversalOf);
    },
  };
}

function attributesOf(reversal: Reversal): Write['set'] {
  const { impUid, currency, state, attempts, message, updatedAt } = reversal;
  const dueIn = { requested: retryAfter(attempts), manual: manualLookEvery, done: undefined }[state];
  return {
    merchant_uid: text(reversal.merchantUid),
    kind: text(reversal.kind),
    reason: text(reversal.reason),
    amount: money(reversal.amount, currency),
    currency: text(currency),
    state: text(state),
    attempts: count(attempts),
    message: message === undefined ? undefined : text(message),
    created_at: count(reversal.createdAt),
    updated_at: count(updatedAt),
    ...watched(impUid, dueIn === undefined ? undefined : updatedAt + dueIn),
  };
}

function reversalOf(item: Item): Reversal {
  const read = new Reader(item, `reversal of ${item.imp_uid?.S}`);
  const currency = read.text('currency');
  return defined<Reversal>({
    impUid: read.text('imp_uid'),
    merchantUid: read.text('merchant_uid'),
    kind: read.text('kind') as ReversalKind,
    reason: read.text('reason') as Objection,
    amount: read.money('amount', currency),
    currency,
    state: read.text('state') as ReversalState,
    attempts: read.count('attempts'),
    message: read.optionalText('message'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

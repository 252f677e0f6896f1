/** The table of reversals: payments that must be undone, one item a payment. The intent is here before Iamport is asked. */

import { defined } from '../edge/defined.ts';
import type { Amount } from '../payment/money.ts';
import type { UnixSeconds } from '../payment/payment.ts';
import type { Refund } from '../payment/refund.ts';
import {
  isNews,
  type Reversal,
  type ReversalKind,
  type ReversalReason,
  type ReversalRequest,
  type ReversalState,
} from '../payment/reversal.ts';
import { count, money, optional, Reader, text } from './attributes.ts';
import { isNotificationItem } from './notifications.ts';
import { isRefundItem, refundOf } from './refunds.ts';
import type { Item, Table, Write } from './table.ts';
import { retryAfter, watched } from './watched.ts';

export interface Reversals {
  read(impUid: string): Promise<Reversal | undefined>;
  /**
   * Records that a payment must be undone.
   * @param attempts 1 when the caller asks Iamport itself and at once; 0 leaves it to the reconciler's next run
   * @returns `created: false` with what is recorded already
   */
  request(
    request: ReversalRequest,
    now: UnixSeconds,
    attempts: 0 | 1,
  ): Promise<{ created: boolean; reversal: Reversal }>;
  /** Claims the next attempt, once it is due. @returns undefined when it is not, or somebody else has claimed it */
  claim(reversal: Reversal, now: UnixSeconds): Promise<Reversal | undefined>;
  /** Records what Iamport answered to an attempt that did not work. After the last attempt it is for a person. */
  fail(reversal: Reversal, message: string, now: UnixSeconds): Promise<Reversal>;
  /** What waits for a person was looked at, and still waits. @param left how much of it has not come back meanwhile */
  seen(reversal: Reversal, left: Amount, now: UnixSeconds): Promise<void>;
  /**
   * Nothing is left to undo.
   * @param amount what went back, when it is not what had to: nothing, where the order stands on the payment after all
   * @returns the reversal, which is over, or undefined when the payment has none
   */
  finish(impUid: string, now: UnixSeconds, amount?: Amount): Promise<Reversal | undefined>;
  /** Everything that was, or is, to be given back of an order. */
  ofOrder(
    merchantUid: string,
  ): Promise<{ readonly reversals: readonly Reversal[]; readonly refunds: readonly Refund[] }>;
  /** The keys of what is due: `imp_uid` of a reversal, `<imp_uid>/<key>` of a refund. @param most how many at the most */
  due(now: UnixSeconds, most: number): Promise<readonly string[]>;
}

/** About a day of attempts. A PG that still refuses then will not change its mind by itself. */
const lastAttempt = 12;

export function reversalsIn(table: Table): Reversals {
  const keyOf = (impUid: string): Item => ({ imp_uid: text(impUid) });
  /** Writes the next version, if the one that was read is still there. */
  const change = async (read: Reversal, next: Omit<Reversal, 'revision'>) => {
    const written: Reversal = { ...next, revision: read.revision + 1 };
    const conditions = { revisionIsUnchanged: '#revision = :read' };
    const values = { ':read': count(read.revision) };
    const result = await table.write({ key: keyOf(read.impUid), set: attributesOf(written), conditions, values });
    return result.written
      ? { held: true, reversal: written }
      : { held: false, reversal: result.item && reversalOf(result.item) };
  };
  const read = async (impUid: string) => {
    const item = await table.read(keyOf(impUid));
    return item && reversalOf(item);
  };

  return {
    read,

    async request(request, now, attempts) {
      const byPerson = request.kind === 'manual' || request.kind === 'orphan';
      const state = byPerson ? 'manual' : 'requested';
      const fresh = { ...request, state, attempts: byPerson ? 0 : attempts, createdAt: now, updatedAt: now } as const;
      const first: Reversal = { ...fresh, revision: 1 };
      const isNew = 'attribute_not_exists(imp_uid)';
      const result = await table.write({ key: keyOf(request.impUid), set: attributesOf(first), conditions: { isNew } });
      if (result.written || !result.item) return { created: true, reversal: first };
      const known = reversalOf(result.item);
      if (!isNews(request, known)) return { created: false, reversal: known };
      const { held, reversal = known } = await change(known, fresh);
      return { created: held, reversal };
    },

    async claim(reversal, now) {
      const isDue = reversal.updatedAt + retryAfter(reversal.attempts) <= now;
      if (reversal.state !== 'requested' || !isDue) return undefined;
      const { held, reversal: claimed } = await change(reversal, {
        ...reversal,
        attempts: reversal.attempts + 1,
        updatedAt: now,
      });
      return held ? claimed : undefined;
    },

    async fail(reversal, message, now) {
      const state = reversal.attempts >= lastAttempt ? 'manual' : 'requested';
      const failed = { ...reversal, state, message, updatedAt: now } as const;
      return (await change(reversal, failed)).reversal ?? failed;
    },

    async seen(reversal, left, now) {
      await change(reversal, { ...reversal, amount: left, attempts: reversal.attempts + 1, updatedAt: now });
    },

    async finish(impUid, now, amount) {
      for (let known = await read(impUid); known && known.state !== 'done'; ) {
        const { message: _former, ...rest } = known;
        const over = { ...rest, amount: amount ?? known.amount, state: 'done', updatedAt: now } as const;
        const { held, reversal } = await change(known, over);
        // A lost race hands back what is newer; each step of a reversal's life is a finite one, so this ends.
        if (held || reversal?.state === 'done') return reversal;
        known = reversal;
      }
      return read(impUid);
    },

    async ofOrder(merchantUid) {
      const items = await table.byOrder(merchantUid);
      return {
        reversals: items.filter((item) => !isRefundItem(item) && !isNotificationItem(item)).map(reversalOf),
        refunds: items
          .filter(isRefundItem)
          .map(refundOf)
          .filter(({ state }) => state !== 'unsent'),
      };
    },

    async due(now, most) {
      return (await table.due(now, most)).flatMap(({ imp_uid }) => imp_uid?.S ?? []);
    },
  };
}

/** When the reconciler looks at it next: what waits for a person may have been refunded in the console, an orphan's order may turn up. */
function dueAt({ kind, state, attempts, createdAt, updatedAt }: Reversal): number | undefined {
  if (state === 'done') return undefined;
  const wait = retryAfter(state === 'manual' ? attempts + 3 : attempts);
  // Another shop's payments may be orphans for ever: the older, the more seldom, so that they never crowd out what is due.
  return updatedAt + (kind === 'orphan' ? Math.max(wait, Math.floor((updatedAt - createdAt) / 4)) : wait);
}

function attributesOf(reversal: Reversal): Write['set'] {
  const { currency } = reversal;
  return {
    merchant_uid: text(reversal.merchantUid),
    kind: text(reversal.kind),
    reason: text(reversal.reason),
    amount: money(reversal.amount, currency),
    currency: text(currency),
    state: text(reversal.state),
    revision: count(reversal.revision),
    attempts: count(reversal.attempts),
    message: optional(text, reversal.message),
    created_at: count(reversal.createdAt),
    updated_at: count(reversal.updatedAt),
    ...watched(reversal.impUid, dueAt(reversal)),
  };
}

/** @throws StoreUnexpected for an item that this version does not understand */
export function reversalOf(item: Item): Reversal {
  const read = new Reader(item, `reversal of ${item.imp_uid?.S}`);
  const currency = read.text('currency');
  return defined<Reversal>({
    impUid: read.text('imp_uid'),
    merchantUid: read.text('merchant_uid'),
    kind: read.text('kind') as ReversalKind,
    reason: read.text('reason') as ReversalReason,
    amount: read.money('amount', currency),
    currency,
    state: read.text('state') as ReversalState,
    revision: read.count('revision'),
    attempts: read.count('attempts'),
    message: read.optionalText('message'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

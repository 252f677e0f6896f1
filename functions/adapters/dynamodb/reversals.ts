/** The table of reversals: one item for each payment that must be undone, written before Iamport is called. */

import { StoreUnexpected } from '../../application/faults.ts';
import { type Reversals, storedValue, type WriteResult } from '../../application/ports/stores.ts';
import { isUnsent } from '../../payment/refund.ts';
import {
  checkOf,
  claimed,
  finished,
  opened,
  type Reversal,
  type ReversalKind,
  type ReversalReason,
  type ReversalState,
  reopened,
  supersedes,
} from '../../payment/reversal.ts';
import { defined } from '../../shared/defined.ts';
import { count, ItemReader, money, optional, text } from './attributes.ts';
import { dueIndexAttributes } from './due-index.ts';
import { isNotificationItem } from './notifications.ts';
import { isRefundItem, refundItems } from './refunds.ts';
import type { Item, Table, Write } from './table.ts';
import { isAsRead, versionedItems } from './versioned.ts';

/** The words of each attribute. Records, so that a new word does not compile until it is added here. */
const kinds: Record<ReversalKind, true> = { cancel: true, revoke: true, manual: true, orphan: true };
const states: Record<ReversalState, true> = { requested: true, done: true, manual: true };
const reasons: Record<ReversalReason, true> = {
  test_payment: true,
  payment_predates_order: true,
  currency_mismatch: true,
  amount_mismatch: true,
  deposit_mismatch: true,
  deposit_excess: true,
  duplicate_payment: true,
  order_closed: true,
  account_superseded: true,
  order_expired: true,
  order_not_found: true,
};

export function createReversals(table: Table): Reversals {
  const items = versionedItems(table, { key: 'imp_uid', idOf: ({ impUid }) => impUid, fromItem: reversalFromItem });
  const refunds = refundItems(table);
  /** Writes the next version if the revision is still the one that was read. */
  const change = (read: Reversal, next: Omit<Reversal, 'revision'>): Promise<WriteResult<Reversal>> => {
    const value: Reversal = { ...next, revision: read.revision + 1 };
    return items.write(value, attributesOf(value), isAsRead(read));
  };

  return {
    read: items.read,

    async readMany(impUids) {
      const { found, unreadable } = await items.readMany(impUids);
      return { reversals: new Map(found.map((reversal) => [reversal.impUid, reversal])), unreadable };
    },

    async request(request, now, attempts) {
      const fresh = opened(request, attempts, now);
      const first: Reversal = { ...fresh, revision: 1 };
      const isNew = 'attribute_not_exists(imp_uid)';
      const result = await items.write(first, attributesOf(first), { conditions: { isNew } });
      if (result.written) return result;
      const known = result.current;
      if (!known) throw new StoreUnexpected(`The reversal ${request.impUid} was deleted during this write`);
      if (!supersedes(request, known)) return { written: false, current: known };
      const changed = await change(known, reopened(request, known, attempts, now));
      return changed.written ? changed : { written: false, current: changed.current ?? known };
    },

    async claim(reversal, now) {
      const next = claimed(reversal, now);
      if (!next) return undefined;
      const result = await change(reversal, next);
      return result.written ? result.value : undefined;
    },

    async move(reversal, next) {
      return storedValue(await change(reversal, next)) ?? reversal;
    },

    async finish(impUid, now, amount) {
      for (let known = await items.read(impUid); known && known.state !== 'done'; ) {
        const result = await change(known, finished(known, amount, now));
        if (result.written || result.current?.state === 'done') return storedValue(result);
        // A lost race returns the newer version. A reversal has few states, so the loop ends.
        known = result.current;
      }
      return items.read(impUid);
    },

    async ofOrder(merchantUid) {
      const all = (await table.byOrder(merchantUid)).filter((item) => !isNotificationItem(item));
      const reversals = items.readEach(all.filter((item) => !isRefundItem(item)));
      const ofRefunds = refunds.readEach(all.filter(isRefundItem));
      return {
        reversals: reversals.found,
        refunds: ofRefunds.found.filter((refund) => !isUnsent(refund)),
        unreadable: [...reversals.unreadable, ...ofRefunds.unreadable],
      };
    },

    due: (of, now, limit) => items.due([of], now, limit),
    postpone: items.postpone,
  };
}

function attributesOf(reversal: Reversal): Write['set'] {
  const { currency } = reversal;
  const check = checkOf(reversal);
  return {
    merchant_uid: text(reversal.merchantUid),
    tier: optional(text, reversal.tier),
    kind: text(reversal.kind),
    reason: text(reversal.reason),
    amount: money(reversal.amount, currency),
    currency: text(currency),
    state: text(reversal.state),
    revision: count(reversal.revision),
    attempts: count(reversal.attempts),
    message: optional(text, reversal.message),
    accepted_at: optional(count, reversal.acceptedAt),
    returned: optional((part) => money(part, currency), reversal.returned),
    returned_before: optional((part) => money(part, currency), reversal.returnedBefore),
    check_at: optional(count, reversal.checkAt),
    created_at: count(reversal.createdAt),
    updated_at: count(reversal.updatedAt),
    ...dueIndexAttributes(check?.of ?? '', check?.at),
  };
}

/** @throws StoreUnexpected for an item that this version cannot read */
export function reversalFromItem(item: Item): Reversal {
  const read = new ItemReader(item, `reversal of ${item.imp_uid?.S}`);
  const currency = read.text('currency');
  return defined<Reversal>({
    impUid: read.text('imp_uid'),
    merchantUid: read.text('merchant_uid'),
    tier: read.optionalText('tier'),
    kind: read.word('kind', kinds),
    reason: read.word('reason', reasons),
    amount: read.money('amount', currency),
    currency,
    state: read.word('state', states),
    revision: read.count('revision'),
    attempts: read.count('attempts'),
    message: read.optionalText('message'),
    acceptedAt: read.optionalCount('accepted_at'),
    returned: read.optionalMoney('returned', currency),
    returnedBefore: read.optionalMoney('returned_before', currency),
    checkAt: read.optionalCount('check_at'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

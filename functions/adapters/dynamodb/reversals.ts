/** The table of reversals: one item for each payment that must be undone, written before Iamport is called. */

import { StoreUnexpected } from '../../application/faults.ts';
import { type Reversals, storedValue, type WriteResult } from '../../application/ports.ts';
import {
  checkOf,
  claimed,
  finished,
  opened,
  type Reversal,
  type ReversalKind,
  type ReversalReason,
  type ReversalState,
  supersedes,
} from '../../payment/reversal.ts';
import { defined } from '../../shared/defined.ts';
import { count, ItemReader, money, optional, text } from './attributes.ts';
import { dueIndexAttributes } from './due-index.ts';
import { isNotificationItem } from './notifications.ts';
import { isRefundItem, refundFromItem } from './refunds.ts';
import type { Item, Table, Write } from './table.ts';

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
  const keyOf = (impUid: string): Item => ({ imp_uid: text(impUid) });
  /** Writes the next version if the revision is still the one that was read. */
  const change = async (read: Reversal, next: Omit<Reversal, 'revision'>): Promise<WriteResult<Reversal>> => {
    const value: Reversal = { ...next, revision: read.revision + 1 };
    const conditions = { revisionIsUnchanged: '#revision = :read' };
    const values = { ':read': count(read.revision) };
    const result = await table.write({ key: keyOf(read.impUid), set: attributesOf(value), conditions, values });
    if (result.written) return { written: true, value };
    return { written: false, ...(result.current && { current: reversalFromItem(result.current) }) };
  };
  const read = async (impUid: string) => {
    const item = await table.read(keyOf(impUid));
    return item && reversalFromItem(item);
  };

  return {
    read,

    async readMany(impUids) {
      const items = await table.readMany([...new Set(impUids)].map(keyOf));
      const { found, unreadable } = readEach(items, reversalFromItem);
      return { reversals: new Map(found.map((reversal) => [reversal.impUid, reversal])), unreadable };
    },

    async request(request, now, attempts) {
      const fresh = opened(request, attempts, now);
      const first: Reversal = { ...fresh, revision: 1 };
      const isNew = 'attribute_not_exists(imp_uid)';
      const result = await table.write({ key: keyOf(request.impUid), set: attributesOf(first), conditions: { isNew } });
      if (result.written) return { written: true, value: first };
      if (!result.current) throw new StoreUnexpected(`The reversal ${request.impUid} was deleted during this write`);
      const known = reversalFromItem(result.current);
      if (!supersedes(request, known)) return { written: false, current: known };
      const changed = await change(known, fresh);
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
      for (let known = await read(impUid); known && known.state !== 'done'; ) {
        const result = await change(known, finished(known, amount, now));
        if (result.written || result.current?.state === 'done') return storedValue(result);
        // A lost race returns the newer version. A reversal has few states, so the loop ends.
        known = result.current;
      }
      return read(impUid);
    },

    async ofOrder(merchantUid) {
      const items = (await table.byOrder(merchantUid)).filter((item) => !isNotificationItem(item));
      const reversals = readEach(
        items.filter((item) => !isRefundItem(item)),
        reversalFromItem,
      );
      const refunds = readEach(items.filter(isRefundItem), refundFromItem);
      return {
        reversals: reversals.found,
        refunds: refunds.found.filter(({ state }) => state !== 'unsent'),
        unreadable: [...reversals.unreadable, ...refunds.unreadable],
      };
    },

    async due(of, now, limit) {
      const items = await table.due([of], now, limit);
      return items.flatMap(({ imp_uid, due_at }) =>
        imp_uid?.S === undefined ? [] : { id: imp_uid.S, dueAt: Number(due_at?.N) },
      );
    },

    async postpone({ id, dueAt }, until) {
      await table.postpone(keyOf(id), dueAt, until);
    },
  };
}

/** Reads the items one by one. An unreadable item is reported by its key and does not hide the others. */
function readEach<Value>(items: readonly Item[], read: (item: Item) => Value) {
  const found: Value[] = [];
  const unreadable: string[] = [];
  for (const item of items) {
    try {
      found.push(read(item));
    } catch (error) {
      if (!(error instanceof StoreUnexpected)) throw error;
      unreadable.push(item.imp_uid?.S ?? '');
    }
  }
  return { found, unreadable };
}

function attributesOf(reversal: Reversal): Write['set'] {
  const { currency } = reversal;
  const check = checkOf(reversal);
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
    accepted_at: optional(count, reversal.acceptedAt),
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
    kind: read.word('kind', kinds),
    reason: read.word('reason', reasons),
    amount: read.money('amount', currency),
    currency,
    state: read.word('state', states),
    revision: read.count('revision'),
    attempts: read.count('attempts'),
    message: read.optionalText('message'),
    acceptedAt: read.optionalCount('accepted_at'),
    checkAt: read.optionalCount('check_at'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

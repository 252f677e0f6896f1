/** The table of reversals: payments that must be undone, one item a payment. The intent is here before Iamport is asked. */

import { StoreUnexpected } from '../../application/faults.ts';
import type { Reversals } from '../../application/ports.ts';
import {
  checkOf,
  claimed,
  finished,
  isNews,
  opened,
  type Reversal,
  type ReversalKind,
  type ReversalReason,
  type ReversalState,
} from '../../payment/reversal.ts';
import { defined } from '../../shared/defined.ts';
import { count, money, optional, Reader, text } from './attributes.ts';
import { isNotificationItem } from './notifications.ts';
import { isRefundItem, refundOf } from './refunds.ts';
import type { Item, Table, Write } from './table.ts';
import { watched } from './watched.ts';

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

    async readMany(impUids) {
      const items = await table.readMany([...new Set(impUids)].map(keyOf));
      const { found, unreadable } = readEach(items, reversalOf);
      return { reversals: new Map(found.map((reversal) => [reversal.impUid, reversal])), unreadable };
    },

    async request(request, now, attempts) {
      const fresh = opened(request, attempts, now);
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
      const next = claimed(reversal, now);
      if (!next) return undefined;
      const { held, reversal: written } = await change(reversal, next);
      return held ? written : undefined;
    },

    async move(reversal, next) {
      return (await change(reversal, next)).reversal ?? reversal;
    },

    async finish(impUid, now, amount) {
      for (let known = await read(impUid); known && known.state !== 'done'; ) {
        const { held, reversal } = await change(known, finished(known, amount, now));
        // A lost race returns the newer version; a reversal has few states, so this ends.
        if (held || reversal?.state === 'done') return reversal;
        known = reversal;
      }
      return read(impUid);
    },

    async ofOrder(merchantUid) {
      const items = (await table.byOrder(merchantUid)).filter((item) => !isNotificationItem(item));
      const reversals = readEach(
        items.filter((item) => !isRefundItem(item)),
        reversalOf,
      );
      const refunds = readEach(items.filter(isRefundItem), refundOf);
      return {
        reversals: reversals.found,
        refunds: refunds.found.filter(({ state }) => state !== 'unsent'),
        unreadable: [...reversals.unreadable, ...refunds.unreadable],
      };
    },

    async due(of, now, most) {
      const items = await table.due([of], now, most);
      return items.flatMap(({ imp_uid, due_at }) =>
        imp_uid?.S === undefined ? [] : { id: imp_uid.S, dueAt: Number(due_at?.N) },
      );
    },

    async postpone({ id, dueAt }, until) {
      await table.postpone(keyOf(id), dueAt, until);
    },
  };
}

/** Reads items one by one: one that this version does not understand does not hide the others. */
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
    ...watched(check?.of ?? '', check?.at),
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
    acceptedAt: read.optionalCount('accepted_at'),
    checkAt: read.optionalCount('check_at'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

/**
 * Refunds, in the table of reversals: both are in the same index `due` until they are over. The key is the payment and
 * the shop's idempotency key, so that a repeated request finds the same item.
 */

import { StoreUnexpected } from '../../application/faults.ts';
import type { Refunds, WriteResult } from '../../application/ports/stores.ts';
import type { Amount } from '../../payment/money.ts';
import {
  isUnsent,
  type PgRefusal,
  type Refund,
  type RefundNeed,
  type RefundRequester,
  type RefundState,
  refundId,
} from '../../payment/refund.ts';
import { defined } from '../../shared/defined.ts';
import { count, ItemReader, money, optional, text } from './attributes.ts';
import { dueIndexAttributes } from './due-index.ts';
import type { Guard, Item, Table, Write } from './table.ts';
import { isAsRead, type VersionedItems, versionedItems } from './versioned.ts';

/** The words of each attribute. Records, so that a new word does not compile until it is added here. */
const states: Record<RefundState, true> = { requested: true, done: true, refused: true, unsent: true };
const refusals: Record<PgRefusal, true> = { refused_by_pg: true };
const needs: Record<RefundNeed, true> = { account: true, repeat: true, operator: true };
const requesters: Record<RefundRequester, true> = { customer: true, admin: true };

export const isRefundItem = (item: Item): boolean => item.kind?.S === 'refund';

/** The item with the keys of a payment's refunds. It has no order, so the index `by-order` leaves it out. */
export const isRefundListItem = (item: Item): boolean => item.kind?.S === 'refund_list';

/** A refund's key has `/` here, and a notification's another word. */
const listKey = (impUid: string): Item => ({ imp_uid: text(`${impUid}#refunds`) });

export const refundItems = (table: Table): VersionedItems<Refund> =>
  versionedItems(table, { key: 'imp_uid', idOf: refundId, fromItem: refundFromItem });

export function createRefunds(table: Table): Refunds {
  const items = refundItems(table);
  const write = async (refund: Refund, guard: Guard): Promise<Required<WriteResult<Refund>>> => {
    const result = await items.write(refund, attributesOf(refund), guard);
    if (result.written) return result;
    if (!result.current) throw new StoreUnexpected(`The refund ${refundId(refund)} was deleted during the write`);
    return { written: false, current: result.current };
  };

  return {
    read: (id) => items.read(typeof id === 'string' ? id : refundId(id)),

    request: (refund) => write(refund, { conditions: { isNew: 'attribute_not_exists(imp_uid)' } }),

    change: (read, next) => write({ ...next, revision: read.revision + 1 }, isAsRead(read)),

    async ofPayment(impUid) {
      const list = new ItemReader((await table.read(listKey(impUid))) ?? {}, `the refunds of ${impUid}`);
      const keys = list.texts('refund_keys');
      const { found, unreadable } = await items.readMany(keys.map((key) => refundId({ impUid, key })));
      const [id] = unreadable;
      if (id !== undefined) throw new StoreUnexpected(`The refund ${id} cannot be read, so what is left is unknown`);
      return { impUid, version: list.optionalCount('version') ?? 0, refunds: found };
    },

    async announce({ impUid, version, refunds }, key) {
      const keys = refunds.filter((refund) => !isUnsent(refund)).map((refund) => refund.key);
      const result = await table.write({
        key: listKey(impUid),
        set: {
          kind: text('refund_list'),
          refund_keys: { SS: [...new Set([...keys, key])] },
          version: count(version + 1),
          announced: text(key),
        },
        conditions: {
          listIsUnchanged: version === 0 ? 'attribute_not_exists(#version)' : '#version = :read',
        },
        ...(version > 0 && { values: { ':read': count(version) } }),
      });
      if (result.written) return true;
      const { version: newest, announced } = result.current ?? {};
      return Number(newest?.N) === version + 1 && announced?.S === key;
    },
  };
}

function attributesOf(refund: Refund): Write['set'] {
  const { currency } = refund;
  const part = (amount: Amount) => money(amount, currency);
  return {
    kind: text('refund'),
    merchant_uid: text(refund.merchantUid),
    tier: optional(text, refund.tier),
    refund_of: text(refund.impUid),
    refund_key: text(refund.key),
    cancel_key: text(refund.cancelKey),
    reason: text(refund.reason),
    amount: part(refund.amount),
    checksum: part(refund.checksum),
    tax_free: optional(part, refund.taxFree),
    vat_amount: optional(part, refund.vatAmount),
    currency: text(currency),
    cancels_before: count(refund.cancelsBefore),
    requester: optional(text, refund.requester),
    state: text(refund.state),
    revision: count(refund.revision),
    attempts: count(refund.attempts),
    sent_at: count(refund.sentAt),
    accepted_at: optional(count, refund.acceptedAt),
    refused_at: optional(count, refund.refusedAt),
    refusal: optional(text, refund.refusal),
    needs: optional(text, refund.needs),
    message: optional(text, refund.message),
    created_at: count(refund.createdAt),
    updated_at: count(refund.updatedAt),
    ...dueIndexAttributes('money', refund.nextCheckAt),
  };
}

/** @throws StoreUnexpected for an item that this version cannot read */
export function refundFromItem(item: Item): Refund {
  const read = new ItemReader(item, `refund ${item.imp_uid?.S}`);
  const currency = read.text('currency');
  return defined<Refund>({
    impUid: read.text('refund_of'),
    key: read.text('refund_key'),
    cancelKey: read.text('cancel_key'),
    merchantUid: read.text('merchant_uid'),
    tier: read.optionalText('tier'),
    amount: read.money('amount', currency),
    currency,
    checksum: read.money('checksum', currency),
    taxFree: read.optionalMoney('tax_free', currency),
    vatAmount: read.optionalMoney('vat_amount', currency),
    cancelsBefore: read.count('cancels_before'),
    reason: read.text('reason'),
    requester: read.optionalWord('requester', requesters),
    state: read.word('state', states),
    revision: read.count('revision'),
    attempts: read.count('attempts'),
    sentAt: read.count('sent_at'),
    acceptedAt: read.optionalCount('accepted_at'),
    refusedAt: read.optionalCount('refused_at'),
    refusal: read.optionalWord('refusal', refusals),
    needs: read.optionalWord('needs', needs),
    message: read.optionalText('message'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
    nextCheckAt: read.optionalCount('due_at'),
  });
}

/**
 * The shop's refunds, beside the reversals in their table: they wait in the same index until they are over. Keyed by the payment
 * and the shop's own key, so that the same refund asked for twice is one item.
 */

import { defined } from '../edge/defined.ts';
import type { UnixSeconds } from '../payment/payment.ts';
import type { Refund, RefundState } from '../payment/refund.ts';
import { retryAfter } from '../payment/retry.ts';
import { count, money, optional, Reader, text } from './attributes.ts';
import type { Item, Table, Write } from './table.ts';
import { watched } from './watched.ts';

export interface Refunds {
  /** @param id `<imp_uid>/<key>` */
  read(id: string): Promise<Refund | undefined>;
  /**
   * Records that money is to be given back, with the first attempt claimed by the caller.
   * @returns `created: false` with the refund of that key, if there is one
   */
  request(refund: NewRefund, now: UnixSeconds): Promise<{ created: boolean; refund: Refund }>;
  /** Claims the next attempt. @returns undefined when somebody else has */
  claim(refund: Refund, now: UnixSeconds): Promise<Refund | undefined>;
  /** @param message the words of Iamport or the PG, where it did not work */
  end(refund: Refund, state: RefundState, message: string | undefined, now: UnixSeconds): Promise<Refund>;
}

export type NewRefund = Omit<Refund, 'state' | 'revision' | 'attempts' | 'message' | 'createdAt' | 'updatedAt'>;

export const refundId = ({ impUid, key }: Pick<Refund, 'impUid' | 'key'>): string => `${impUid}/${key}`;
export const isRefundId = (id: string): boolean => id.includes('/');
export const isRefundItem = (item: Item): boolean => item.kind?.S === 'refund';

export function refundsIn(table: Table): Refunds {
  const keyOf = (id: string): Item => ({ imp_uid: text(id) });
  const change = async (read: Refund, next: Omit<Refund, 'revision'>): Promise<Refund | undefined> => {
    const written: Refund = { ...next, revision: read.revision + 1 };
    const conditions = { revisionIsUnchanged: '#revision = :read' };
    const write = {
      key: keyOf(refundId(read)),
      set: attributesOf(written),
      conditions,
      values: { ':read': count(read.revision) },
    };
    return (await table.write(write)).written ? written : undefined;
  };
  const read = async (id: string) => {
    const item = await table.read(keyOf(id));
    return item && refundOf(item);
  };

  return {
    read,

    async request(asked, now) {
      const refund: Refund = { ...asked, state: 'requested', revision: 1, attempts: 1, createdAt: now, updatedAt: now };
      const conditions = { isNew: 'attribute_not_exists(imp_uid)' };
      const result = await table.write({ key: keyOf(refundId(refund)), set: attributesOf(refund), conditions });
      return result.written || !result.item
        ? { created: true, refund }
        : { created: false, refund: refundOf(result.item) };
    },

    async claim(refund, now) {
      if (refund.state !== 'requested' || refund.updatedAt + retryAfter(refund.attempts) > now) return undefined;
      return change(refund, { ...refund, attempts: refund.attempts + 1, updatedAt: now });
    },

    async end(refund, state, message, now) {
      const { message: _former, ...rest } = refund;
      const ended = { ...rest, state, updatedAt: now, ...(message !== undefined && { message }) };
      return (await change(refund, ended)) ?? (await read(refundId(refund))) ?? refund;
    },
  };
}

function attributesOf(refund: Refund): Write['set'] {
  const { currency, state, attempts, updatedAt } = refund;
  return {
    kind: text('refund'),
    merchant_uid: text(refund.merchantUid),
    refund_of: text(refund.impUid),
    refund_key: text(refund.key),
    reason: text(refund.reason),
    amount: money(refund.amount, currency),
    checksum: money(refund.checksum, currency),
    currency: text(currency),
    state: text(state),
    revision: count(refund.revision),
    attempts: count(attempts),
    message: optional(text, refund.message),
    created_at: count(refund.createdAt),
    updated_at: count(updatedAt),
    ...watched('money', state === 'requested' ? updatedAt + retryAfter(attempts) : undefined),
  };
}

/** @throws StoreUnexpected for an item that this version does not understand */
export function refundOf(item: Item): Refund {
  const read = new Reader(item, `refund ${item.imp_uid?.S}`);
  const currency = read.text('currency');
  return defined<Refund>({
    impUid: read.text('refund_of'),
    key: read.text('refund_key'),
    merchantUid: read.text('merchant_uid'),
    amount: read.money('amount', currency),
    currency,
    checksum: read.money('checksum', currency),
    reason: read.text('reason'),
    state: read.text('state') as RefundState,
    revision: read.count('revision'),
    attempts: read.count('attempts'),
    message: read.optionalText('message'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
  });
}

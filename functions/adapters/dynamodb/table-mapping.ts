/**
 * How orders lie in their table: alone in one of ours, or as guests in the items of a shop's own. It is the one place that knows the
 * difference; an order reads the same from both.
 */

import { isSettled, type Order, type OrderTerms } from '../../payment/order.ts';
import { count, money, text } from './attributes.ts';
import { orderAttributes } from './order-item.ts';
import { prefix, type ShopColumns } from './shop-columns.ts';
import type { Item, Write } from './table.ts';

/** What must hold for a write, with the names and values that it speaks of. */
export type Guard = Pick<Write, 'conditions' | 'values' | 'names'>;

export interface Layout {
  /** Goes before the names of the index `due` and of our attributes. */
  readonly prefix: string;
  /** The attribute that is the table's key, a text. */
  readonly key: string;
  /** The shop may change what an order costs, and its items may be older than our deployment. */
  readonly isShops: boolean;
  /** The attributes that we read; undefined for all of them. */
  readonly attributes: readonly string[] | undefined;
  /** The item under the names that order-item.ts knows. */
  ours(item: Item): Item;
  /** What is to be written, under the names that the table knows. */
  stored(set: Write['set'], order: Order): Write['set'];
  /** Holds where an order with these terms may be registered. */
  isNew(terms: OrderTerms): Guard;
  /** Holds while the order is still as it was read. */
  isAsRead(order: Order): Guard;
}

/** A table that holds nothing but orders. */
export const ownTable: Layout = {
  prefix: '',
  key: 'merchant_uid',
  isShops: false,
  attributes: undefined,
  ours: (item) => item,
  stored: (set) => set,
  isNew: () => ({ conditions: { orderIsNew: 'attribute_not_exists(merchant_uid)' } }),
  isAsRead: ({ revision }) => ({
    conditions: { revisionIsUnchanged: '#revision = :read' },
    values: { ':read': count(revision) },
  }),
};

const usualCurrency = 'KRW';

/** An item of the shop that we have not touched yet is an order that nothing has happened to. */
const untouched: Item = { status: text('ready'), revision: count(0), created_at: count(0), updated_at: count(0) };

/**
 * The shop's own table. We write into items that are there, attributes that begin with `iamport_`, and nothing else. Until an order is
 * settled it costs what the shop's item says, and a write holds only while it still says so; from then on what it was settled at,
 * which we keep beside.
 */
export function shopTable({ key, amount, currency }: ShopColumns): Layout {
  const termsHold = (terms: Pick<OrderTerms, 'amount' | 'currency'>): Required<Guard> => {
    const isUsual = terms.currency === usualCurrency ? 'attribute_not_exists(#shop_currency) OR ' : '';
    return {
      conditions: {
        amountIsUnchanged: '#shop_amount = :shop_amount',
        ...(currency && { currencyIsUnchanged: `${isUsual}#shop_currency = :shop_currency` }),
      },
      names: { '#shop_amount': amount, ...(currency && { '#shop_currency': currency }) },
      values: {
        ':shop_amount': money(terms.amount, terms.currency),
        ...(currency && { ':shop_currency': text(terms.currency) }),
      },
    };
  };

  return {
    prefix,
    key,
    isShops: true,
    attributes: [key, amount, ...(currency ? [currency] : []), ...orderAttributes().map((name) => `${prefix}${name}`)],

    ours(item) {
      const own = Object.entries(item).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      );
      const [merchantUid, price] = [item[key], item[amount]];
      return {
        ...untouched,
        ...(merchantUid && { merchant_uid: merchantUid }),
        ...(price && { amount: price }),
        currency: (currency && item[currency]) || text(usualCurrency),
        ...Object.fromEntries(own),
      };
    },

    stored(set, order) {
      const { amount: _theirs, currency: _theirsToo, ...own } = set;
      const settledAt = { amount: money(order.amount, order.currency), currency: text(order.currency) };
      const all = { ...own, created_at: count(order.createdAt), ...(isSettled(order.state) && settledAt) };
      return Object.fromEntries(Object.entries(all).map(([name, value]) => [`${prefix}${name}`, value]));
    },

    isNew(terms) {
      const { conditions, ...rest } = termsHold(terms);
      return {
        conditions: { orderIsUntouched: `attribute_not_exists(#${prefix}revision)`, ...conditions },
        ...rest,
      };
    },

    isAsRead(order) {
      const revision = `#${prefix}revision`;
      const wasUntouched = order.revision === 0 ? `attribute_not_exists(${revision}) OR ` : '';
      if (isSettled(order.state)) {
        return {
          conditions: { revisionIsUnchanged: `${wasUntouched}${revision} = :read` },
          names: { [revision]: `${prefix}revision` },
          values: { ':read': count(order.revision) },
        };
      }
      const { conditions, names, values } = termsHold(order);
      const cancels = `#${prefix}cancels`;
      const noCancelIsNew = order.cancels === undefined ? `attribute_not_exists(${cancels})` : `${cancels} = :cancels`;
      return {
        conditions: { revisionIsUnchanged: `${wasUntouched}${revision} = :read`, noCancelIsNew, ...conditions },
        names: { ...names, [revision]: `${prefix}revision`, [cancels]: `${prefix}cancels` },
        values: {
          ...values,
          ':read': count(order.revision),
          ...(order.cancels !== undefined && { ':cancels': count(order.cancels) }),
        },
      };
    },
  };
}

/**
 * Maps orders to items: in our own table, or in attributes of the items of a shop's own table. Only this file knows the
 * difference; an order reads the same from both.
 */

import { isSettled, type Order, type OrderTerms } from '../../payment/order.ts';
import { count, money, text } from './attributes.ts';
import { orderAttributes } from './order-item.ts';
import { prefix, type ShopColumns } from './shop-columns.ts';
import type { Guard, Item, Write } from './table.ts';
import { isAsRead } from './versioned.ts';

export interface TableMapping {
  /** The prefix of the index `due` and of our attributes. */
  readonly prefix: string;
  /** The attribute that is the table's key, a string. */
  readonly key: string;
  /** The shop may change the price of an order, and its items may be older than our deployment. */
  readonly isShops: boolean;
  /** The attributes that we read; undefined reads all of them. */
  readonly attributes: readonly string[] | undefined;
  /** Renames the attributes of a stored item to the names in order-item.ts. */
  ours(item: Item): Item;
  /** Renames the attributes of a write to the names in the table. */
  stored(set: Write['set'], order: Order): Write['set'];
  /** The guard of a registration with these terms. */
  isNew(terms: OrderTerms): Guard;
  /** The guard of a write on the order as it was read. */
  isAsRead(order: Order): Guard;
}

/** Our own table, which contains orders only. */
export const ownTable: TableMapping = {
  prefix: '',
  key: 'merchant_uid',
  isShops: false,
  attributes: undefined,
  ours: (item) => item,
  stored: (set) => set,
  isNew: () => ({ conditions: { orderIsNew: 'attribute_not_exists(merchant_uid)' } }),
  isAsRead,
};

const defaultCurrency = 'KRW';

/** The state of an order in an item of the shop that we have not written yet. */
const untouched: Item = { status: text('ready'), revision: count(0), created_at: count(0), updated_at: count(0) };

/**
 * The shop's own table. We write only into existing items, and only attributes that begin with `iamport_`. Until an
 * order is settled, the shop's item gives its price, and a write fails if the price has changed. At the settlement we
 * copy amount and currency into our own attributes, and these count from then on.
 */
export function shopTable({ key, amount, currency }: ShopColumns): TableMapping {
  const termsAreUnchanged = (terms: Pick<OrderTerms, 'amount' | 'currency'>): Required<Guard> => {
    const orAbsent = terms.currency === defaultCurrency ? 'attribute_not_exists(#shop_currency) OR ' : '';
    return {
      conditions: {
        amountIsUnchanged: '#shop_amount = :shop_amount',
        ...(currency && { currencyIsUnchanged: `${orAbsent}#shop_currency = :shop_currency` }),
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
        currency: (currency && item[currency]) || text(defaultCurrency),
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
      const { conditions, ...rest } = termsAreUnchanged(terms);
      return {
        conditions: { orderIsUntouched: `attribute_not_exists(#${prefix}revision)`, ...conditions },
        ...rest,
      };
    },

    isAsRead(order) {
      const revision = `#${prefix}revision`;
      const orUntouched = order.revision === 0 ? `attribute_not_exists(${revision}) OR ` : '';
      if (isSettled(order.state)) {
        return {
          conditions: { revisionIsUnchanged: `${orUntouched}${revision} = :read` },
          names: { [revision]: `${prefix}revision` },
          values: { ':read': count(order.revision) },
        };
      }
      const { conditions, names, values } = termsAreUnchanged(order);
      const cancels = `#${prefix}cancels`;
      const noCancelIsNew = order.cancels === undefined ? `attribute_not_exists(${cancels})` : `${cancels} = :cancels`;
      return {
        conditions: { revisionIsUnchanged: `${orUntouched}${revision} = :read`, noCancelIsNew, ...conditions },
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

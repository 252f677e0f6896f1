/** Reads an order from its DynamoDB item, as a shop would, without the code under test. */

import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import { hundredths } from '../../local/iamport/payment.ts';
import type { Truth } from './iamport.ts';

/** The attributes of the shop's own table for `merchant_uid`, `amount` and `currency`. */
export const shopColumns = { key: 'order_no', amount: 'price', currency: 'currency' } as const;
const prefix = 'iamport_';

/** Renames the attributes of an item in the shop's table to those of our own table. */
function unprefixed(item: Item): Item {
  const ours: Item = {
    merchant_uid: item[shopColumns.key] ?? { S: '' },
    currency: item[shopColumns.currency] ?? { S: 'KRW' },
    status: { S: 'ready' },
    revision: { N: '0' },
    created_at: { N: '0' },
  };
  const price = item[shopColumns.amount];
  if (price) ours.amount = price;
  for (const [name, value] of Object.entries(item)) {
    if (name.startsWith(prefix)) ours[name.slice(prefix.length)] = value;
  }
  return ours;
}

const settled = new Set(['paid', 'partial_cancelled', 'cancelled', 'deposit_reversed']);

/** The state of one order in the table. Amounts in hundredths. */
export interface Entry {
  readonly merchantUid: string;
  readonly status: string;
  readonly revision: number;
  readonly impUid: string | undefined;
  readonly accountOf: string | undefined;
  readonly amount: number;
  readonly currency: string;
  /** How much the order keeps of the payment that settled it. */
  readonly kept: number;
  readonly isSettled: boolean;
  /** Unix seconds; 0 before our first write to the shop's own item. */
  readonly createdAt: number;
  /** When we wrote its status last; Unix seconds. */
  readonly updatedAt: number;
  /** When the order expires; Unix seconds. */
  readonly expiresAt: number | undefined;
  /** The amount is a number, the status is known, and an order that waits for an account has one. */
  readonly isReadable: boolean;
}

const waiting = 'virtual_account_issued';
const statuses = new Set([...settled, 'ready', 'failed', 'expired', 'virtual_account_issued', 'closed']);

/** A stored item never changes, so it is parsed once. */
const parsed = new WeakMap<Item, Entry>();

export function entryOf(stored: Item): Entry {
  let entry = parsed.get(stored);
  if (!entry) {
    entry = parse(stored);
    parsed.set(stored, entry);
  }
  return entry;
}

function parse(stored: Item): Entry {
  const item = stored[shopColumns.key] ? unprefixed(stored) : stored;
  const status = item.status?.S ?? '';
  const amount = hundredths(Number(item.amount?.N));
  const given = item.cancelled_amount ? hundredths(Number(item.cancelled_amount.N)) : 0;
  const isSettled = settled.has(status);
  // The shop can write our status back to an earlier one, without the attributes that belong to it.
  const hasAccount = item.virtual_account?.M?.imp_uid !== undefined;
  return {
    merchantUid: item.merchant_uid?.S ?? '',
    status,
    revision: Number(item.revision?.N),
    impUid: item.imp_uid?.S,
    accountOf: item.virtual_account?.M?.imp_uid?.S,
    amount,
    currency: item.currency?.S ?? '',
    kept: isSettled && status !== 'deposit_reversed' ? amount - given : 0,
    isSettled,
    createdAt: Number(item.created_at?.N),
    updatedAt: Number(item.updated_at?.N ?? 0),
    expiresAt: item.expires_at && Number(item.expires_at.N),
    isReadable: statuses.has(status) && item.amount?.N !== undefined && (status !== waiting || hasAccount),
  };
}

/** The payment has exactly the amount of the order, keeps all of it, and is not a test payment. */
export const isGood = (truth: Truth | undefined, { amount, currency }: Entry): boolean =>
  truth !== undefined &&
  truth.amount === amount &&
  truth.kept === amount &&
  truth.currency === currency &&
  !truth.sandbox &&
  (truth.deposited ?? amount) === amount;

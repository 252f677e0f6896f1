/** An order as the shop would read it in DynamoDB, without any of the code under test. */

import type { Item } from '../../functions/store/table.ts';
import { hundredths } from '../../sandbox/iamport/payment.ts';
import type { Truth } from './iamport.ts';

const settled = new Set(['paid', 'partial_cancelled', 'cancelled', 'deposit_reversed']);

/** What the books of the shop say of one order. Amounts in hundredths. */
export interface Entry {
  readonly merchantUid: string;
  readonly status: string;
  readonly revision: number;
  readonly impUid: string | undefined;
  readonly accountOf: string | undefined;
  readonly amount: number;
  readonly currency: string;
  /** What the order believes is kept of the payment that it stands on. */
  readonly kept: number;
  readonly isSettled: boolean;
}

export function entryOf(item: Item): Entry {
  const status = item.status?.S ?? '';
  const amount = hundredths(Number(item.amount?.N));
  const given = item.cancelled_amount ? hundredths(Number(item.cancelled_amount.N)) : 0;
  const isSettled = settled.has(status);
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
  };
}

/** Just what the order costs, all of it there, and no test. */
export const isGood = (truth: Truth | undefined, { amount, currency }: Entry): boolean =>
  truth !== undefined &&
  truth.amount === amount &&
  truth.kept === amount &&
  truth.currency === currency &&
  !truth.sandbox &&
  (truth.deposited ?? amount) === amount;

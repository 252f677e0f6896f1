/** An order as an item of its table, and back. The attribute names here are what a shop sees in DynamoDB. */

import type { Amount } from '../../payment/money.ts';
import {
  accountOf,
  type Failure,
  failureOf,
  isSettled,
  type Order,
  type OrderState,
  type OrderTerms,
  statusSetBy,
} from '../../payment/order.ts';
import type { PaymentRecord, VirtualAccount } from '../../payment/payment.ts';
import { defined } from '../../shared/defined.ts';
import { count, map, money, optional, Reader, text } from './attributes.ts';
import type { Item, Write } from './table.ts';
import { orderShard, watched } from './watched.ts';

/** What the shop registered; written once. */
export function termsAttributes({
  amount,
  currency,
  taxFree,
  vatAmount,
  name,
  expiresAt,
  tier,
}: OrderTerms): Write['set'] {
  return {
    amount: money(amount, currency),
    currency: text(currency),
    tax_free: optional((part) => money(part, currency), taxFree),
    vat_amount: optional((part) => money(part, currency), vatAmount),
    name: optional(text, name),
    expires_at: optional(count, expiresAt),
    tier: optional(text, tier),
  };
}

/** Everything that a change of state may touch. What the new state does not have is removed. */
export function stateAttributes(order: Order): Write['set'] {
  const { state, currency, merchantUid } = order;
  const account = accountOf(state);
  const failure = failureOf(state);
  return {
    status: text(state.status),
    revision: count(order.revision),
    updated_at: count(order.updatedAt),
    imp_uid: optional(text, statusSetBy(state)),
    payment: isSettled(state) ? recordMap(state.record) : undefined,
    cancelled_amount: 'cancelledAmount' in state ? money(state.cancelledAmount, currency) : undefined,
    virtual_account: optional(accountMap, account),
    failure: optional(failureMap, failure),
    unprepared: order.isUnprepared && { BOOL: true },
    cancels: optional(count, order.cancels),
    prepared_amount: optional((amount) => money(amount, currency), order.preparedAmount),
    ...watched(orderShard(merchantUid), order.dueAt),
  };
}

/** The names of all attributes that an order may have, but its key. */
export function orderAttributes(): string[] {
  const terms = { merchantUid: '', amount: 0 as Amount, currency: '' };
  const order: Order = { ...terms, revision: 0, createdAt: 0, updatedAt: 0, state: { status: 'ready' } };
  return [...Object.keys(termsAttributes(terms)), ...Object.keys(stateAttributes(order)), 'created_at'];
}

const recordMap = (record: PaymentRecord) =>
  map({
    pay_method: optional(text, record.payMethod),
    pg_provider: optional(text, record.pgProvider),
    pg_tid: optional(text, record.pgTid),
    apply_num: optional(text, record.applyNum),
    receipt_url: optional(text, record.receiptUrl),
    paid_at: optional(count, record.paidAt),
  });

const accountMap = (account: VirtualAccount) =>
  map({
    imp_uid: text(account.impUid),
    bank: optional(text, account.bank),
    number: text(account.number),
    holder: optional(text, account.holder),
    due_at: optional(count, account.dueAt),
    issued_at: count(account.issuedAt),
  });

const failureMap = ({ impUid, failedAt, reason }: Failure) =>
  map({ imp_uid: text(impUid), failed_at: count(failedAt), reason: optional(text, reason) });

/** @throws StoreUnexpected for an item that this version does not understand */
export function orderOf(item: Item): Order {
  const read = new Reader(item, `order ${item.merchant_uid?.S}`);
  const currency = read.text('currency');
  return defined<Order>({
    merchantUid: read.text('merchant_uid'),
    amount: read.money('amount', currency),
    currency,
    taxFree: read.optionalMoney('tax_free', currency),
    vatAmount: read.optionalMoney('vat_amount', currency),
    name: read.optionalText('name'),
    expiresAt: read.optionalCount('expires_at'),
    tier: read.optionalText('tier'),
    revision: read.count('revision'),
    createdAt: read.count('created_at'),
    updatedAt: read.count('updated_at'),
    state: stateOf(read, currency),
    isUnprepared: read.flag('unprepared'),
    dueAt: read.optionalCount('due_at'),
    registeredAt: undefined,
    cancels: read.optionalCount('cancels'),
    preparedAmount: read.optionalMoney('prepared_amount', currency),
  });
}

function stateOf(read: Reader, currency: string): OrderState {
  const status = read.text('status') as OrderState['status'];
  const account = read.optionalMap('virtual_account', accountIn);
  const failure = read.optionalMap('failure', failureIn);
  const remembered = { ...(account && { account }), ...(failure && { failure }) };
  switch (status) {
    case 'closed':
      return { status };
    case 'failed':
      return { status, failure: failure ?? read.fail('failure'), ...(account && { account }) };
    case 'ready':
    case 'expired':
      return { status, ...remembered };
    case 'virtual_account_issued':
      return { status, account: account ?? read.fail('virtual_account'), ...(failure && { failure }) };
    case 'paid':
    case 'deposit_reversed':
      return { status, ...settledIn(read) };
    case 'partial_cancelled':
    case 'cancelled':
      return { status, ...settledIn(read), cancelledAmount: read.money('cancelled_amount', currency) };
    default:
      // A newer version wrote it. To guess would be to decide about money without knowing the order.
      return read.fail('status');
  }
}

const settledIn = (read: Reader) => ({ impUid: read.text('imp_uid'), record: read.map('payment', recordIn) });

const recordIn = (read: Reader): PaymentRecord =>
  defined<PaymentRecord>({
    payMethod: read.optionalText('pay_method'),
    pgProvider: read.optionalText('pg_provider'),
    pgTid: read.optionalText('pg_tid'),
    applyNum: read.optionalText('apply_num'),
    receiptUrl: read.optionalText('receipt_url'),
    paidAt: read.optionalCount('paid_at'),
  });

const accountIn = (read: Reader): VirtualAccount =>
  defined<VirtualAccount>({
    impUid: read.text('imp_uid'),
    bank: read.optionalText('bank'),
    number: read.text('number'),
    holder: read.optionalText('holder'),
    dueAt: read.optionalCount('due_at'),
    issuedAt: read.count('issued_at'),
  });

const failureIn = (read: Reader): Failure =>
  defined<Failure>({
    impUid: read.text('imp_uid'),
    failedAt: read.count('failed_at'),
    reason: read.optionalText('reason'),
  });

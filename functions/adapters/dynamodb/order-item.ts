/** Converts an order into an item of its table, and back. A shop sees these attribute names in DynamoDB. */

import { zero } from '../../payment/money.ts';
import {
  accountOf,
  type Failure,
  failureOf,
  isSettled,
  type Order,
  type OrderState,
  type OrderStatus,
  type OrderTerms,
  statusSetBy,
} from '../../payment/order.ts';
import type { PaymentRecord, VirtualAccount } from '../../payment/payment.ts';
import { defined } from '../../shared/defined.ts';
import { count, ItemReader, map, money, optional, text } from './attributes.ts';
import { dueIndexAttributes, orderShard } from './due-index.ts';
import type { Item, Write } from './table.ts';

/** The terms that the shop registered. They are written once. */
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

/** Every attribute that a change of state may set. Attributes that the new state lacks are removed. */
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
    ...dueIndexAttributes(orderShard(merchantUid), order.nextCheckAt),
  };
}

/** The names of all attributes that an order may have, except its key. */
export function orderAttributes(): string[] {
  const terms = { merchantUid: '', amount: zero, currency: '' };
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
    due_at: optional(count, account.depositDeadline),
    issued_at: count(account.issuedAt),
  });

const failureMap = ({ impUid, failedAt, reason }: Failure) =>
  map({ imp_uid: text(impUid), failed_at: count(failedAt), reason: optional(text, reason) });

/** @throws StoreUnexpected for an item that this version cannot read */
export function orderFromItem(item: Item): Order {
  const read = new ItemReader(item, `order ${item.merchant_uid?.S}`);
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
    state: readState(read, currency),
    isUnprepared: read.flag('unprepared'),
    nextCheckAt: read.optionalCount('due_at'),
    registeredAt: undefined,
    cancels: read.optionalCount('cancels'),
    preparedAmount: read.optionalMoney('prepared_amount', currency),
  });
}

/** A record, so that a new status does not compile until it is added here and to `readState`. */
const statuses: Record<OrderStatus, true> = {
  ready: true,
  failed: true,
  expired: true,
  virtual_account_issued: true,
  paid: true,
  partial_cancelled: true,
  cancelled: true,
  deposit_reversed: true,
  closed: true,
};

function readState(read: ItemReader, currency: string): OrderState {
  const status = read.word('status', statuses);
  const account = read.optionalMap('virtual_account', readAccount);
  const failure = read.optionalMap('failure', readFailure);
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
      return { status, ...readSettled(read) };
    case 'partial_cancelled':
    case 'cancelled':
      return { status, ...readSettled(read), cancelledAmount: read.money('cancelled_amount', currency) };
  }
}

const readSettled = (read: ItemReader) => ({ impUid: read.text('imp_uid'), record: read.map('payment', readRecord) });

const readRecord = (read: ItemReader): PaymentRecord =>
  defined<PaymentRecord>({
    payMethod: read.optionalText('pay_method'),
    pgProvider: read.optionalText('pg_provider'),
    pgTid: read.optionalText('pg_tid'),
    applyNum: read.optionalText('apply_num'),
    receiptUrl: read.optionalText('receipt_url'),
    paidAt: read.optionalCount('paid_at'),
  });

const readAccount = (read: ItemReader): VirtualAccount =>
  defined<VirtualAccount>({
    impUid: read.text('imp_uid'),
    bank: read.optionalText('bank'),
    number: read.text('number'),
    holder: read.optionalText('holder'),
    depositDeadline: read.optionalCount('due_at'),
    issuedAt: read.count('issued_at'),
  });

const readFailure = (read: ItemReader): Failure =>
  defined<Failure>({
    impUid: read.text('imp_uid'),
    failedAt: read.count('failed_at'),
    reason: read.optionalText('reason'),
  });

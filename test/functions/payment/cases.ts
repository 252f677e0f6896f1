/** Every state of an order and every kind of payment, enumerated for the tests of decisions and outcomes. */

import type { Policy } from '../../../functions/payment/decide.ts';
import type { Amount } from '../../../functions/payment/money.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import type { Cancel, Payment, PaymentState, VirtualAccount } from '../../../functions/payment/payment.ts';
import type { Refund } from '../../../functions/payment/refund.ts';
import type { Reversal } from '../../../functions/payment/reversal.ts';

export const won = (amount: number) => amount as Amount;

/** The tested payment, and another one of the same order. */
export const thisUid = 'imp_500';
export const otherUid = 'imp_400';

const account = (impUid: string, issuedAt: number): VirtualAccount => ({
  impUid,
  bank: '신한은행',
  number: '110-000-000000',
  depositDeadline: 2_000_000,
  issuedAt,
});
const card = { payMethod: 'card', pgProvider: 'html5_inicis', paidAt: 1_500_000 };
const deposit = { payMethod: 'vbank', pgProvider: 'html5_inicis', paidAt: 1_500_000 };

/** This payment's account is issued at 1,000,500. */
export const thisAccount = account(thisUid, 1_000_500);

export const states: Record<string, OrderState> = {
  ready: { status: 'ready' },
  'ready, this account is gone': { status: 'ready', account: thisAccount },
  'ready after a later failure': { status: 'ready', failure: { impUid: otherUid, failedAt: 1_000_600 } },
  'waits for a newer account, after a failure': {
    status: 'virtual_account_issued',
    account: account(otherUid, 1_000_600),
    failure: { impUid: 'imp_300', failedAt: 1_000_300 },
  },
  'ready, a newer account is gone': { status: 'ready', account: account(otherUid, 1_000_600) },
  'failed by this': { status: 'failed', failure: { impUid: thisUid, failedAt: 1_000_500, reason: '한도 초과' } },
  'failed by another earlier': { status: 'failed', failure: { impUid: otherUid, failedAt: 1_000_400 } },
  'failed by another later': { status: 'failed', failure: { impUid: otherUid, failedAt: 1_000_600 } },
  'failed by another in the same second': { status: 'failed', failure: { impUid: otherUid, failedAt: 1_000_500 } },
  'failed by another, knows this account': {
    status: 'failed',
    failure: { impUid: otherUid, failedAt: 1_000_400 },
    account: thisAccount,
  },
  expired: { status: 'expired' },
  'expired with this account': { status: 'expired', account: thisAccount },
  'expired with a newer account': { status: 'expired', account: account(otherUid, 1_000_600) },
  'expired after a later failure': { status: 'expired', failure: { impUid: otherUid, failedAt: 1_000_600 } },
  'waits for this account': { status: 'virtual_account_issued', account: thisAccount },
  'waits for an older account': { status: 'virtual_account_issued', account: account(otherUid, 1_000_400) },
  'waits for a newer account': { status: 'virtual_account_issued', account: account(otherUid, 1_000_600) },
  'waits for an account of the same second, lower uid': {
    status: 'virtual_account_issued',
    account: account(otherUid, 1_000_500),
  },
  'waits for an account of the same second, higher uid': {
    status: 'virtual_account_issued',
    account: account('imp_600', 1_000_500),
  },
  'paid by this card': { status: 'paid', impUid: thisUid, record: card },
  'paid by this deposit': { status: 'paid', impUid: thisUid, record: deposit },
  'paid by another': { status: 'paid', impUid: otherUid, record: card },
  'paid by another deposit': { status: 'paid', impUid: otherUid, record: deposit },
  'partly cancelled, this': { status: 'partial_cancelled', impUid: thisUid, record: card, cancelledAmount: won(4_000) },
  'more of it cancelled, this': {
    status: 'partial_cancelled',
    impUid: thisUid,
    record: card,
    cancelledAmount: won(12_000),
  },
  'partly cancelled, this deposit': {
    status: 'partial_cancelled',
    impUid: thisUid,
    record: deposit,
    cancelledAmount: won(4_000),
  },
  'partly cancelled, another': {
    status: 'partial_cancelled',
    impUid: otherUid,
    record: card,
    cancelledAmount: won(4_000),
  },
  'cancelled, this': { status: 'cancelled', impUid: thisUid, record: card, cancelledAmount: won(14_000) },
  'cancelled, another': { status: 'cancelled', impUid: otherUid, record: card, cancelledAmount: won(14_000) },
  'deposit reversed, this': { status: 'deposit_reversed', impUid: thisUid, record: deposit },
  'deposit reversed, another': { status: 'deposit_reversed', impUid: otherUid, record: deposit },
  closed: { status: 'closed' },
};

export const orderIn = (state: OrderState): Order => ({
  merchantUid: 'order-1',
  amount: won(14_000),
  currency: 'KRW',
  revision: 7,
  createdAt: 1_000_000,
  updatedAt: 1_000_000,
  state,
});

export const orders: readonly (readonly [string, Order | undefined])[] = [
  ['missing', undefined],
  ...Object.entries(states).map(([name, state]) => [name, orderIn(state)] as const),
];

const paymentStates = (amount: number): Record<string, PaymentState> => ({
  'all kept': { kind: 'kept', kept: won(amount) },
  'a part kept': { kind: 'kept', kept: won(amount - 6_000) },
  returned: { kind: 'returned' },
  'awaits a deposit': { kind: 'awaiting_deposit', account: thisAccount },
  ready: { kind: 'ready' },
  failed: { kind: 'failed', failedAt: 1_000_500, reason: '한도 초과' },
});

export function* allPayments(): Generator<readonly [string, Payment]> {
  for (const amount of [14_000, 13_999, 14_001]) {
    for (const currency of ['KRW', 'JPY']) {
      for (const sandbox of [false, true]) {
        for (const record of [card, deposit]) {
          for (const [name, state] of Object.entries(paymentStates(amount))) {
            const payment = {
              impUid: thisUid,
              merchantUid: 'order-1',
              amount: won(amount),
              currency,
              sandbox,
              record,
              state,
            };
            yield [`${name} ${amount} ${currency} ${record.payMethod}${sandbox ? ' test' : ''}`, payment];
            if (!['kept', 'returned', 'awaiting_deposit'].includes(state.kind) || record.payMethod !== 'vbank')
              continue;
            for (const deposited of [4_000, 14_000, 28_000]) {
              yield [
                `${name} ${amount} ${currency} of ${deposited} deposited${sandbox ? ' test' : ''}`,
                { ...payment, deposited: won(deposited) },
              ];
            }
          }
        }
      }
    }
  }
}

export const policies: readonly Policy[] = [
  { acceptTestPayments: false, reversals: 'automatic' },
  { acceptTestPayments: true, reversals: 'automatic' },
  { acceptTestPayments: false, reversals: 'manual' },
  // In a shop's own table: every payment with money was paid a second before the deployment began.
  { acceptTestPayments: false, reversals: 'automatic', begunAt: 1_500_001 },
];

/** A refund of a part of the order, sent and without a response yet. */
export const refund: Refund = {
  impUid: thisUid,
  key: 'return-1',
  cancelKey: '4fzyo82mvyr0',
  merchantUid: 'order-1',
  amount: won(4_000),
  currency: 'KRW',
  checksum: won(14_000),
  cancelsBefore: 0,
  reason: '반품',
  state: 'requested',
  revision: 1,
  attempts: 1,
  sentAt: 1_000_000,
  createdAt: 1_000_000,
  updatedAt: 1_000_000,
  nextCheckAt: 1_000_300,
};

/** The payment of the order, with its history. */
export const paymentIn = (state: PaymentState, cancels?: readonly Cancel[]): Payment => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  amount: won(14_000),
  currency: 'KRW',
  sandbox: false,
  record: {},
  state,
  ...(cancels && { cancels }),
});

/** A cancel of 100 won that was requested once. */
export const reversalIn = (fields: Partial<Reversal> = {}): Reversal => ({
  impUid: 'imp_1',
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(100),
  currency: 'KRW',
  state: 'requested',
  revision: 1,
  attempts: 1,
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});

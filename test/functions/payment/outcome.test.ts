/** What a buyer and the storefront are told, once a decision is carried out. */

import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../functions/payment/decide.ts';
import type { OrderState } from '../../../functions/payment/order.ts';
import { outcomeOf } from '../../../functions/payment/outcome.ts';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import type { Objection, Reversal } from '../../../functions/payment/reversal.ts';
import { orderIn, otherUid, states, thisAccount, thisUid, won } from './cases.ts';

const inState = (name: string) => orderIn(states[name] ?? expect.unreachable(name));
const paymentIn = (state: PaymentState): Payment => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  amount: won(13_999),
  currency: 'USD',
  sandbox: false,
  record: { payMethod: 'card', receiptUrl: 'https://receipt.example/of-the-payment' },
  state,
});
const kept = paymentIn({ kind: 'kept', kept: won(13_999) });
const returned = paymentIn({ kind: 'returned' });
const awaiting = paymentIn({ kind: 'awaiting_deposit', account: thisAccount });
const failed = paymentIn({ kind: 'failed', failedAt: 1_000_500, reason: '한도 초과' });
const keep: Decision = { kind: 'keep' };
const changed = (next: OrderState): Decision => ({ kind: 'change', next });
const reject = (reason: Objection): Decision => ({ kind: 'reject', reason });
const reversal: Reversal = {
  impUid: thisUid,
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(13_999),
  currency: 'USD',
  state: 'done',
  revision: 2,
  attempts: 1,
  createdAt: 1_000_000,
  updatedAt: 1_000_000,
};

/** By the order, or by the payment, whichever is spoken of: they differ here in amount and currency. */
const ofOrder = (impUid = thisUid) => ({ impUid, merchantUid: 'order-1', amount: 14_000, currency: 'KRW' });
const ofPayment = { impUid: thisUid, merchantUid: 'order-1', amount: 13_999, currency: 'USD' };

describe('where the order stands', () => {
  test('is told of a paid order with its receipt and approval number, where it has them', () => {
    const record = { payMethod: 'card', receiptUrl: 'https://receipt.example/1', applyNum: '30012345' };
    const paid = orderIn({ status: 'paid', impUid: otherUid, record });
    expect(outcomeOf(paid, kept, keep)).toStrictEqual({
      ...ofOrder(otherUid),
      status: 'paid',
      receiptUrl: 'https://receipt.example/1',
      applyNum: '30012345',
    });
    expect(outcomeOf(inState('paid by this card'), kept, keep)).toStrictEqual({ ...ofOrder(), status: 'paid' });
  });

  test.each([
    ['partly cancelled, this', 'partial_cancelled'],
    ['cancelled, this', 'cancelled'],
    ['deposit reversed, this', 'deposit_reversed'],
  ])('%s', (name, status) => {
    expect(outcomeOf(inState(name), returned, keep)).toStrictEqual({ ...ofOrder(), status });
  });

  test('is its account, and the newer one when this one is superseded', () => {
    const issued = inState('waits for this account');
    const account = { ...ofOrder(), status: 'virtual_account_issued', account: thisAccount };
    expect(outcomeOf(issued, awaiting, changed(issued.state))).toStrictEqual(account);
    expect(outcomeOf(issued, awaiting, keep)).toStrictEqual(account);
    expect(outcomeOf(inState('waits for a newer account'), awaiting, reject('account_superseded'))).toMatchObject({
      ...ofOrder(otherUid),
      status: 'virtual_account_issued',
      account: { impUid: otherUid, issuedAt: 1_000_600 },
    });
  });

  test('is the failure that changed it, with the PG’s words where there are some', () => {
    const order = inState('failed by this');
    expect(outcomeOf(order, failed, changed(order.state))).toStrictEqual({
      ...ofOrder(),
      status: 'failed',
      reason: '한도 초과',
    });
    const silent = inState('failed by another earlier');
    expect(outcomeOf(silent, awaiting, keep)).toStrictEqual({ ...ofOrder(otherUid), status: 'failed' });
  });

  test.each(['ready', 'expired'])('is %s, with nothing more to say', (status) => {
    expect(outcomeOf(inState(status), returned, changed(inState(status).state))).toStrictEqual({
      ...ofOrder(),
      status,
    });
    expect(outcomeOf(inState(status), awaiting, keep)).toStrictEqual({ ...ofOrder(), status });
  });

  test('a settled order says more than an attempt that came to nothing', () => {
    for (const payment of [failed, returned, awaiting, paymentIn({ kind: 'ready' })]) {
      expect(outcomeOf(inState('paid by another'), payment, keep)).toStrictEqual({
        ...ofOrder(otherUid),
        status: 'paid',
      });
    }
  });
});

describe('a payment that is not taken', () => {
  test('is rejected with its own amount, the reason and how it goes back', () => {
    expect(outcomeOf(inState('ready'), kept, reject('amount_mismatch'), reversal)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'amount_mismatch',
      reversal: { kind: 'cancel', state: 'done' },
    });
    expect(outcomeOf(inState('ready'), kept, reject('test_payment'))).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'test_payment',
    });
    expect(outcomeOf(inState('paid by another'), kept, reject('duplicate_payment'))).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'duplicate_payment',
    });
  });

  test('on top of what its order stands on leaves the order as it is told', () => {
    const excess: Reversal = { ...reversal, kind: 'manual', state: 'manual', reason: 'deposit_excess' };
    expect(outcomeOf(inState('paid by this deposit'), kept, reject('deposit_excess'), excess)).toStrictEqual({
      ...ofOrder(),
      status: 'paid',
      reversal: { kind: 'manual', state: 'manual' },
    });
  });

  test('stays rejected once its money is back, for the reason it was', () => {
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' }, reversal)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'amount_mismatch',
      reversal: { kind: 'cancel', state: 'done' },
    });
  });

  test('into a closed order is rejected', () => {
    expect(outcomeOf(inState('closed'), awaiting, keep)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'order_closed',
    });
  });
});

describe('an attempt that came to nothing', () => {
  test('whose money is back was cancelled: without a reversal, or with one for having had no order', () => {
    const cancelled = { ...ofPayment, status: 'cancelled' };
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' })).toStrictEqual(cancelled);
    const orphan: Reversal = { ...reversal, kind: 'orphan', reason: 'order_not_found' };
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' }, orphan)).toStrictEqual(cancelled);
    // A reversal of something else is no news of this decision.
    expect(outcomeOf(inState('ready'), returned, keep, reversal)).toStrictEqual(cancelled);
  });

  test('failed, in the PG’s words where there are some', () => {
    const order = inState('waits for a newer account');
    expect(outcomeOf(order, failed, keep)).toStrictEqual({ ...ofPayment, status: 'failed', reason: '한도 초과' });
    const silent = paymentIn({ kind: 'failed', failedAt: 1_000_500 });
    expect(outcomeOf(order, silent, keep)).toStrictEqual({ ...ofPayment, status: 'failed' });
  });

  test('has not begun', () => {
    const opened = paymentIn({ kind: 'ready' });
    expect(outcomeOf(inState('failed by this'), opened, keep)).toStrictEqual({ ...ofPayment, status: 'ready' });
  });
});

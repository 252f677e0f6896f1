/** The outcome that a buyer and the storefront get after a decision was carried out. */

import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../functions/payment/decide.ts';
import type { OrderState } from '../../../functions/payment/order.ts';
import { knownOutcome, outcomeOf, rejected } from '../../../functions/payment/outcome.ts';
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

/** The common fields by the order, or by the payment. Both differ here in amount and currency. */
const ofOrder = (impUid = thisUid) => ({ impUid, merchantUid: 'order-1', amount: 14_000, currency: 'KRW' });
const ofPayment = { impUid: thisUid, merchantUid: 'order-1', amount: 13_999, currency: 'USD' };

describe('the outcome of the order', () => {
  test('returns the receipt and approval number of a paid order, if present', () => {
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
    ['partly cancelled, this', 'partial_cancelled', { cancelledAmount: 4_000 }],
    ['cancelled, this', 'cancelled', { cancelledAmount: 14_000 }],
    ['deposit reversed, this', 'deposit_reversed', {}],
  ])('%s, with the amount that went back', (name, status, cancelled) => {
    expect(outcomeOf(inState(name), returned, keep)).toStrictEqual({ ...ofOrder(), status, ...cancelled });
  });

  test('returns the account of an order, and the newer one when this one is superseded', () => {
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

  test('returns the failure that changed the order, with the message of the PG, if any', () => {
    const order = inState('failed by this');
    expect(outcomeOf(order, failed, changed(order.state))).toStrictEqual({
      ...ofOrder(),
      status: 'failed',
      reason: '한도 초과',
    });
    const withoutReason = inState('failed by another earlier');
    expect(outcomeOf(withoutReason, awaiting, keep)).toStrictEqual({ ...ofOrder(otherUid), status: 'failed' });
  });

  test.each(['ready', 'expired'])('returns %s without further fields', (status) => {
    expect(outcomeOf(inState(status), returned, changed(inState(status).state))).toStrictEqual({
      ...ofOrder(),
      status,
    });
    expect(outcomeOf(inState(status), awaiting, keep)).toStrictEqual({ ...ofOrder(), status });
  });

  test('returns the settled order for an attempt without money', () => {
    for (const payment of [failed, returned, awaiting, paymentIn({ kind: 'ready' })]) {
      expect(outcomeOf(inState('paid by another'), payment, keep)).toStrictEqual({
        ...ofOrder(otherUid),
        status: 'paid',
      });
    }
  });
});

describe('a rejected payment', () => {
  test('returns the amount of the rejected payment, the reason and its reversal', () => {
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

  test('returns the paid order for a payment that only exceeds its amount', () => {
    const excess: Reversal = { ...reversal, kind: 'manual', state: 'manual', reason: 'deposit_excess' };
    expect(outcomeOf(inState('paid by this deposit'), kept, reject('deposit_excess'), excess)).toStrictEqual({
      ...ofOrder(),
      status: 'paid',
      reversal: { kind: 'manual', state: 'manual' },
    });
  });

  test('returns rejected with the former reason once the money is back', () => {
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' }, reversal)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'amount_mismatch',
      reversal: { kind: 'cancel', state: 'done' },
    });
  });

  test('returns rejected with order_closed for a closed order', () => {
    expect(outcomeOf(inState('closed'), awaiting, keep)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'order_closed',
    });
  });

  test.each([
    ['opened', paymentIn({ kind: 'ready' })],
    ['failed', failed],
  ])('returns order_closed for an attempt that was only %s, since no other one can pay [T593]', (_name, payment) => {
    const closed = { ...ofPayment, status: 'rejected', reason: 'order_closed' };
    expect(outcomeOf(inState('closed'), payment, keep)).toStrictEqual(closed);
  });
});

describe('an attempt without money', () => {
  test('returns cancelled when the money is back, without a reversal or with one for an unmatched payment', () => {
    const cancelled = { ...ofPayment, status: 'cancelled' };
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' })).toStrictEqual(cancelled);
    const orphan: Reversal = { ...reversal, kind: 'orphan', reason: 'order_not_found' };
    expect(outcomeOf(inState('ready'), returned, { kind: 'money_returned' }, orphan)).toStrictEqual(cancelled);
    // A reversal for another reason does not change this outcome.
    expect(outcomeOf(inState('ready'), returned, keep, reversal)).toStrictEqual(cancelled);
  });

  test('returns failed, with the message of the PG, if any', () => {
    const order = inState('waits for a newer account');
    expect(outcomeOf(order, failed, keep)).toStrictEqual({ ...ofPayment, status: 'failed', reason: '한도 초과' });
    const withoutReason = paymentIn({ kind: 'failed', failedAt: 1_000_500 });
    expect(outcomeOf(order, withoutReason, keep)).toStrictEqual({ ...ofPayment, status: 'failed' });
  });

  test('returns ready when the window was only opened', () => {
    const onlyOpened = paymentIn({ kind: 'ready' });
    expect(outcomeOf(inState('failed by this'), onlyOpened, keep)).toStrictEqual({ ...ofPayment, status: 'ready' });
  });
});

describe('the outcome of a payment whose reversal was recorded earlier', () => {
  test('returns the reason of the rejection and the state of the reversal', () => {
    expect(rejected(kept, reversal)).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reason: 'amount_mismatch',
      reversal: { kind: 'cancel', state: 'done' },
    });
  });

  test.each(['order_not_found', 'order_expired'] as const)('returns no reason %s: it is no objection', (reason) => {
    expect(rejected(kept, { ...reversal, kind: 'orphan', state: 'manual', reason })).toStrictEqual({
      ...ofPayment,
      status: 'rejected',
      reversal: { kind: 'orphan', state: 'manual' },
    });
  });
});

describe('the outcome from the order alone', () => {
  test.each<[string, string | undefined, object]>([
    ['paid by this card', thisUid, { status: 'paid' }],
    ['paid by this card', undefined, { status: 'paid' }],
    ['cancelled, this', thisUid, { status: 'cancelled', cancelledAmount: 14_000 }],
  ])('%s, asked for %s', (name, impUid, outcome) => {
    expect(knownOutcome(inState(name), impUid)).toStrictEqual({ ...ofOrder(), ...outcome });
  });

  test.each<[string, string | undefined]>([
    ['paid by this card', otherUid],
    ['paid by this deposit', thisUid],
    ['paid by this deposit', undefined],
    ['partly cancelled, this', thisUid],
    ['deposit reversed, this', thisUid],
    ['waits for this account', thisUid],
    ['ready', undefined],
    ['closed', undefined],
  ])('%s, asked for %s: the payment has to be read', (name, impUid) => {
    expect(knownOutcome(inState(name), impUid)).toBeUndefined();
  });
});

test('a payment that keeps money, and changes nothing, is ready', () => {
  expect(outcomeOf(inState('ready'), kept, keep)).toStrictEqual({ ...ofPayment, status: 'ready' });
});

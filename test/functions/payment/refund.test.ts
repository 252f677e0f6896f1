/** How much the shop can give back, and what became of a refund whose answer was lost. */

import { describe, expect, test } from 'vitest';
import { isPayable, keptBy } from '../../../functions/payment/order.ts';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import { cancelReasonOf, decideRefund, isTakenOff, refundFoundIn } from '../../../functions/payment/refund.ts';
import { orderIn, refund, states, thisUid, won } from './cases.ts';

const inState = (name: string) => orderIn(states[name] ?? expect.unreachable(name));

describe('what can be given back', () => {
  const whole = { amount: 14_000, checksum: 14_000, impUid: thisUid };

  test.each<[string, number | undefined, boolean, object | string]>([
    ['paid by this card', undefined, false, whole],
    ['paid by this card', 14_000, false, whole],
    ['paid by this card', 4_000, false, { ...whole, amount: 4_000 }],
    ['paid by this card', 14_001, false, 'refund_exceeds'],
    ['partly cancelled, this', undefined, false, { ...whole, amount: 10_000, checksum: 10_000 }],
    ['partly cancelled, this', 10_001, false, 'refund_exceeds'],
    ['cancelled, this', undefined, false, 'not_paid'],
    ['deposit reversed, this', undefined, true, 'not_paid'],
    ['ready', 4_000, false, 'not_paid'],
    ['closed', undefined, false, 'not_paid'],
    ['paid by this deposit', undefined, true, whole],
    ['paid by this deposit', undefined, false, 'account_missing'],
    ['paid by this deposit', 14_001, false, 'refund_exceeds'],
  ])('%s, %s won, with an account: %s', (state, wanted, hasAccount, decided) => {
    const amount = wanted === undefined ? undefined : won(wanted);
    expect(decideRefund(inState(state), amount, hasAccount)).toStrictEqual(decided);
  });

  test.each([
    ['paid by this card', 14_000],
    ['partly cancelled, this', 10_000],
    ['cancelled, this', 0],
    ['deposit reversed, this', 0],
  ])('%s: %s won are kept, and nobody can pay it again', (name, kept) => {
    const order = inState(name);
    expect('record' in order.state && keptBy(order, order.state)).toBe(kept);
    expect(isPayable(order.state)).toBe(false);
  });
});

describe('a refund whose answer was lost', () => {
  const payment = (state: PaymentState, cancelReasons?: readonly string[]): Payment => ({
    impUid: thisUid,
    merchantUid: 'order-1',
    amount: won(14_000),
    currency: 'KRW',
    sandbox: false,
    record: {},
    state,
    ...(cancelReasons && { cancelReasons }),
  });
  const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });

  test('is known again by its key in what the cancel was told', () => {
    expect(cancelReasonOf(refund)).toBe('반품 [return-1]');
    expect(refundFoundIn(refund, payment(kept(10_000), ['변심 [other]', '반품 [return-1]']))).toBe('done');
  });

  test('was overtaken when money moved and it was another’s, the same amount or all of it', () => {
    expect(refundFoundIn(refund, payment(kept(10_000), ['반품']))).toBe('overtaken');
    expect(refundFoundIn(refund, payment(kept(10_000)))).toBe('overtaken');
    expect(refundFoundIn(refund, payment({ kind: 'returned' }))).toBe('overtaken');
  });

  test('never happened when all is still there', () => {
    expect(refundFoundIn(refund, payment(kept(14_000)))).toBeUndefined();
    expect(refundFoundIn(refund, payment(kept(14_000), ['변심 [other]']))).toBeUndefined();
  });

  test('is taken off when just its amount is gone', () => {
    expect(isTakenOff(refund, payment(kept(10_000)))).toBe(true);
    expect(isTakenOff(refund, payment(kept(9_999)))).toBe(false);
    expect(isTakenOff({ ...refund, amount: won(14_000) }, payment({ kind: 'returned' }))).toBe(true);
  });
});

/** The amount of a reversal over its life: what a cancel leaves, what went back in parts, and what a repeat may do. */

import { describe, expect, test } from 'vitest';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import {
  accepted,
  checked,
  claimed,
  failed,
  finished,
  hasNoResult,
  isOverdue,
  isReadAsUnpaid,
  isTakenBack,
  isUndone,
  isUnmatched,
  leftOf,
  planReversalCheck,
  type Reversal,
  recheckPlanned,
  reopened,
  supersedes,
  unanswered,
} from '../../../functions/payment/reversal.ts';
import { reversalIn, thisAccount, won } from './cases.ts';

const at = 1_000_000;
const day = 86_400;
/** A deposit that the operator refunds. */
const manual = (fields: Partial<Reversal> = {}): Reversal =>
  reversalIn({
    ...{ kind: 'manual', state: 'manual', reason: 'duplicate_payment', amount: won(14_000) },
    ...{ attempts: 0, createdAt: at, updatedAt: at, ...fields },
  });
const payment = (fields: Partial<Payment> = {}): Payment => ({
  impUid: 'imp_1',
  merchantUid: 'order-1',
  amount: won(10_000),
  currency: 'KRW',
  sandbox: false,
  record: { payMethod: 'vbank' },
  state: { kind: 'returned' },
  ...fields,
});
const paid = { record: { payMethod: 'vbank', paidAt: at } };
const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });

describe('what a cancel of the whole payment leaves to the operator', () => {
  test.each<[string, Partial<Reversal>, Partial<Payment>, number]>([
    ['nothing of a duplicate', { reason: 'duplicate_payment' }, paid, 14_000],
    ['all of an excess', { reason: 'deposit_excess', amount: won(3_000) }, paid, 3_000],
    ['what mismatched deposits had beyond the payment', { reason: 'deposit_mismatch' }, paid, 4_000],
    ['the same, where only the history shows the payment', { reason: 'deposit_mismatch' }, { cancels: [] }, 4_000],
    ['all mismatched deposits, when they paid nothing', { reason: 'deposit_mismatch' }, {}, 14_000],
    ['none, when the deposits were less than the payment', { reason: 'deposit_mismatch', amount: won(9_000) }, paid, 0],
    ['none, when they were just the payment', { reason: 'deposit_mismatch', amount: won(10_000) }, paid, 0],
    ['one won, when they were one more', { reason: 'deposit_mismatch', amount: won(10_001) }, paid, 1],
    [
      'the recorded amount, once a part was subtracted',
      { reason: 'deposit_mismatch', amount: won(12_000), returned: won(2_000) },
      paid,
      12_000,
    ],
  ])('%s', (_name, fields, shown, left) => {
    expect(leftOf(manual(fields), payment(shown))).toBe(left);
  });

  test('undoes a reversal only when nothing is left', () => {
    const mismatch = manual({ reason: 'deposit_mismatch' });
    expect(isUndone(mismatch, payment(paid))).toBe(false);
    expect(isUndone({ ...mismatch, amount: won(10_000) }, payment(paid))).toBe(true);
    expect(isUndone({ ...mismatch, reason: 'deposit_excess' }, payment(paid))).toBe(false);
    expect(isUndone({ ...mismatch, amount: won(10_000) }, payment({ ...paid, state: { kind: 'ready' } }))).toBe(false);
    const revocation = manual({ kind: 'revoke', amount: won(0) });
    expect(isUndone(revocation, payment({ state: { kind: 'ready' } }))).toBe(true);
    expect(isUndone(revocation, payment({ state: { kind: 'awaiting_deposit', account: thisAccount } }))).toBe(false);
    expect(isUndone(revocation, payment())).toBe(true);
  });

  test('never reads a recorded amount of zero as unpaid', () => {
    const failed = payment({ state: { kind: 'failed', failedAt: at } });
    expect(isReadAsUnpaid(manual({ amount: won(0) }), failed)).toBe(false);
    expect(isReadAsUnpaid(manual(), failed)).toBe(true);
  });

  test('leaves what a mismatch or an excess recorded, while the payment keeps less', () => {
    for (const reason of ['deposit_mismatch', 'deposit_excess'] as const) {
      expect(leftOf(manual({ reason }), payment({ state: kept(9_000) }))).toBe(14_000);
    }
    expect(leftOf(manual(), payment({ state: kept(9_000) }))).toBe(9_000);
    expect(leftOf(manual(), payment({ state: kept(14_000) }))).toBe(14_000);
    expect(leftOf(manual(), payment({ state: kept(15_000) }))).toBe(14_000);
  });

  test('takes back only a deposit that the operator has, with money', () => {
    const open = payment({ state: { kind: 'awaiting_deposit', account: thisAccount } });
    expect(isTakenBack(manual({ amount: won(1) }), open)).toBe(true);
    expect(isTakenBack(manual({ kind: 'orphan' }), open)).toBe(false);
    expect(isTakenBack(manual({ state: 'requested' }), open)).toBe(false);
  });
});

describe('a check', () => {
  test('records what went back in parts', () => {
    const once = { ...checked(manual(), won(10_000), at + 1), revision: 2 };
    expect(once).toMatchObject({ amount: 10_000, returned: 4_000, attempts: 1, updatedAt: at + 1 });
    expect(checked(once, won(9_999), at + 2)).toMatchObject({ amount: 9_999, returned: 4_001, attempts: 2 });
  });

  test('records no returned amount while nothing went back', () => {
    expect(checked(manual(), won(14_000), at + 1)).toStrictEqual(manual({ attempts: 1, updatedAt: at + 1 }));
  });

  test('counts no attempt of a request that the operator does not have', () => {
    const requested = manual({ kind: 'cancel', state: 'requested', attempts: 1 });
    expect(checked(requested, won(14_000), at + 1)).toMatchObject({ state: 'requested', attempts: 1 });
  });

  test('leaves a request to the operator only after three working days from its acceptance', () => {
    // Monday, 2026-11-02, 00:00 in Korea.
    const monday = 1_793_545_200;
    const waiting = manual({ kind: 'cancel', state: 'requested', acceptedAt: monday });
    expect(checked(waiting, won(14_000), monday + 3 * day).state).toBe('requested');
    expect(checked(waiting, won(14_000), monday + 3 * day + 1).state).toBe('manual');
    const { acceptedAt: _none, ...open } = waiting;
    expect(checked(open, won(14_000), monday + 30 * day).state).toBe('requested');
  });
});

describe('the end of a reversal', () => {
  test.each<[string, Partial<Reversal>, number | undefined, number]>([
    ['the recorded amount', {}, undefined, 14_000],
    ['all parts together', { returned: won(4_000) }, undefined, 18_000],
    ['what went back last, with the parts before', { returned: won(4_000) }, 9_000, 13_000],
    ['nothing, when the payment settled its order', { returned: won(4_000) }, 0, 0],
    ['nothing, without parts before', {}, 0, 0],
  ])('records %s', (_name, fields, last, amount) => {
    const end = finished(manual(fields), last === undefined ? undefined : won(last), at + 9);
    expect(end).toStrictEqual(manual({ amount: won(amount), state: 'done', updatedAt: at + 9 }));
  });
});

describe('a response that did not come', () => {
  const sent = manual({ kind: 'cancel', state: 'requested', attempts: 1 });

  test('leaves a cancel to the operator, who must ask the PG first', () => {
    expect(unanswered(sent, at + 5)).toStrictEqual({
      ...sent,
      state: 'manual',
      acceptedAt: at + 5,
      message:
        'No response arrived, and the PG may still cancel it. Check at the PG that it did not, before you refund',
      updatedAt: at + 5,
    });
    expect(unanswered({ ...sent, acceptedAt: at }, at + 5).acceptedAt).toBe(at);
  });

  test.each<[string, boolean, Partial<Reversal>]>([
    ['a cancel after its first attempt', true, {}],
    ['a cancel after a later attempt', true, { attempts: 3 }],
    ['a cancel without an attempt', false, { attempts: 0 }],
    ['a cancel with the message of a response', false, { message: 'no' }],
    ['a cancel that the operator has', false, { state: 'manual' }],
    ['a cancel that is done', false, { state: 'done' }],
    ['a revocation', false, { kind: 'revoke' }],
  ])('%s has no result: %s', (_name, expected, fields) => {
    expect(hasNoResult({ ...sent, ...fields })).toBe(expected);
  });

  test('never replaces a cancel without a result by a manual refund', () => {
    expect(supersedes({ ...sent, kind: 'manual' }, sent)).toBe(false);
    expect(supersedes({ ...sent, kind: 'manual' }, { ...sent, message: 'no' })).toBe(true);
  });

  test('drops the message and the planned check of the attempt before', () => {
    const again = claimed({ ...sent, message: 'no', checkAt: at }, at);
    expect(again).toStrictEqual({ ...sent, attempts: 2 });
  });

  test('records what Iamport accepted, and counts that as a write of what the operator has', () => {
    const message = 'Iamport accepted the request, and the payment does not show it yet';
    expect(accepted(sent, at + 5)).toStrictEqual({ ...sent, acceptedAt: at + 5, message, updatedAt: at + 5 });
    expect(accepted(manual(), at + 5)).toMatchObject({ attempts: 1, acceptedAt: at + 5 });
  });

  test('fails for good at the twelfth attempt, and only a request', () => {
    expect(failed({ ...sent, attempts: 12 }, 'no', at).state).toBe('manual');
    expect(failed({ ...sent, attempts: 11 }, 'no', at).state).toBe('requested');
    expect(failed({ ...sent, state: 'manual' }, 'no', at).state).toBe('manual');
  });
});

describe('an unmatched payment', () => {
  const orphan = manual({ kind: 'orphan', reason: 'order_not_found' });

  test('is unmatched until its check is over', () => {
    expect(isUnmatched(orphan)).toBe(true);
    expect(isUnmatched({ ...orphan, state: 'done' })).toBe(false);
    expect(isUnmatched(manual())).toBe(false);
  });

  test('counts the plan of a check as a write without an event', () => {
    expect(recheckPlanned(orphan, at + 60, at + 1)).toStrictEqual({
      ...orphan,
      attempts: 1,
      checkAt: at + 60,
      updatedAt: at + 1,
    });
  });
});

describe('a decision in place of a recorded reversal', () => {
  const known = manual({ reason: 'deposit_mismatch', state: 'done', amount: won(4_000) });
  const decided = { ...manual({ reason: 'deposit_mismatch' }), amount: won(14_000) };
  const next = (fields: Partial<Reversal>, of: Partial<Reversal> = {}) => {
    const { amount, returnedBefore } = reopened({ ...decided, ...of }, { ...known, ...fields }, 0, at);
    return { amount, returnedBefore };
  };

  test.each<[string, Partial<Reversal>, Partial<Reversal>, number, number | undefined]>([
    ['the rest', {}, {}, 10_000, 4_000],
    ['all, when as much went back before', { amount: won(14_000) }, {}, 14_000, undefined],
    ['all, when more went back before', { amount: won(15_000) }, {}, 14_000, undefined],
    ['all but one won less than went back', { amount: won(13_999) }, {}, 1, 13_999],
    ['all, when nothing went back', { amount: won(0) }, {}, 14_000, undefined],
    ['all, of a cancel', {}, { kind: 'cancel' }, 14_000, undefined],
    ['all, after a cancel', { kind: 'cancel' }, {}, 14_000, undefined],
    ['all, for another reason', { reason: 'duplicate_payment' }, { reason: 'order_closed' }, 14_000, undefined],
    ['the rest, for a mismatch after another reason', { reason: 'order_closed' }, {}, 10_000, 4_000],
    [
      'the rest, for the same reason',
      { reason: 'duplicate_payment' },
      { reason: 'duplicate_payment' },
      ...([10_000, 4_000] as const),
    ],
  ])('refunds %s', (_name, fields, of, amount, returnedBefore) => {
    expect(next(fields, of)).toEqual({ amount, returnedBefore });
  });

  test('replaces a withdrawn revocation only for another reason', () => {
    const revocation = manual({ kind: 'revoke', state: 'done', amount: won(0), reason: 'order_expired' });
    const closed = { ...revocation, reason: 'order_closed' as const };
    expect(supersedes(closed, revocation)).toBe(true);
    expect(supersedes(revocation, revocation)).toBe(false);
    expect(supersedes(closed, { ...revocation, state: 'manual' })).toBe(false);
    expect(supersedes(closed, { ...revocation, acceptedAt: at })).toBe(false);
    const orphan = { ...revocation, kind: 'orphan' as const };
    expect(supersedes({ ...closed, kind: 'orphan' }, orphan)).toBe(false);
  });

  test('replaces a manual refund that Iamport accepted, once that is done', () => {
    const other = { ...decided, reason: 'order_closed' as const };
    expect(supersedes(other, { ...known, acceptedAt: at })).toBe(true);
    expect(supersedes(other, { ...known, state: 'manual', acceptedAt: at })).toBe(false);
    expect(supersedes(other, { ...known, state: 'manual' })).toBe(true);
  });
});

test('plans the checks of a manual revocation by its age, and those of a refund by their number', () => {
  const waiting = manual({ createdAt: at - 1_204 });
  expect(planReversalCheck({ ...waiting, kind: 'revoke' })).toBe(at + 301);
  expect(planReversalCheck(waiting)).toBe(at + 240);
});

test('is overdue after exactly one working day', () => {
  const monday = 1_793_545_200;
  const waiting = manual({ createdAt: monday });
  expect(isOverdue(waiting, monday + day)).toBe(false);
  expect(isOverdue(waiting, monday + day + 1)).toBe(true);
});

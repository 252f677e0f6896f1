/** Reversals: the remaining amount, replacement by a newer decision, and their transitions. */

import { describe, expect, test } from 'vitest';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import { postponed, retryAfter } from '../../../functions/payment/retry.ts';
import {
  accepted,
  checked,
  checkOf,
  claimed,
  failed,
  finished,
  isOverdue,
  isReadAsUnpaid,
  isTakenBack,
  isUndone,
  leftOf,
  opened,
  planReversalCheck,
  type Reversal,
  type ReversalReason,
  type ReversalRequest,
  recheckPlanned,
  reopened,
  supersedes,
} from '../../../functions/payment/reversal.ts';
import { thisAccount, thisUid, won } from './cases.ts';

const reversal = (reason: ReversalReason): Reversal => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  kind: 'manual',
  reason,
  amount: won(14_000),
  currency: 'KRW',
  state: 'manual',
  revision: 1,
  attempts: 0,
  createdAt: 1_000_000,
  updatedAt: 1_000_000,
});

const payment = (state: PaymentState): Payment => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  amount: won(20_000),
  currency: 'KRW',
  sandbox: false,
  record: { payMethod: 'vbank' },
  state,
});

const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });

test.each<[string, ReversalReason, PaymentState, number]>([
  ['the whole amount, when no part was returned', 'duplicate_payment', kept(14_000), 14_000],
  ['less, when a part was returned', 'duplicate_payment', kept(10_000), 10_000],
  ['at most the recorded amount', 'duplicate_payment', kept(20_000), 14_000],
  ['the recorded amount, of a deposit mismatch', 'deposit_mismatch', kept(10_000), 14_000],
  ['the recorded amount, of a deposit excess', 'deposit_excess', kept(10_000), 14_000],
  ['the recorded amount, when the payment keeps nothing', 'duplicate_payment', { kind: 'returned' }, 14_000],
])('%s', (_name, reason, state, remaining) => {
  expect(leftOf(reversal(reason), payment(state))).toBe(remaining);
});

const known = reversal('deposit_mismatch');
const done = { ...known, state: 'done' } as const;
const cancel = { ...known, kind: 'cancel', state: 'requested' } as const;
const revoke = { ...cancel, kind: 'revoke', amount: won(0) } as const;
const orphan = { ...known, kind: 'orphan', reason: 'order_not_found' } as const;

test.each<[string, Partial<Reversal>, Reversal, boolean]>([
  ['the same decision', {}, known, false],
  ['the same decision, when it is done', {}, done, false],
  ['a smaller amount', { amount: won(10_000) }, known, false],
  ['a larger amount', { amount: won(14_001) }, known, true],
  [
    'no larger amount than before a part was returned: an older read [T539]',
    {},
    { ...known, amount: won(10_000), returned: won(4_000) },
    false,
  ],
  [
    'a larger amount than before a part was returned',
    { amount: won(14_001) },
    { ...known, amount: won(10_000), returned: won(4_000) },
    true,
  ],
  ['a larger amount, when it is done', { amount: won(14_001) }, done, true],
  [
    'no larger amount than what was returned altogether',
    {},
    { ...done, amount: won(10_000), returnedBefore: won(4_000) },
    false,
  ],
  ['a smaller amount for another reason', { amount: won(3_000), reason: 'deposit_excess' }, known, true],
  [
    'a smaller amount for another reason, when the other is done',
    { amount: won(3_000), reason: 'deposit_excess' },
    done,
    true,
  ],
  ['manual instead of a cancel', {}, cancel, true],
  ['a cancel instead of manual', { kind: 'cancel' }, known, false],
  ['the same cancel', { kind: 'cancel' }, cancel, false],
  ['a cancel after a revocation, since a deposit arrived', { kind: 'cancel' }, revoke, true],
  ['the same revocation', { kind: 'revoke', amount: won(0) }, revoke, false],
  ['the same revocation, when it is done', { kind: 'revoke', amount: won(0) }, { ...revoke, state: 'done' }, false],
  [
    'a revocation for another reason, when the first one is done',
    { kind: 'revoke', amount: won(0), reason: 'order_closed' },
    { ...revoke, state: 'done' },
    true,
  ],
  [
    'a revocation for another reason, when Iamport accepted the first one',
    { kind: 'revoke', amount: won(0), reason: 'order_closed' },
    { ...revoke, state: 'done', acceptedAt: 1 },
    false,
  ],
  ['manual instead of a cancel that Iamport accepted', {}, { ...cancel, acceptedAt: 1 }, false],
  [
    'manual for another reason, instead of a cancel that may have been accepted and that the operator has [T530]',
    { reason: 'order_closed' },
    { ...cancel, state: 'manual', acceptedAt: 1 },
    false,
  ],
  [
    'manual for another reason, although a cancel was accepted before',
    { reason: 'order_closed' },
    { ...known, acceptedAt: 1 },
    false,
  ],
  ['a cancel of an orphan', { kind: 'cancel' }, orphan, true],
  ['the same orphan', { kind: 'orphan', reason: 'order_not_found' }, orphan, false],
])('supersedes or not: %s', (_name, decided, before, expectation) => {
  expect(supersedes({ ...known, ...decided }, before)).toBe(expectation);
});

test.each<[string, Partial<ReversalRequest>, Partial<Reversal>, Partial<Reversal>]>([
  [
    'the rest, after a part was returned',
    {},
    { state: 'done', amount: won(4_000) },
    { amount: won(10_000), returnedBefore: won(4_000) },
  ],
  [
    'the rest, after parts were returned twice',
    {},
    { state: 'done', amount: won(4_000), returnedBefore: won(3_000) },
    { amount: won(7_000), returnedBefore: won(7_000) },
  ],
  [
    'the rest, while a part was returned after an earlier one',
    {},
    { returned: won(4_000), returnedBefore: won(3_000) },
    { amount: won(7_000), returned: won(4_000), returnedBefore: won(3_000) },
  ],
  [
    'the rest, after the bank took back what followed a returned part',
    {},
    { state: 'done', amount: won(0), returnedBefore: won(3_000) },
    { amount: won(11_000), returnedBefore: won(3_000) },
  ],
  ['the rest, while a part was returned', {}, { returned: won(4_000) }, { amount: won(10_000), returned: won(4_000) }],
  [
    'the rest of all deposits, after the payment was returned for another reason',
    {},
    { state: 'done', amount: won(4_000), reason: 'order_closed' },
    { amount: won(10_000) },
  ],
  [
    'the whole excess, after mismatched deposits were returned',
    { reason: 'deposit_excess', amount: won(3_000) },
    { state: 'done', amount: won(2_000) },
    { amount: won(3_000) },
  ],
  ['the whole amount, after nothing was returned', {}, { state: 'done', amount: won(0) }, { amount: won(14_000) }],
  ['the whole amount, after a cancel', {}, { kind: 'cancel', state: 'done' }, { amount: won(14_000) }],
])('reopens a reversal with %s', (_name, decided, before, next) => {
  expect(reopened({ ...known, ...decided }, { ...known, ...before }, 0, 1_000_100)).toMatchObject(next);
});

describe('the steps of a reversal', () => {
  const at = 1_000_000;
  const request = { impUid: thisUid, merchantUid: 'order-1', reason: 'amount_mismatch', currency: 'KRW' } as const;
  const cancelRequest = { ...request, kind: 'cancel', amount: won(14_000) } as const;
  const requested: Reversal = { ...opened(cancelRequest, 1, at), revision: 1 };

  test.each([
    ['cancel', 'requested', 1],
    ['revoke', 'requested', 1],
    ['manual', 'manual', 0],
    ['orphan', 'manual', 0],
  ] as const)('a new %s is %s, with %i attempts claimed', (kind, state, attempts) => {
    const times = { ...(kind === 'orphan' && { checkAt: at + 3_600 }), createdAt: at, updatedAt: at };
    expect(opened({ ...cancelRequest, kind }, 1, at)).toStrictEqual({
      ...cancelRequest,
      kind,
      state,
      attempts,
      ...times,
    });
  });

  test('claims a request when it is due, and not before', () => {
    expect(claimed(requested, at + 59)).toBeUndefined();
    const { revision: _revision, ...next } = { ...requested, attempts: 2, updatedAt: at + 60, revision: 0 };
    expect(claimed(requested, at + 60)).toEqual({ ...next, revision: 1 });
  });

  test('never claims a request again that Iamport accepted', () => {
    const later = accepted(requested, at + 10);
    expect(later).toMatchObject({ state: 'requested', acceptedAt: at + 10 });
    expect(accepted({ ...later, revision: 2 }, at + 99).acceptedAt).toBe(at + 10);
    for (const day of [1, 3, 30]) expect(claimed({ ...later, revision: 2 }, at + day * 86_400)).toBeUndefined();
  });

  test.each([
    [0, 300],
    [299, 300],
    [300, 3_600],
    [3_600, 21_600],
    [21_600, 86_400],
    [86_400, 172_800],
    [172_800, 259_200],
  ])('an accepted request that was checked after %i s is checked after %i s', (after, next) => {
    const reversal = { ...accepted(requested, at), revision: 2, updatedAt: at + after };
    expect(planReversalCheck(reversal)).toBe(at + next);
  });

  test('leaves an accepted request to the operator when its payment does not show it after three working days', () => {
    const reversal = { ...accepted(requested, at), revision: 2 };
    expect(checked(reversal, won(14_000), at + 3 * 86_400).state).toBe('requested');
    expect(checked(reversal, won(14_000), at + 7 * 86_400)).toMatchObject({ state: 'manual', attempts: 1 });
  });

  test('leaves a request to the operator after twelve attempts', () => {
    expect(failed({ ...requested, attempts: 11 }, 'no', at)).toMatchObject({ state: 'requested', message: 'no' });
    expect(failed({ ...requested, attempts: 12 }, 'no', at)).toMatchObject({ state: 'manual', message: 'no' });
  });

  test('repeats a manual revocation, and no manual cancel', () => {
    const later = at + 86_400;
    const revocation: Reversal = { ...requested, kind: 'revoke', state: 'manual', amount: won(0) };
    expect(claimed(revocation, later)).toMatchObject({ attempts: 2 });
    expect(failed(revocation, 'no', later).state).toBe('manual');
    expect(claimed({ ...requested, state: 'manual' }, later)).toBeUndefined();
    expect(claimed({ ...revocation, state: 'done' }, later)).toBeUndefined();
  });

  test('plans checks of a manual reversal at growing intervals, and records the remaining amount', () => {
    const waiting: Reversal = { ...requested, kind: 'manual', state: 'manual', attempts: 0 };
    expect(planReversalCheck(waiting)).toBe(at + 240);
    const { attempts, amount, updatedAt } = checked(waiting, won(10_000), at + 240);
    expect({ attempts, amount, updatedAt }).toEqual({ attempts: 1, amount: 10_000, updatedAt: at + 240 });
    expect(planReversalCheck({ ...waiting, attempts: 1 })).toBe(at + 480);
    expect(planReversalCheck({ ...waiting, attempts: 40 })).toBe(at + 21_600);
  });

  test('checks an unmatched payment once, and again when its order is registered', () => {
    const unmatched: Reversal = { ...requested, kind: 'orphan', state: 'manual', attempts: 0 };
    expect(planReversalCheck(unmatched)).toBeUndefined();
    expect(checkOf(unmatched)).toEqual({ of: 'unmatched', at });
    const awaited = recheckPlanned(unmatched, at + 60, at);
    expect(checkOf(awaited)).toEqual({ of: 'check', at: at + 60 });
    const seen = checked({ ...awaited, revision: 2 }, won(14_000), at + 60);
    expect(seen).not.toHaveProperty('checkAt');
    expect(planReversalCheck(seen)).toBeUndefined();
  });

  test('removes the message and the check class of a finished reversal', () => {
    const done = finished({ ...requested, message: 'no', checkAt: at }, undefined, at + 5);
    expect(done).toMatchObject({ state: 'done', amount: 14_000, updatedAt: at + 5 });
    expect(Object.keys(done)).not.toEqual(expect.arrayContaining(['message']));
    expect(checkOf(done)).toBeUndefined();
    expect(finished(requested, won(0), at).amount).toBe(0);
  });

  test.each([
    ['cancel', 'requested', 'money'],
    ['revoke', 'requested', 'revoke'],
    ['revoke', 'manual', 'revoke'],
    ['manual', 'manual', 'check'],
    ['cancel', 'manual', 'check'],
  ] as const)('a %s that is %s is in the class %s', (kind, state, of) => {
    expect(checkOf({ ...requested, kind, state })?.of).toBe(of);
  });

  test.each<[string, Partial<Reversal>, boolean]>([
    ['a deposit for the operator', {}, true],
    ['an account without a deposit', { amount: won(0) }, false],
    ['an unmatched payment', { kind: 'orphan' }, false],
    ['a requested cancel', { kind: 'cancel', state: 'requested' }, false],
  ])('is overdue after a working day, or not: %s', (_name, of, expectation) => {
    const waiting: Reversal = { ...requested, kind: 'manual', state: 'manual', ...of };
    expect(isOverdue(waiting, at + 7 * 86_400)).toBe(expectation);
    expect(isOverdue(waiting, at + 60)).toBe(false);
  });

  const account: PaymentState = { kind: 'awaiting_deposit', account: thisAccount };
  test.each<[string, Partial<Reversal>, Partial<Payment>, boolean]>([
    ['a deposit left to the operator is an open account again', {}, { state: account }, true],
    ['no account is left either', {}, { state: { kind: 'ready' } }, true],
    ['the payment was by card', {}, { state: { kind: 'ready' }, record: { payMethod: 'card' } }, false],
    ['the deposit was cancelled', {}, { state: { kind: 'returned' } }, false],
    ['the deposit is still kept', {}, { state: kept(14_000) }, false],
    ['a part of the deposit is still there', {}, { state: account, deposited: won(4_000) }, false],
    ['the reversal is done', { state: 'done' }, { state: account }, false],
    ['the amount was zero', { amount: won(0) }, { state: account }, false],
    ['a cancel is requested', { kind: 'cancel', state: 'requested' }, { state: account }, false],
  ])('the bank took a deposit back, or not: %s', (_name, of, now, expectation) => {
    const waiting: Reversal = { ...requested, kind: 'manual', state: 'manual', ...of };
    expect(isTakenBack(waiting, { ...payment(account), ...now })).toBe(expectation);
  });
});

test.each<[string, number, PaymentState, { isUndone: boolean; isReadAsUnpaid: boolean }]>([
  ['kept', 100, kept(100), { isUndone: false, isReadAsUnpaid: false }],
  ['returned', 100, { kind: 'returned' }, { isUndone: true, isReadAsUnpaid: false }],
  ['unpaid again', 100, { kind: 'ready' }, { isUndone: false, isReadAsUnpaid: true }],
  ['failed', 100, { kind: 'failed', failedAt: 1 }, { isUndone: false, isReadAsUnpaid: true }],
  [
    'failed, of an account without a deposit',
    0,
    { kind: 'failed', failedAt: 1 },
    { isUndone: true, isReadAsUnpaid: false },
  ],
])('what is left of a payment that is %s', (_name, amount, state, expected) => {
  const of = { ...reversal('duplicate_payment'), amount: won(amount) };
  const left = { isUndone: isUndone(of, payment(state)), isReadAsUnpaid: isReadAsUnpaid(of, payment(state)) };
  expect(left).toEqual(expected);
});

describe('retry intervals', () => {
  test.each([
    [0, 0],
    [1, 60],
    [2, 120],
    [9, 15_360],
    [10, 21_600],
    [99, 21_600],
  ])('after %i attempts: %i s', (attempts, seconds) => {
    expect(retryAfter(attempts)).toBe(seconds);
  });

  test.each([
    [0, 300],
    [1_200, 300],
    [1_204, 301],
    [86_400, 21_600],
    [900_000, 21_600],
  ])('an item that has waited for %i s: %i s', (age, seconds) => {
    expect(postponed(1_000_000, 1_000_000 + age)).toBe(1_000_000 + age + seconds);
  });
});

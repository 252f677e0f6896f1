/** The amount that the shop can refund, and the result of a refund whose response was lost. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPayable, keptBy } from '../../../functions/payment/order.ts';
import type { Cancel, Payment, PaymentState } from '../../../functions/payment/payment.ts';
import {
  cancelReasonOf,
  decideRefund,
  isTakenOff,
  type Refund,
  type RefundFinding,
  refundFoundIn,
} from '../../../functions/payment/refund.ts';
import { orderIn, otherUid, paymentIn as payment, refund, states, thisUid, won } from './cases.ts';

const inState = (name: string) => orderIn(states[name] ?? expect.unreachable(name));

describe('the amount of a refund', () => {
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
    expect(decideRefund(inState(state), { amount, hasAccount, others: [] })).toStrictEqual(decided);
  });

  test.each<[string, string, Partial<Refund>, number | undefined, object | string]>([
    ['an accepted refund counts', 'paid by this card', { acceptedAt: 1 }, undefined, { ...whole, amount: 10_000 }],
    ['an accepted refund leaves no more', 'paid by this card', { acceptedAt: 1 }, 10_001, 'refund_exceeds'],
    [
      'an accepted refund of all',
      'paid by this card',
      { acceptedAt: 1, amount: won(14_000) },
      undefined,
      'refund_exceeds',
    ],
    ['a lost refund of a deposit counts', 'paid by this deposit', {}, undefined, { ...whole, amount: 10_000 }],
    ['a lost refund of a card is stopped by its checksum', 'paid by this card', {}, undefined, whole],
    ['a refund left to the operator', 'paid by this deposit', { needs: 'operator' }, undefined, whole],
    [
      'an accepted refund left to the operator counts',
      'paid by this card',
      { acceptedAt: 1, needs: 'operator' },
      undefined,
      { ...whole, amount: 10_000 },
    ],
    ['a refused refund', 'paid by this deposit', { state: 'refused' }, undefined, whole],
    ['a refund of another payment', 'paid by this card', { impUid: otherUid, acceptedAt: 1 }, undefined, whole],
  ])('with another refund, %s', (_name, state, other, wanted, decided) => {
    const amount = wanted === undefined ? undefined : won(wanted);
    const others = [{ ...refund, ...other }];
    expect(decideRefund(inState(state), { amount, hasAccount: true, others })).toStrictEqual(decided);
  });

  test.each([
    ['paid by this card', 14_000],
    ['partly cancelled, this', 10_000],
    ['cancelled, this', 0],
    ['deposit reversed, this', 0],
  ])('%s: keeps %s won, and is not payable', (name, kept) => {
    const order = inState(name);
    expect('record' in order.state && keptBy(order, order.state)).toBe(kept);
    expect(isPayable(order.state)).toBe(false);
  });
});

describe('the tax parts of a refund', () => {
  const taxed = { ...inState('paid by this card'), taxFree: won(5_000), vatAmount: won(818) };
  const partly = { ...inState('partly cancelled, this'), taxFree: won(5_000), vatAmount: won(818) };
  const done = (fields: Partial<Refund>) => [{ ...refund, state: 'done' as const, ...fields }];
  const none: Refund[] = [];

  test.each<[string, Parameters<typeof decideRefund>, object | string]>([
    ['all, and the order has parts', [taxed, { hasAccount: false, others: none }], { taxFree: 5_000, vatAmount: 818 }],
    [
      'the rest, after a refund with parts',
      [partly, { hasAccount: false, others: done({ taxFree: won(1_000), vatAmount: won(272) }) }],
      { amount: 10_000, taxFree: 4_000, vatAmount: 546 },
    ],
    [
      'the rest by its amount',
      [partly, { amount: won(10_000), hasAccount: false, others: done({}) }],
      { taxFree: 5_000 },
    ],
    [
      'the rest, after a refund that the payment does not show',
      [taxed, { hasAccount: false, others: done({ taxFree: won(1_000), vatAmount: won(272) }) }],
      { amount: 10_000, checksum: 14_000, taxFree: 4_000, vatAmount: 546 },
    ],
    ['the rest, after a cancel in the console', [partly, { hasAccount: false, others: none }], 'tax_parts_unknown'],
    [
      'the rest, too small for the parts that are left',
      [
        { ...partly, taxFree: won(12_000) },
        { hasAccount: false, others: done({}) },
      ],
      'tax_parts_unknown',
    ],
    [
      'the rest, after a refund that took more than the order has',
      [partly, { hasAccount: false, others: done({ vatAmount: won(819) }) }],
      'tax_parts_unknown',
    ],
    ['own parts of all', [taxed, { taxFree: won(0), hasAccount: false, others: none }], { taxFree: 0 }],
    [
      'own parts that are just the refund',
      [taxed, { amount: won(1_000), taxFree: won(900), vatAmount: won(100), hasAccount: false, others: none }],
      { amount: 1_000, taxFree: 900, vatAmount: 100 },
    ],
    [
      'own parts that are more than the refund',
      [taxed, { amount: won(1_000), taxFree: won(901), vatAmount: won(100), hasAccount: false, others: none }],
      'tax_parts_exceed',
    ],
  ])('%s', (_name, [order, wish], decided) => {
    const found = decideRefund(order, wish);
    if (typeof decided === 'string') expect(found).toBe(decided);
    else expect(found).toMatchObject(decided);
  });

  test('omits the tax parts of a partial refund that does not name them', () => {
    const part = decideRefund(taxed, { amount: won(1_000), hasAccount: false, others: [] });
    expect(part).toStrictEqual({ amount: 1_000, checksum: 14_000, impUid: thisUid });
  });
});

describe('the reason of the cancel', () => {
  const reasonOf = (reason: string) => cancelReasonOf({ ...refund, reason });

  test('begins the reason with the key, which survives truncation', () => {
    expect(reasonOf('반품')).toBe('[k4fzyo82mvyr0] 반품');
  });

  test.each([
    ['astral characters are dropped', '반품😀 완료', '[k4fzyo82mvyr0] 반품 완료'],
    ['blanks around it are trimmed', '  반품 ', '[k4fzyo82mvyr0] 반품'],
    ['decomposed Korean is composed', '반품'.normalize('NFD'), '[k4fzyo82mvyr0] 반품'],
    ['control characters become blanks', 'a\n\tb', '[k4fzyo82mvyr0] a b'],
    ['a lone surrogate is dropped', 'a\ud83d', '[k4fzyo82mvyr0] a'],
    ['no character remains', '😀', '[k4fzyo82mvyr0]'],
  ])('%s', (_name, reason, sent) => {
    expect(reasonOf(reason)).toBe(sent);
  });

  test('limits the reason to 100 bytes of UTF-8, cut between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (reason) => {
        const sent = reasonOf(reason);
        expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(100);
        expect(sent.isWellFormed()).toBe(true);
        expect(sent.startsWith('[k4fzyo82mvyr0]')).toBe(true);
      }),
    );
    expect(reasonOf('가'.repeat(200))).toBe(`[k4fzyo82mvyr0] ${'가'.repeat(28)}`);
    expect(reasonOf('a'.repeat(200))).toHaveLength(100);
  });
});

describe('a refund whose response was lost', () => {
  const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });
  const entry = (amount: number | undefined, reason?: string): Cancel => ({
    ...(amount !== undefined && { amount: won(amount) }),
    ...(reason !== undefined && { reason }),
  });
  const ours = '[k4fzyo82mvyr0] 반품';
  const otherKey = 'aaaaaaaaaaaa';
  const other: Refund = { ...refund, key: 'other', cancelKey: otherKey };

  test.each([
    ['as it was sent', ours],
    ['cut after the key', '[k4fzyo82mvyr0'],
    ['without brackets, in upper case', 'K4FZYO82MVYR0 반품'],
    ['after a text of the PG', '취소: [k4fzyo82mvyr0] ??'],
  ])('finds the refund by its key: %s', (_name, reason) => {
    expect(refundFoundIn(refund, payment(kept(9_000), [entry(1_000, '변심'), entry(4_000, reason)]), [])).toBe('done');
    expect(refundFoundIn(refund, payment({ kind: 'returned' }, [entry(4_000, reason)]), [other])).toBe('done');
  });

  test.each<[string, RefundFinding, Payment, Refund[], Partial<Refund>]>([
    ['an unchanged balance', 'unchanged', payment(kept(14_000)), [], {}],
    [
      'an older entry',
      'unchanged',
      payment(kept(10_000), [entry(4_000)]),
      [],
      { cancelsBefore: 1, checksum: won(10_000) },
    ],
    ['a new entry, and the same balance', 'unclear', payment(kept(14_000), [entry(4_000)]), [], {}],
    ['one new entry of its amount', 'done', payment(kept(10_000), [entry(4_000)]), [], {}],
    ['one new entry with a text of the PG', 'done', payment(kept(10_000), [entry(4_000, '취소')]), [], {}],
    ['the whole amount', 'done', payment({ kind: 'returned' }, [entry(14_000)]), [], { amount: won(14_000) }],
    ['an entry of another amount', 'overtaken', payment(kept(13_000), [entry(1_000)]), [], {}],
    ['an entry of a larger amount', 'overtaken', payment({ kind: 'returned' }, [entry(14_000)]), [], {}],
    ['two entries of its amount', 'unclear', payment(kept(6_000), [entry(4_000), entry(4_000)]), [], {}],
    ['one of its amount and another one', 'unclear', payment(kept(9_000), [entry(4_000), entry(1_000)]), [], {}],
    [
      'the entry of a refund that is not known yet',
      'overtaken',
      payment(kept(10_000), [entry(4_000, `[K${otherKey}] 반품`)]),
      [],
      {},
    ],
    ['the entry of another refund', 'overtaken', payment(kept(10_000), [entry(4_000, `k${otherKey}`)]), [other], {}],
    [
      'its own entry beside another refund',
      'done',
      payment(kept(6_000), [entry(4_000, `k${otherKey}`), entry(4_000)]),
      [other],
      {},
    ],
    ['another refund that may match', 'unclear', payment(kept(10_000), [entry(4_000)]), [other], {}],
    [
      'another refund that was done since',
      'unclear',
      payment(kept(10_000), [entry(4_000)]),
      [{ ...other, state: 'done' }],
      {},
    ],
    [
      'another refund that was done before',
      'done',
      payment(kept(6_000), [entry(4_000), entry(4_000)]),
      [{ ...other, state: 'done', updatedAt: refund.createdAt - 1 }],
      { cancelsBefore: 1, checksum: won(10_000) },
    ],
    [
      'a refused refund does not match',
      'done',
      payment(kept(10_000), [entry(4_000)]),
      [{ ...other, state: 'refused' }],
      {},
    ],
    [
      'a refund of another payment does not match',
      'done',
      payment(kept(10_000), [entry(4_000)]),
      [{ ...other, impUid: otherUid }],
      {},
    ],
    ['the refund itself does not match', 'done', payment(kept(10_000), [entry(4_000)]), [refund], {}],
    ['a balance without a history', 'unclear', payment(kept(10_000)), [], {}],
    ['a smaller change without a history', 'overtaken', payment(kept(13_000)), [], {}],
    ['an entry without an amount', 'unclear', payment(kept(10_000), [entry(undefined)]), [], {}],
    ['a deposit that the bank took back', 'overtaken', payment({ kind: 'ready' }), [], {}],
  ])('%s: %s', (_name, finding, shown, others, fields) => {
    expect(refundFoundIn({ ...refund, ...fields }, shown, others)).toBe(finding);
  });

  test('detects that the balance is lower by the amount of the refund', () => {
    expect(isTakenOff(refund, payment(kept(10_000)))).toBe(true);
    expect(isTakenOff(refund, payment(kept(9_999)))).toBe(false);
    expect(isTakenOff({ ...refund, amount: won(14_000) }, payment({ kind: 'returned' }))).toBe(true);
  });
});

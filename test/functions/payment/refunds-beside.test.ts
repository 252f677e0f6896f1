/** Several refunds of one payment: what is left for one beside the others, and which of them the payment shows. */

import { describe, expect, test } from 'vitest';
import type { Order } from '../../../functions/payment/order.ts';
import type { Payment, PaymentState } from '../../../functions/payment/payment.ts';
import {
  asIn,
  decideRefund,
  fitsBeside,
  isBeingSent,
  isDeferred,
  isInHistory,
  isRefundId,
  isUnsent,
  joined,
  mayBeWhole,
  type Refund,
  refundId,
} from '../../../functions/payment/refund.ts';
import { orderIn, otherUid, paymentIn as payment, refund, states, thisUid, won } from './cases.ts';

const other: Refund = { ...refund, key: 'return-2', cancelKey: 'aaaaaaaaaaaa', amount: won(10_000) };
const kept = (amount: number): PaymentState => ({ kind: 'kept', kept: won(amount) });

describe('may have been for everything that was left', () => {
  test.each<[string, boolean, Partial<Refund>, readonly Refund[]]>([
    ['all that the payment kept', true, { amount: won(14_000) }, []],
    ['a part of it', false, {}, []],
    ['the rest beside an earlier refund', true, {}, [other]],
    ['the rest beside a refund of the same second', true, {}, [{ ...other, createdAt: refund.createdAt }]],
    ['less than the rest beside an earlier refund', false, {}, [{ ...other, amount: won(9_999) }]],
    ['beside an earlier refund of a larger amount', true, {}, [{ ...other, amount: won(12_000) }]],
    ['the rest beside a later refund', false, {}, [{ ...other, createdAt: refund.createdAt + 1 }]],
    ['the rest beside a refund of another payment', false, {}, [{ ...other, impUid: otherUid }]],
    ['the same amount as itself', false, { amount: won(7_000) }, [{ ...refund, amount: won(7_000) }]],
    [
      'the rest beside two earlier refunds',
      true,
      {},
      [
        { ...other, amount: won(6_000) },
        { ...other, key: 'return-3', amount: won(4_000) },
      ],
    ],
  ])('%s: %s', (_name, expected, fields, others) => {
    expect(mayBeWhole({ ...refund, ...fields }, others)).toBe(expected);
  });
});

describe('fits beside the refunds that Iamport accepted', () => {
  const accepted: Refund = { ...other, acceptedAt: 1_000_100 };

  test.each<[string, boolean, PaymentState, readonly Refund[]]>([
    ['exactly what is left', true, kept(14_000), [accepted]],
    ['more than is left', false, kept(13_999), [accepted]],
    ['exactly what the payment keeps', true, kept(4_000), []],
    ['a payment that keeps nothing', false, { kind: 'returned' }, []],
    ['a refund that was not accepted', true, kept(4_000), [other]],
    ['an accepted refund that is done', true, kept(4_000), [{ ...accepted, state: 'done' }]],
    ['an accepted refund of another payment', true, kept(4_000), [{ ...accepted, impUid: otherUid }]],
    ['itself', true, kept(4_000), [{ ...refund, acceptedAt: 1_000_100 }]],
    [
      'the sum of two accepted refunds',
      false,
      kept(14_000),
      [
        { ...accepted, amount: won(6_000) },
        { ...accepted, key: 'return-3', amount: won(4_001) },
      ],
    ],
  ])('%s: %s', (_name, expected, state, others) => {
    expect(fitsBeside(refund, payment(state), others)).toBe(expected);
  });
});

describe('may still be waiting for a response of Iamport', () => {
  test.each<[string, boolean, Partial<Refund>, number]>([
    ['in the second of the request', true, {}, 0],
    ['in the last second of a minute', true, {}, 59],
    ['after a minute', false, {}, 60],
    ['an accepted refund', false, { acceptedAt: 1_000_001 }, 1],
    ['a refund with the message of a response', false, { message: 'no' }, 1],
    ['a refund that is done', false, { state: 'done' }, 1],
    ['a refund that was refused', false, { state: 'refused' }, 1],
  ])('%s: %s', (_name, expected, fields, after) => {
    expect(isBeingSent({ ...refund, ...fields }, refund.sentAt + after)).toBe(expected);
  });
});

describe('the announced refunds and those of the index', () => {
  const unsent: Refund = { ...refund, key: 'unsent', state: 'unsent' };

  test('joins both, the announced ones first, and each refund once', () => {
    const outdated: Refund = { ...refund, state: 'done' };
    const ofOther: Refund = { ...refund, impUid: otherUid };
    expect(joined([refund], [outdated, other, ofOther])).toStrictEqual([refund, other, ofOther]);
    expect(joined([], [other])).toStrictEqual([other]);
  });

  test('drops announced refunds that were not sent, in both', () => {
    expect(joined([unsent, refund], [{ ...unsent, state: 'requested' }])).toStrictEqual([refund]);
    expect(isUnsent(unsent)).toBe(true);
    expect(isUnsent(refund)).toBe(false);
  });

  test('identifies a refund by its payment and its key', () => {
    expect(refundId(refund)).toBe('imp_500/return-1');
    expect(isRefundId(refundId(refund))).toBe(true);
    expect(isRefundId(thisUid)).toBe(false);
  });
});

describe('the refunds as the payment shows them', () => {
  const cancelled = { amount: won(4_000), reason: '[k4fzyo82mvyr0] 반품' };

  test.each<[string, Payment, Partial<Refund>, Refund['state']]>([
    ['its cancel is in the history', payment(kept(10_000), [cancelled]), {}, 'done'],
    ['another cancel is in the history', payment(kept(10_000), [{ ...cancelled, reason: '변심' }]), {}, 'requested'],
    ['its cancel is not part of the kept amount yet', payment(kept(14_000), [cancelled]), {}, 'requested'],
    ['the history has less than went back', payment(kept(9_000), [cancelled]), {}, 'requested'],
    ['there is no history', payment(kept(14_000)), {}, 'requested'],
    ['it is a refund of another payment', payment(kept(10_000), [cancelled]), { impUid: otherUid }, 'requested'],
    [
      'the whole payment went back',
      payment({ kind: 'returned' }, [{ ...cancelled, amount: won(14_000) }]),
      { amount: won(14_000) },
      'done',
    ],
  ])('%s', (_name, shown, fields, state) => {
    const recorded: Refund = { ...refund, ...fields };
    expect(asIn(shown, [recorded, other])).toStrictEqual([{ ...recorded, state }, other]);
  });

  test('finds no refund in a payment without a history', () => {
    expect(isInHistory(refund, payment(kept(14_000)))).toBe(false);
    expect(isInHistory({ ...refund, cancelKey: '' }, payment(kept(14_000)))).toBe(false);
  });
});

test.each([
  [{ payMethod: 'phone' }, true],
  [{ payMethod: 'vbank' }, true],
  [{ payMethod: 'card' }, false],
  [{}, false],
])('the PG may process a cancel of %o on the next business day: %s', (record, expected) => {
  expect(isDeferred(record)).toBe(expected);
});

describe('the tax parts of the rest beside other refunds', () => {
  const taxed = { ...orderIn(states['paid by this card'] ?? expect.unreachable()), taxFree: won(5_000) };
  const taken: Refund = { ...refund, taxFree: won(1_000) };
  const rest = (others: readonly Refund[], order: Order = taxed) => decideRefund(order, { hasAccount: false, others });

  test('subtracts the parts of a pending refund, and not those of a refused one', () => {
    expect(rest([{ ...taken, acceptedAt: 1 }])).toMatchObject({ amount: 10_000, taxFree: 4_000 });
    expect(rest([{ ...taken, state: 'refused' }])).toMatchObject({ amount: 14_000, taxFree: 5_000 });
  });

  test('sends only the parts that the order has', () => {
    expect(rest([])).toStrictEqual({ amount: 14_000, checksum: 14_000, impUid: thisUid, taxFree: 5_000 });
    const { taxFree: _none, ...untaxed } = taxed;
    const withVat = { ...untaxed, vatAmount: won(1_272) };
    expect(rest([], withVat)).toStrictEqual({ amount: 14_000, checksum: 14_000, impUid: thisUid, vatAmount: 1_272 });
  });

  test('sends the parts of the shop only, and a part of 0 as 0', () => {
    const wish = { amount: won(4_000), hasAccount: false, others: [] };
    expect(decideRefund(taxed, { ...wish, vatAmount: won(0) })).toStrictEqual({
      ...{ amount: 4_000, checksum: 14_000, impUid: thisUid },
      vatAmount: 0,
    });
    expect(decideRefund(taxed, { ...wish, taxFree: won(4_000) })).toStrictEqual({
      ...{ amount: 4_000, checksum: 14_000, impUid: thisUid },
      taxFree: 4_000,
    });
  });

  test('allows parts that are the whole rest, and a part of which nothing is left', () => {
    expect(rest([], { ...taxed, taxFree: won(14_000) })).toMatchObject({ taxFree: 14_000 });
    expect(rest([{ ...taken, taxFree: won(5_000), acceptedAt: 1 }])).toMatchObject({ amount: 10_000, taxFree: 0 });
  });
});

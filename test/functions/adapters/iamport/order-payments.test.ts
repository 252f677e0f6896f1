/** The pages in which the payments of one order are read. */

import { describe, expect, test } from 'vitest';
import { paymentsOfOrder } from '../../../../functions/adapters/iamport/order-payments.ts';
import { IamportRefused, IamportTooLarge, IamportUnavailable } from '../../../../functions/application/faults.ts';
import type { Payment } from '../../../../functions/payment/payment.ts';
import { deadlineIn } from '../../../../functions/shared/clock.ts';
import { payment, steppedClock } from './client-fixture.ts';

const megabyte = 1024 * 1024;

interface Attempt {
  readonly payment: Payment;
  readonly bytes: number;
  readonly isPaid: boolean;
}
const attempt = (number: number, bytes: number, isPaid = false): Attempt => ({
  payment: { ...payment, impUid: `imp_${number}` },
  bytes,
  isPaid,
});
const attempts = (count: number, bytes: number) =>
  Array.from({ length: count }, (_none, index) => attempt(index + 1, bytes));

/** Iamport with an order's payments, of which the client reads at most 8 MB at once. */
function orderOf(all: readonly Attempt[], callMs = 0) {
  const clock = steppedClock();
  const calls: string[] = [];
  const read: Parameters<typeof paymentsOfOrder>[0] = async (list, page, limit) => {
    calls.push(`${list} ${page} × ${limit}`);
    clock.advance(callMs);
    const some = all.filter(({ isPaid }) => list === 'all' || isPaid);
    if (some.length === 0) return undefined;
    if ((page - 1) * limit >= some.length) throw new IamportRefused('존재하지 않는 page입니다.', { status: 400 });
    const found = some.slice((page - 1) * limit, page * limit);
    if (found.reduce((sum, { bytes }) => sum + bytes, 0) > 8 * megabyte) throw new IamportTooLarge('more than 8 MB');
    const next = page * limit < some.length ? page + 1 : 0;
    return { payments: found.map((one) => one.payment), unreadable: [], total: some.length, next };
  };
  const deadline = deadlineIn(clock, 10_000);
  return { calls, deadline, read, list: () => paymentsOfOrder(read, deadline) };
}
const numbersIn = (payments: readonly Payment[]) => payments.map(({ impUid }) => Number(impUid.slice(4)));

describe('a page that is too large', () => {
  test('is read again in pages of 100, and every payment is returned', async () => {
    const { list, calls } = orderOf(attempts(130, 64 * 1024));
    const { payments, unreadable } = await list();
    expect(numbersIn(payments)).toEqual(Array.from({ length: 130 }, (_none, index) => index + 1));
    expect(unreadable).toEqual([]);
    expect(calls).toEqual(['all 1 × 1000', 'all 1 × 100', 'all 2 × 100']);
  });

  test('leaves out only the payment that is too large alone, and names its position [T637]', async () => {
    const { list, calls } = orderOf(attempts(25, 1).with(12, attempt(13, 9 * megabyte)));
    const { payments, unreadable } = await list();
    expect(numbersIn(payments)).toEqual([...Array(25).keys()].map((index) => index + 1).filter((one) => one !== 13));
    expect(unreadable).toEqual(['(payment 13 of the list)']);
    expect(calls.slice(0, 5)).toEqual(['all 1 × 1000', 'all 1 × 100', 'all 1 × 10', 'all 2 × 10', 'all 11 × 1']);
    expect(calls.at(-1)).toBe('all 3 × 10');
  });

  test('ends after the last payment, when it is too large alone', async () => {
    const { list, calls } = orderOf(attempts(2, 1).with(1, attempt(2, 9 * megabyte)));
    expect(await list()).toMatchObject({ payments: [{ impUid: 'imp_1' }], unreadable: ['(payment 2 of the list)'] });
    expect(calls.at(-1)).toBe('all 2 × 1');
  });

  test('ends when every payment is too large alone, and Iamport refuses the page after them', async () => {
    const { list } = orderOf(attempts(2, 9 * megabyte));
    expect(await list()).toMatchObject({
      payments: [],
      unreadable: ['(payment 1 of the list)', '(payment 2 of the list)'],
    });
  });
});

describe('an order with more payments than 30 calls, or half of the time, can read', () => {
  const flooded = [...attempts(3_000, 90_000), attempt(3_001, 90_000, true)];

  test('reads its paid payments all the same, and reports the rest as unreadable [T638]', async () => {
    const { list, calls } = orderOf(flooded);
    const { payments, unreadable } = await list();
    expect(numbersIn(payments)).toContain(3_001);
    expect(unreadable).toEqual([expect.stringMatching(/^\(payments of the list from \d+ on\)$/)]);
    expect(calls).toHaveLength(31);
    expect(calls.at(-1)).toBe('paid 1 × 1000');
  });

  test('leaves at least a quarter of the time to the caller', async () => {
    const { list, deadline } = orderOf(flooded, 400);
    const { payments } = await list();
    expect(numbersIn(payments)).toContain(3_001);
    expect(deadline.leftMs()).toBeGreaterThan(2_500);
  });

  test('has no paid payment, and none is returned', async () => {
    const { list } = orderOf(attempts(3_000, 9 * megabyte));
    expect(await list()).toMatchObject({ payments: [] });
  });

  test('fails when its paid payments alone are too many', async () => {
    const paid = attempts(3_000, 9 * megabyte).map((one) => ({ ...one, isPaid: true }));
    await expect(orderOf(paid).list()).rejects.toThrow(IamportTooLarge);
  });
});

test('ends a list that names a next page for ever', async () => {
  const { read, deadline } = orderOf(attempts(1, 1));
  const pages: number[] = [];
  const endless: typeof read = async (list, page, limit) => {
    pages.push(page);
    if (page === 1) return { payments: [payment], unreadable: [], total: 1, next: 2 };
    return list === 'all' ? { payments: [], unreadable: [], total: 1, next: page + 1 } : read(list, page, limit);
  };
  expect((await paymentsOfOrder(endless, deadline)).payments).toHaveLength(1);
  expect(pages).toEqual([1, 2]);
});

test('a page without a response, a refused page and refused keys fail: no payment is left out for them', async () => {
  const { read, deadline } = orderOf(attempts(2, 9 * megabyte));
  for (const error of [
    new IamportUnavailable('Iamport returned 500'),
    new IamportRefused('존재하지 않는 page입니다.', { status: 400 }),
  ])
    await expect(paymentsOfOrder(() => Promise.reject(error), deadline)).rejects.toBe(error);
  const keys = new IamportRefused('Iamport does not accept the keys', { status: 401 });
  const refusing: typeof read = (list, page, limit) => (page === 2 ? Promise.reject(keys) : read(list, page, limit));
  await expect(paymentsOfOrder(refusing, deadline)).rejects.toBe(keys);
});

/** The next version of an order, as it is written. */

import { describe, expect, test } from 'vitest';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import { cancelAnnounced, changed, registered, scheduled } from '../../../functions/payment/order-steps.ts';
import { orderIn, states, thisAccount, won } from './cases.ts';

const now = 1_500_000;
const terms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW' };
const failed = states['failed by this'] as OrderState;

describe('a new order', () => {
  test('is ready at revision 1, without a check', () => {
    expect(registered(terms, now)).toEqual({
      ...terms,
      revision: 1,
      createdAt: now,
      updatedAt: now,
      state: { status: 'ready' },
    });
  });

  test('keeps all its terms, and is checked when it expires', () => {
    const all = { ...terms, taxFree: won(0), vatAmount: won(1_000), name: 'Shoes', expiresAt: now + 60, tier: 'T01' };
    expect(registered(all, now)).toMatchObject({ ...all, nextCheckAt: now + 60 });
  });
});

describe('a changed order', () => {
  test('has the next revision, its own time of creation and the time of the change', () => {
    const order = orderIn({ status: 'ready' });
    expect(changed(order, failed, now)).toEqual({ ...order, state: failed, revision: 8, updatedAt: now });
  });

  test('is checked as its new state needs it, and not as its former state did', () => {
    const order: Order = { ...orderIn({ status: 'ready' }), nextCheckAt: now + 5 };
    const waiting: OrderState = { status: 'virtual_account_issued', account: thisAccount };
    expect(changed(order, waiting, now).nextCheckAt).toBe(thisAccount.depositDeadline);
    expect(changed(order, { status: 'closed' }, now)).not.toHaveProperty('nextCheckAt');
  });

  test('is created by our first write, where the shop wrote its item', () => {
    const order = { ...orderIn({ status: 'ready' }), revision: 0, createdAt: 0 };
    expect(changed(order, failed, now)).toMatchObject({ revision: 1, createdAt: now });
  });
});

describe('another schedule of an order', () => {
  const order: Order = {
    ...orderIn({ status: 'ready' }),
    isUnprepared: true,
    nextCheckAt: now + 5,
    preparedAmount: won(14_000),
  };

  test('removes the absent fields except the registered amount, and keeps the revision', () => {
    expect(scheduled(order, {})).toEqual({ ...orderIn({ status: 'ready' }), preparedAmount: won(14_000) });
  });

  test('replaces all three fields', () => {
    const schedule = { isUnprepared: true, nextCheckAt: now + 9, preparedAmount: won(15_000) } as const;
    expect(scheduled(order, schedule)).toEqual({ ...order, ...schedule });
  });
});

test('each announced cancel of an order is counted', () => {
  const order = orderIn({ status: 'ready' });
  expect(cancelAnnounced(order)).toEqual({ ...order, cancels: 1 });
  expect(cancelAnnounced(cancelAnnounced(order)).cancels).toBe(2);
});

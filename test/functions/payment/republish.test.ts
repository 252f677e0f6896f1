/** Events derived again from the item alone have the ids and the content of their first publication. */

import { describe, expect, test } from 'vitest';
import { orderEvents, type PaymentEvent, refundEvents, reversalEvents } from '../../../functions/payment/events.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import { orderEventsAgain, refundEventsAgain, reversalEventsAgain } from '../../../functions/payment/republish.ts';
import type { Reversal } from '../../../functions/payment/reversal.ts';
import { orderIn, refund, states, thisUid, won } from './cases.ts';

const statesOfOrders = Object.entries(states) as [string, OrderState][];

describe('an order', () => {
  test.each(statesOfOrders)('derives the event of the last write of an order that is %s', (_name, state) => {
    const order = orderIn(state);
    const paid = { ...orderIn({ status: 'paid', impUid: thisUid, record: {} }), revision: order.revision - 1 };
    const again = orderEventsAgain(order);
    if (state.status === 'ready' && !('account' in state)) expect(again).toEqual([]);
    else expect(again).toEqual(orderEvents(paid, order));
  });

  test('derives no event of an order that was only registered, or only written by the shop', () => {
    expect(orderEventsAgain({ ...orderIn({ status: 'ready' }), revision: 1 })).toEqual([]);
    const untouched: Order = { ...orderIn({ status: 'ready' }), revision: 0 };
    expect(orderEventsAgain(untouched)).toEqual([]);
    // The shop may write a status into its own table.
    expect(orderEventsAgain({ ...orderIn({ status: 'closed' }), revision: 0 })).toEqual([]);
  });

  test('derives no second Payment Paid of a partly cancelled order', () => {
    const order = orderIn(states['partly cancelled, this'] as OrderState);
    expect(orderEventsAgain(order).map(({ name }) => name)).toEqual(['Payment Partially Cancelled']);
  });
});

describe('a reversal', () => {
  const requested: Reversal = {
    impUid: thisUid,
    merchantUid: 'order-1',
    kind: 'cancel',
    reason: 'amount_mismatch',
    amount: won(13_999),
    currency: 'KRW',
    state: 'requested',
    revision: 1,
    attempts: 1,
    createdAt: 1,
    updatedAt: 1,
  };
  const manual: Reversal = { ...requested, kind: 'manual', state: 'manual', attempts: 0 };
  const empty: Reversal = { ...manual, amount: won(0) };
  const orphan: Reversal = { ...manual, kind: 'orphan', reason: 'order_not_found' };
  const next = (before: Reversal, change: Partial<Reversal>): Reversal => ({
    ...before,
    revision: before.revision + 1,
    ...change,
  });
  const checkedOnce = (before: Reversal) => next(before, { attempts: before.attempts + 1 });
  const twice = (before: Reversal) => checkedOnce(checkedOnce(before));
  const more = next(twice(manual), { amount: won(20_000), attempts: 0 });
  const excess: Reversal = { ...manual, reason: 'deposit_excess' };

  test.each<[string, readonly PaymentEvent[], Reversal]>([
    ['was just requested', reversalEvents(undefined, requested), requested],
    ['is left to the operator', reversalEvents(undefined, manual), manual],
    ['has an excess', reversalEvents(undefined, excess), excess],
    ['was checked since', reversalEvents(undefined, manual), twice(manual)],
    ['is of an account without a deposit [T595]', reversalEvents(undefined, empty), checkedOnce(empty)],
    ['grew, and was checked since', reversalEvents(twice(manual), more), twice(more)],
    ['is done', reversalEvents(requested, next(requested, { state: 'done' })), next(requested, { state: 'done' })],
    [
      'is void',
      reversalEvents(manual, next(manual, { state: 'done', amount: won(0) })),
      next(manual, { state: 'done', amount: won(0) }),
    ],
    ['has no order, and was checked since', reversalEvents(undefined, orphan), twice(orphan)],
    ['is a revoked account', [], next({ ...requested, kind: 'revoke' }, { state: 'done', amount: won(0) })],
    ['found its order', reversalEvents(orphan, next(orphan, { state: 'done' })), next(orphan, { state: 'done' })],
  ])('derives the events of the last step of a reversal that %s', (_name, published, now) => {
    expect(reversalEventsAgain(now)?.map(({ id, name }) => `${name} ${id}`)).toEqual(
      published.map(({ id, name }) => `${name} ${id}`),
    );
  });

  test.each<[string, Reversal]>([
    ['was attempted again', next(requested, { attempts: 2 })],
    ['the PG refused for good', next(requested, { state: 'manual', attempts: 12 })],
    ['is an account that could not be revoked', next({ ...requested, kind: 'revoke' }, { state: 'manual' })],
    ['the bank took the deposit of back [T596]', next(twice(manual), { amount: won(0), attempts: 0 })],
    ['was done at its first write', { ...requested, state: 'done' }],
  ])('derives no event of a reversal that %s, since its id is unknown', (_name, now) => {
    expect(reversalEventsAgain(now)).toBeUndefined();
  });
});

test('derives the event of a refund once it is done', () => {
  expect(refundEventsAgain(refund)).toEqual([]);
  const done = { ...refund, state: 'done', revision: 2 } as const;
  expect(refundEventsAgain(done)).toEqual(refundEvents(refund, done));
  expect(refundEventsAgain(done)).toHaveLength(1);
  const refused = { ...refund, state: 'refused', refusal: 'refused_by_pg', revision: 3 } as const;
  expect(refundEventsAgain(refused)).toEqual(refundEvents(refund, refused));
  expect(refundEventsAgain(refused)).toMatchObject([{ name: 'Refund Refused', reason: 'refused_by_pg' }]);
});

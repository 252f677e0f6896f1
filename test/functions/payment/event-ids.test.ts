/** The name and the id of each event: derived from the two versions of an item, once for each step. */

import { describe, expect, test } from 'vitest';
import { orderEvents, refundEvents, reversalEvents, staleAccount } from '../../../functions/payment/events.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import type { Refund } from '../../../functions/payment/refund.ts';
import type { Reversal } from '../../../functions/payment/reversal.ts';
import { orderIn, reversalIn as reversal, states, won } from './cases.ts';

const state = (name: string) => states[name] as OrderState;
const step = (from: string, to: OrderState): [Order, Order] => [orderIn(state(from)), { ...orderIn(to), revision: 8 }];
const refund = (fields: Partial<Refund> = {}): Refund => ({
  impUid: 'imp_1',
  key: 'once',
  cancelKey: '4fzyo82mvyr0',
  cancelsBefore: 0,
  sentAt: 1,
  merchantUid: 'order-1',
  amount: won(4_000),
  checksum: won(14_000),
  currency: 'KRW',
  reason: '단순 변심',
  state: 'requested',
  revision: 1,
  attempts: 1,
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});
const names = (events: readonly { name: string; id: string }[]) => events.map(({ name, id }) => `${name} ${id}`);

describe('an order', () => {
  test.each<[string, OrderState, string]>([
    ['ready', state('paid by this card'), 'Payment Paid'],
    ['ready', state('waits for this account'), 'Virtual Account Issued'],
    ['waits for this account', { status: 'ready' }, 'Virtual Account Withdrawn'],
    ['ready', state('failed by this'), 'Payment Failed'],
    ['paid by this card', state('cancelled, this'), 'Payment Cancelled'],
    ['paid by this card', state('partly cancelled, this'), 'Payment Partially Cancelled'],
    ['paid by this deposit', state('deposit reversed, this'), 'Deposit Reversed'],
    ['ready', { status: 'expired' }, 'Order Expired'],
    ['ready', { status: 'closed' }, 'Order Closed'],
  ])('from %s to %o is %s', (from, to, name) => {
    expect(names(orderEvents(...step(from, to)))).toEqual([`${name} order-1:8`]);
  });

  test('publishes no event for a new or unchanged order', () => {
    expect(orderEvents(undefined, orderIn({ status: 'ready' }))).toEqual([]);
    expect(orderEvents(orderIn(state('paid by this deposit')), orderIn(state('paid by this deposit')))).toEqual([]);
  });

  test('names the payment of a withdrawn account', () => {
    expect(orderEvents(...step('waits for this account', { status: 'ready' }))).toMatchObject([{ impUid: 'imp_500' }]);
  });
});

describe('a stale account', () => {
  test.each<[string, OrderState, string | undefined]>([
    ['waits for this account', state('paid by another'), 'duplicate_payment'],
    ['waits for this account', { status: 'closed' }, 'order_closed'],
    ['waits for this account', state('waits for a newer account'), 'account_superseded'],
    ['expired with this account', state('paid by another'), 'duplicate_payment'],
    ['waits for this account', state('paid by this deposit'), undefined],
    ['waits for this account', { status: 'ready' }, undefined],
    ['waits for this account', state('expired with this account'), 'order_expired'],
    ['ready', state('paid by another'), undefined],
    ['ready, this account is gone', state('paid by another'), undefined],
  ])('from %s to %o: %s', (from, to, reason) => {
    expect(staleAccount(...step(from, to))?.reason).toBe(reason);
  });
});

describe('the reversal of a payment', () => {
  test.each<[string, Reversal | undefined, Reversal, string[]]>([
    ['is rejected', undefined, reversal(), ['Payment Rejected imp_1:1']],
    [
      'is rejected and left to the operator',
      undefined,
      reversal({ kind: 'manual', state: 'manual' }),
      ['Payment Rejected imp_1:1', 'Refund Required imp_1:1:refund'],
    ],
    ['was tried again', reversal(), reversal({ revision: 2, attempts: 2 }), []],
    [
      'was refused 12 times',
      reversal(),
      reversal({ revision: 2, state: 'manual' }),
      ['Refund Required imp_1:2:refund'],
    ],
    ['is refunded', reversal(), reversal({ revision: 2, state: 'done' }), ['Refund Completed imp_1:2']],
    [
      'revoked an account without money',
      reversal({ kind: 'revoke', amount: won(0) }),
      reversal({ kind: 'revoke', amount: won(0), revision: 2, state: 'done' }),
      [],
    ],
    [
      'is for an excess of deposits',
      undefined,
      reversal({ kind: 'manual', state: 'manual', reason: 'deposit_excess' }),
      ['Refund Required imp_1:1:refund'],
    ],
    [
      'is for a payment without an order',
      undefined,
      reversal({ kind: 'orphan', state: 'manual' }),
      ['Payment Without Order imp_1:1'],
    ],
    [
      'is done since the order was registered',
      reversal({ kind: 'orphan', state: 'manual' }),
      reversal({ kind: 'orphan', state: 'done', revision: 2 }),
      [],
    ],
    [
      'was for an account that got a deposit',
      reversal({ kind: 'revoke' }),
      reversal({ kind: 'manual', state: 'manual', revision: 2 }),
      ['Payment Rejected imp_1:2', 'Refund Required imp_1:2:refund'],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(names(reversalEvents(before, after))).toEqual(expected);
  });

  test('publishes a refund of the shop once, when it is done or refused', () => {
    expect(refundEvents(undefined, refund())).toEqual([]);
    expect(names(refundEvents(refund(), refund({ state: 'done', revision: 2 })))).toEqual([
      'Refund Completed imp_1/once:2',
    ]);
    expect(refundEvents(refund({ state: 'done' }), refund({ state: 'done', revision: 3 }))).toEqual([]);
    expect(names(refundEvents(refund(), refund({ state: 'refused', revision: 2 })))).toEqual([
      'Refund Refused imp_1/once:2',
    ]);
    expect(refundEvents(refund(), refund({ state: 'unsent', revision: 2 }))).toEqual([]);
  });
});

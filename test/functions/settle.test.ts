/** The straight line itself, where its order of steps matters: races, old news, and what is asked how often. */

import { describe, expect, test } from 'vitest';
import { OrderBusy } from '../../functions/application/faults.ts';
import { type Settlement, settle } from '../../functions/application/settle.ts';
import type { Order, OrderState } from '../../functions/payment/order.ts';
import type { Payment, PaymentState } from '../../functions/payment/payment.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { orderIn, states, thisAccount, thisUid, won } from './payment/cases.ts';

const paymentIn = (state: PaymentState, payMethod = 'card'): Payment => ({
  impUid: thisUid,
  merchantUid: 'order-1',
  amount: won(14_000),
  currency: 'KRW',
  sandbox: false,
  record: { payMethod },
  state,
});
const kept = paymentIn({ kind: 'kept', kept: won(14_000) });
const keptDeposit = paymentIn({ kind: 'kept', kept: won(14_000) }, 'vbank');
const awaiting = paymentIn({ kind: 'awaiting_deposit', account: thisAccount }, 'vbank');
const stateOf = (name: string) => states[name] as OrderState;

/**
 * Rooms whose Iamport tells `news` one by one (the last one again and again), and whose order is changed by somebody else
 * just before our first writes: to each of `races` in turn.
 */
function roomsWith({
  order,
  news,
  races = [],
}: {
  order: Order | undefined;
  news: readonly Payment[];
  races?: readonly OrderState[];
}) {
  const log: string[] = [];
  const raced = [...races];
  let current = order;
  let asked = 0;
  const rooms = {
    iamport: {
      payment: async () => {
        log.push('ask');
        asked += 1;
        return news[Math.min(asked, news.length) - 1];
      },
    },
    orders: {
      read: async () => {
        log.push('read');
        return current;
      },
      change: async (seen: Order, next: OrderState) => {
        const faster = raced.shift();
        if (faster && current) current = { ...current, revision: current.revision + 1, state: faster };
        if (current?.revision !== seen.revision) {
          log.push('lost');
          return { held: false, order: current };
        }
        log.push(`write ${next.status}`);
        current = { ...current, revision: current.revision + 1, state: next };
        return { held: true, order: current };
      },
    },
    reversals: { finish: async () => undefined },
    clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
    policy: { acceptTestPayments: false, reversals: 'automatic' },
  } as unknown as Rooms;
  return { rooms, log };
}

const settled = (rooms: Rooms) => settle(rooms, thisUid, { leftMs: () => 10_000 });
const statusOf = (settlement: Settlement) => settlement.kind === 'settled' && settlement.outcome.status;

test('a payment is asked for, its order is read, and the change is written', async () => {
  const { rooms, log } = roomsWith({ order: orderIn({ status: 'ready' }), news: [kept] });
  expect(statusOf(await settled(rooms))).toBe('paid');
  expect(log).toEqual(['ask', 'read', 'write paid']);
});

test('an order that is missing is asked for once', async () => {
  const { rooms, log } = roomsWith({ order: undefined, news: [kept] });
  expect(await settled(rooms)).toEqual({ kind: 'order_not_found' });
  expect(log).toEqual(['ask', 'read']);
});

describe('a lost race', () => {
  test('is decided again on the order that the winner left, and nothing is asked or read again', async () => {
    const race = { order: orderIn({ status: 'ready' }), news: [kept], races: [stateOf('paid by this card')] };
    const { rooms, log } = roomsWith(race);
    expect(statusOf(await settled(rooms))).toBe('paid');
    expect(log).toEqual(['ask', 'read', 'lost']);
  });

  test('against a failure is no reason not to be paid', async () => {
    const race = { order: orderIn({ status: 'ready' }), news: [kept], races: [stateOf('failed by another earlier')] };
    const { rooms, log } = roomsWith(race);
    expect(statusOf(await settled(rooms))).toBe('paid');
    expect(log).toEqual(['ask', 'read', 'lost', 'write paid']);
  });

  test('for the fourth time is a fault, and never an answer', async () => {
    const failed = stateOf('failed by another earlier');
    const { rooms, log } = roomsWith({
      order: orderIn({ status: 'ready' }),
      news: [kept],
      races: [failed, failed, failed, failed],
    });
    await expect(settled(rooms)).rejects.toThrow(OrderBusy);
    expect(log.filter((step) => step === 'lost')).toHaveLength(4);
  });

  test('against a deletion finds no order', async () => {
    const { rooms } = roomsWith({ order: orderIn({ status: 'ready' }), news: [kept] });
    const gone = { ...rooms, orders: { ...rooms.orders, change: async () => ({ held: false }) } } as unknown as Rooms;
    expect(await settled(gone)).toEqual({ kind: 'order_not_found' });
  });
});

describe('news that takes back what the order says', () => {
  test('is asked for again after the order was read, and old news changes nothing', async () => {
    const { rooms, log } = roomsWith({
      order: orderIn(stateOf('paid by this deposit')),
      news: [awaiting, keptDeposit],
    });
    expect(statusOf(await settled(rooms))).toBe('paid');
    expect(log).toEqual(['ask', 'read', 'ask']);
  });

  test('is believed when it still stands', async () => {
    const { rooms, log } = roomsWith({ order: orderIn(stateOf('paid by this deposit')), news: [awaiting] });
    expect(statusOf(await settled(rooms))).toBe('deposit_reversed');
    expect(log).toEqual(['ask', 'read', 'ask', 'write deposit_reversed']);
  });

  test('is asked for anew after each lost race', async () => {
    const { rooms, log } = roomsWith({
      order: orderIn(stateOf('deposit reversed, this')),
      news: [keptDeposit],
      races: [stateOf('deposit reversed, this')],
    });
    expect(statusOf(await settled(rooms))).toBe('paid');
    expect(log).toEqual(['ask', 'read', 'ask', 'lost', 'ask', 'write paid']);
  });
});

/** The order of steps in `settle`: races, stale payments, and the number of calls. */

import { describe, expect, test } from 'vitest';
import { OrderBusy } from '../../functions/application/faults.ts';
import { inTime } from '../../functions/application/in-time.ts';
import type { Dependencies, Ports } from '../../functions/application/ports.ts';
import { type Settlement, settle } from '../../functions/application/settle.ts';
import type { Order, OrderState } from '../../functions/payment/order.ts';
import type { Payment, PaymentState } from '../../functions/payment/payment.ts';
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
 * Dependencies whose Iamport returns the `payments` in turn, and the last one from then on. A concurrent writer changes the order just
 * before each of our first writes, to the `races` in turn.
 */
function createDeps({
  order,
  payments,
  races = [],
}: {
  order: Order | undefined;
  payments: readonly Payment[];
  races?: readonly OrderState[];
}) {
  const log: string[] = [];
  const raced = [...races];
  let current = order;
  let calls = 0;
  const deps = {
    iamport: {
      payment: async () => {
        log.push('call');
        calls += 1;
        return payments[Math.min(calls, payments.length) - 1];
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
          return { written: false, current };
        }
        log.push(`write ${next.status}`);
        current = { ...current, revision: current.revision + 1, state: next };
        return { written: true, value: current };
      },
    },
    reversals: { finish: async () => undefined },
    clock: { now: () => 1_795_000_000_000, sleep: async () => undefined },
    policy: { acceptTestPayments: false, reversals: 'automatic' },
  } as unknown as Ports;
  return { deps: inTime(deps, { leftMs: () => 10_000 }), log };
}

const settled = (deps: Dependencies) => settle(deps, thisUid);
const statusOf = (settlement: Settlement) => settlement.kind === 'settled' && settlement.outcome.status;

test('calls Iamport for the payment, reads its order, and writes the change', async () => {
  const { deps, log } = createDeps({ order: orderIn({ status: 'ready' }), payments: [kept] });
  expect(statusOf(await settled(deps))).toBe('paid');
  expect(log).toEqual(['call', 'read', 'write paid']);
});

test('reads a missing order once', async () => {
  const { deps, log } = createDeps({ order: undefined, payments: [kept] });
  expect(await settled(deps)).toEqual({ kind: 'order_not_found' });
  expect(log).toEqual(['call', 'read']);
});

describe('a lost race', () => {
  test('decides again on the order that the winner wrote, without another call or read', async () => {
    const race = { order: orderIn({ status: 'ready' }), payments: [kept], races: [stateOf('paid by this card')] };
    const { deps, log } = createDeps(race);
    expect(statusOf(await settled(deps))).toBe('paid');
    expect(log).toEqual(['call', 'read', 'lost']);
  });

  test('writes the order as paid after a lost race against a failed attempt', async () => {
    const race = {
      order: orderIn({ status: 'ready' }),
      payments: [kept],
      races: [stateOf('failed by another earlier')],
    };
    const { deps, log } = createDeps(race);
    expect(statusOf(await settled(deps))).toBe('paid');
    expect(log).toEqual(['call', 'read', 'lost', 'write paid']);
  });

  test('throws OrderBusy after the fourth lost race', async () => {
    const failed = stateOf('failed by another earlier');
    const { deps, log } = createDeps({
      order: orderIn({ status: 'ready' }),
      payments: [kept],
      races: [failed, failed, failed, failed],
    });
    await expect(settled(deps)).rejects.toThrow(OrderBusy);
    expect(log.filter((step) => step === 'lost')).toHaveLength(4);
  });

  test('returns order_not_found after a deletion', async () => {
    const { deps } = createDeps({ order: orderIn({ status: 'ready' }), payments: [kept] });
    const gone = {
      ...deps,
      orders: { ...deps.orders, change: async () => ({ written: false }) },
    } as unknown as Dependencies;
    expect(await settled(gone)).toEqual({ kind: 'order_not_found' });
  });
});

describe('a payment that reverts the state of the order', () => {
  test('reads the payment again after the order, and ignores a stale payment', async () => {
    const { deps, log } = createDeps({
      order: orderIn(stateOf('paid by this deposit')),
      payments: [awaiting, keptDeposit],
    });
    expect(statusOf(await settled(deps))).toBe('paid');
    expect(log).toEqual(['call', 'read', 'call']);
  });

  test('applies the payment when the second read confirms it', async () => {
    const { deps, log } = createDeps({ order: orderIn(stateOf('paid by this deposit')), payments: [awaiting] });
    expect(statusOf(await settled(deps))).toBe('deposit_reversed');
    expect(log).toEqual(['call', 'read', 'call', 'write deposit_reversed']);
  });

  test('reads the payment again after each lost race', async () => {
    const { deps, log } = createDeps({
      order: orderIn(stateOf('deposit reversed, this')),
      payments: [keptDeposit],
      races: [stateOf('deposit reversed, this')],
    });
    expect(statusOf(await settled(deps))).toBe('paid');
    expect(log).toEqual(['call', 'read', 'call', 'lost', 'call', 'write paid']);
  });
});

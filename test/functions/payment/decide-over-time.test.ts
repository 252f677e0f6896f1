/** Tests `decide` for payments that predate their order, arrive out of order, or are repeated. */

import { describe, expect, test } from 'vitest';
import { decide, type Policy } from '../../../functions/payment/decide.ts';
import type { Order } from '../../../functions/payment/order.ts';
import type { Payment } from '../../../functions/payment/payment.ts';
import { allPayments, orders } from './cases.ts';
import { afterwards, summary } from './decisions.ts';

describe('a payment that began before its order was registered', () => {
  const policy: Policy = { acceptTestPayments: false, reversals: 'automatic' };
  const payments = new Map(allPayments());
  const at = (name: string, startedAt: number): Payment => ({
    ...(payments.get(name) ?? expect.unreachable(name)),
    startedAt,
  });
  const registered = (name: string): Order => ({
    ...(new Map(orders).get(name) ?? expect.unreachable(name)),
    registeredAt: 1_000_000,
  });

  test.each([
    ['all kept 14000 KRW card', 'ready', 996_400, 'paid'],
    ['all kept 14000 KRW card', 'ready', 996_399, 'reject payment_predates_order, manual 14000'],
    ['all kept 13999 KRW card', 'ready', 996_399, 'reject payment_predates_order, manual 13999'],
    ['all kept 13999 KRW card', 'ready', 999_999, 'reject amount_mismatch, manual 13999'],
    ['all kept 13999 KRW card', 'ready', 1_000_000, 'reject amount_mismatch, cancel 13999'],
    ['all kept 14000 KRW card', 'closed', 999_999, 'reject order_closed, manual 14000'],
    ['all kept 14000 KRW card', 'paid by another', 999_999, 'reject duplicate_payment, manual 14000'],
    ['all kept 14000 KRW card', 'paid by this card', 900_000, 'keep'],
    ['awaits a deposit 14000 KRW vbank', 'ready', 996_400, 'virtual_account_issued'],
    ['awaits a deposit 14000 KRW vbank', 'ready', 996_399, 'reject payment_predates_order, no reversal'],
    ['awaits a deposit 13999 KRW vbank', 'ready', 999_999, 'reject amount_mismatch, no reversal'],
    ['awaits a deposit 13999 KRW vbank', 'ready', 1_000_000, 'reject amount_mismatch, revoke 0'],
    ['awaits a deposit 14000 KRW of 4000 deposited', 'ready', 999_999, 'reject deposit_mismatch, manual 4000'],
    ['all kept 14000 KRW card test', 'ready', 900_000, 'reject test_payment, no reversal'],
  ])('%s, %s, begun at %i: %s', (payment, order, startedAt, is) => {
    expect(summary(decide(registered(order), at(payment, startedAt), policy))).toBe(is);
  });

  test('is compared only when the time of the registration is known', () => {
    const { registeredAt: _unknown, ...order } = registered('ready');
    expect(summary(decide(order, at('all kept 14000 KRW card', 1), policy))).toBe('paid');
    expect(summary(decide(order, at('all kept 13999 KRW card', 1), policy))).toBe(
      'reject amount_mismatch, cancel 13999',
    );
  });
});

describe('a payment that was paid before the deployment on a shop’s own table began', () => {
  const payments = new Map(allPayments());
  const paid = (name: string, paidAt: number | undefined): Payment => {
    const { record, ...payment } = payments.get(name) ?? expect.unreachable(name);
    const { paidAt: _paidAt, ...rest } = record;
    return { ...payment, startedAt: 1, record: { ...rest, ...(paidAt !== undefined && { paidAt }) } };
  };
  const orderNamed = (name: string) => new Map(orders).get(name) ?? expect.unreachable(name);

  test.each([
    ['all kept 14000 KRW card', 'ready', 1_199_999, 'predates_deployment'],
    ['all kept 14000 KRW card', 'ready', 1_200_000, 'paid'],
    // An account of before the deployment gets its deposit later.
    ['all kept 14000 KRW vbank', 'ready', 1_200_000, 'paid'],
    ['a part kept 14000 KRW card', 'ready', 1_199_999, 'predates_deployment'],
    ['all kept 13999 KRW card', 'ready', 1_199_999, 'predates_deployment'],
    ['all kept 13999 KRW card', 'ready', 1_200_000, 'reject amount_mismatch, cancel 13999'],
    ['all kept 14000 KRW card test', 'ready', 1_199_999, 'predates_deployment'],
    // A failed attempt of today has raised the revision.
    ['all kept 14000 KRW card', 'failed by another earlier', 1_199_999, 'predates_deployment'],
    ['all kept 14000 KRW card', 'paid by another', 1_199_999, 'predates_deployment'],
    ['all kept 14000 KRW card', 'closed', 1_199_999, 'predates_deployment'],
    // An earlier deployment of ours has written these.
    ['a part kept 14000 KRW card', 'paid by this card', 1_199_999, 'partial_cancelled'],
    ['all kept 14000 KRW vbank', 'waits for this account', 1_199_999, 'paid'],
    // Nothing is left to settle or to cancel.
    ['returned 14000 KRW card', 'ready', 1_199_999, 'money_returned'],
    // Without the time of the payment, its start counts.
    ['all kept 14000 KRW card', 'ready', undefined, 'predates_deployment'],
  ])('%s, %s, paid at %s: %s', (payment, order, paidAt, is) => {
    const policy = { acceptTestPayments: false, reversals: 'automatic', begunAt: 1_200_000 } as const;
    expect(summary(decide(orderNamed(order), paid(payment, paidAt), policy))).toBe(is);
  });

  test.each([1_200_000, undefined])('a payment without its time that began at %s settles its order', (startedAt) => {
    const policy = { acceptTestPayments: false, reversals: 'automatic', begunAt: 1_200_000 } as const;
    const { startedAt: _other, ...payment } = paid('all kept 14000 KRW card', undefined);
    const began = { ...payment, ...(startedAt !== undefined && { startedAt }) };
    expect(summary(decide(orderNamed('ready'), began, policy))).toBe('paid');
  });
});

describe('payments out of order, and repeated', () => {
  const policy: Policy = { acceptTestPayments: false, reversals: 'automatic' };
  const payments = new Map(allPayments());
  const paymentNamed = (name: string): Payment => payments.get(name) ?? expect.unreachable(name);
  const lifecycles: readonly (readonly string[])[] = [
    ['ready', 'failed', 'all kept', 'a part kept', 'returned'].map((name) => `${name} 14000 KRW card`),
    ['ready', 'awaits a deposit', 'all kept', 'a part kept', 'returned'].map((name) => `${name} 14000 KRW vbank`),
    ['ready', 'awaits a deposit', 'failed'].map((name) => `${name} 14000 KRW vbank`),
  ];
  /** Applies only decisions without `requiresFreshRead`: a fresh read returns no stale payment. */
  const apply = (order: Order, name: string): Order => {
    const decision = decide(order, paymentNamed(name), policy);
    return decision.kind === 'change' && !decision.requiresFreshRead ? afterwards(order, decision) : order;
  };
  const pairs = lifecycles.flatMap((lifecycle) =>
    lifecycle.flatMap((earlier, at) => lifecycle.slice(at).map((later) => [earlier, later] as const)),
  );

  test.each(pairs)('%s, %s: the later state stays', (earlier, later) => {
    for (const [name, order] of orders) {
      if (!order || name.includes('this') || name.includes('lower uid')) continue;
      const inOrder = apply(apply(order, earlier), later);
      expect(apply(inOrder, earlier), `${name}: repeated earlier`).toEqual(inOrder);
      expect(apply(inOrder, later), `${name}: repeated later`).toEqual(inOrder);
      const late = apply(apply(order, later), earlier);
      expect(apply(late, later).state.status, `${name}: out of order`).toBe(inOrder.state.status);
    }
  });
});

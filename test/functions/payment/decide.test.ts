/**
 * Tests `decide` over every combination of order, payment and policy. The rows repeat the table of ARCHITECTURE.md independently of the
 * code. Each combination must match exactly one row.
 */

import { describe, expect, test } from 'vitest';
import { decide, type Policy } from '../../../functions/payment/decide.ts';
import { accountOf, failureOf, isPayable, isSettled, type Order } from '../../../functions/payment/order.ts';
import type { Payment } from '../../../functions/payment/payment.ts';
import { allPayments, orders, policies, thisAccount, thisUid } from './cases.ts';
import { afterwards, summary } from './decisions.ts';

interface Case {
  readonly order: Order;
  readonly payment: Payment;
  readonly policy: Policy;
}

const all = (payment: Payment) => payment.state.kind === 'kept' && payment.state.kept === payment.amount;
const part = (payment: Payment) => payment.state.kind === 'kept' && payment.state.kept < payment.amount;
const money = (payment: Payment) => payment.state.kind === 'kept';
const account = (payment: Payment) => payment.state.kind === 'awaiting_deposit';
const keptOf = (payment: Payment) => (payment.state.kind === 'kept' ? payment.state.kept : 0);
const byThis = ({ state }: Order) => isSettled(state) && state.impUid === thisUid;
const byAnother = ({ state }: Order) => isSettled(state) && state.impUid !== thisUid;
const paidByThisDeposit = ({ state }: Order) =>
  (state.status === 'paid' || state.status === 'partial_cancelled') && byThisDeposit(state);
const byThisDeposit = (state: Order['state']) =>
  isSettled(state) && state.impUid === thisUid && state.record.payMethod === 'vbank';
const isRefusedTest = ({ payment, policy }: Case) => payment.sandbox && !policy.acceptTestPayments;
const isSumRight = ({ deposited, amount }: Payment) => deposited === undefined || deposited === amount;
const excess = ({ deposited }: Payment) => deposited !== undefined && deposited > 14_000;
/** Paid before the deployment began, and neither the settling payment nor the account that the order knows. */
const old = ({ order, payment, policy }: Case) =>
  policy.begunAt !== undefined && money(payment) && !byThis(order) && accountOf(order.state)?.impUid !== thisUid;
const judged = (c: Case) => account(c.payment) || (money(c.payment) && !old(c));
const right = (c: Case) =>
  !old(c) && !isRefusedTest(c) && c.payment.currency === 'KRW' && c.payment.amount === 14_000 && isSumRight(c.payment);
const orderKept = ({ state, amount }: Order) =>
  state.status === 'paid' ? amount : 'cancelledAmount' in state ? amount - state.cancelledAmount : 0;
/** True when the account in the order is newer than the account of imp_500, which was issued at 1,000,500. */
const knowsNewer = ({ state }: Order) => {
  const known = accountOf(state);
  if (!known || known.impUid === thisUid) return false;
  return known.issuedAt > 1_000_500 || (known.issuedAt === 1_000_500 && known.impUid > thisUid);
};
const knowsThisPayment = ({ state }: Order) =>
  accountOf(state)?.impUid === thisUid || failureOf(state)?.impUid === thisUid;
const knowsLaterFailure = ({ state }: Order) => {
  const known = failureOf(state);
  if (!known) return false;
  return known.failedAt > 1_000_500 || (known.failedAt === 1_000_500 && known.impUid >= thisUid);
};
const reversalOf = ({ payment, policy }: Case) => {
  if (payment.sandbox) return 'no reversal';
  if (account(payment) && payment.deposited !== undefined) return `manual ${payment.deposited}`;
  // A test deployment on the Iamport account of the real shop also sees its payments. It must cancel none of them.
  const byShop = policy.reversals === 'manual' || policy.acceptTestPayments;
  if (account(payment)) return byShop ? 'manual 0' : 'revoke 0';
  const byOperator = payment.record.payMethod === 'vbank' || byShop;
  return `${byOperator ? 'manual' : 'cancel'} ${keptOf(payment)}`;
};
const rejectedDeposits = ({ payment }: Case) =>
  `reject deposit_mismatch, ${payment.sandbox ? 'no reversal' : `manual ${payment.deposited}`}`;
const rejected = (reason: string) => (c: Case) => `reject ${reason}, ${reversalOf(c)}`;
const is = (text: string) => () => text;

const rows: readonly { name: string; when: (c: Case) => boolean; decided: (c: Case) => string }[] = [
  {
    name: 'all kept, right, payable: paid',
    when: (c) => all(c.payment) && right(c) && isPayable(c.order.state),
    decided: is('paid'),
  },
  {
    name: 'all kept, already paid by it: keep',
    when: ({ order, payment }) =>
      all(payment) &&
      byThis(order) &&
      order.state.status !== 'deposit_reversed' &&
      keptOf(payment) >= orderKept(order) &&
      !excess(payment),
    decided: is('keep'),
  },
  {
    name: 'the reversed deposit is back: paid again, after a fresh read',
    when: ({ order, payment }) =>
      keptOf(payment) >= 14_000 && byThis(order) && order.state.status === 'deposit_reversed',
    decided: is('paid after a fresh read'),
  },
  {
    name: 'a part of the reversed deposit is back',
    when: ({ order, payment }) =>
      money(payment) && keptOf(payment) < 14_000 && byThis(order) && order.state.status === 'deposit_reversed',
    decided: is('partial_cancelled after a fresh read'),
  },
  {
    name: 'paid before the deployment began: neither settles the order nor goes back',
    when: old,
    decided: is('predates_deployment'),
  },
  {
    name: 'a test payment: rejected',
    when: (c) => judged(c) && isRefusedTest(c) && !byThis(c.order),
    decided: is('reject test_payment, no reversal'),
  },
  {
    name: 'another currency: rejected',
    when: (c) => judged(c) && !isRefusedTest(c) && c.payment.currency !== 'KRW' && !byThis(c.order),
    decided: rejected('currency_mismatch'),
  },
  {
    name: 'another amount: rejected',
    when: (c) =>
      judged(c) && !isRefusedTest(c) && c.payment.currency === 'KRW' && c.payment.amount !== 14_000 && !byThis(c.order),
    decided: rejected('amount_mismatch'),
  },
  {
    name: 'deposits whose sum is not the amount: left to the operator',
    when: (c) =>
      judged(c) &&
      !isRefusedTest(c) &&
      c.payment.currency === 'KRW' &&
      c.payment.amount === 14_000 &&
      !isSumRight(c.payment) &&
      !byThis(c.order),
    decided: rejectedDeposits,
  },
  {
    name: 'deposits above the amount of a paid order: left to the operator, and the order stays paid',
    when: ({ order, payment }) =>
      money(payment) &&
      byThis(order) &&
      order.state.status !== 'deposit_reversed' &&
      keptOf(payment) >= orderKept(order) &&
      excess(payment),
    decided: ({ payment }) => `reject deposit_excess, ${payment.sandbox ? 'no reversal' : 'manual 14000'}`,
  },
  {
    name: 'right, but the order is settled by another payment: rejected',
    when: (c) => judged(c) && right(c) && byAnother(c.order),
    decided: rejected('duplicate_payment'),
  },
  {
    name: 'right, but the order is closed: rejected',
    when: (c) => judged(c) && right(c) && c.order.state.status === 'closed',
    decided: rejected('order_closed'),
  },
  {
    name: 'a part kept, right, payable: partly cancelled',
    when: (c) => part(c.payment) && right(c) && isPayable(c.order.state),
    decided: is('partial_cancelled'),
  },
  {
    name: 'less kept than the order knows: partly cancelled',
    when: ({ order, payment }) =>
      money(payment) &&
      byThis(order) &&
      order.state.status !== 'deposit_reversed' &&
      keptOf(payment) < orderKept(order),
    decided: is('partial_cancelled'),
  },
  {
    name: 'no less kept than the order knows: keep, since the kept amount never grows',
    when: ({ order, payment }) =>
      part(payment) &&
      byThis(order) &&
      order.state.status !== 'deposit_reversed' &&
      keptOf(payment) >= orderKept(order) &&
      !excess(payment),
    decided: is('keep'),
  },
  {
    name: 'returned, settled by it: cancelled',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' && byThis(order) && order.state.status !== 'cancelled',
    decided: is('cancelled'),
  },
  {
    name: 'returned, already cancelled: keep',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' && byThis(order) && order.state.status === 'cancelled' && !excess(payment),
    decided: is('keep'),
  },
  {
    name: 'returned, already cancelled, with deposits above its amount: left to the operator',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' && byThis(order) && order.state.status === 'cancelled' && excess(payment),
    decided: ({ payment }) => `reject deposit_excess, ${payment.sandbox ? 'no reversal' : 'manual 14000'}`,
  },
  {
    name: 'returned, and the order waits for its account: ready again',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' &&
      order.state.status === 'virtual_account_issued' &&
      order.state.account.impUid === thisUid,
    decided: is('ready'),
  },
  {
    name: 'returned, and the order depends on another payment: only its reversal is done',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' &&
      !byThis(order) &&
      !(order.state.status === 'virtual_account_issued' && order.state.account.impUid === thisUid),
    decided: is('money_returned'),
  },
  {
    name: 'no longer paid, and the order was paid by its deposit: the bank took it back',
    when: ({ order, payment }) =>
      ['awaiting_deposit', 'ready', 'failed'].includes(payment.state.kind) && paidByThisDeposit(order),
    decided: is('deposit_reversed after a fresh read'),
  },
  {
    name: 'an account of the payment that settled the order: stale',
    when: ({ order, payment }) => account(payment) && byThis(order) && !paidByThisDeposit(order),
    decided: is('keep'),
  },
  {
    name: 'a new account, right, payable: issued',
    when: (c) =>
      account(c.payment) && right(c) && isPayable(c.order.state) && !knowsThisPayment(c.order) && !knowsNewer(c.order),
    decided: is('virtual_account_issued'),
  },
  {
    name: 'an account that the order knows, or has seen fail: keep',
    when: (c) => account(c.payment) && right(c) && isPayable(c.order.state) && knowsThisPayment(c.order),
    decided: is('keep'),
  },
  {
    name: 'an account older than the one the order has: revoked',
    when: (c) =>
      account(c.payment) && right(c) && isPayable(c.order.state) && !knowsThisPayment(c.order) && knowsNewer(c.order),
    decided: rejected('account_superseded'),
  },
  {
    name: 'ready without an account: keep',
    when: ({ order, payment }) => payment.state.kind === 'ready' && !paidByThisDeposit(order),
    decided: is('keep'),
  },
  {
    name: 'failed, payable, no account of another payment: failed',
    when: (c) => c.payment.state.kind === 'failed' && failureCounts(c),
    decided: is('failed'),
  },
  {
    name: 'failed otherwise: keep',
    when: (c) => c.payment.state.kind === 'failed' && !paidByThisDeposit(c.order) && !failureCounts(c),
    decided: is('keep'),
  },
];

function failureCounts(c: Case): boolean {
  const { order } = c;
  const waitsForAnother = order.state.status === 'virtual_account_issued' && order.state.account.impUid !== thisUid;
  return isPayable(order.state) && !isRefusedTest(c) && !waitsForAnother && !knowsLaterFailure(order);
}

function* allCases(): Generator<Case & { name: string }> {
  for (const policy of policies) {
    for (const [orderName, order] of orders) {
      if (!order) continue;
      for (const [paymentName, payment] of allPayments()) {
        yield { name: `${paymentName} | ${orderName} | ${JSON.stringify(policy)}`, order, payment, policy };
      }
    }
  }
}

describe('decide', () => {
  test('decides every combination by exactly one row', () => {
    const matched = new Map<string, number>();
    for (const c of allCases()) {
      const applying = rows.filter((row) => row.when(c));
      expect(
        applying.map((row) => row.name),
        c.name,
      ).toHaveLength(1);
      for (const row of applying) {
        matched.set(row.name, (matched.get(row.name) ?? 0) + 1);
        expect(summary(decide(c.order, c.payment, c.policy)), `${c.name} (${row.name})`).toBe(row.decided(c));
      }
    }
    const unmatched = rows.map((row) => row.name).filter((name) => !matched.has(name));
    expect(unmatched).toEqual([]);
  });

  test('returns order_not_found without an order', () => {
    for (const policy of policies) {
      for (const [, payment] of allPayments())
        expect(decide(undefined, payment, policy)).toEqual({ kind: 'order_not_found' });
    }
  });
});

describe('invariants of every decision', () => {
  test('never cancels the payment that settled an order, and leaves an excess to the operator', () => {
    for (const c of allCases()) {
      if (!byThis(c.order)) continue;
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind === 'reject') expect(decision.reversal?.kind ?? 'manual', c.name).toBe('manual');
      if (decision.kind === 'reject') expect(excess(c.payment), c.name).toBe(true);
    }
  });

  test('never cancels a deposit, and never reverses a test payment', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'reject') continue;
      if (money(c.payment) && c.payment.record.payMethod === 'vbank')
        expect(decision.reversal?.kind, c.name).not.toBe('cancel');
      if (c.payment.sandbox) expect(decision.reversal, c.name).toBeUndefined();
      if (c.policy.reversals === 'manual') expect(decision.reversal?.kind ?? 'manual', c.name).toBe('manual');
    }
  });

  test('never changes the payment that settled an order, nor a closed order', () => {
    for (const c of allCases()) {
      const { state } = afterwards(c.order, decide(c.order, c.payment, c.policy));
      if (isSettled(c.order.state)) expect(isSettled(state) && state.impUid, c.name).toBe(c.order.state.impUid);
      if (c.order.state.status === 'closed') expect(state, c.name).toEqual({ status: 'closed' });
    }
  });

  test('never increases the kept amount, unless a reversed deposit comes back', () => {
    for (const c of allCases()) {
      if (!isSettled(c.order.state) || c.order.state.status === 'deposit_reversed') continue;
      expect(orderKept(afterwards(c.order, decide(c.order, c.payment, c.policy))), c.name).toBeLessThanOrEqual(
        orderKept(c.order),
      );
    }
  });

  test('makes an order paid only for the whole right amount in the right currency', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'change' || decision.next.status !== 'paid' || byThis(c.order)) continue;
      expect(all(c.payment) && right(c), c.name).toBe(true);
    }
  });

  test('changes nothing when it decides again on its result', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'change' || decision.next.status === 'ready') continue;
      const again = decide(afterwards(c.order, decision), c.payment, c.policy);
      const hasMoved = money(c.payment) || c.payment.state.kind === 'returned';
      expect(again.kind, c.name).toBe(hasMoved && excess(c.payment) ? 'reject' : 'keep');
    }
  });

  test('returns account, failure and amounts of a decision in full', () => {
    const policy = { acceptTestPayments: false, reversals: 'automatic' } as const;
    const payments = new Map(allPayments());
    const decided = (name: string, orderName: string) => {
      const payment = payments.get(name);
      const order = new Map(orders).get(orderName);
      return payment && decide(order, payment, policy);
    };
    expect(decided('a part kept 14000 KRW card', 'ready')).toEqual({
      kind: 'change',
      next: {
        status: 'partial_cancelled',
        impUid: thisUid,
        record: { payMethod: 'card', pgProvider: 'html5_inicis', paidAt: 1_500_000 },
        cancelledAmount: 6_000,
      },
    });
    expect(decided('awaits a deposit 14000 KRW vbank', 'ready')).toStrictEqual({
      kind: 'change',
      next: { status: 'virtual_account_issued', account: thisAccount },
    });
    // The failure is kept, so that a late notification of it changes nothing.
    expect(decided('awaits a deposit 14000 KRW vbank', 'ready after a later failure')).toStrictEqual({
      kind: 'change',
      next: {
        status: 'virtual_account_issued',
        account: thisAccount,
        failure: { impUid: 'imp_400', failedAt: 1_000_600 },
      },
    });
    expect(decided('failed 14000 KRW card', 'failed by another, knows this account')).toEqual({
      kind: 'change',
      next: {
        status: 'failed',
        failure: { impUid: thisUid, failedAt: 1_000_500, reason: '한도 초과' },
        account: thisAccount,
      },
    });
    expect(decided('all kept 13999 KRW card', 'ready')).toEqual({
      kind: 'reject',
      reason: 'amount_mismatch',
      reversal: {
        impUid: thisUid,
        merchantUid: 'order-1',
        kind: 'cancel',
        reason: 'amount_mismatch',
        amount: 13_999,
        currency: 'KRW',
      },
    });
    expect(decided('returned 14000 KRW card', 'partly cancelled, this')).toEqual({
      kind: 'change',
      next: {
        status: 'cancelled',
        impUid: thisUid,
        record: { payMethod: 'card', pgProvider: 'html5_inicis', paidAt: 1_500_000 },
        cancelledAmount: 14_000,
      },
    });
  });
});

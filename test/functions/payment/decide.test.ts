/**
 * The law: the table of the contract, row by row, against decide() over every order and every payment. The rows are written
 * here a second time, as facts; each combination must fall under exactly one of them.
 */

import { describe, expect, test } from 'vitest';
import { type Decision, decide, type Policy } from '../../../functions/payment/decide.ts';
import type { Order } from '../../../functions/payment/order.ts';
import { accountOf, failureOf, isPayable, isSettled } from '../../../functions/payment/order.ts';
import type { Payment } from '../../../functions/payment/payment.ts';
import { allPayments, orders, policies, thisAccount, thisUid } from './cases.ts';

interface Case {
  readonly order: Order;
  readonly payment: Payment;
  readonly policy: Policy;
}

/** What a decision comes to, in one line. */
function summary(decision: Decision): string {
  switch (decision.kind) {
    case 'change':
      return `${decision.next.status}${decision.onFreshNewsOnly ? ' on fresh news' : ''}`;
    case 'reject':
      return `reject ${decision.reason}, ${decision.reversal ? `${decision.reversal.kind} ${decision.reversal.amount}` : 'nothing to undo'}`;
    default:
      return decision.kind;
  }
}

const all = (payment: Payment) => payment.state.kind === 'kept' && payment.state.kept === payment.amount;
const part = (payment: Payment) => payment.state.kind === 'kept' && payment.state.kept < payment.amount;
const money = (payment: Payment) => payment.state.kind === 'kept';
const account = (payment: Payment) => payment.state.kind === 'awaiting_deposit';
const keptOf = (payment: Payment) => (payment.state.kind === 'kept' ? payment.state.kept : 0);
const byThis = ({ state }: Order) => isSettled(state) && state.impUid === thisUid;
const byAnother = ({ state }: Order) => isSettled(state) && state.impUid !== thisUid;
const paidByThisDeposit = ({ state }: Order) => state.status === 'paid' && byThisDeposit(state);
const byThisDeposit = (state: Order['state']) =>
  isSettled(state) && state.impUid === thisUid && state.record.payMethod === 'vbank';
const testRefused = ({ payment, policy }: Case) => payment.sandbox && !policy.acceptTestPayments;
const sums = ({ deposited, amount }: Payment) => deposited === undefined || deposited === amount;
const excess = ({ deposited }: Payment) => deposited !== undefined && deposited > 14_000;
const right = (c: Case) =>
  !testRefused(c) && c.payment.currency === 'KRW' && c.payment.amount === 14_000 && sums(c.payment);
const orderKept = ({ state, amount }: Order) =>
  state.status === 'paid' ? amount : 'cancelledAmount' in state ? amount - state.cancelledAmount : 0;
/** Which of the two is newer: an account of 1,000,500 issued to imp_500, or the one that the order knows. */
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
const goesBackBy = ({ payment, policy }: Case) => {
  if (payment.sandbox) return 'nothing to undo';
  if (account(payment) && payment.deposited !== undefined) return `manual ${payment.deposited}`;
  // A test deployment sees the real shop's payments too, where both have one Iamport account: it sends none of them back.
  const byShop = policy.reversals === 'manual' || policy.acceptTestPayments;
  if (account(payment)) return byShop ? 'manual 0' : 'revoke 0';
  const byPerson = payment.record.payMethod === 'vbank' || byShop;
  return `${byPerson ? 'manual' : 'cancel'} ${keptOf(payment)}`;
};
const rejectedDeposits = ({ payment }: Case) =>
  `reject deposit_mismatch, ${payment.sandbox ? 'nothing to undo' : `manual ${payment.deposited}`}`;
const rejected = (reason: string) => (c: Case) => `reject ${reason}, ${goesBackBy(c)}`;
const is = (what: string) => () => what;

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
    name: 'the reversed deposit is back: paid again, on fresh news',
    when: ({ order, payment }) =>
      keptOf(payment) >= 14_000 && byThis(order) && order.state.status === 'deposit_reversed',
    decided: is('paid on fresh news'),
  },
  {
    name: 'a part of the reversed deposit is back',
    when: ({ order, payment }) =>
      money(payment) && keptOf(payment) < 14_000 && byThis(order) && order.state.status === 'deposit_reversed',
    decided: is('partial_cancelled on fresh news'),
  },
  {
    name: 'a test payment is not taken',
    when: (c) => (money(c.payment) || account(c.payment)) && testRefused(c) && !byThis(c.order),
    decided: is('reject test_payment, nothing to undo'),
  },
  {
    name: 'another currency: rejected',
    when: (c) =>
      (money(c.payment) || account(c.payment)) && !testRefused(c) && c.payment.currency !== 'KRW' && !byThis(c.order),
    decided: rejected('currency_mismatch'),
  },
  {
    name: 'another amount: rejected',
    when: (c) =>
      (money(c.payment) || account(c.payment)) &&
      !testRefused(c) &&
      c.payment.currency === 'KRW' &&
      c.payment.amount !== 14_000 &&
      !byThis(c.order),
    decided: rejected('amount_mismatch'),
  },
  {
    name: 'deposits that are not the amount together: for a person',
    when: (c) =>
      (money(c.payment) || account(c.payment)) &&
      !testRefused(c) &&
      c.payment.currency === 'KRW' &&
      c.payment.amount === 14_000 &&
      !sums(c.payment) &&
      !byThis(c.order),
    decided: rejectedDeposits,
  },
  {
    name: 'deposits on top of what the order was paid with: for a person, and the order stands',
    when: ({ order, payment }) =>
      money(payment) &&
      byThis(order) &&
      order.state.status !== 'deposit_reversed' &&
      keptOf(payment) >= orderKept(order) &&
      excess(payment),
    decided: ({ payment }) => `reject deposit_excess, ${payment.sandbox ? 'nothing to undo' : 'manual 14000'}`,
  },
  {
    name: 'right, but the order is settled by another payment: rejected',
    when: (c) => (money(c.payment) || account(c.payment)) && right(c) && byAnother(c.order),
    decided: rejected('duplicate_payment'),
  },
  {
    name: 'right, but the order is closed: rejected',
    when: (c) => (money(c.payment) || account(c.payment)) && right(c) && c.order.state.status === 'closed',
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
    name: 'no less kept than the order knows: keep, since what is kept never grows',
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
    name: 'returned, known to be: keep',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' && byThis(order) && order.state.status === 'cancelled',
    decided: is('keep'),
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
    name: 'returned, and the order does not stand on it: only its reversal is over',
    when: ({ order, payment }) =>
      payment.state.kind === 'returned' &&
      !byThis(order) &&
      !(order.state.status === 'virtual_account_issued' && order.state.account.impUid === thisUid),
    decided: is('money_returned'),
  },
  {
    name: 'not paid any more, and the order was paid by its deposit: the bank took it back',
    when: ({ order, payment }) =>
      ['awaiting_deposit', 'ready', 'failed'].includes(payment.state.kind) && paidByThisDeposit(order),
    decided: is('deposit_reversed on fresh news'),
  },
  {
    name: 'an account of the payment that settled the order: older news',
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
    name: 'failed, payable, waiting for nobody else: failed',
    when: ({ order, payment }) => payment.state.kind === 'failed' && failureCounts(order),
    decided: is('failed'),
  },
  {
    name: 'failed otherwise: keep',
    when: ({ order, payment }) => payment.state.kind === 'failed' && !paidByThisDeposit(order) && !failureCounts(order),
    decided: is('keep'),
  },
];

function failureCounts(order: Order): boolean {
  const waitsForAnother = order.state.status === 'virtual_account_issued' && order.state.account.impUid !== thisUid;
  return isPayable(order.state) && !waitsForAnother && !knowsLaterFailure(order);
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

/** The order after a change was written. */
const afterwards = (order: Order, decision: Decision): Order =>
  decision.kind === 'change' ? { ...order, state: decision.next, revision: order.revision + 1 } : order;

describe('the table of decisions', () => {
  test('every combination falls under exactly one row, and is decided as the row says', () => {
    const reached = new Map<string, number>();
    for (const c of allCases()) {
      const applying = rows.filter((row) => row.when(c));
      expect(
        applying.map((row) => row.name),
        c.name,
      ).toHaveLength(1);
      for (const row of applying) {
        reached.set(row.name, (reached.get(row.name) ?? 0) + 1);
        expect(summary(decide(c.order, c.payment, c.policy)), `${c.name} (${row.name})`).toBe(row.decided(c));
      }
    }
    const unreached = rows.map((row) => row.name).filter((name) => !reached.has(name));
    expect(unreached).toEqual([]);
  });

  test('a payment without an order decides nothing', () => {
    for (const policy of policies) {
      for (const [, payment] of allPayments())
        expect(decide(undefined, payment, policy)).toEqual({ kind: 'order_not_found' });
    }
  });
});

describe('laws that no row may break', () => {
  test('the payment that settled an order is never sent back by us: what came on top of it is for a person', () => {
    for (const c of allCases()) {
      if (!byThis(c.order)) continue;
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind === 'reject') expect(decision.reversal?.kind ?? 'manual', c.name).toBe('manual');
      if (decision.kind === 'reject') expect(excess(c.payment), c.name).toBe(true);
    }
  });

  test('a deposit is never cancelled by us, and a test payment never moves money', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'reject') continue;
      if (money(c.payment) && c.payment.record.payMethod === 'vbank')
        expect(decision.reversal?.kind, c.name).not.toBe('cancel');
      if (c.payment.sandbox) expect(decision.reversal, c.name).toBeUndefined();
      if (c.policy.reversals === 'manual') expect(decision.reversal?.kind ?? 'manual', c.name).toBe('manual');
    }
  });

  test('the payment that settles an order never changes, and a closed order never does', () => {
    for (const c of allCases()) {
      const { state } = afterwards(c.order, decide(c.order, c.payment, c.policy));
      if (isSettled(c.order.state)) expect(isSettled(state) && state.impUid, c.name).toBe(c.order.state.impUid);
      if (c.order.state.status === 'closed') expect(state, c.name).toEqual({ status: 'closed' });
    }
  });

  test('what is kept never grows, but when a reversed deposit comes back', () => {
    for (const c of allCases()) {
      if (!isSettled(c.order.state) || c.order.state.status === 'deposit_reversed') continue;
      expect(orderKept(afterwards(c.order, decide(c.order, c.payment, c.policy))), c.name).toBeLessThanOrEqual(
        orderKept(c.order),
      );
    }
  });

  test('only the whole right amount of the right currency makes an order paid', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'change' || decision.next.status !== 'paid' || byThis(c.order)) continue;
      expect(all(c.payment) && right(c), c.name).toBe(true);
    }
  });

  test('deciding again on its own result changes nothing', () => {
    for (const c of allCases()) {
      const decision = decide(c.order, c.payment, c.policy);
      if (decision.kind !== 'change' || decision.next.status === 'ready') continue;
      const again = decide(afterwards(c.order, decision), c.payment, c.policy);
      expect(again.kind, c.name).toBe(money(c.payment) && excess(c.payment) ? 'reject' : 'keep');
    }
  });

  test('what was decided is told whole: account, failure, amounts', () => {
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
    // A failure is remembered, so that the same failure told late is no news.
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
    ['awaits a deposit 14000 KRW vbank', 'ready', 996_399, 'reject payment_predates_order, nothing to undo'],
    ['awaits a deposit 13999 KRW vbank', 'ready', 999_999, 'reject amount_mismatch, nothing to undo'],
    ['awaits a deposit 13999 KRW vbank', 'ready', 1_000_000, 'reject amount_mismatch, revoke 0'],
    ['awaits a deposit 14000 KRW of 4000 deposited', 'ready', 999_999, 'reject deposit_mismatch, manual 4000'],
    ['all kept 14000 KRW card test', 'ready', 900_000, 'reject test_payment, nothing to undo'],
  ])('%s, %s, begun at %i: %s', (payment, order, startedAt, is) => {
    expect(summary(decide(registered(order), at(payment, startedAt), policy))).toBe(is);
  });

  test('counts only where the time of the registration is known', () => {
    const { registeredAt: _unknown, ...order } = registered('ready');
    expect(summary(decide(order, at('all kept 14000 KRW card', 1), policy))).toBe('paid');
    expect(summary(decide(order, at('all kept 13999 KRW card', 1), policy))).toBe(
      'reject amount_mismatch, cancel 13999',
    );
  });
});

describe('news out of order, and again', () => {
  const policy: Policy = { acceptTestPayments: false, reversals: 'automatic' };
  const payments = new Map(allPayments());
  const news = (name: string): Payment => payments.get(name) ?? expect.unreachable(name);
  const lives: readonly (readonly string[])[] = [
    ['ready', 'failed', 'all kept', 'a part kept', 'returned'].map((name) => `${name} 14000 KRW card`),
    ['ready', 'awaits a deposit', 'all kept', 'a part kept', 'returned'].map((name) => `${name} 14000 KRW vbank`),
    ['ready', 'awaits a deposit', 'failed'].map((name) => `${name} 14000 KRW vbank`),
  ];
  /** What may come twice or late is believed only after it was asked for again, so old news never gets that far. */
  const told = (order: Order, name: string): Order => {
    const decision = decide(order, news(name), policy);
    return decision.kind === 'change' && !decision.onFreshNewsOnly ? afterwards(order, decision) : order;
  };
  const pairs = lives.flatMap((life) =>
    life.flatMap((earlier, at) => life.slice(at).map((later) => [earlier, later] as const)),
  );

  test.each(pairs)('%s, %s: the later one stays', (earlier, later) => {
    for (const [name, order] of orders) {
      if (!order || name.includes('this') || name.includes('lower uid')) continue;
      const inOrder = told(told(order, earlier), later);
      expect(told(inOrder, earlier), `${name}: repeated earlier`).toEqual(inOrder);
      expect(told(inOrder, later), `${name}: repeated later`).toEqual(inOrder);
      const late = told(told(order, later), earlier);
      expect(told(late, later).state.status, `${name}: out of order`).toBe(inOrder.state.status);
    }
  });
});

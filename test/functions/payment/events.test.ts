/** The events of each step, derived from the two versions of an item. */

import { describe, expect, test } from 'vitest';
import { orderEvents, refundEvents, reversalEvents, staleAccount } from '../../../functions/payment/events.ts';
import { notificationEvent } from '../../../functions/payment/notification.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import type { Refund } from '../../../functions/payment/refund.ts';
import type { Reversal } from '../../../functions/payment/reversal.ts';
import { orderIn, otherUid, refund, states, thisAccount, thisUid, won } from './cases.ts';

const inState = (name: string): OrderState => states[name] ?? expect.unreachable(name);
const before = (state: OrderState): Order => ({ ...orderIn(state), revision: 6 });
const published = (former: OrderState, state: OrderState) => orderEvents(before(former), orderIn(state));
const names = (events: readonly { name: string }[]) => events.map(({ name }) => name);

describe('an order', () => {
  test.each([
    ['failed by another earlier', 'Payment Failed'],
    ['expired', 'Order Expired'],
    ['waits for this account', 'Virtual Account Issued'],
    ['paid by this card', 'Payment Paid'],
    ['cancelled, this', 'Payment Cancelled'],
    ['deposit reversed, this', 'Deposit Reversed'],
    ['closed', 'Order Closed'],
    ['ready, this account is gone', 'Virtual Account Withdrawn'],
  ])('that is now %s: %s', (state, name) => {
    expect(names(published({ status: 'ready' }, inState(state)))).toEqual([name]);
  });

  test('publishes no event for a new order or another nextCheckAt', () => {
    expect(orderEvents(undefined, orderIn({ status: 'ready' }))).toEqual([]);
    const paid = orderIn(inState('paid by this card'));
    expect(orderEvents(paid, { ...paid, nextCheckAt: 5 })).toEqual([]);
  });

  test('publishes no event for an order adopted from the table of the shop, and events for its steps', () => {
    const untouched: Order = { ...orderIn({ status: 'ready' }), revision: 0 };
    expect(orderEvents(untouched, orderIn({ status: 'ready' }))).toEqual([]);
    expect(names(orderEvents(untouched, orderIn(inState('paid by this card'))))).toEqual(['Payment Paid']);
    expect(names(orderEvents(before(inState('waits for this account')), orderIn({ status: 'ready' })))).toEqual([
      'Virtual Account Withdrawn',
    ]);
  });

  const common = { id: 'order-1:7', merchantUid: 'order-1', amount: 14_000, currency: 'KRW' };

  test('publishes the payment of a paid order and its method', () => {
    expect(published({ status: 'ready' }, inState('paid by this card'))).toStrictEqual([
      { ...common, name: 'Payment Paid', status: 'paid', impUid: thisUid, payMethod: 'card' },
    ]);
    expect(published({ status: 'ready' }, { status: 'paid', impUid: thisUid, record: {} })).toStrictEqual([
      { ...common, name: 'Payment Paid', status: 'paid', impUid: thisUid },
    ]);
  });

  test('publishes the cancelled amount of a partly cancelled order', () => {
    expect(published(inState('paid by this card'), inState('partly cancelled, this'))).toStrictEqual([
      {
        ...common,
        name: 'Payment Partially Cancelled',
        status: 'partial_cancelled',
        impUid: thisUid,
        cancelledAmount: 4_000,
        payMethod: 'card',
      },
    ]);
  });

  const partly = inState('partly cancelled, this');

  test.each<[string, OrderState]>([
    ['ready', { status: 'ready' }],
    ['failed', inState('failed by this')],
    ['expired', { status: 'expired' }],
    ['waiting for a deposit', inState('waits for this account')],
    ['deposit_reversed', inState('deposit reversed, this')],
  ])('that goes from %s to partial_cancelled in one write publishes the payment first', (_from, former) => {
    const rest = { ...common, impUid: thisUid, payMethod: 'card' };
    expect(published(former, partly)).toStrictEqual([
      { ...rest, name: 'Payment Paid', id: 'order-1:7:paid', status: 'paid' },
      { ...rest, name: 'Payment Partially Cancelled', status: 'partial_cancelled', cancelledAmount: 4_000 },
    ]);
  });

  test('that only the shop has written publishes the payment before its partial cancel', () => {
    const untouched: Order = { ...orderIn({ status: 'ready' }), revision: 0 };
    expect(names(orderEvents(untouched, orderIn(partly)))).toEqual(['Payment Paid', 'Payment Partially Cancelled']);
  });

  test.each(['paid by this card', 'partly cancelled, this'])('that was %s publishes no second payment', (former) => {
    expect(names(published(inState(former), partly))).toEqual(['Payment Partially Cancelled']);
  });

  test.each<[string, OrderState]>([
    ['waits for this account', inState('cancelled, this')],
    ['deposit reversed, this', inState('cancelled, this')],
  ])('that kept nothing publishes no payment on the way from %s', (former, next) => {
    expect(names(published(inState(former), next))).toEqual(['Payment Cancelled']);
  });

  test('publishes the reason of a failed order, if any, and no account', () => {
    const event = { ...common, name: 'Payment Failed', status: 'failed' };
    expect(published({ status: 'ready' }, inState('failed by this'))).toStrictEqual([
      { ...event, impUid: thisUid, reason: '한도 초과' },
    ]);
    expect(published({ status: 'ready' }, inState('failed by another, knows this account'))).toStrictEqual([
      { ...event, impUid: otherUid },
    ]);
  });

  test('publishes the account of an order that waits for a deposit', () => {
    expect(published(inState('failed by this'), inState('waits for this account'))).toStrictEqual([
      {
        ...common,
        name: 'Virtual Account Issued',
        status: 'virtual_account_issued',
        impUid: thisUid,
        account: thisAccount,
      },
    ]);
  });

  test('publishes the payment of a withdrawn account, whether current or former', () => {
    const withdrawn = { ...common, name: 'Virtual Account Withdrawn', status: 'ready', impUid: thisUid };
    expect(published(inState('waits for this account'), inState('ready, this account is gone'))).toStrictEqual([
      withdrawn,
    ]);
    expect(published(inState('waits for this account'), { status: 'closed' })).toStrictEqual([
      { ...common, name: 'Order Closed', status: 'closed', impUid: thisUid },
    ]);
  });

  test('publishes neither a payment nor the reason of a former failure for an expired order', () => {
    const failure = { impUid: otherUid, failedAt: 1_000_600, reason: '한도 초과' };
    expect(published({ status: 'failed', failure }, { status: 'expired', failure })).toStrictEqual([
      { ...common, name: 'Order Expired', status: 'expired' },
    ]);
  });
});

describe('a reversal', () => {
  const reversal: Reversal = {
    impUid: thisUid,
    merchantUid: 'order-1',
    kind: 'cancel',
    reason: 'amount_mismatch',
    amount: won(13_999),
    currency: 'KRW',
    state: 'requested',
    revision: 1,
    attempts: 1,
    createdAt: 1_000_000,
    updatedAt: 1_000_000,
  };
  const manual = { ...reversal, kind: 'manual', state: 'manual' } as const;
  const orphan = { ...reversal, kind: 'orphan', reason: 'order_not_found', state: 'manual' } as const;
  const excess = { ...manual, reason: 'deposit_excess' } as const;
  const revoke = { ...reversal, kind: 'revoke', amount: won(0) } as const;
  const next = (former: Reversal, change: Partial<Reversal>): Reversal => ({ ...former, revision: 2, ...change });

  test.each<[string, Reversal | undefined, Reversal, string[]]>([
    ['a cancel is requested', undefined, reversal, ['Payment Rejected']],
    ['a revocation is requested', undefined, revoke, ['Payment Rejected']],
    ['a deposit is left to the operator', undefined, manual, ['Payment Rejected', 'Refund Required']],
    ['a deposit exceeds the amount of a paid order', undefined, excess, ['Refund Required']],
    ['a payment has no order', undefined, orphan, ['Payment Without Order']],
    [
      'it is done in its first write',
      undefined,
      { ...reversal, state: 'done' },
      ['Payment Rejected', 'Refund Completed'],
    ],
    ['it is done in its first write, without money', undefined, { ...revoke, state: 'done' }, ['Payment Rejected']],
    ['the cancel is repeated', reversal, next(reversal, { attempts: 2 }), []],
    ['the cancel is left to the operator', reversal, next(reversal, { state: 'manual' }), ['Refund Required']],
    ['the reversal was checked', manual, next(manual, {}), []],
    ['a part was returned', manual, next(manual, { amount: won(9_999) }), []],
    ['the amount grew', manual, next(manual, { amount: won(14_000) }), ['Refund Required']],
    [
      'the order was paid by it, and a deposit exceeds the amount',
      manual,
      next(excess, { amount: won(3_000) }),
      ['Refund Required'],
    ],
    [
      'the order is paid by the payment whose refund was required',
      manual,
      next(manual, { state: 'done', amount: won(0) }),
      ['Refund No Longer Required'],
    ],
    [
      'the bank took back the deposit whose refund was required',
      manual,
      next(revoke, { state: 'requested' }),
      ['Refund No Longer Required'],
    ],
    [
      'the order is paid by a payment that the PG refused to cancel',
      { ...reversal, state: 'manual' },
      next(reversal, { state: 'done', amount: won(0) }),
      ['Refund No Longer Required'],
    ],
    [
      'the order is paid by a payment whose refund was never required',
      reversal,
      next(reversal, { state: 'done', amount: won(0) }),
      [],
    ],
    [
      'a manual revocation of an account without a deposit is done',
      { ...revoke, state: 'manual' },
      next(revoke, { state: 'done' }),
      [],
    ],
    [
      'a deposit follows the one that the bank took back',
      revoke,
      next(manual, {}),
      ['Payment Rejected', 'Refund Required'],
    ],
    ['the cancel is done', reversal, next(reversal, { state: 'done' }), ['Refund Completed']],
    ['the operator gave it back', manual, next(manual, { state: 'done' }), ['Refund Completed']],
    ['it stays done', next(reversal, { state: 'done' }), next(reversal, { state: 'done' }), []],
    ['a revocation is done', revoke, next(revoke, { state: 'done' }), []],
    ['the order of an orphan was registered', orphan, next(orphan, { state: 'done' }), []],
    ['an orphan is unchanged', orphan, next(orphan, {}), []],
    ['an orphan became a wrong payment', orphan, next(manual, {}), ['Payment Rejected', 'Refund Required']],
    ['an orphan is cancelled', orphan, next(reversal, {}), ['Payment Rejected']],
    ['an excess became an orphan', excess, next(orphan, {}), ['Payment Without Order']],
  ])('%s', (_name, former, after, events) => {
    expect(names(reversalEvents(former, after))).toEqual(events);
  });

  test('gives each of several events of one write its own id', () => {
    const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id);
    expect(ids(reversalEvents(undefined, { ...reversal, state: 'done' }))).toEqual([
      'imp_500:1',
      'imp_500:1:completed',
    ]);
    expect(ids(reversalEvents(manual, next(revoke, {})))).toEqual(['imp_500:2:withdrawn']);
    expect(reversalEvents(manual, next(revoke, {}))).toMatchObject([{ amount: 0, reversal: { kind: 'revoke' } }]);
  });

  test('publishes payment, amount and reason, with two ids for two events of one write', () => {
    const common = {
      merchantUid: 'order-1',
      impUid: thisUid,
      amount: 13_999,
      currency: 'KRW',
      reason: 'amount_mismatch',
      reversal: { kind: 'manual', state: 'manual' },
    };
    expect(reversalEvents(undefined, manual)).toStrictEqual([
      { ...common, name: 'Payment Rejected', id: 'imp_500:1' },
      { ...common, name: 'Refund Required', id: 'imp_500:1:refund' },
    ]);
    expect(reversalEvents(manual, next(manual, { state: 'done' }))).toStrictEqual([
      { ...common, name: 'Refund Completed', id: 'imp_500:2', reversal: { kind: 'manual', state: 'done' } },
    ]);
  });
});

describe('a refund of the shop', () => {
  const done = { ...refund, state: 'done', revision: 2 } as const;

  test('publishes a refund once, when it is done', () => {
    expect(refundEvents(refund, done)).toStrictEqual([
      {
        name: 'Refund Completed',
        id: 'imp_500/return-1:2',
        merchantUid: 'order-1',
        impUid: thisUid,
        amount: 4_000,
        currency: 'KRW',
        reason: '반품',
      },
    ]);
  });

  test('is published as refused with our own code, and without the text of the PG', () => {
    const message = '환불계좌 352-0000-0000-00 홍길동 오류';
    const refused = { ...refund, state: 'refused', refusal: 'refused_by_pg', message, revision: 3 } as const;
    expect(refundEvents({ ...refund, revision: 2 }, refused)).toStrictEqual([
      {
        name: 'Refund Refused',
        id: 'imp_500/return-1:3',
        merchantUid: 'order-1',
        impUid: thisUid,
        amount: 4_000,
        currency: 'KRW',
        reason: 'refused_by_pg',
      },
    ]);
    expect(refundEvents(refused, { ...done, revision: 4 })).toMatchObject([{ name: 'Refund Completed' }]);
  });

  test.each<[string, Refund | undefined, Refund]>([
    ['is requested', undefined, refund],
    ['is done at its first write', undefined, done],
    ['is repeated', refund, { ...refund, attempts: 2, revision: 2 }],
    ['was done before', done, { ...done, revision: 3 }],
    ['was refused before', { ...refund, state: 'refused' }, { ...refund, state: 'refused', revision: 2 }],
    ['was not sent', refund, { ...refund, state: 'unsent', revision: 2 }],
    ['is sent for the first time', { ...refund, state: 'unsent' }, { ...refund, revision: 2 }],
    ['is refused and not confirmed', refund, { ...refund, refusal: 'refused_by_pg', refusedAt: 1, revision: 2 }],
  ])('publishes no event when it %s', (_name, former, after) => {
    expect(refundEvents(former, after)).toEqual([]);
  });
});

describe('a stale account', () => {
  const request = { impUid: thisUid, merchantUid: 'order-1', kind: 'revoke', amount: 0, currency: 'KRW' };

  test.each([
    ['waits for this account', 'waits for a newer account', 'account_superseded'],
    ['waits for this account', 'paid by another', 'duplicate_payment'],
    ['waits for this account', 'closed', 'order_closed'],
    ['expired with this account', 'paid by another', 'duplicate_payment'],
    ['failed by another, knows this account', 'paid by another', 'duplicate_payment'],
  ])('%s, then %s: revoked, %s', (former, after, reason) => {
    expect(staleAccount(orderIn(inState(former)), orderIn(inState(after)))).toStrictEqual({ ...request, reason });
  });

  test.each([
    ['its deposit paid the order', 'waits for this account', 'paid by this deposit'],
    ['it is the current account', 'waits for this account', 'waits for this account'],
    ['the order only dropped it', 'waits for this account', 'ready'],
    ['it was gone before', 'ready, this account is gone', 'paid by another'],
    ['the order had none', 'ready', 'paid by another'],
    ['a failed order had none', 'failed by this', 'paid by another'],
    ['an expired order had none', 'expired', 'closed'],
  ])('nothing to revoke: %s', (_name, former, after) => {
    expect(staleAccount(orderIn(inState(former)), orderIn(inState(after)))).toBeUndefined();
  });

  test.each([
    ['its deadline is later than the end of its order', 1_999_999, 'order_expired'],
    ['its deadline has passed', 2_000_000, undefined],
  ])('an expired order and its account: %s', (_name, updatedAt, reason) => {
    const after = { ...orderIn(inState('expired with this account')), updatedAt };
    expect(staleAccount(orderIn(inState('waits for this account')), after)?.reason).toBe(reason);
  });

  test('nothing to revoke: its own payment failed, or the order is new', () => {
    const failed: OrderState = {
      status: 'failed',
      failure: { impUid: thisUid, failedAt: 1_000_600 },
      account: thisAccount,
    };
    expect(staleAccount(orderIn(failed), orderIn(inState('paid by another')))).toBeUndefined();
    expect(staleAccount(undefined, orderIn(inState('closed')))).toBeUndefined();
  });
});

describe('a notification that no API confirms', () => {
  const notification = {
    impUid: thisUid,
    merchantUid: 'order-1',
    content: { escrow: '배송완료' },
    updatedAt: 1_000_000,
  };

  test.each([
    ['Inicis.Escrow.Changed', 'Escrow Changed'],
    ['Something.New', 'Unrecognised Notification'],
  ])('publishes %s as %s, with an id of payment, name and time', (event, name) => {
    expect(notificationEvent({ ...notification, event })).toStrictEqual({
      name,
      id: `imp_500:${event}:1000000`,
      notification: { ...notification, event },
    });
  });
});

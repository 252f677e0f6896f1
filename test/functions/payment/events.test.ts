/** What the world is told of each step, from the two versions of an item. */

import { describe, expect, test } from 'vitest';
import { orderEvents, refundEvents, reversalEvents, staleAccount } from '../../../functions/payment/events.ts';
import { notificationEvent } from '../../../functions/payment/notification.ts';
import type { Order, OrderState } from '../../../functions/payment/order.ts';
import type { Refund } from '../../../functions/payment/refund.ts';
import type { Reversal } from '../../../functions/payment/reversal.ts';
import { orderIn, otherUid, refund, states, thisAccount, thisUid, won } from './cases.ts';

const inState = (name: string): OrderState => states[name] ?? expect.unreachable(name);
const before = (state: OrderState): Order => ({ ...orderIn(state), revision: 6 });
const told = (former: OrderState, state: OrderState) => orderEvents(before(former), orderIn(state));
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
    expect(names(told({ status: 'ready' }, inState(state)))).toEqual([name]);
  });

  test('that is new, or was only noted to be looked at, is no event', () => {
    expect(orderEvents(undefined, orderIn({ status: 'ready' }))).toEqual([]);
    const paid = orderIn(inState('paid by this card'));
    expect(orderEvents(paid, { ...paid, dueAt: 5 })).toEqual([]);
  });

  test('that we only took up from the shop’s own table is no event; what happened to it meanwhile is', () => {
    const untouched: Order = { ...orderIn({ status: 'ready' }), revision: 0 };
    expect(orderEvents(untouched, orderIn({ status: 'ready' }))).toEqual([]);
    expect(names(orderEvents(untouched, orderIn(inState('paid by this card'))))).toEqual(['Payment Paid']);
    expect(names(orderEvents(before(inState('waits for this account')), orderIn({ status: 'ready' })))).toEqual([
      'Virtual Account Withdrawn',
    ]);
  });

  const common = { id: 'order-1:7', merchantUid: 'order-1', amount: 14_000, currency: 'KRW' };

  test('that is paid tells by which payment, and how', () => {
    expect(told({ status: 'ready' }, inState('paid by this card'))).toStrictEqual([
      { ...common, name: 'Payment Paid', status: 'paid', impUid: thisUid, payMethod: 'card' },
    ]);
    expect(told({ status: 'ready' }, { status: 'paid', impUid: thisUid, record: {} })).toStrictEqual([
      { ...common, name: 'Payment Paid', status: 'paid', impUid: thisUid },
    ]);
  });

  test('that is partly cancelled tells how much went back', () => {
    expect(told(inState('paid by this card'), inState('partly cancelled, this'))).toStrictEqual([
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
    expect(told(former, partly)).toStrictEqual([
      { ...rest, name: 'Payment Paid', id: 'order-1:7:paid', status: 'paid' },
      { ...rest, name: 'Payment Partially Cancelled', status: 'partial_cancelled', cancelledAmount: 4_000 },
    ]);
  });

  test('that only the shop has written publishes the payment before its partial cancel', () => {
    const untouched: Order = { ...orderIn({ status: 'ready' }), revision: 0 };
    expect(names(orderEvents(untouched, orderIn(partly)))).toEqual(['Payment Paid', 'Payment Partially Cancelled']);
  });

  test.each(['paid by this card', 'partly cancelled, this'])('that was %s publishes no second payment', (former) => {
    expect(names(told(inState(former), partly))).toEqual(['Payment Partially Cancelled']);
  });

  test.each<[string, OrderState]>([
    ['waits for this account', inState('cancelled, this')],
    ['deposit reversed, this', inState('cancelled, this')],
  ])('that kept nothing publishes no payment on the way from %s', (former, next) => {
    expect(names(told(inState(former), next))).toEqual(['Payment Cancelled']);
  });

  test('that failed tells the reason, where there is one, and no account', () => {
    const event = { ...common, name: 'Payment Failed', status: 'failed' };
    expect(told({ status: 'ready' }, inState('failed by this'))).toStrictEqual([
      { ...event, impUid: thisUid, reason: '한도 초과' },
    ]);
    expect(told({ status: 'ready' }, inState('failed by another, knows this account'))).toStrictEqual([
      { ...event, impUid: otherUid },
    ]);
  });

  test('that waits for a deposit tells the account', () => {
    expect(told(inState('failed by this'), inState('waits for this account'))).toStrictEqual([
      {
        ...common,
        name: 'Virtual Account Issued',
        status: 'virtual_account_issued',
        impUid: thisUid,
        account: thisAccount,
      },
    ]);
  });

  test('that waits no longer names the payment of its account, known still or only before', () => {
    const withdrawn = { ...common, name: 'Virtual Account Withdrawn', status: 'ready', impUid: thisUid };
    expect(told(inState('waits for this account'), inState('ready, this account is gone'))).toStrictEqual([withdrawn]);
    expect(told(inState('waits for this account'), { status: 'closed' })).toStrictEqual([
      { ...common, name: 'Order Closed', status: 'closed', impUid: thisUid },
    ]);
  });

  test('that expires tells neither a payment nor a former failure’s reason', () => {
    const failure = { impUid: otherUid, failedAt: 1_000_600, reason: '한도 초과' };
    expect(told({ status: 'failed', failure }, { status: 'expired', failure })).toStrictEqual([
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
  const then = (former: Reversal, change: Partial<Reversal>): Reversal => ({ ...former, revision: 2, ...change });

  test.each<[string, Reversal | undefined, Reversal, string[]]>([
    ['a cancel is asked for', undefined, reversal, ['Payment Rejected']],
    ['an account is to be revoked', undefined, revoke, ['Payment Rejected']],
    ['a deposit waits for a person', undefined, manual, ['Payment Rejected', 'Refund Required']],
    ['money came on top of a payment that stands', undefined, excess, ['Refund Required']],
    ['money names no order', undefined, orphan, ['Payment Without Order']],
    [
      'it is done in its first write',
      undefined,
      { ...reversal, state: 'done' },
      ['Payment Rejected', 'Refund Completed'],
    ],
    ['it is done in its first write, without money', undefined, { ...revoke, state: 'done' }, ['Payment Rejected']],
    ['Iamport is asked again', reversal, then(reversal, { attempts: 2 }), []],
    ['nobody asks Iamport any more', reversal, then(reversal, { state: 'manual' }), ['Refund Required']],
    ['a person looked at it', manual, then(manual, {}), []],
    ['a part of it is back', manual, then(manual, { amount: won(9_999) }), []],
    ['more came', manual, then(manual, { amount: won(14_000) }), ['Refund Required']],
    ['the order was paid by it, and more came', manual, then(excess, { amount: won(3_000) }), ['Refund Required']],
    [
      'the order stands on the payment whose refund was required',
      manual,
      then(manual, { state: 'done', amount: won(0) }),
      ['Refund No Longer Required'],
    ],
    [
      'the bank took back the deposit whose refund was required',
      manual,
      then(revoke, { state: 'requested' }),
      ['Refund No Longer Required'],
    ],
    [
      'the order stands on a payment that the PG refused to cancel',
      { ...reversal, state: 'manual' },
      then(reversal, { state: 'done', amount: won(0) }),
      ['Refund No Longer Required'],
    ],
    [
      'the order stands on a payment whose refund no operator was asked for',
      reversal,
      then(reversal, { state: 'done', amount: won(0) }),
      [],
    ],
    [
      'the account that no deposit was paid into is gone',
      { ...revoke, state: 'manual' },
      then(revoke, { state: 'done' }),
      [],
    ],
    [
      'a deposit follows the one that the bank took back',
      revoke,
      then(manual, {}),
      ['Payment Rejected', 'Refund Required'],
    ],
    ['the money is back', reversal, then(reversal, { state: 'done' }), ['Refund Completed']],
    ['a person gave it back', manual, then(manual, { state: 'done' }), ['Refund Completed']],
    ['it stays done', then(reversal, { state: 'done' }), then(reversal, { state: 'done' }), []],
    ['an account without a deposit is gone', revoke, then(revoke, { state: 'done' }), []],
    ['the order of an orphan turned up', orphan, then(orphan, { state: 'done' }), []],
    ['an orphan is still one', orphan, then(orphan, {}), []],
    ['an orphan became a wrong payment', orphan, then(manual, {}), ['Payment Rejected', 'Refund Required']],
    ['an orphan is cancelled by us', orphan, then(reversal, {}), ['Payment Rejected']],
    ['an excess became an orphan', excess, then(orphan, {}), ['Payment Without Order']],
  ])('%s', (_what, former, after, events) => {
    expect(names(reversalEvents(former, after))).toEqual(events);
  });

  test('gives each of several events of one write its own id', () => {
    const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id);
    expect(ids(reversalEvents(undefined, { ...reversal, state: 'done' }))).toEqual([
      'imp_500:1',
      'imp_500:1:completed',
    ]);
    expect(ids(reversalEvents(manual, then(revoke, {})))).toEqual(['imp_500:2:withdrawn']);
    expect(reversalEvents(manual, then(revoke, {}))).toMatchObject([{ amount: 0, reversal: { kind: 'revoke' } }]);
  });

  test('tells the payment, what goes back and why; two events of one write have two ids', () => {
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
    expect(reversalEvents(manual, then(manual, { state: 'done' }))).toStrictEqual([
      { ...common, name: 'Refund Completed', id: 'imp_500:2', reversal: { kind: 'manual', state: 'done' } },
    ]);
  });
});

describe('a refund of the shop', () => {
  const done = { ...refund, state: 'done', revision: 2 } as const;

  test('is told once, when the money is back', () => {
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
    const refused = { ...refund, state: 'refused', refusal: 'overtaken', message, revision: 3 } as const;
    expect(refundEvents({ ...refund, revision: 2 }, refused)).toStrictEqual([
      {
        name: 'Refund Refused',
        id: 'imp_500/return-1:3',
        merchantUid: 'order-1',
        impUid: thisUid,
        amount: 4_000,
        currency: 'KRW',
        reason: 'overtaken',
      },
    ]);
    expect(refundEvents(refused, { ...done, revision: 4 })).toMatchObject([{ name: 'Refund Completed' }]);
  });

  test.each<[string, Refund | undefined, Refund]>([
    ['is asked for', undefined, refund],
    ['is done at its first write', undefined, done],
    ['is tried again', refund, { ...refund, attempts: 2, revision: 2 }],
    ['was done before', done, { ...done, revision: 3 }],
    ['was refused before', { ...refund, state: 'refused' }, { ...refund, state: 'refused', revision: 2 }],
    ['was not sent', refund, { ...refund, state: 'unsent', revision: 2 }],
    ['is sent for the first time', { ...refund, state: 'unsent' }, { ...refund, revision: 2 }],
    ['is refused and not confirmed', refund, { ...refund, refusal: 'refused_by_pg', refusedAt: 1, revision: 2 }],
  ])('is not told when it %s', (_what, former, after) => {
    expect(refundEvents(former, after)).toEqual([]);
  });
});

describe('an account that nobody should pay into any more', () => {
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
    ['it is the account still', 'waits for this account', 'waits for this account'],
    ['the order only forgot it', 'waits for this account', 'ready'],
    ['it was gone before', 'ready, this account is gone', 'paid by another'],
    ['there was none', 'ready', 'paid by another'],
    ['there was none in a failed order', 'failed by this', 'paid by another'],
    ['there was none in an expired order', 'expired', 'closed'],
  ])('nothing to revoke: %s', (_why, former, after) => {
    expect(staleAccount(orderIn(inState(former)), orderIn(inState(after)))).toBeUndefined();
  });

  test.each([
    ['its deadline is later than the end of its order', 1_999_999, 'order_expired'],
    ['its deadline is over', 2_000_000, undefined],
  ])('an expired order and its account: %s', (_why, updatedAt, reason) => {
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
  ])('%s is told as %s, by its payment, its name and its time', (event, name) => {
    expect(notificationEvent({ ...notification, event })).toStrictEqual({
      name,
      id: `imp_500:${event}:1000000`,
      notification: { ...notification, event },
    });
  });
});

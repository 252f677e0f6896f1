/** Money that the shop gives back, orders that it closes, and payments that it stops before they are approved. */

import { describe, expect, test, vi } from 'vitest';
import { openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

const account = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };

/** An order that is paid by card. */
async function paidOrder() {
  const opened = await openRooms();
  await opened.order();
  const impUid = opened.paid();
  await opened.webhook(impUid);
  return { ...opened, impUid };
}

/** An order that is paid into a virtual account. */
async function depositedOrder() {
  const opened = await openRooms();
  await opened.order();
  const impUid = opened.account();
  opened.ledger.deposit(impUid);
  await opened.webhook(impUid);
  return { ...opened, impUid };
}

describe('POST /orders/{merchant_uid}/refunds', () => {
  test('gives back a part, and then all that is left, with the checksum of what was kept', async () => {
    const { refund, ledger, impUid, show } = await paidOrder();
    expect(await refund({ amount: 4_000 }, 'part')).toMatchObject({
      status: 200,
      json: {
        refund: { state: 'done', amount: 4_000 },
        order: { status: 'partial_cancelled', cancelled_amount: 4_000 },
      },
    });
    expect(await refund({})).toMatchObject({
      status: 200,
      json: { refund: { amount: 10_000 }, order: { status: 'cancelled' } },
    });
    expect(ledger.payment(impUid)).toMatchObject({ status: 'cancelled', cancel_amount: 14_000 });
    expect((await show()).refunds.map(({ amount, state }) => [amount, state])).toEqual(
      expect.arrayContaining([
        [4_000, 'done'],
        [10_000, 'done'],
      ]),
    );
  });

  test('with the same key twice gives back once, also at the same time', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    const first = await refund({ amount: 4_000 }, 'once');
    expect(first.status).toBe(200);
    expect(await refund({ amount: 4_000 }, 'once')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(await refund({ amount: 5_000 }, 'once')).toMatchObject({ status: 409, json: { code: 'refund_key_used' } });
    const together = await Promise.all([...Array(5)].map(() => refund({ amount: 1_000 }, 'together')));
    // Who comes while the cancel is under way gets 202, and who comes after it 200.
    for (const { status } of together) expect([200, 202]).toContain(status);
    expect(together.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect(ledger.payment(impUid)).toMatchObject({ cancel_amount: 5_000, cancel_history: { length: 2 } });
  });

  test('of more than is left, or of nothing, is refused and changes nothing', async () => {
    const { refund, ledger, impUid, order } = await paidOrder();
    expect(await refund({ amount: 14_001 }, 'more')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(await refund({ amount: 0 }, 'none')).toMatchObject({ status: 400 });
    expect(await refund({ amount: 0.5 }, 'half')).toMatchObject({ status: 400 });
    expect(await refund({ reason: '' })).toMatchObject({ status: 400 });
    await order('unpaid');
    expect(await refund({}, undefined, 'unpaid')).toMatchObject({ status: 409, json: { code: 'not_paid' } });
    expect(await refund({}, undefined, 'unknown')).toMatchObject({ status: 404 });
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('reckons with what was cancelled in the console', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    ledger.cancelInConsole(impUid, 10_000);
    expect(await refund({ amount: 5_000 }, 'more')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(await refund({})).toMatchObject({
      status: 200,
      json: { refund: { amount: 4_000 }, order: { status: 'cancelled' } },
    });
  });

  test("of a deposit needs the buyer's account, and stores it nowhere", async () => {
    const { refund, ledger, impUid, client, names, show } = await depositedOrder();
    expect(await refund({})).toMatchObject({ status: 422, json: { code: 'account_missing' } });
    expect(await refund({ account })).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    for (const TableName of Object.values(names)) {
      expect(JSON.stringify(await client.send(new ScanCommand({ TableName })))).not.toMatch(/홍길동|352-0000/);
    }
    expect(JSON.stringify(await show())).not.toMatch(/홍길동|352-0000/);
  });

  test('whose answer is lost was done once, whether the shop asks again or the reconciler does', async () => {
    for (const asksAgain of [true, false]) {
      const { refund, iamport, ledger, impUid, show, reconcile, pass } = await paidOrder();
      iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
      expect(await refund({ amount: 4_000 }, 'lost')).toMatchObject({
        status: 202,
        json: { refund: { state: 'requested' } },
      });
      pass(asksAgain ? 1 : 300);
      if (asksAgain)
        expect(await refund({ amount: 4_000 }, 'lost')).toMatchObject({
          status: 200,
          json: { refund: { state: 'done' } },
        });
      else await reconcile();
      expect(await show()).toMatchObject({ status: 'partial_cancelled', refunds: [{ state: 'done' }] });
      expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
    }
  });

  test('that never reached Iamport is made by the reconciler, after a look 5 minutes later', async () => {
    const { refund, iamport, ledger, impUid, show, reconcile, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    expect(await refund({ amount: 4_000 }, 'part')).toMatchObject({ status: 202 });
    pass(299);
    expect(await refund({ amount: 4_000 }, 'part')).toMatchObject({ status: 202, json: { refund: { attempts: 1 } } });
    await reconcile();
    expect(ledger.payment(impUid).cancel_history).toHaveLength(0);
    pass(1);
    await reconcile();
    expect(await show()).toMatchObject({
      status: 'partial_cancelled',
      cancelled_amount: 4_000,
      refunds: [{ state: 'done' }],
    });
    expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
  });

  test('whose answer was lost is known by its own entry, whatever other money moved since', async () => {
    const { refund, iamport, ledger, impUid, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    expect(await refund({ amount: 1_000 }, 'b')).toMatchObject({ status: 200 });
    ledger.cancelInConsole(impUid, 500);
    pass(120);
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(ledger.payment(impUid)).toMatchObject({ cancel_amount: 5_500, cancel_history: { length: 3 } });
  });

  test('of an amount that another refund has just moved is not taken for done', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    const answers = await Promise.all([refund({ amount: 5_000 }, 'a'), refund({ amount: 5_000 }, 'b')]);
    const done = answers.filter(({ status }) => status === 200).length;
    expect(ledger.payment(impUid).cancel_amount).toBe(done * 5_000);
    expect(done).toBeGreaterThanOrEqual(1);
  });

  test('that never reached Iamport is not taken for done when another one of the same amount was', async () => {
    const { refund, iamport, ledger, impUid, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({ status: 202 });
    expect(await refund({ amount: 5_000 }, 'b')).toMatchObject({ status: 200 });
    pass(120);
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({
      status: 202,
      json: { refund: { state: 'requested', refusal: 'overtaken' } },
    });
    pass(300);
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({ status: 409, json: { code: 'refund_refused' } });
    expect(ledger.payment(impUid).cancel_amount).toBe(5_000);
  });

  test('that a cancel in the console overtook is refused after a second look', async () => {
    const { refund, iamport, ledger, impUid, show, reconcile, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await refund({ amount: 4_000 }, 'part');
    ledger.cancelInConsole(impUid, 1_000);
    pass(300);
    await reconcile();
    expect(await show()).toMatchObject({ refunds: [{ state: 'requested', refusal: 'overtaken' }] });
    pass(300);
    await reconcile();
    expect(await show()).toMatchObject({
      status: 'partial_cancelled',
      cancelled_amount: 1_000,
      refunds: [{ state: 'refused' }],
    });
    expect(ledger.payment(impUid).cancel_amount).toBe(1_000);
  });
});

describe('DELETE /orders/{merchant_uid}', () => {
  test('closes an open order, once and for all', async () => {
    const { order, close, show, paid, webhook, ledger } = await openRooms();
    await order();
    expect((await close()).status).toBe(204);
    expect((await close()).status).toBe(204);
    expect(await show()).toMatchObject({ status: 'closed', revision: 2 });
    const late = paid();
    await webhook(late);
    expect(await show()).toMatchObject({ status: 'closed', reversals: [{ reason: 'order_closed', state: 'done' }] });
    expect(ledger.payment(late).cancel_amount).toBe(14_000);
  });

  test('costs no more when somebody has opened many windows for the order', async () => {
    const { order, close, ledger, rooms } = await openRooms();
    const readsFor = async (merchantUid: string, windows: number) => {
      await order(merchantUid);
      for (let opened = 0; opened < windows; opened += 1) ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
      let reads = 0;
      const read: typeof rooms.orders.read = (...asked) => {
        reads += 1;
        return rooms.orders.read(...asked);
      };
      expect((await close(merchantUid, { ...rooms, orders: { ...rooms.orders, read } })).status).toBe(204);
      return reads;
    };
    expect(await readsFor('stormed', 50)).toBe(await readsFor('quiet', 1));
  });

  test('revokes the account that the buyer could still pay into', async () => {
    const { order, close, show, account: issue, webhook, ledger } = await openRooms();
    await order();
    const impUid = issue();
    await webhook(impUid);
    expect((await close()).status).toBe(204);
    expect(await show()).toMatchObject({
      status: 'closed',
      reversals: [{ kind: 'revoke', state: 'done', imp_uid: impUid }],
    });
    expect(ledger.payment(impUid).status).toBe('cancelled');
  });

  test('finds a payment that nobody told of, and does not send it back', async () => {
    const { order, close, show, paid, ledger } = await openRooms();
    await order();
    const impUid = paid();
    expect(await close()).toMatchObject({ status: 409, json: { code: 'order_paid' } });
    expect((await show()).status).toBe('paid');
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('closes nothing while Iamport cannot be asked', async () => {
    const { order, close, show, iamport } = await openRooms();
    await order();
    iamport.faults.add({ path: '/payments', status: 500, times: 10 });
    expect(await close()).toMatchObject({ status: 503 });
    iamport.faults.clear();
    expect((await show()).status).toBe('ready');
    expect(await close('no-such-order')).toMatchObject({ status: 404 });
  });
});

describe('POST /payments/confirm', () => {
  const asked = (fields: object = {}) => ({ imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 14_000, ...fields });

  test('lets the right amount of an open order through, and asks nobody', async () => {
    const { order, confirm, iamport } = await openRooms();
    await order();
    iamport.faults.forgetCalls();
    expect(await confirm(asked())).toEqual({ status: 200, json: {} });
    expect(await confirm(asked({ amount: '14000' }))).toEqual({ status: 200, json: {} });
    expect(iamport.faults.calls).toEqual([]);
  });

  test('stops everything else, with a reason in Korean', async () => {
    const { order, confirm, paid, webhook, close, pass, now } = await openRooms();
    const reason = async (fields: object) => {
      const { status, json } = await confirm(asked(fields));
      return [status, (json as { reason: string }).reason];
    };
    await order();
    expect(await reason({ amount: 13_999 })).toEqual([409, '결제 금액이 주문 금액과 다릅니다.']);
    expect(await reason({ amount: 14_000.5 })).toEqual([409, '결제 금액이 주문 금액과 다릅니다.']);
    expect(await reason({ merchant_uid: 'unknown' })).toEqual([409, '등록되지 않은 주문입니다.']);
    await webhook(paid());
    expect(await reason({})).toEqual([409, '이미 결제된 주문입니다.']);
    await order('closed');
    await close('closed');
    expect(await reason({ merchant_uid: 'closed' })).toEqual([409, '더 이상 결제할 수 없는 주문입니다.']);
    await order('late', { expires_at: now() + 60 });
    pass(61);
    expect(await reason({ merchant_uid: 'late' })).toEqual([409, '결제 기한이 지난 주문입니다.']);
  });

  test('what is no question is a bad request', async () => {
    const { confirm } = await openRooms();
    for (const fields of [{ amount: 'x' }, { amount: null }, { merchant_uid: '..' }, { imp_uid: '../x' }]) {
      expect(await confirm(asked(fields))).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
  });
});

test('an order that is closed twice at once is closed once', async () => {
  const { order, close, show } = await openRooms();
  await order();
  expect(await Promise.all([close(), close(), close()])).toMatchObject([
    { status: 204 },
    { status: 204 },
    { status: 204 },
  ]);
  expect(await show()).toMatchObject({ status: 'closed', revision: 2 });
});

/** Refunds by the shop, closing of orders, and confirm requests before a payment is approved. */

import { describe, expect, test } from 'vitest';
import { refunds } from '../../functions/handlers/refunds.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, jsonBody } from '../support/event.ts';
import { startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

const account = { holder: '홍길동', bank: '011', number: '352-0000-0000-00' };

/** An order that is paid by card. */
async function paidOrder() {
  const fixture = await startFixture();
  await fixture.order();
  const impUid = fixture.paid();
  await fixture.webhook(impUid);
  return { ...fixture, impUid };
}

/** An order that is paid into a virtual account. */
async function depositedOrder() {
  const fixture = await startFixture();
  await fixture.order();
  const impUid = fixture.account();
  fixture.ledger.deposit(impUid);
  await fixture.webhook(impUid);
  return { ...fixture, impUid };
}

describe('POST /orders/{merchant_uid}/refunds', () => {
  test('cancels a part, and then the rest, with the checksum of the remaining amount [T69]', async () => {
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

  test('cancels once for a repeated key, also for concurrent requests', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    const first = await refund({ amount: 4_000 }, 'once');
    expect(first.status).toBe(200);
    expect(await refund({ amount: 4_000 }, 'once')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(await refund({ amount: 5_000 }, 'once')).toMatchObject({ status: 409, json: { code: 'refund_key_used' } });
    const concurrent = await Promise.all([...Array(5)].map(() => refund({ amount: 1_000 }, 'together')));
    // A request during the cancel gets 202, and a request after it gets 200.
    for (const { status } of concurrent) expect([200, 202]).toContain(status);
    expect(concurrent.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect(ledger.payment(impUid)).toMatchObject({ cancel_amount: 5_000, cancel_history: { length: 2 } });
  });

  test('refuses a zero amount and more than the remaining amount, and changes nothing', async () => {
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

  test('subtracts the amount that was cancelled in the console', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    ledger.cancelInConsole(impUid, 10_000);
    expect(await refund({ amount: 5_000 }, 'more')).toMatchObject({ status: 409, json: { code: 'refund_exceeds' } });
    expect(await refund({})).toMatchObject({
      status: 200,
      json: { refund: { amount: 4_000 }, order: { status: 'cancelled' } },
    });
  });

  test("requires the buyer's account for a deposit, and stores it nowhere [T73]", async () => {
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

  test('cancels once when the response is lost, for a repeated request and for the reconciler', async () => {
    for (const isRepeatedByShop of [true, false]) {
      const { refund, iamport, ledger, impUid, show, reconcile, pass } = await paidOrder();
      iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
      expect(await refund({ amount: 4_000 }, 'lost')).toMatchObject({
        status: 202,
        json: { refund: { state: 'requested' } },
      });
      pass(isRepeatedByShop ? 1 : 300);
      if (isRepeatedByShop)
        expect(await refund({ amount: 4_000 }, 'lost')).toMatchObject({
          status: 200,
          json: { refund: { state: 'done' } },
        });
      else await reconcile();
      expect(await show()).toMatchObject({ status: 'partial_cancelled', refunds: [{ state: 'done' }] });
      expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
    }
  });

  test('leaves a refund that did not reach Iamport to the reconciler, which sends it after 5 minutes', async () => {
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

  test('finds a refund whose response was lost by its own entry, after other cancels', async () => {
    const { refund, iamport, ledger, impUid, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset', performed: true });
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 202 });
    expect(await refund({ amount: 1_000 }, 'b')).toMatchObject({ status: 200 });
    ledger.cancelInConsole(impUid, 500);
    pass(120);
    expect(await refund({ amount: 4_000 }, 'a')).toMatchObject({ status: 200, json: { refund: { state: 'done' } } });
    expect(ledger.payment(impUid)).toMatchObject({ cancel_amount: 5_500, cancel_history: { length: 3 } });
  });

  test('does not take a concurrent refund of the same amount for its own', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    const responses = await Promise.all([refund({ amount: 5_000 }, 'a'), refund({ amount: 5_000 }, 'b')]);
    const done = responses.filter(({ status }) => status === 200).length;
    expect(ledger.payment(impUid).cancel_amount).toBe(done * 5_000);
    expect(done).toBeGreaterThanOrEqual(1);
  });

  test('leaves a refund without a response to the operator when another one of the same amount was done', async () => {
    const { refund, iamport, ledger, impUid, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({ status: 202 });
    expect(await refund({ amount: 5_000 }, 'b')).toMatchObject({ status: 200 });
    pass(120);
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({
      status: 202,
      json: { refund: { state: 'requested', needs: 'operator' } },
    });
    pass(300);
    expect(await refund({ amount: 5_000 }, 'a')).toMatchObject({
      status: 202,
      json: { refund: { state: 'requested', needs: 'operator', message: expect.stringMatching(/no other key/) } },
    });
    expect(ledger.payment(impUid).cancel_amount).toBe(5_000);
  });

  test('leaves a refund without a response to the operator when a cancel in the console overtook it', async () => {
    const { refund, iamport, ledger, impUid, show, reconcile, pass } = await paidOrder();
    iamport.faults.add({ path: '/payments/cancel', status: 500 });
    await refund({ amount: 4_000 }, 'part');
    ledger.cancelInConsole(impUid, 1_000);
    pass(300);
    await reconcile();
    expect(await show()).toMatchObject({ refunds: [{ state: 'requested', needs: 'operator' }] });
    pass(5 * 86_400);
    expect(await reconcile()).toMatchObject({ overdue: 1 });
    expect(await show()).toMatchObject({
      status: 'partial_cancelled',
      cancelled_amount: 1_000,
      refunds: [{ state: 'requested', needs: 'operator' }],
    });
    expect(ledger.payment(impUid).cancel_amount).toBe(1_000);
  });
});

describe('a repeated refund', () => {
  test('has the key that the response to a request without one named [T582]', async () => {
    const { deps, refund, iamport, pass, ledger, impUid } = await depositedOrder();
    iamport.faults.add({ path: '/payments/cancel', answer: 'reset' });
    // As API Gateway writes it.
    const requestId = 'JKJaXmPLvHcESHA=';
    const sent = {
      pathParameters: { merchant_uid: 'order-1' },
      ...jsonBody({ reason: '단순 변심', account }),
      requestId,
    };
    const { statusCode, body = '' } = await handleRequest(refunds, deps, eventOf(sent), requestId);
    const first = JSON.parse(body) as { refund: { key: string; needs: string } };
    expect({ statusCode, ...first.refund }).toMatchObject({ statusCode: 202, needs: 'account' });
    pass(300);
    expect(await refund({ account }, first.refund.key)).toMatchObject({ status: 200 });
    expect(ledger.payment(impUid).cancel_history).toHaveLength(1);
  });

  test('of a part is no refund of the rest [T583]', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    expect(await refund({ amount: 4_000 }, 'once')).toMatchObject({ status: 200 });
    expect(await refund({}, 'once')).toMatchObject({ status: 409, json: { code: 'refund_key_used' } });
    expect(await refund({}, 'rest')).toMatchObject({ status: 200, json: { refund: { amount: 10_000 } } });
    expect(await refund({}, 'rest')).toMatchObject({ status: 200, json: { refund: { amount: 10_000 } } });
    expect(ledger.payment(impUid).cancel_history).toHaveLength(2);
  });

  test('of the rest may leave out its amount, also when another one was in progress', async () => {
    const { refund, iamport } = await depositedOrder();
    iamport.settings.pgDefersCancels = true;
    expect(await refund({ amount: 4_000, account }, 'part')).toMatchObject({ status: 202 });
    for (let requests = 0; requests < 2; requests += 1) {
      const rest = { status: 202, json: { refund: { amount: 10_000 } } };
      expect(await refund({ account }, 'rest')).toMatchObject(rest);
    }
  });

  test('that is done shows a cancel that was made since [T584]', async () => {
    const { refund, ledger, impUid } = await paidOrder();
    expect(await refund({ amount: 4_000 }, 'once')).toMatchObject({ status: 200 });
    ledger.cancelInConsole(impUid);
    expect(await refund({ amount: 4_000 }, 'once')).toMatchObject({
      status: 200,
      json: { refund: { state: 'done', amount: 4_000 }, order: { status: 'cancelled', cancelled_amount: 14_000 } },
    });
  });
});

test('refunds all that is left after the PG has made an accepted refund, before its next check [T581]', async () => {
  const { refund, iamport, ledger, pass, impUid } = await depositedOrder();
  iamport.settings.pgDefersCancels = true;
  expect(await refund({ amount: 4_000, account }, 'part')).toMatchObject({ status: 202 });
  iamport.settings.pgDefersCancels = false;
  pass(3_600);
  ledger.processDeferred();
  expect(await refund({ account })).toMatchObject({
    status: 200,
    json: { refund: { amount: 10_000 }, order: { status: 'cancelled' } },
  });
  expect(ledger.payment(impUid).cancel_amount).toBe(14_000);
});

describe('DELETE /orders/{merchant_uid}', () => {
  test('closes an open order, and a later payment is cancelled', async () => {
    const { order, close, show, paid, webhook, ledger } = await startFixture();
    await order();
    expect((await close()).status).toBe(204);
    expect((await close()).status).toBe(204);
    expect(await show()).toMatchObject({ status: 'closed', revision: 2 });
    const late = paid();
    await webhook(late);
    expect(await show()).toMatchObject({ status: 'closed', reversals: [{ reason: 'order_closed', state: 'done' }] });
    expect(ledger.payment(late).cancel_amount).toBe(14_000);
  });

  test('reads as many items with 50 opened windows as with one', async () => {
    const { order, close, ledger, deps } = await startFixture();
    const readsFor = async (merchantUid: string, windows: number) => {
      await order(merchantUid);
      for (let fixture = 0; fixture < windows; fixture += 1) ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
      let reads = 0;
      const read: typeof deps.orders.read = (...parameters) => {
        reads += 1;
        return deps.orders.read(...parameters);
      };
      expect((await close(merchantUid, { ...deps, orders: { ...deps.orders, read } })).status).toBe(204);
      return reads;
    };
    expect(await readsFor('stormed', 50)).toBe(await readsFor('quiet', 1));
  });

  test('revokes the virtual account of the order', async () => {
    const { order, close, show, account: issueAccount, webhook, ledger } = await startFixture();
    await order();
    const impUid = issueAccount();
    await webhook(impUid);
    expect((await close()).status).toBe(204);
    expect(await show()).toMatchObject({
      status: 'closed',
      reversals: [{ kind: 'revoke', state: 'done', imp_uid: impUid }],
    });
    expect(ledger.payment(impUid).status).toBe('cancelled');
  });

  test('returns 409 for an order whose payment no notification reported, and keeps the payment', async () => {
    const { order, close, show, paid, ledger } = await startFixture();
    await order();
    const impUid = paid();
    expect(await close()).toMatchObject({ status: 409, json: { code: 'order_paid' } });
    expect((await show()).status).toBe('paid');
    expect(ledger.payment(impUid).cancel_amount).toBe(0);
  });

  test('returns 503 while Iamport is unavailable, and closes nothing', async () => {
    const { order, close, show, iamport } = await startFixture();
    await order();
    iamport.faults.add({ path: '/payments', status: 500, times: 10 });
    expect(await close()).toMatchObject({ status: 503 });
    iamport.faults.clear();
    expect((await show()).status).toBe('ready');
    expect(await close('no-such-order')).toMatchObject({ status: 404 });
  });
});

describe('POST /payments/confirm', () => {
  const confirmation = (fields: object = {}) => ({
    imp_uid: 'imp_1',
    merchant_uid: 'order-1',
    amount: 14_000,
    ...fields,
  });

  test('returns 200 for the right amount of an open order, without a call to Iamport', async () => {
    const { order, confirm, iamport } = await startFixture();
    await order();
    iamport.faults.forgetCalls();
    expect(await confirm(confirmation())).toEqual({ status: 200, json: {} });
    expect(await confirm(confirmation({ amount: '14000' }))).toEqual({ status: 200, json: {} });
    expect(iamport.faults.calls).toEqual([]);
  });

  test('returns 409 with a reason in Korean for every other request', async () => {
    const { order, confirm, paid, webhook, close, pass, now } = await startFixture();
    const reason = async (fields: object) => {
      const { status, json } = await confirm(confirmation(fields));
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

  test('returns 400 for invalid fields', async () => {
    const { confirm } = await startFixture();
    for (const fields of [{ amount: 'x' }, { amount: null }, { merchant_uid: '..' }, { imp_uid: '../x' }]) {
      expect(await confirm(confirmation(fields))).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
  });
});

test('closes an order once for three concurrent requests', async () => {
  const { order, close, show } = await startFixture();
  await order();
  expect(await Promise.all([close(), close(), close()])).toMatchObject([
    { status: 204 },
    { status: 204 },
    { status: 204 },
  ]);
  expect(await show()).toMatchObject({ status: 'closed', revision: 2 });
});

/** Anonymous callers: the calls to Iamport, the writes and the events that they cause, and the data that they get. */

import { describe, expect, test } from 'vitest';
import { createUnknownPayments } from '../../functions/application/unknown-payments.ts';
import { complete as completeHandler } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import type { HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, jsonBody, type Sent } from '../support/event.ts';
import { type Fixture, startFixture } from '../support/functions.ts';
import '../support/silence-console.ts';

const unknown = 'imp_000000000000';
const portOne = '52.78.100.19';
const paymentCalls = ({ iamport }: Fixture) => iamport.faults.calls.filter((call) => call.startsWith('GET /payments'));
const complete = ({ deps }: Fixture, fields: object) => call(completeHandler, jsonBody(fields), deps);
const mobile = ({ deps }: Fixture, query: Record<string, string>) =>
  call(mobileRedirect, { method: 'GET', query: `${new URLSearchParams(query)}` }, deps);

async function call(handler: HttpHandler, sent: Sent, deps: HandlerDependencies) {
  const { statusCode, headers, body = '' } = await handleRequest(handler, deps, eventOf(sent), 'request-1');
  return { status: statusCode, headers, body, json: () => JSON.parse(body) as Record<string, unknown> };
}

describe('an imp_uid that Iamport does not know', () => {
  test('calls Iamport once in 10 seconds for an unknown imp_uid, for all three routes together [T40]', async () => {
    const fixture = await startFixture();
    const callAll = async () => {
      expect((await complete(fixture, { imp_uid: unknown })).status).toBe(404);
      expect((await mobile(fixture, { imp_uid: unknown })).status).toBe(404);
      expect(await fixture.notify({ imp_uid: unknown })).toMatchObject({ json: { code: 'payment_not_found' } });
    };
    await callAll();
    fixture.pass(9);
    await callAll();
    expect(paymentCalls(fixture)).toHaveLength(1);
    fixture.pass(1);
    await callAll();
    expect(paymentCalls(fixture)).toHaveLength(2);
  });

  test('calls Iamport for every notification from an address of Iamport', async () => {
    const fixture = await startFixture();
    await fixture.order();
    await complete(fixture, { imp_uid: unknown });
    await fixture.notify({ imp_uid: unknown }, portOne);
    await fixture.notify({ imp_uid: unknown }, portOne);
    expect(paymentCalls(fixture)).toHaveLength(3);
  });

  test('caches 500 unknown imp_uids', () => {
    const known = createUnknownPayments({ now: () => 0, sleep: async () => undefined });
    for (let number = 0; number <= 500; number += 1) known.add(`imp_${number}`, undefined);
    expect([known.has('imp_0', undefined), known.has('imp_1', undefined)]).toEqual([false, true]);
  });
});

test('returns 404 for an order that is not registered, without a call to Iamport', async () => {
  const fixture = await startFixture();
  expect((await complete(fixture, { imp_uid: unknown, merchant_uid: 'no-such-order' })).json()).toMatchObject({
    code: 'order_not_found',
  });
  expect((await mobile(fixture, { merchant_uid: 'no-such-order' })).status).toBe(404);
  expect(paymentCalls(fixture)).toEqual([]);
});

describe('an order that is settled', () => {
  test('returns an order settled by card from the table for its own payment, and calls Iamport for a webhook', async () => {
    const fixture = await startFixture();
    const merchant_uid = await fixture.order();
    const imp_uid = fixture.paid();
    const first = await complete(fixture, { imp_uid, merchant_uid });
    fixture.iamport.faults.forgetCalls();
    expect((await complete(fixture, { imp_uid, merchant_uid })).body).toBe(first.body);
    expect((await mobile(fixture, { imp_uid, merchant_uid })).body).toContain('결제가 완료되었습니다.');
    expect((await mobile(fixture, { merchant_uid })).body).toContain('결제가 완료되었습니다.');
    expect(paymentCalls(fixture)).toEqual([]);
    await fixture.webhook(imp_uid);
    expect(paymentCalls(fixture)).toEqual([`GET /payments/${imp_uid}`]);
  });

  test('returns an order cancelled in the console as paid until the webhook arrives', async () => {
    const fixture = await startFixture();
    const merchant_uid = await fixture.order();
    const imp_uid = fixture.paid();
    const status = async () => (await complete(fixture, { imp_uid, merchant_uid })).json().status;
    expect(await status()).toBe('paid');
    fixture.ledger.cancelInConsole(imp_uid);
    expect(await status()).toBe('paid');
    await fixture.webhook(imp_uid);
    expect(await status()).toBe('cancelled');
  });

  test('calls Iamport for an order settled by another payment, by a deposit, or in part', async () => {
    const fixture = await startFixture();
    const merchant_uid = await fixture.order();
    const first = fixture.paid();
    await complete(fixture, { imp_uid: first, merchant_uid });
    const second = fixture.paid();
    expect((await complete(fixture, { imp_uid: second, merchant_uid })).json()).toMatchObject({
      reason: 'duplicate_payment',
    });
    fixture.ledger.cancelInConsole(first, 4_000);
    await fixture.webhook(first);
    fixture.ledger.cancelInConsole(first);
    expect((await complete(fixture, { imp_uid: first, merchant_uid })).json()).toMatchObject({ status: 'cancelled' });

    await fixture.order('order-2');
    const deposit = fixture.account(3_600, 'order-2');
    fixture.ledger.deposit(deposit);
    const ofDeposit = { imp_uid: deposit, merchant_uid: 'order-2' };
    expect((await complete(fixture, ofDeposit)).json()).toMatchObject({ status: 'paid' });
    fixture.ledger.takeBackDeposit(deposit);
    expect((await complete(fixture, ofDeposit)).json()).toMatchObject({ status: 'deposit_reversed' });
  });
});

test('returns the retry-after of a 429 of Iamport, and sends no call meanwhile [T41]', async () => {
  const fixture = await startFixture();
  const merchant_uid = await fixture.order();
  const imp_uid = fixture.paid();
  fixture.iamport.faults.forgetCalls();
  fixture.iamport.faults.add({ path: '/payments', status: 429, retryAfter: '20' });
  const first = await complete(fixture, { imp_uid, merchant_uid });
  expect([first.status, first.headers?.['retry-after']]).toEqual([503, '20']);
  fixture.pass(7);
  const second = await complete(fixture, { imp_uid, merchant_uid });
  expect([second.status, second.headers?.['retry-after']]).toEqual([503, '13']);
  expect((await mobile(fixture, { imp_uid, merchant_uid })).body).toContain('data-after="13"');
  expect(paymentCalls(fixture)).toHaveLength(1);
  fixture.pass(13);
  expect((await complete(fixture, { imp_uid, merchant_uid })).json()).toMatchObject({ status: 'paid' });
});

test('returns 60 seconds for a retry-after of a day, and settles after them [T642]', async () => {
  const fixture = await startFixture();
  const merchant_uid = await fixture.order();
  const imp_uid = fixture.paid();
  fixture.iamport.faults.forgetCalls();
  fixture.iamport.faults.add({ path: '/payments', status: 429, retryAfter: '86400' });
  const first = await complete(fixture, { imp_uid, merchant_uid });
  expect([first.status, first.headers?.['retry-after']]).toEqual([503, '60']);
  fixture.pass(59);
  expect((await complete(fixture, { imp_uid, merchant_uid })).headers?.['retry-after']).toBe('1');
  expect(paymentCalls(fixture)).toHaveLength(1);
  fixture.pass(1);
  expect((await complete(fixture, { imp_uid, merchant_uid })).json()).toMatchObject({ status: 'paid' });
});

describe('POST /payments/confirm to a sender that is not Iamport', () => {
  const request = (fields: object = {}) => ({ imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 14_000, ...fields });

  test('returns one response for every refused or unknown order, and 200 for a right one [T42]', async () => {
    const { order, confirm, close } = await startFixture();
    await order();
    await order('closed');
    await close('closed');
    const others = [{ merchant_uid: 'no-such-order' }, { merchant_uid: 'closed' }, { amount: 100 }, { amount: '0.5' }];
    const responses = await Promise.all(others.map((fields) => confirm(request(fields), '203.0.113.9')));
    const refused = { status: 409, json: { reason: '주문 상태나 금액이 결제 요청과 달라 결제를 진행할 수 없습니다.' } };
    expect(responses).toEqual(others.map(() => refused));
    expect(await confirm(request(), '203.0.113.9')).toEqual({ status: 200, json: {} });
  });

  test('reads one item for every response', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const { client } = fixture;
    const commands: string[] = [];
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          commands.push(commandName);
          return next(args);
        },
      { step: 'initialize' },
    );
    await fixture.confirm(request(), '203.0.113.9');
    await fixture.confirm(request({ merchant_uid: 'no-such-order' }), '203.0.113.9');
    expect(commands).toEqual(['GetItemCommand', 'GetItemCommand']);
  });
});

describe('a notification that no API confirms', () => {
  const escrow = (imp_uid: string, escrow_status: string) => ({
    event: 'Inicis.Escrow.Changed',
    imp_uid,
    merchant_uid: 'order-1',
    extra: { escrow_status },
  });
  const stored = async ({ client, names }: Fixture) => {
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    return Items.map(({ content }) => content?.M?.escrow_status?.S);
  };

  test('writes a notification of an unknown sender once a minute, and of Iamport always [T43]', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const imp_uid = fixture.paid();
    await fixture.notify(escrow(imp_uid, 'forged 1'));
    await fixture.notify(escrow(imp_uid, 'forged 2'));
    expect(await stored(fixture)).toEqual(['forged 1']);
    // Its time is a second later than that of the first one, so the next minute begins then.
    await fixture.notify(escrow(imp_uid, 'real'), portOne);
    expect(await stored(fixture)).toEqual(['real']);
    fixture.pass(60);
    await fixture.notify(escrow(imp_uid, 'forged 3'));
    expect(await stored(fixture)).toEqual(['real']);
    fixture.pass(1);
    await fixture.notify(escrow(imp_uid, 'forged 4'));
    expect(await stored(fixture)).toEqual(['forged 4']);
  });

  test("stores a notification with personal data masked in the buyer's text, and with its numbers", async () => {
    const fixture = await startFixture();
    await fixture.order();
    const extra = { denied_reason: '계좌 110-123-456789 로 환불', changed_at: 1_795_000_000, escrow_status: '4' };
    await fixture.notify({ event: 'Inicis.Escrow.Changed', imp_uid: fixture.paid(), extra }, portOne);
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await fixture.client.send(new ScanCommand({ TableName: fixture.names.reversals }));
    expect(Items[0]?.content?.M).toEqual({
      denied_reason: { S: '계좌 *** 로 환불' },
      changed_at: { S: '1795000000' },
      escrow_status: { S: '4' },
    });
  });

  test('writes a notification only for the payment that settled the order', async () => {
    const fixture = await startFixture();
    await fixture.order();
    const { imp_uid: left } = fixture.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    await fixture.notify(escrow(left, 'x'), portOne);
    await fixture.webhook(fixture.paid());
    await fixture.notify(escrow(left, 'x'), portOne);
    expect(await stored(fixture)).toEqual([]);
  });
});

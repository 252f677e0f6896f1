/** Anonymous callers: how many calls to Iamport, writes and events they cause, and what they learn. */

import { describe, expect, test, vi } from 'vitest';
import { unknownPaymentsBy } from '../../functions/application/unknown-payments.ts';
import { complete as completeDoor } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Door, visit } from '../../functions/runtime/lambda-handler.ts';
import { eventOf, jsonBody, type Sent } from '../support/event.ts';
import { type Opened, openRooms } from '../support/functions.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

const unknown = 'imp_000000000000';
const portOne = '52.78.100.19';
const paymentCalls = ({ iamport }: Opened) => iamport.faults.calls.filter((call) => call.startsWith('GET /payments'));
const complete = ({ rooms }: Opened, fields: object) => visited(completeDoor, jsonBody(fields), rooms);
const mobile = ({ rooms }: Opened, query: Record<string, string>) =>
  visited(mobileRedirect, { method: 'GET', query: `${new URLSearchParams(query)}` }, rooms);

async function visited(door: Door, sent: Sent, rooms: Rooms) {
  const { statusCode, headers, body = '' } = await visit(door, rooms, eventOf(sent), 'request-1');
  return { status: statusCode, headers, body, json: () => JSON.parse(body) as Record<string, unknown> };
}

describe('an imp_uid that Iamport does not know', () => {
  test('is asked about once in 10 seconds, by all three routes together', async () => {
    const opened = await openRooms();
    const ask = async () => {
      expect((await complete(opened, { imp_uid: unknown })).status).toBe(404);
      expect((await mobile(opened, { imp_uid: unknown })).status).toBe(404);
      expect(await opened.notify({ imp_uid: unknown })).toMatchObject({ json: { code: 'payment_not_found' } });
    };
    await ask();
    opened.pass(9);
    await ask();
    expect(paymentCalls(opened)).toHaveLength(1);
    opened.pass(1);
    await ask();
    expect(paymentCalls(opened)).toHaveLength(2);
  });

  test('is always asked about for a notification from an address of Iamport', async () => {
    const opened = await openRooms();
    await opened.order();
    await complete(opened, { imp_uid: unknown });
    await opened.notify({ imp_uid: unknown }, portOne);
    await opened.notify({ imp_uid: unknown }, portOne);
    expect(paymentCalls(opened)).toHaveLength(3);
  });

  test('is forgotten when 500 others came after it', () => {
    const known = unknownPaymentsBy({ now: () => 0, sleep: async () => undefined });
    for (let number = 0; number <= 500; number += 1) known.add(`imp_${number}`, undefined);
    expect([known.has('imp_0', undefined), known.has('imp_1', undefined)]).toEqual([false, true]);
  });
});

test('an order that is not registered is answered without a call to Iamport', async () => {
  const opened = await openRooms();
  expect((await complete(opened, { imp_uid: unknown, merchant_uid: 'no-such-order' })).json()).toMatchObject({
    code: 'order_not_found',
  });
  expect((await mobile(opened, { merchant_uid: 'no-such-order' })).status).toBe(404);
  expect(paymentCalls(opened)).toEqual([]);
});

describe('an order that is settled', () => {
  test('by card answers from the table when it is asked about by its own payment, and a webhook still asks', async () => {
    const opened = await openRooms();
    const merchant_uid = await opened.order();
    const imp_uid = opened.paid();
    const first = await complete(opened, { imp_uid, merchant_uid });
    opened.iamport.faults.forgetCalls();
    expect((await complete(opened, { imp_uid, merchant_uid })).body).toBe(first.body);
    expect((await mobile(opened, { imp_uid, merchant_uid })).body).toContain('결제가 완료되었습니다.');
    expect((await mobile(opened, { merchant_uid })).body).toContain('결제가 완료되었습니다.');
    expect(paymentCalls(opened)).toEqual([]);
    await opened.webhook(imp_uid);
    expect(paymentCalls(opened)).toEqual([`GET /payments/${imp_uid}`]);
  });

  test('and cancelled in the console is paid to a buyer until the webhook has come', async () => {
    const opened = await openRooms();
    const merchant_uid = await opened.order();
    const imp_uid = opened.paid();
    const status = async () => (await complete(opened, { imp_uid, merchant_uid })).json().status;
    expect(await status()).toBe('paid');
    opened.ledger.cancelInConsole(imp_uid);
    expect(await status()).toBe('paid');
    await opened.webhook(imp_uid);
    expect(await status()).toBe('cancelled');
  });

  test('by another payment, by a deposit, or in part asks Iamport', async () => {
    const opened = await openRooms();
    const merchant_uid = await opened.order();
    const first = opened.paid();
    await complete(opened, { imp_uid: first, merchant_uid });
    const second = opened.paid();
    expect((await complete(opened, { imp_uid: second, merchant_uid })).json()).toMatchObject({
      reason: 'duplicate_payment',
    });
    opened.ledger.cancelInConsole(first, 4_000);
    await opened.webhook(first);
    opened.ledger.cancelInConsole(first);
    expect((await complete(opened, { imp_uid: first, merchant_uid })).json()).toMatchObject({ status: 'cancelled' });

    await opened.order('order-2');
    const deposit = opened.account(3_600, 'order-2');
    opened.ledger.deposit(deposit);
    const ofDeposit = { imp_uid: deposit, merchant_uid: 'order-2' };
    expect((await complete(opened, ofDeposit)).json()).toMatchObject({ status: 'paid' });
    opened.ledger.takeBackDeposit(deposit);
    expect((await complete(opened, ofDeposit)).json()).toMatchObject({ status: 'deposit_reversed' });
  });
});

test('the wait that Iamport asked for with a 429 is passed on, and no call is sent meanwhile', async () => {
  const opened = await openRooms();
  const merchant_uid = await opened.order();
  const imp_uid = opened.paid();
  opened.iamport.faults.forgetCalls();
  opened.iamport.faults.add({ path: '/payments', status: 429, retryAfter: '20' });
  const first = await complete(opened, { imp_uid, merchant_uid });
  expect([first.status, first.headers?.['retry-after']]).toEqual([503, '20']);
  opened.pass(7);
  const second = await complete(opened, { imp_uid, merchant_uid });
  expect([second.status, second.headers?.['retry-after']]).toEqual([503, '13']);
  expect((await mobile(opened, { imp_uid, merchant_uid })).body).toContain('data-after="13"');
  expect(paymentCalls(opened)).toHaveLength(1);
  opened.pass(13);
  expect((await complete(opened, { imp_uid, merchant_uid })).json()).toMatchObject({ status: 'paid' });
});

describe('POST /payments/confirm to a sender that is not Iamport', () => {
  const asked = (fields: object = {}) => ({ imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 14_000, ...fields });

  test('says the same of every order that is refused, also of none, and lets a good one through', async () => {
    const { order, confirm, close } = await openRooms();
    await order();
    await order('closed');
    await close('closed');
    const others = [{ merchant_uid: 'no-such-order' }, { merchant_uid: 'closed' }, { amount: 100 }, { amount: '0.5' }];
    const answers = await Promise.all(others.map((fields) => confirm(asked(fields), '203.0.113.9')));
    const refused = { status: 409, json: { reason: '주문 상태나 금액이 결제 요청과 달라 결제를 진행할 수 없습니다.' } };
    expect(answers).toEqual(others.map(() => refused));
    expect(await confirm(asked(), '203.0.113.9')).toEqual({ status: 200, json: {} });
  });

  test('reads one item, whatever it answers', async () => {
    const opened = await openRooms();
    await opened.order();
    const { client } = opened;
    const commands: string[] = [];
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          commands.push(commandName);
          return next(args);
        },
      { step: 'initialize' },
    );
    await opened.confirm(asked(), '203.0.113.9');
    await opened.confirm(asked({ merchant_uid: 'no-such-order' }), '203.0.113.9');
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
  const stored = async ({ client, names }: Opened) => {
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await client.send(new ScanCommand({ TableName: names.reversals }));
    return Items.map(({ content }) => content?.M?.escrow_status?.S);
  };

  test('is written once a minute from unknown senders, and always from Iamport', async () => {
    const opened = await openRooms();
    await opened.order();
    const imp_uid = opened.paid();
    await opened.notify(escrow(imp_uid, 'forged 1'));
    await opened.notify(escrow(imp_uid, 'forged 2'));
    expect(await stored(opened)).toEqual(['forged 1']);
    await opened.notify(escrow(imp_uid, 'real'), portOne);
    expect(await stored(opened)).toEqual(['real']);
    opened.pass(59);
    await opened.notify(escrow(imp_uid, 'forged 3'));
    expect(await stored(opened)).toEqual(['real']);
    opened.pass(1);
    await opened.notify(escrow(imp_uid, 'forged 4'));
    expect(await stored(opened)).toEqual(['forged 4']);
  });

  test("loses what may be personal in a buyer's own words, and keeps its numbers", async () => {
    const opened = await openRooms();
    await opened.order();
    const extra = { denied_reason: '계좌 110-123-456789 로 환불', changed_at: 1_795_000_000, escrow_status: '4' };
    await opened.notify({ event: 'Inicis.Escrow.Changed', imp_uid: opened.paid(), extra }, portOne);
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await opened.client.send(new ScanCommand({ TableName: opened.names.reversals }));
    expect(Items[0]?.content?.M).toEqual({
      denied_reason: { S: '계좌 *** 로 환불' },
      changed_at: { S: '1795000000' },
      escrow_status: { S: '4' },
    });
  });

  test('is written only for the payment that settled the order', async () => {
    const opened = await openRooms();
    await opened.order();
    const { imp_uid: left } = opened.ledger.open({ merchant_uid: 'order-1', amount: 14_000, pay_method: 'card' });
    await opened.notify(escrow(left, 'x'), portOne);
    await opened.webhook(opened.paid());
    await opened.notify(escrow(left, 'x'), portOne);
    expect(await stored(opened)).toEqual([]);
  });
});

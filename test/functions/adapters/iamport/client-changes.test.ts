/** The calls that change something at Iamport: cancels, revocations and prepared amounts, each sent at most once. */

import { describe, expect, test } from 'vitest';
import { iamportClient } from '../../../../functions/adapters/iamport/client.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { paymentOf } from '../../../../functions/adapters/iamport/wire.ts';
import {
  IamportAccepted,
  type IamportFault,
  IamportRefused,
  IamportUnavailable,
  NoTimeLeft,
} from '../../../../functions/application/faults.ts';
import { parseAmount } from '../../../../functions/payment/money.ts';
import { type Clock, deadlineIn } from '../../../../functions/shared/clock.ts';
import {
  cancel,
  clientOf,
  getPayment,
  getToken,
  impUid,
  payment,
  plain,
  reset,
  sharedTokenWith,
  steppedClock,
  token,
  truncated,
} from './client-fixture.ts';
import { accountPayment, cardPayment } from './payments.ts';
import { envelope, ok, type Reply, scripted } from './server.ts';

describe('a failed cancel has `notSent`', () => {
  const cancelPath = 'POST /payments/cancel';
  const failure = async (client: ReturnType<typeof clientOf>['client'], clock: Clock, leftMs = 10_000) =>
    client.cancel(cancel, deadlineIn(clock, leftMs)).then(
      () => undefined,
      (error: IamportFault) => ({ kind: error.constructor, notSent: error.notSent }),
    );
  const living = { value: 't', expiresAt: 1_000_600_000 };

  test.each<[string, Record<string, readonly Reply[]>, unknown, boolean]>([
    ['true when no token is issued', { [getToken]: [envelope(500, -1)] }, IamportUnavailable, true],
    ['true when the keys are wrong', { [getToken]: [envelope(401, -1)] }, IamportRefused, true],
    ['true when every token is refused', { ...token, [cancelPath]: [envelope(401, -1)] }, IamportRefused, true],
    ['false after a 500', { ...token, [cancelPath]: [envelope(500, -1)] }, IamportUnavailable, false],
    ['false after a reset', { ...token, [cancelPath]: [reset] }, IamportUnavailable, false],
    ['false after a truncated response', { ...token, [cancelPath]: [truncated] }, IamportUnavailable, false],
    ['false after a refusal', { ...token, [cancelPath]: [envelope(200, 1, null, '불가')] }, IamportRefused, false],
  ])('%s', async (_name, script, kind, notSent) => {
    await using server = await scripted(script);
    const { client, clock } = clientOf(server.url);
    expect(await failure(client, clock)).toEqual({ kind, notSent });
  });

  test('true when no connection can be opened', async () => {
    const { client, clock } = clientOf('http://127.0.0.1:1', sharedTokenWith(living));
    expect(await failure(client, clock)).toEqual({ kind: IamportUnavailable, notSent: true });
  });

  test('true when the name of the host is not found', async () => {
    const { client, clock } = clientOf('http://iamport.invalid', sharedTokenWith(living));
    expect(await failure(client, clock)).toEqual({ kind: IamportUnavailable, notSent: true });
  });

  test('true when no time is left', async () => {
    const { client, clock } = clientOf('http://127.0.0.1:1', sharedTokenWith(living));
    expect(await failure(client, clock, 3_000)).toEqual({ kind: NoTimeLeft, notSent: true });
  });
});

describe('cancels, revocations and prepared amounts', () => {
  test('sends amount and checksum of a cancel', async () => {
    await using server = await scripted({
      ...token,
      'POST /payments/cancel': [ok({ ...cardPayment, status: 'cancelled', cancel_amount: 14_000 })],
    });
    const { client, deadline } = clientOf(server.url);
    expect((await client.cancel(cancel, deadline)).state).toEqual({ kind: 'returned' });
    expect(server.seen.at(-1)?.body).toEqual({
      imp_uid: impUid,
      amount: 14_000,
      checksum: 14_000,
      reason: '주문 금액과 결제 금액이 다름',
    });
  });

  test('sends dollars in dollars', async () => {
    await using server = await scripted({
      ...token,
      'POST /payments/cancel': [ok({ ...cardPayment, currency: 'USD', amount: 19.99, cancel_amount: 19.99 })],
    });
    const { client, deadline } = clientOf(server.url);
    const dollars = paymentOf({ ...cardPayment, currency: 'USD', amount: 19.99 });
    await client.cancel({ ...cancel, payment: dollars, amount: dollars.amount, checksum: dollars.amount }, deadline);
    expect(server.seen.at(-1)?.body).toMatchObject({ amount: 19.99, checksum: 19.99 });
  });

  test('sends tax parts including 0, telephone number and requester of a cancel, and no absent field', async () => {
    const none = { tax_free: 0, vat_amount: 0 };
    await using server = await scripted({ ...token, 'POST /payments/cancel': [ok(cardPayment), ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    const account = { holder: '홍길동', bank: '011', number: '352-0000', tel: '010-0000-0000' };
    const zero = parseAmount(0, 'KRW') ?? expect.unreachable();
    await client.cancel({ ...cancel, taxFree: zero, vatAmount: zero, account, requester: 'customer' }, deadline);
    const body = { imp_uid: impUid, amount: 14_000, checksum: 14_000, reason: cancel.reason };
    expect(server.seen.at(-1)?.body).toEqual({
      ...body,
      ...none,
      refund_holder: '홍길동',
      refund_bank: '011',
      refund_account: '352-0000',
      refund_tel: '010-0000-0000',
      extra: { requester: 'customer' },
    });
    await client.cancel(cancel, deadline);
    expect(server.seen.at(-1)?.body).toEqual(body);
  });

  test.each<[string, Reply]>([
    ['without a payment', ok(null)],
    ['with a payment of another shape', ok({ ...cardPayment, amount: '14000' })],
  ])('throws IamportAccepted for a cancel with code 0 %s', async (_name, reply) => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow(IamportAccepted);
  });

  test.each<[string, Reply]>([
    ['without a payment', ok(null)],
    ['with a payment of another shape', ok({ ...accountPayment, amount: '14000' })],
  ])('throws IamportAccepted for a revocation with code 0 %s', async (_name, reply) => {
    await using server = await scripted({ ...token, 'DELETE /vbanks/imp_100000000002': [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.revokeAccount('imp_100000000002', deadline)).rejects.toThrow(IamportAccepted);
    expect(server.count('DELETE /vbanks/imp_100000000002')).toBe(1);
  });

  test.each<[string, Record<string, readonly Reply[]>, boolean]>([
    ['no token is issued', { [getToken]: [envelope(500, -1)] }, true],
    ['the keys are wrong', { [getToken]: [envelope(401, -1)] }, true],
    ['no token is accepted', { ...token, 'POST /payments/cancel': [envelope(401, -1)] }, true],
    ['the response is a 500', { ...token, 'POST /payments/cancel': [envelope(500, -1)] }, false],
    ['the PG refuses', { ...token, 'POST /payments/cancel': [envelope(200, 1)] }, false],
    ['the response is garbage', { ...token, 'POST /payments/cancel': [plain(200, 'OK')] }, false],
    ['the connection is reset', { ...token, 'POST /payments/cancel': [reset] }, false],
  ])('throws for a cancel when %s, with notSent %s', async (_name, replies, notSent) => {
    await using server = await scripted(replies);
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toMatchObject({ notSent });
  });

  test('throws the message of the PG for a cancel that the PG refuses under HTTP 200', async () => {
    await using server = await scripted({
      ...token,
      'POST /payments/cancel': [envelope(200, 1, null, '취소 가능 금액을 초과하였습니다.')],
    });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow('취소 가능 금액을 초과하였습니다.');
  });

  test.each<[string, Reply]>([
    ['a 500', envelope(500, -1)],
    ['a truncated response', truncated],
    ['a reset', reset],
  ])('sends a cancel once after %s', async (_name, reply) => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow(IamportUnavailable);
    expect(server.count('POST /payments/cancel')).toBe(1);
  });

  test('sends no cancel when the remaining time is too short for its response', async () => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [ok(cardPayment)] });
    const { client, clock } = clientOf(server.url);
    await expect(client.cancel(cancel, deadlineIn(clock, 3_000))).rejects.toThrow(IamportUnavailable);
    expect(server.count('POST /payments/cancel')).toBe(0);
  });

  test('sends the key of the PG with a revocation', async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [ok({ ...accountPayment, status: 'cancelled' })],
    });
    const { client, deadline } = clientOf(server.url);
    expect((await client.revokeAccount('imp_100000000002', deadline)).state).toEqual({ kind: 'returned' });
    expect(server.seen.at(-1)?.path).toBe('/vbanks/imp_100000000002?pg_api_key=pg%20key');
  });

  test('names the missing key of the PG in the error of a refused revocation', async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [envelope(200, 1, null, '필수 파라미터가 없습니다.')],
    });
    const clock = steppedClock();
    const credentials = async () => ({ impKey: 'key', impSecret: 'secret' });
    const client = iamportClient({
      transport: undiciTransport(server.url),
      credentials,
      sharedToken: sharedTokenWith(),
      clock,
      random: () => 0.5,
    });
    await expect(client.revokeAccount('imp_100000000002', deadlineIn(clock, 10_000))).rejects.toThrow(
      '필수 파라미터가 없습니다. (KG Inicis requires pg_api_key: add it to the secret)',
    );
  });

  test('reads the key of the PG again when it was added to the secret later', async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [ok({ ...accountPayment, status: 'cancelled' })],
    });
    const clock = steppedClock();
    const keys = { impKey: 'key', impSecret: 'secret' };
    const credentials = async (again: boolean) => (again ? { ...keys, pgApiKey: 'new' } : keys);
    const transport = undiciTransport(server.url);
    const client = iamportClient({ transport, credentials, sharedToken: sharedTokenWith(), clock, random: () => 0.5 });
    await client.revokeAccount('imp_100000000002', deadlineIn(clock, 10_000));
    expect(server.seen.at(-1)?.path).toBe('/vbanks/imp_100000000002?pg_api_key=new');
  });

  test('sends the code of a sub-merchant', async () => {
    await using server = await scripted({ ...token, [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await client.payment(impUid, deadline, 'T001');
    await client.payment(impUid, deadline);
    expect(server.seen.filter(({ method }) => method === 'GET').map(({ tier }) => tier)).toEqual(['T001', undefined]);
  });

  const order = { merchantUid: 'order-1', amount: payment.amount, currency: 'KRW' };
  const prepare = 'POST /payments/prepare';
  const alreadyRegistered = envelope(200, 1, null, '이미 등록된 merchant_uid입니다.');

  test('registers an amount', async () => {
    await using server = await scripted({ ...token, [prepare]: [ok({ merchant_uid: 'order-1', amount: 14_000 })] });
    const { client, deadline } = clientOf(server.url);
    await client.prepare(order, deadline);
    expect(server.seen.at(-1)?.body).toEqual({ merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' });
  });

  test('accepts a repeated registration of the same amount', async () => {
    await using server = await scripted({
      ...token,
      [prepare]: [alreadyRegistered],
      'GET /payments/prepare/order-1': [ok({ merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' })],
    });
    const { client, deadline } = clientOf(server.url);
    await client.prepare(order, deadline);
    expect(server.count('PUT /payments/prepare')).toBe(0);
  });

  test.each([
    ['stays when another system registered it', undefined, 'conflict', 0],
    ['stays when it is not the one that we registered before', 2, 'conflict', 0],
    ['is replaced when we registered it before', 1, 'prepared', 1],
  ])('leaves or replaces another amount: it %s', async (_name, before, prepared, puts) => {
    await using server = await scripted({
      ...token,
      [prepare]: [alreadyRegistered],
      'GET /payments/prepare/order-1': [ok({ merchant_uid: 'order-1', amount: 1, currency: 'KRW' })],
      'PUT /payments/prepare': [ok({ merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' })],
    });
    const { client, deadline } = clientOf(server.url);
    const replaced = before === undefined ? undefined : parseAmount(before, 'KRW');
    expect(await client.prepare(order, deadline, replaced)).toBe(prepared);
    expect(server.count('PUT /payments/prepare')).toBe(puts);
  });
});

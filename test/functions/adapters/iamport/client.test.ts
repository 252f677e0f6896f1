import { describe, expect, test } from 'vitest';
import { iamportClient } from '../../../../functions/adapters/iamport/client.ts';
import type { SharedToken, Token } from '../../../../functions/adapters/iamport/tokens.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { paymentOf } from '../../../../functions/adapters/iamport/wire.ts';
import {
  IamportAccepted,
  IamportBusy,
  type IamportFault,
  IamportRefused,
  IamportUnavailable,
  IamportUnexpected,
  NoTimeLeft,
} from '../../../../functions/application/faults.ts';
import { amountOf } from '../../../../functions/payment/money.ts';
import { type Clock, deadlineIn } from '../../../../functions/shared/clock.ts';
import { accountPayment, cardPayment } from './payments.ts';
import { envelope, ok, type Reply, scripted, tokenReply } from './server.ts';

const getToken = 'POST /users/getToken';
const getPayment = 'GET /payments/imp_100000000001';
const impUid = 'imp_100000000001';

/** Time that passes only when somebody waits. */
function steppedClock(): Clock & { advance(ms: number): void } {
  let now = 1_000_000_000;
  const advance = (ms: number) => {
    now += ms;
  };
  return { now: () => now, sleep: async (ms) => advance(ms), advance };
}

function shelf(token?: Token): SharedToken & { token: Token | undefined } {
  return {
    token,
    async read() {
      return this.token;
    },
    claim: async () => ({ claimed: true }),
    async write(written) {
      this.token = written;
    },
  };
}

function clientOf(url: string, sharedToken: SharedToken = shelf(), clock = steppedClock()) {
  const asked: boolean[] = [];
  const credentials = async (again: boolean) => {
    asked.push(again);
    return { impKey: 'key', impSecret: 'secret', pgApiKey: 'pg key' };
  };
  const client = iamportClient({ transport: undiciTransport(url), credentials, sharedToken, clock, random: () => 0.5 });
  return { client, clock, asked, deadline: deadlineIn(clock, 10_000) };
}

const half: Reply = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"code":0,');
  setTimeout(() => response.destroy(), 20);
};
const reset: Reply = (request) => void request.socket.resetAndDestroy();
const silent: Reply = () => undefined;
const plain =
  (status: number, body: string): Reply =>
  (_request, response) =>
    void response.writeHead(status).end(body);

const token = { [getToken]: [tokenReply('t')] };
const payment = paymentOf(cardPayment);
const cancel = { payment, amount: payment.amount, checksum: payment.amount, reason: '주문 금액과 결제 금액이 다름' };

describe('the token', () => {
  test('is fetched once, kept, and shared', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t1')], [getPayment]: [ok(cardPayment)] });
    const shared = shelf();
    const { client, deadline } = clientOf(server.url, shared);
    await client.payment(impUid, deadline);
    await client.payment(impUid, deadline);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, 't1', 't1']);
    expect(server.seen[0]?.body).toEqual({ imp_key: 'key', imp_secret: 'secret' });
    expect(shared.token).toEqual({ value: 't1', expiresAt: 1_000_000_000 + 1_800_000 });
  });

  test('of another instance is used without asking for one, and without reading the secret', async () => {
    await using server = await scripted({ [getPayment]: [ok(cardPayment)] });
    const { client, deadline, asked } = clientOf(server.url, shelf({ value: 'shared', expiresAt: 1_000_600_000 }));
    await client.payment(impUid, deadline);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(['shared']);
    expect(asked).toEqual([]);
  });

  test('is asked for again in its last minute, by the lifetime that Iamport told', async () => {
    await using server = await scripted({
      [getToken]: [tokenReply('t1', 300), tokenReply('t2')],
      [getPayment]: [ok(cardPayment)],
    });
    const { client, clock } = clientOf(server.url);
    await client.payment(impUid, deadlineIn(clock, 10_000));
    clock.advance(239_000);
    await client.payment(impUid, deadlineIn(clock, 10_000));
    expect(server.count(getToken)).toBe(1);
    clock.advance(2_000);
    await client.payment(impUid, deadlineIn(clock, 10_000));
    expect(server.count(getToken)).toBe(2);
  });

  test('that Iamport refuses is replaced once, and the call made again', async () => {
    await using server = await scripted({
      [getToken]: [tokenReply('new')],
      [getPayment]: [envelope(401, -1), ok(cardPayment)],
    });
    const { client, deadline } = clientOf(server.url, shelf({ value: 'stale', expiresAt: 1_000_600_000 }));
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(['stale', undefined, 'new']);
  });

  test('of another instance that Iamport refuses as well is replaced too', async () => {
    await using server = await scripted({
      [getToken]: [tokenReply('new')],
      [getPayment]: [ok(cardPayment), envelope(401, -1), envelope(401, -1), ok(cardPayment)],
    });
    const shared = shelf({ value: 'first', expiresAt: 1_000_600_000 });
    const { client, deadline } = clientOf(server.url, shared);
    await client.payment(impUid, deadline);
    await shared.write({ value: 'of another', expiresAt: 1_000_700_000 });
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([
      'first',
      'first',
      'of another',
      undefined,
      'new',
    ]);
  });

  test('that Iamport refuses again and again is an error, not a loop', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [envelope(401, -1)] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(IamportRefused);
    expect(server.count(getPayment)).toBe(3);
  });

  test('is fetched once for many that need it at the same time', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await Promise.all(Array.from({ length: 20 }, () => client.payment(impUid, deadline)));
    expect(server.count(getToken)).toBe(1);
  });

  test('wrong keys are read anew once, and then the error says where they are', async () => {
    await using server = await scripted({ [getToken]: [envelope(401, -1, null, '인증에 실패하였습니다.')] });
    const { client, deadline, asked } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(/imp_key and imp_secret/);
    expect(asked).toEqual([false, true]);
  });

  test('a shared token that cannot be read or written costs a call and no payment', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [ok(cardPayment)] });
    const down = () => Promise.reject(new Error('down'));
    const broken = { read: down, claim: down, write: down };
    const { client, deadline } = clientOf(server.url, broken);
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
  });
});

describe('reading a payment', () => {
  test('asks for test payments too', async () => {
    await using server = await scripted({ ...token, [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await client.payment(impUid, deadline);
    expect(server.seen.at(-1)?.path).toBe('/payments/imp_100000000001?include_sandbox=true');
  });

  test('that does not exist is an answer', async () => {
    await using server = await scripted({
      ...token,
      [getPayment]: [envelope(404, -1, null, '존재하지 않는 결제정보입니다.')],
    });
    const { client, deadline } = clientOf(server.url);
    expect(await client.payment(impUid, deadline)).toBeUndefined();
  });

  test.each<[string, readonly Reply[]]>([
    ['a 500', [envelope(500, -1), ok(cardPayment)]],
    ['a 503 page', [plain(503, '<html>busy</html>'), ok(cardPayment)]],
    ['half an answer', [half, ok(cardPayment)]],
    ['a reset connection', [reset, ok(cardPayment)]],
  ])('survives %s by asking once more', async (_name, replies) => {
    await using server = await scripted({ ...token, [getPayment]: replies });
    const { client, deadline } = clientOf(server.url);
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
    expect(server.count(getPayment)).toBe(2);
  });

  test.each<[string, Reply, unknown]>([
    ['a fault that stays', envelope(500, -1), IamportUnavailable],
    ['a connection that is always reset', reset, IamportUnavailable],
    ['half an answer each time', half, IamportUnavailable],
    [
      'a redirect to somewhere else',
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      IamportUnavailable,
    ],
    ['garbage', plain(200, 'OK'), IamportUnexpected],
    ['a 404 that is not of Iamport', plain(404, '<html>Not Found</html>'), IamportUnexpected],
    ['a payment of another shape', ok({ ...cardPayment, amount: '14000' }), IamportUnexpected],
    ['another payment than the one asked for', ok({ ...cardPayment, imp_uid: 'imp_999' }), IamportUnexpected],
    ['no payment at all', ok(null), IamportUnexpected],
    ['a refusal under HTTP 200', envelope(200, 1, null, '점검 중입니다.'), IamportRefused],
    ['a bad request', envelope(400, -1, null, '잘못된 요청입니다.'), IamportRefused],
  ])('%s is told apart', async (_name, reply, kind) => {
    await using server = await scripted({ ...token, [getPayment]: [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(kind as new () => Error);
    expect(server.seen.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  test('nobody there is unavailable', async () => {
    const { client, deadline } = clientOf('http://127.0.0.1:1');
    await expect(client.payment(impUid, deadline)).rejects.toThrow(IamportUnavailable);
  });

  test('an answer that does not come is given up within the time that is left', async () => {
    await using server = await scripted({ ...token, [getPayment]: [silent] });
    const { client, clock } = clientOf(server.url);
    await expect(client.payment(impUid, deadlineIn(clock, 120))).rejects.toThrow(IamportUnavailable);
  });

  test('nothing is asked when no time is left', async () => {
    await using server = await scripted(token);
    const { client, clock } = clientOf(server.url);
    await expect(client.payment(impUid, deadlineIn(clock, 0))).rejects.toThrow(IamportUnavailable);
    expect(server.seen).toEqual([]);
  });

  test('ids are encoded into one segment of the path', async () => {
    await using server = await scripted({
      ...token,
      'GET /payments/find/a%2Fb%3Fc%23%20%EC%A3%BC%EB%AC%B8': [ok(cardPayment)],
    });
    const { client, deadline } = clientOf(server.url);
    expect(await client.newestPayment('a/b?c# 주문', deadline)).toBeDefined();
  });

  test('all payments of an order are read, page by page', async () => {
    const second = { ...cardPayment, imp_uid: 'imp_100000000002' };
    await using server = await scripted({
      ...token,
      'GET /payments/findAll/order-1': [
        ok({ total: 2, previous: 0, next: 2, list: [cardPayment] }),
        ok({ total: 2, previous: 1, next: 0, list: [second] }),
      ],
    });
    const { client, deadline } = clientOf(server.url);
    const { payments } = await client.payments('order-1', deadline);
    expect(payments.map((payment) => payment.impUid)).toEqual(['imp_100000000001', 'imp_100000000002']);
  });
});

describe('after a 429', () => {
  const busy =
    (retryAfter?: string): Reply =>
    (_request, response) =>
      void response.writeHead(429, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{"code":-1}');
  const busyError = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: IamportBusy) => ({ kind: error.constructor, ms: error.retryAfterMs, notSent: error.notSent }),
    );

  test('the call is not repeated, and calls fail without being sent until `retry-after` is over', async () => {
    await using server = await scripted({ ...token, [getPayment]: [busy('20'), ok(cardPayment)] });
    const { client, clock } = clientOf(server.url);
    const ask = () => client.payment(impUid, deadlineIn(clock, 10_000));
    expect(await busyError(ask())).toEqual({ kind: IamportBusy, ms: 20_000, notSent: false });
    clock.advance(19_999);
    expect(await busyError(ask())).toEqual({ kind: IamportBusy, ms: 1, notSent: true });
    expect(await busyError(client.cancel(cancel, deadlineIn(clock, 10_000)))).toMatchObject({ notSent: true });
    expect(server.count(getPayment)).toBe(1);
    clock.advance(1);
    expect((await ask())?.impUid).toBe(impUid);
  });

  test('to the token, no other call is sent either', async () => {
    await using server = await scripted({ [getToken]: [busy('7')] });
    const { client, deadline } = clientOf(server.url);
    expect(await busyError(client.payment(impUid, deadline))).toEqual({ kind: IamportBusy, ms: 7_000, notSent: true });
    await busyError(client.payment(impUid, deadline));
    expect(server.count(getToken)).toBe(1);
  });

  test.each<[string, string | undefined, number]>([
    ['a date', new Date(1_000_012_000).toUTCString(), 12_000],
    ['no header', undefined, 5_000],
    ['a date that is over', 'Thu, 01 Jan 1970 00:00:00 GMT', 5_000],
    ['no time', 'soon', 5_000],
    ['nothing', '0', 5_000],
    ['an hour', '3600', 60_000],
  ])('%s as `retry-after`', async (_name, value, ms) => {
    await using server = await scripted({ ...token, [getPayment]: [busy(value)] });
    const { client, deadline } = clientOf(server.url);
    expect(await busyError(client.payment(impUid, deadline))).toMatchObject({ ms });
  });
});

describe('a failed cancel has `notSent`', () => {
  const cancelPath = 'POST /payments/cancel';
  const failure = async (client: ReturnType<typeof clientOf>['client'], clock: Clock, leftMs = 10_000) =>
    client.cancel(cancel, deadlineIn(clock, leftMs)).then(
      () => undefined,
      (error: IamportFault) => ({ kind: error.constructor, notSent: error.notSent }),
    );
  const living = { value: 't', expiresAt: 1_000_600_000 };

  test.each<[string, Record<string, readonly Reply[]>, unknown, boolean]>([
    ['true when no token is had', { [getToken]: [envelope(500, -1)] }, IamportUnavailable, true],
    ['true when the keys are wrong', { [getToken]: [envelope(401, -1)] }, IamportRefused, true],
    ['true when every token is refused', { ...token, [cancelPath]: [envelope(401, -1)] }, IamportRefused, true],
    ['false after a 500', { ...token, [cancelPath]: [envelope(500, -1)] }, IamportUnavailable, false],
    ['false after a reset', { ...token, [cancelPath]: [reset] }, IamportUnavailable, false],
    ['false after half an answer', { ...token, [cancelPath]: [half] }, IamportUnavailable, false],
    ['false after a refusal', { ...token, [cancelPath]: [envelope(200, 1, null, '불가')] }, IamportRefused, false],
  ])('%s', async (_name, script, kind, notSent) => {
    await using server = await scripted(script);
    const { client, clock } = clientOf(server.url);
    expect(await failure(client, clock)).toEqual({ kind, notSent });
  });

  test('true when no connection can be opened', async () => {
    const { client, clock } = clientOf('http://127.0.0.1:1', shelf(living));
    expect(await failure(client, clock)).toEqual({ kind: IamportUnavailable, notSent: true });
  });

  test('true when the name of the host is not found', async () => {
    const { client, clock } = clientOf('http://iamport.invalid', shelf(living));
    expect(await failure(client, clock)).toEqual({ kind: IamportUnavailable, notSent: true });
  });

  test('true when no time is left', async () => {
    const { client, clock } = clientOf('http://127.0.0.1:1', shelf(living));
    expect(await failure(client, clock, 3_000)).toEqual({ kind: NoTimeLeft, notSent: true });
  });
});

describe('changing something', () => {
  test('a cancel carries its amount and its checksum', async () => {
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

  test('dollars go out as dollars', async () => {
    await using server = await scripted({
      ...token,
      'POST /payments/cancel': [ok({ ...cardPayment, currency: 'USD', amount: 19.99, cancel_amount: 19.99 })],
    });
    const { client, deadline } = clientOf(server.url);
    const dollars = paymentOf({ ...cardPayment, currency: 'USD', amount: 19.99 });
    await client.cancel({ ...cancel, payment: dollars, amount: dollars.amount, checksum: dollars.amount }, deadline);
    expect(server.seen.at(-1)?.body).toMatchObject({ amount: 19.99, checksum: 19.99 });
  });

  test('a cancel carries tax parts, 0 included, the telephone number and the requester, and no field that is absent', async () => {
    const none = { tax_free: 0, vat_amount: 0 };
    await using server = await scripted({ ...token, 'POST /payments/cancel': [ok(cardPayment), ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    const account = { holder: '홍길동', bank: '011', number: '352-0000', tel: '010-0000-0000' };
    const zero = amountOf(0, 'KRW') ?? expect.unreachable();
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
  ])('a cancel that is answered with code 0 %s is accepted', async (_name, reply) => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow(IamportAccepted);
  });

  test.each<[string, Record<string, readonly Reply[]>, boolean]>([
    ['no token can be had', { [getToken]: [envelope(500, -1)] }, true],
    ['the keys are wrong', { [getToken]: [envelope(401, -1)] }, true],
    ['no token is accepted', { ...token, 'POST /payments/cancel': [envelope(401, -1)] }, true],
    ['the answer is a 500', { ...token, 'POST /payments/cancel': [envelope(500, -1)] }, false],
    ['the PG refuses', { ...token, 'POST /payments/cancel': [envelope(200, 1)] }, false],
    ['the answer is garbage', { ...token, 'POST /payments/cancel': [plain(200, 'OK')] }, false],
    ['the connection is reset', { ...token, 'POST /payments/cancel': [reset] }, false],
  ])('a cancel when %s: surely unsent is %s', async (_name, replies, notSent) => {
    await using server = await scripted(replies);
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toMatchObject({ notSent });
  });

  test('a cancel that the PG refuses under HTTP 200 is refused, with its words', async () => {
    await using server = await scripted({
      ...token,
      'POST /payments/cancel': [envelope(200, 1, null, '취소 가능 금액을 초과하였습니다.')],
    });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow('취소 가능 금액을 초과하였습니다.');
  });

  test.each<[string, Reply]>([
    ['a 500', envelope(500, -1)],
    ['half an answer', half],
    ['a reset', reset],
  ])('a cancel is never sent twice after %s', async (_name, reply) => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.cancel(cancel, deadline)).rejects.toThrow(IamportUnavailable);
    expect(server.count('POST /payments/cancel')).toBe(1);
  });

  test('a cancel does not begin when its answer could not be waited for', async () => {
    await using server = await scripted({ ...token, 'POST /payments/cancel': [ok(cardPayment)] });
    const { client, clock } = clientOf(server.url);
    await expect(client.cancel(cancel, deadlineIn(clock, 3_000))).rejects.toThrow(IamportUnavailable);
    expect(server.count('POST /payments/cancel')).toBe(0);
  });

  test("revoking an account carries the PG's own key", async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [ok({ ...accountPayment, status: 'cancelled' })],
    });
    const { client, deadline } = clientOf(server.url);
    expect((await client.revokeAccount('imp_100000000002', deadline)).state).toEqual({ kind: 'returned' });
    expect(server.seen.at(-1)?.path).toBe('/vbanks/imp_100000000002?pg_api_key=pg%20key');
  });

  test('a revocation that is refused for want of that key says so', async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [envelope(200, 1, null, '필수 파라미터가 없습니다.')],
    });
    const clock = steppedClock();
    const credentials = async () => ({ impKey: 'key', impSecret: 'secret' });
    const client = iamportClient({
      transport: undiciTransport(server.url),
      credentials,
      sharedToken: shelf(),
      clock,
      random: () => 0.5,
    });
    await expect(client.revokeAccount('imp_100000000002', deadlineIn(clock, 10_000))).rejects.toThrow(
      '필수 파라미터가 없습니다. (KG Inicis wants pg_api_key: put it into the secret)',
    );
  });

  test('that key is found though it came into the secret after the others had been read', async () => {
    await using server = await scripted({
      ...token,
      'DELETE /vbanks/imp_100000000002': [ok({ ...accountPayment, status: 'cancelled' })],
    });
    const clock = steppedClock();
    const keys = { impKey: 'key', impSecret: 'secret' };
    const credentials = async (again: boolean) => (again ? { ...keys, pgApiKey: 'new' } : keys);
    const transport = undiciTransport(server.url);
    const client = iamportClient({ transport, credentials, sharedToken: shelf(), clock, random: () => 0.5 });
    await client.revokeAccount('imp_100000000002', deadlineIn(clock, 10_000));
    expect(server.seen.at(-1)?.path).toBe('/vbanks/imp_100000000002?pg_api_key=new');
  });

  test("a sub-merchant's code goes along", async () => {
    await using server = await scripted({ ...token, [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await client.payment(impUid, deadline, 'T001');
    await client.payment(impUid, deadline);
    expect(server.seen.filter(({ method }) => method === 'GET').map(({ tier }) => tier)).toEqual(['T001', undefined]);
  });

  const order = { merchantUid: 'order-1', amount: payment.amount, currency: 'KRW' };
  const prepare = 'POST /payments/prepare';
  const taken = envelope(200, 1, null, '이미 등록된 merchant_uid입니다.');

  test('preparing registers the amount', async () => {
    await using server = await scripted({ ...token, [prepare]: [ok({ merchant_uid: 'order-1', amount: 14_000 })] });
    const { client, deadline } = clientOf(server.url);
    await client.prepare(order, deadline);
    expect(server.seen.at(-1)?.body).toEqual({ merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' });
  });

  test('preparing the same again is fine', async () => {
    await using server = await scripted({
      ...token,
      [prepare]: [taken],
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
  ])('another amount %s', async (_name, before, prepared, puts) => {
    await using server = await scripted({
      ...token,
      [prepare]: [taken],
      'GET /payments/prepare/order-1': [ok({ merchant_uid: 'order-1', amount: 1, currency: 'KRW' })],
      'PUT /payments/prepare': [ok({ merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' })],
    });
    const { client, deadline } = clientOf(server.url);
    const replaced = before === undefined ? undefined : amountOf(before, 'KRW');
    expect(await client.prepare(order, deadline, replaced)).toBe(prepared);
    expect(server.count('PUT /payments/prepare')).toBe(puts);
  });
});

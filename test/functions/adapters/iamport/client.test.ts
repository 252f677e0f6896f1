/** The client of Iamport: its token, its reads, and its wait after a 429. */

import { describe, expect, test } from 'vitest';
import {
  IamportBusy,
  IamportRefused,
  IamportUnavailable,
  IamportUnexpected,
} from '../../../../functions/application/faults.ts';
import { deadlineIn } from '../../../../functions/shared/clock.ts';
import {
  cancel,
  clientOf,
  getPayment,
  getToken,
  impUid,
  plain,
  reset,
  sharedTokenWith,
  silent,
  token,
  truncated,
} from './client-fixture.ts';
import { cardPayment } from './payments.ts';
import { envelope, ok, type Reply, scripted, tokenReply } from './server.ts';

describe('the token', () => {
  test('fetches the token once, caches and shares it', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t1')], [getPayment]: [ok(cardPayment)] });
    const shared = sharedTokenWith();
    const { client, deadline } = clientOf(server.url, shared);
    await client.payment(impUid, deadline);
    await client.payment(impUid, deadline);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, 't1', 't1']);
    expect(server.seen[0]?.body).toEqual({ imp_key: 'key', imp_secret: 'secret' });
    expect(shared.token).toEqual({ value: 't1', expiresAt: 1_000_000_000 + 1_800_000 });
  });

  test('uses the token of another instance without a fetch or a read of the secret', async () => {
    await using server = await scripted({ [getPayment]: [ok(cardPayment)] });
    const { client, deadline, credentialReads } = clientOf(
      server.url,
      sharedTokenWith({ value: 'shared', expiresAt: 1_000_600_000 }),
    );
    await client.payment(impUid, deadline);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(['shared']);
    expect(credentialReads).toEqual([]);
  });

  test('fetches the token again in the last minute of the lifetime that Iamport returned', async () => {
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

  test('replaces a refused token once, and repeats the call', async () => {
    await using server = await scripted({
      [getToken]: [tokenReply('new')],
      [getPayment]: [envelope(401, -1), ok(cardPayment)],
    });
    const { client, deadline } = clientOf(server.url, sharedTokenWith({ value: 'stale', expiresAt: 1_000_600_000 }));
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(['stale', undefined, 'new']);
  });

  test('replaces a token of another instance that Iamport also refuses', async () => {
    await using server = await scripted({
      [getToken]: [tokenReply('new')],
      [getPayment]: [ok(cardPayment), envelope(401, -1), envelope(401, -1), ok(cardPayment)],
    });
    const shared = sharedTokenWith({ value: 'first', expiresAt: 1_000_600_000 });
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

  test('throws IamportRefused after 3 calls when Iamport refuses every token', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [envelope(401, -1)] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(IamportRefused);
    expect(server.count(getPayment)).toBe(3);
  });

  test('fetches one token for 20 concurrent calls', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await Promise.all(Array.from({ length: 20 }, () => client.payment(impUid, deadline)));
    expect(server.count(getToken)).toBe(1);
  });

  test('reads wrong keys again once, and names their place in the error', async () => {
    await using server = await scripted({ [getToken]: [envelope(401, -1, null, '인증에 실패하였습니다.')] });
    const { client, deadline, credentialReads } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(/imp_key and imp_secret/);
    expect(credentialReads).toEqual([false, true]);
  });

  test('fetches a token when the shared one cannot be read or written', async () => {
    await using server = await scripted({ [getToken]: [tokenReply('t')], [getPayment]: [ok(cardPayment)] });
    const down = () => Promise.reject(new Error('down'));
    const broken = { read: down, claim: down, write: down };
    const { client, deadline } = clientOf(server.url, broken);
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
  });
});

describe('reading a payment', () => {
  test('includes test payments', async () => {
    await using server = await scripted({ ...token, [getPayment]: [ok(cardPayment)] });
    const { client, deadline } = clientOf(server.url);
    await client.payment(impUid, deadline);
    expect(server.seen.at(-1)?.path).toBe('/payments/imp_100000000001?include_sandbox=true');
  });

  test('returns undefined for an unknown payment', async () => {
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
    ['a truncated response', [truncated, ok(cardPayment)]],
    ['a reset connection', [reset, ok(cardPayment)]],
  ])('repeats the call once after %s', async (_name, replies) => {
    await using server = await scripted({ ...token, [getPayment]: replies });
    const { client, deadline } = clientOf(server.url);
    expect((await client.payment(impUid, deadline))?.impUid).toBe(impUid);
    expect(server.count(getPayment)).toBe(2);
  });

  test.each<[string, Reply, unknown]>([
    ['a permanent 500', envelope(500, -1), IamportUnavailable],
    ['a permanently reset connection', reset, IamportUnavailable],
    ['a truncated response each time', truncated, IamportUnavailable],
    [
      'a redirect to another address',
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      IamportUnavailable,
    ],
    ['garbage', plain(200, 'OK'), IamportUnexpected],
    ['a 404 of another server', plain(404, '<html>Not Found</html>'), IamportUnexpected],
    ['a payment of another shape', ok({ ...cardPayment, amount: '14000' }), IamportUnexpected],
    ['another payment than the requested one', ok({ ...cardPayment, imp_uid: 'imp_999' }), IamportUnexpected],
    ['no payment at all', ok(null), IamportUnexpected],
    ['a refusal under HTTP 200', envelope(200, 1, null, '점검 중입니다.'), IamportRefused],
    ['a bad request', envelope(400, -1, null, '잘못된 요청입니다.'), IamportRefused],
  ])('throws the right error for %s', async (_name, reply, kind) => {
    await using server = await scripted({ ...token, [getPayment]: [reply] });
    const { client, deadline } = clientOf(server.url);
    await expect(client.payment(impUid, deadline)).rejects.toThrow(kind as new () => Error);
    expect(server.seen.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  test('throws IamportUnavailable when no server listens', async () => {
    const { client, deadline } = clientOf('http://127.0.0.1:1');
    await expect(client.payment(impUid, deadline)).rejects.toThrow(IamportUnavailable);
  });

  test('throws IamportUnavailable when no response arrives within the remaining time', async () => {
    await using server = await scripted({ ...token, [getPayment]: [silent] });
    const { client, clock } = clientOf(server.url);
    await expect(client.payment(impUid, deadlineIn(clock, 120))).rejects.toThrow(IamportUnavailable);
  });

  test('sends no call when no time is left', async () => {
    await using server = await scripted(token);
    const { client, clock } = clientOf(server.url);
    await expect(client.payment(impUid, deadlineIn(clock, 0))).rejects.toThrow(IamportUnavailable);
    expect(server.seen).toEqual([]);
  });

  test('encodes ids into one segment of the path', async () => {
    await using server = await scripted({
      ...token,
      'GET /payments/find/a%2Fb%3Fc%23%20%EC%A3%BC%EB%AC%B8': [ok(cardPayment)],
    });
    const { client, deadline } = clientOf(server.url);
    expect(await client.newestPayment('a/b?c# 주문', deadline)).toBeDefined();
  });

  test('reads all payments of an order, page by page', async () => {
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

  test('repeats no call, and sends no call until `retry-after` has passed', async () => {
    await using server = await scripted({ ...token, [getPayment]: [busy('20'), ok(cardPayment)] });
    const { client, clock } = clientOf(server.url);
    const readPayment = () => client.payment(impUid, deadlineIn(clock, 10_000));
    expect(await busyError(readPayment())).toEqual({ kind: IamportBusy, ms: 20_000, notSent: false });
    clock.advance(19_999);
    expect(await busyError(readPayment())).toEqual({ kind: IamportBusy, ms: 1, notSent: true });
    expect(await busyError(client.cancel(cancel, deadlineIn(clock, 10_000)))).toMatchObject({ notSent: true });
    expect(server.count(getPayment)).toBe(1);
    clock.advance(1);
    expect((await readPayment())?.impUid).toBe(impUid);
  });

  test('sends no call after a 429 to a token request', async () => {
    await using server = await scripted({ [getToken]: [busy('7')] });
    const { client, deadline } = clientOf(server.url);
    expect(await busyError(client.payment(impUid, deadline))).toEqual({ kind: IamportBusy, ms: 7_000, notSent: true });
    await busyError(client.payment(impUid, deadline));
    expect(server.count(getToken)).toBe(1);
  });

  test.each<[string, string | undefined, number]>([
    ['a date', new Date(1_000_012_000).toUTCString(), 12_000],
    ['no header', undefined, 5_000],
    ['a past date', 'Thu, 01 Jan 1970 00:00:00 GMT', 5_000],
    ['no valid time', 'soon', 5_000],
    ['a zero', '0', 5_000],
    ['an hour', '3600', 60_000],
  ])('waits the right time for %s as `retry-after`', async (_name, value, ms) => {
    await using server = await scripted({ ...token, [getPayment]: [busy(value)] });
    const { client, deadline } = clientOf(server.url);
    expect(await busyError(client.payment(impUid, deadline))).toMatchObject({ ms });
  });
});

/** Reads of payments from the fake Iamport. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awaited, type Caller, paid, start, startCaller } from './caller.ts';

const daySeconds = 86_400;
let iamport: Caller;
beforeEach(async () => {
  iamport = await startCaller();
});
afterEach(() => iamport.close());

const listed = (...impUids: string[]) => ({ list: impUids.map((imp_uid) => expect.objectContaining({ imp_uid })) });

describe('one payment', () => {
  test('an unknown imp_uid gets a 404 with a code', async () => {
    const response = await iamport.call('GET', '/payments/imp_000000000000');
    expect(response).toEqual({ status: 404, code: -1, message: expect.any(String), response: null });
  });

  test('a payment of a test channel is visible only with include_sandbox', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, sandbox: true });
    iamport.ledger.pay(imp_uid);
    expect(await iamport.call('GET', `/payments/${imp_uid}`)).toMatchObject({ status: 404 });
    expect(await iamport.call('GET', `/payments/${imp_uid}?include_sandbox=false`)).toMatchObject({ status: 404 });
    expect(await iamport.call('GET', '/payments/find/order-1')).toMatchObject({ status: 404 });
    expect(await iamport.call('GET', '/payments/status/paid')).toMatchObject({ response: { total: 0 } });
    const shown = await iamport.call('GET', `/payments/${imp_uid}?include_sandbox=true`);
    expect(shown).toMatchObject({ status: 200, response: { imp_uid, sandbox: true } });
  });

  test('a payment of a sub-merchant is returned and cancelled only with its code', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, tier: 'T001' });
    iamport.ledger.pay(imp_uid);
    for (const other of [{}, { tier: 'T002' }]) {
      expect(await iamport.call('GET', `/payments/${imp_uid}`, other)).toMatchObject({ status: 404 });
      expect(await iamport.call('GET', '/payments/find/order-1', other)).toMatchObject({ status: 404 });
      expect(await iamport.call('GET', '/payments/status/paid', other)).toMatchObject({ response: { total: 0 } });
      const refused = await iamport.call('POST', '/payments/cancel', { json: { imp_uid }, ...other });
      expect(refused).toMatchObject({ code: -1, response: null });
    }
    const own = { tier: 'T001' };
    expect(await iamport.call('GET', `/payments/${imp_uid}`, own)).toMatchObject({ response: { imp_uid } });
    expect(await iamport.call('GET', '/payments/status/paid', own)).toMatchObject({ response: { total: 1 } });
    const cancelled = await iamport.call('POST', '/payments/cancel', { json: { imp_uid }, ...own });
    expect(cancelled).toMatchObject({ code: 0, response: { status: 'cancelled' } });
  });

  test('an opened window is a ready payment with all other times 0', async () => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000, channel: 'mobile' });
    expect(imp_uid).toMatch(/^imp_\d{12}$/);
    expect(await iamport.call('GET', `/payments/${imp_uid}`)).toMatchObject({
      response: { status: 'ready', channel: 'mobile', started_at: start, paid_at: 0, failed_at: 0, vbank_num: null },
    });
  });
});

describe('the payments of an order', () => {
  test('find returns the newest, or the newest of a status', async () => {
    const first = paid(iamport);
    iamport.at.seconds += 1;
    const { imp_uid: second } = iamport.ledger.open({ merchant_uid: 'order-1', amount: 14000 });
    expect(await iamport.call('GET', '/payments/find/order-1')).toMatchObject({ response: { imp_uid: second } });
    expect(await iamport.call('GET', '/payments/find/order-1/paid')).toMatchObject({ response: { imp_uid: first } });
    expect(await iamport.call('GET', '/payments/find/order-1?sorting=started')).toMatchObject({
      response: { imp_uid: first },
    });
    expect(await iamport.call('GET', '/payments/find/order-1/failed')).toMatchObject({ status: 404 });
    expect(await iamport.call('GET', '/payments/find/order-1/gone')).toMatchObject({ status: 400 });
  });

  test('two that started in the same second are sorted by creation', async () => {
    paid(iamport);
    const second = paid(iamport);
    expect(await iamport.call('GET', '/payments/find/order-1')).toMatchObject({ response: { imp_uid: second } });
  });

  test('findAll pages through all of them, newest first', async () => {
    const uids = Array.from({ length: 5 }, () => paid(iamport));
    paid(iamport, 'order-2');
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = uids;
    expect(await iamport.call('GET', '/payments/findAll/order-1?limit=2')).toMatchObject({
      response: { total: 5, previous: 0, next: 2, ...listed(fifth, fourth) },
    });
    expect(await iamport.call('GET', '/payments/findAll/order-1?limit=2&page=2')).toMatchObject({
      response: { previous: 1, next: 3, ...listed(third, second) },
    });
    expect(await iamport.call('GET', '/payments/findAll/order-1?limit=2&page=3')).toMatchObject({
      response: { previous: 2, next: 0, ...listed(first) },
    });
    expect(await iamport.call('GET', '/payments/findAll/order-1?limit=2&page=4')).toMatchObject({ status: 400 });
    expect(await iamport.call('GET', '/payments/findAll/order-1?limit=1001')).toMatchObject({ status: 400 });
    expect(await iamport.call('GET', '/payments/findAll/unknown')).toMatchObject({ status: 404 });
  });

  test('a page has 20 payments by default', async () => {
    for (let count = 0; count < 21; count += 1) paid(iamport);
    expect(await iamport.call('GET', '/payments/findAll/order-1')).toMatchObject({ response: { total: 21, next: 2 } });
  });
});

describe('several at once', () => {
  test('are returned together, with a 207 when some are missing', async () => {
    const first = paid(iamport, 'order-1');
    const second = paid(iamport, 'order-2');
    const both = await iamport.call('GET', `/payments?imp_uid[]=${first}&merchant_uid[]=order-2`);
    expect(both).toMatchObject({ status: 200, response: [{ imp_uid: first }, { imp_uid: second }] });
    const one = await iamport.call('GET', `/payments?imp_uid[]=${first}&imp_uid[]=imp_000000000000`);
    expect(one).toMatchObject({ status: 207, code: 0, response: [{ imp_uid: first }] });
    expect(await iamport.call('GET', '/payments?imp_uid[]=imp_000000000000')).toMatchObject({ status: 404 });
  });

  test('are at most 100', async () => {
    const uid = paid(iamport);
    const query = (count: number) => Array.from({ length: count }, () => `imp_uid[]=${uid}`).join('&');
    expect(await iamport.call('GET', `/payments?${query(100)}`)).toMatchObject({ status: 200 });
    expect(await iamport.call('GET', `/payments?${query(101)}`)).toMatchObject({ status: 400 });
  });
});

describe('the ledger by status', () => {
  test('each status is filtered by its own time, both ends included', async () => {
    const window = iamport.ledger.open({ merchant_uid: 'left', amount: 1000 }).imp_uid;
    const account = awaited(iamport, 'account');
    const { imp_uid: failed } = iamport.ledger.open({ merchant_uid: 'failed', amount: 1000 });
    const { imp_uid: bought } = iamport.ledger.open({ merchant_uid: 'bought', amount: 1000 });
    const returned = paid(iamport, 'returned');
    iamport.at.seconds = start + 100;
    iamport.ledger.fail(failed, '한도초과');
    iamport.at.seconds = start + 200;
    iamport.ledger.pay(bought);
    iamport.at.seconds = start + 300;
    iamport.ledger.cancelInConsole(returned, 10);

    const total = async (status: string, from: number, to: number) => {
      const query = `from=${start + from}&to=${start + to}`;
      const { response } = await iamport.call('GET', `/payments/status/${status}?${query}`);
      return (response as { list: { imp_uid: string }[] }).list.map((payment) => payment.imp_uid);
    };
    expect(await total('ready', 0, 0)).toEqual([account, window]);
    expect(await total('failed', 100, 100)).toEqual([failed]);
    expect(await total('failed', 0, 99)).toEqual([]);
    expect(await total('paid', 200, 250)).toEqual([bought]);
    expect(await total('paid', 0, 199)).toEqual([]);
    expect(await total('cancelled', 250, 300)).toEqual([returned]);
    expect(await total('cancelled', 0, 299)).toEqual([]);
    expect(await total('all', 100, 300)).toEqual([returned, bought, failed]);
  });

  test('without from and to it returns the last 90 days', async () => {
    paid(iamport, 'old');
    iamport.at.seconds += 90 * daySeconds;
    expect(await iamport.call('GET', '/payments/status/paid')).toMatchObject({ response: { total: 1 } });
    iamport.at.seconds += 1;
    expect(await iamport.call('GET', '/payments/status/paid')).toMatchObject({ response: { total: 0 } });
    const earlier = await iamport.call('GET', `/payments/status/paid?to=${start}`);
    expect(earlier).toMatchObject({ response: { total: 1 } });
  });

  test.each([
    ['a span of more than 90 days', `status/paid?from=${start - 90 * daySeconds - 1}&to=${start}`],
    ['a span that ends before it begins', `status/paid?from=${start}&to=${start - 1}`],
    ['a status that does not exist', 'status/refunded'],
    ['a sorting that does not exist', 'status/paid?sorting=amount'],
    ['a page that does not exist', 'status/paid?page=2'],
  ])('%s gets a 400', async (_case, path) => {
    expect(await iamport.call('GET', `/payments/${path}`)).toMatchObject({ status: 400, code: -1, response: null });
  });

  test.each([
    ['-started', ['order-3', 'order-2', 'order-1']],
    ['started', ['order-1', 'order-2', 'order-3']],
    ['-paid', ['order-1', 'order-3', 'order-2']],
    ['paid', ['order-2', 'order-3', 'order-1']],
    ['-updated', ['order-2', 'order-1', 'order-3']],
    ['updated', ['order-3', 'order-1', 'order-2']],
  ])('sorting=%s', async (sorting, expected) => {
    const uids = ['order-1', 'order-2', 'order-3'].map((merchant_uid) => {
      iamport.at.seconds += 1;
      return iamport.ledger.open({ merchant_uid, amount: 1000 }).imp_uid;
    });
    const [first = '', second = '', third = ''] = uids;
    for (const uid of [second, third, first]) {
      iamport.at.seconds += 1;
      iamport.ledger.pay(uid);
    }
    iamport.at.seconds += 1;
    iamport.ledger.cancelInConsole(second, 1);
    const { response } = await iamport.call('GET', `/payments/status/all?sorting=${sorting}`);
    expect(response).toMatchObject({ list: expected.map((merchant_uid) => ({ merchant_uid })) });
  });
});

/** The access tokens of the fake Iamport follow Iamport's rules. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Caller, paid, start, startCaller } from './caller.ts';

let iamport: Caller;
beforeEach(async () => {
  iamport = await startCaller();
});
afterEach(() => iamport.close());

test('a token expires after 30 minutes by the time in its response', async () => {
  expect(await iamport.token()).toMatchObject({ now: 1_800_000_000, expired_at: 1_800_001_800 });
});

test.each([
  ['a second later', 1, 1800],
  ['61 seconds before its end', 1739, 1800],
  ['60 seconds before its end, five minutes longer', 1740, 2100],
  ['in its last second, five minutes longer', 1799, 2100],
])('returns the same token %s', async (_when, secondsLater, endsAfter) => {
  const first = await iamport.token();
  iamport.at.seconds += secondsLater;
  const again = await iamport.token();
  expect(again.access_token).toBe(first.access_token);
  expect(again.expired_at).toBe(start + endsAfter);
  expect(again.now).toBe(start + secondsLater);
});

test('an extended token is extended again only in its new last minute', async () => {
  await iamport.token();
  iamport.at.seconds = start + 1750;
  await iamport.token();
  iamport.at.seconds = start + 1751;
  expect((await iamport.token()).expired_at).toBe(start + 2100);
});

test('issues a new token after the expiry, and the old one gets a 401', async () => {
  const first = await iamport.token();
  const impUid = paid(iamport);
  iamport.at.seconds += 1800;
  const old = await iamport.call('GET', `/payments/${impUid}`, { authorization: first.access_token });
  expect(old).toEqual({ status: 401, code: -1, message: expect.any(String), response: null });
  const second = await iamport.token();
  expect(second.access_token).not.toBe(first.access_token);
  expect(second.expired_at).toBe(start + 3600);
});

test.each(['', 'Bearer '])('accepts the header with the prefix "%s"', async (prefix) => {
  const impUid = paid(iamport);
  const { access_token } = await iamport.token();
  const response = await iamport.call('GET', `/payments/${impUid}`, { authorization: prefix + access_token });
  expect(response).toMatchObject({ status: 200, code: 0, message: null, response: { imp_uid: impUid } });
});

test.each([{ imp_key: 'local', imp_secret: 'wrong' }, { imp_key: 'wrong', imp_secret: 'local' }, { imp_key: 'local' }])(
  'the keys %j get a 401',
  async (json) => {
    expect(await iamport.call('POST', '/users/getToken', { json })).toMatchObject({
      status: 401,
      code: -1,
      response: null,
    });
  },
);

test('accepts the keys as a form too', async () => {
  const response = await iamport.call('POST', '/users/getToken', { form: { imp_key: 'local', imp_secret: 'local' } });
  expect(response).toMatchObject({ status: 200, code: 0, response: { now: start } });
});

test.each([
  ['GET', '/payments/imp_000000000000'],
  ['GET', '/payments/find/order-1'],
  ['GET', '/payments/findAll/order-1'],
  ['GET', '/payments/status/all'],
  ['GET', '/payments?imp_uid[]=imp_000000000000'],
  ['POST', '/payments/cancel'],
  ['POST', '/payments/prepare'],
  ['DELETE', '/vbanks/imp_000000000000'],
])('%s %s without a token gets a 401', async (method, path) => {
  expect(await iamport.call(method, path, { authorization: '' })).toMatchObject({ status: 401, code: -1 });
});

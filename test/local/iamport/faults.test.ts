/** The injected faults of the fake Iamport, from the side of a caller. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../local/iamport/faults.ts';
import { type Caller, paid, startCaller } from './caller.ts';

let iamport: Caller;
let impUid: string;
let authorization: string;
beforeEach(async () => {
  iamport = await startCaller();
  impUid = paid(iamport);
  authorization = (await iamport.token()).access_token;
});
afterEach(() => iamport.close());

const inject = (fault: Fault) =>
  fetch(`${iamport.url}/__control/faults`, { method: 'POST', body: JSON.stringify(fault) });
const read = () => iamport.call('GET', `/payments/${impUid}`, { authorization });
const ok = { status: 200, code: 0, response: { status: 'paid' } };

test('returns an HTTP status for only the next two calls of a path', async () => {
  await inject({ path: '/payments', status: 503, times: 2 });
  expect((await iamport.token()).access_token).toBe(authorization);
  expect(await read()).toMatchObject({ status: 503, code: -1 });
  expect(await read()).toMatchObject({ status: 503, code: -1 });
  expect(await read()).toMatchObject(ok);
});

test('a fault of one method does not affect the others', async () => {
  await inject({ path: '/payments', method: 'POST', status: 500 });
  expect(await read()).toMatchObject(ok);
});

test('delays a correct response', async () => {
  await inject({ path: '/payments', delayMs: 200 });
  const before = performance.now();
  expect(await read()).toMatchObject(ok);
  expect(performance.now() - before).toBeGreaterThan(190);
});

test('returns a body that is not JSON', async () => {
  await inject({ path: '/payments', answer: 'garbage' });
  await expect(read()).rejects.toThrow(SyntaxError);
});

test.each(['half', 'reset'] as const)('breaks off a response: %s', async (answer) => {
  await inject({ path: '/payments', answer });
  await expect(read()).rejects.toThrow(TypeError);
  expect(await read()).toMatchObject(ok);
});

test.each([
  [true, 14000],
  [false, 0],
])('loses the response to a cancel that was performed: %s', async (performed, cancelled) => {
  await inject({ path: '/payments/cancel', answer: 'reset', performed });
  const json = { imp_uid: impUid };
  await expect(iamport.call('POST', '/payments/cancel', { json, authorization })).rejects.toThrow(TypeError);
  expect(iamport.ledger.payment(impUid).cancel_amount).toBe(cancelled);
});

test('removes all faults at once', async () => {
  await inject({ path: '/', status: 500, times: 1000 });
  await fetch(`${iamport.url}/__control/faults`, { method: 'DELETE' });
  expect(await read()).toMatchObject(ok);
});

test('invalidates a token early', async () => {
  await fetch(`${iamport.url}/__control/tokens/expire`, { method: 'POST' });
  expect(await read()).toMatchObject({ status: 401 });
});

test('counts calls of the API, not those of the control page', async () => {
  await fetch(`${iamport.url}/__control/requests`, { method: 'DELETE' });
  const counts = async () => (await fetch(`${iamport.url}/__control/requests`)).json();
  expect(await counts()).toEqual({ total: 0, paths: {} });
  await read();
  await read();
  expect(await counts()).toEqual({ total: 2, paths: { [`GET /payments/${impUid}`]: 2 } });
});

test('close does not wait for a delayed response', async () => {
  await inject({ path: '/payments', delayMs: 60_000 });
  const lost = expect(read()).rejects.toThrow(TypeError);
  await expect.poll(() => iamport.faults.calls.at(-1)).toBe(`GET /payments/${impUid}`);
  await iamport.close();
  await lost;
  iamport = await startCaller();
});

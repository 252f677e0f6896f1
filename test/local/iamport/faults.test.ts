/** The faults that the sandbox can be asked for, as a caller meets them. */

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
const read = () => iamport.ask('GET', `/payments/${impUid}`, { authorization });
const right = { status: 200, code: 0, response: { status: 'paid' } };

test('an HTTP status for the next two calls of a path, and no other', async () => {
  await inject({ path: '/payments', status: 503, times: 2 });
  expect((await iamport.token()).access_token).toBe(authorization);
  expect(await read()).toMatchObject({ status: 503, code: -1 });
  expect(await read()).toMatchObject({ status: 503, code: -1 });
  expect(await read()).toMatchObject(right);
});

test('a fault of one method leaves the others alone', async () => {
  await inject({ path: '/payments', method: 'POST', status: 500 });
  expect(await read()).toMatchObject(right);
});

test('a right answer that is late', async () => {
  await inject({ path: '/payments', delayMs: 200 });
  const before = performance.now();
  expect(await read()).toMatchObject(right);
  expect(performance.now() - before).toBeGreaterThan(190);
});

test('an answer that is not JSON', async () => {
  await inject({ path: '/payments', answer: 'garbage' });
  await expect(read()).rejects.toThrow(SyntaxError);
});

test.each(['half', 'reset'] as const)('an answer that breaks off: %s', async (answer) => {
  await inject({ path: '/payments', answer });
  await expect(read()).rejects.toThrow(TypeError);
  expect(await read()).toMatchObject(right);
});

test.each([
  [true, 14000],
  [false, 0],
])('a lost answer to a cancel that was performed: %s', async (performed, cancelled) => {
  await inject({ path: '/payments/cancel', answer: 'reset', performed });
  const json = { imp_uid: impUid };
  await expect(iamport.ask('POST', '/payments/cancel', { json, authorization })).rejects.toThrow(TypeError);
  expect(iamport.ledger.payment(impUid).cancel_amount).toBe(cancelled);
});

test('all faults are taken back at once', async () => {
  await inject({ path: '/', status: 500, times: 1000 });
  await fetch(`${iamport.url}/__control/faults`, { method: 'DELETE' });
  expect(await read()).toMatchObject(right);
});

test('a token is made worthless before its time', async () => {
  await fetch(`${iamport.url}/__control/tokens/expire`, { method: 'POST' });
  expect(await read()).toMatchObject({ status: 401 });
});

test('calls of the API are counted, the control page is not', async () => {
  await fetch(`${iamport.url}/__control/requests`, { method: 'DELETE' });
  const counts = async () => (await fetch(`${iamport.url}/__control/requests`)).json();
  expect(await counts()).toEqual({ total: 0, paths: {} });
  await read();
  await read();
  expect(await counts()).toEqual({ total: 2, paths: { [`GET /payments/${impUid}`]: 2 } });
});

test('closing does not wait for an answer that is being delayed', async () => {
  await inject({ path: '/payments', delayMs: 60_000 });
  const lost = expect(read()).rejects.toThrow(TypeError);
  await expect.poll(() => iamport.faults.calls.at(-1)).toBe(`GET /payments/${impUid}`);
  await iamport.close();
  await lost;
  iamport = await startCaller();
});

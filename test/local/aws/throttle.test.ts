/** Throttling of the routes by the stage of the template. The clock is an argument. */

import { expect, it } from 'vitest';
import { Throttle } from '../../../local/aws/throttle.ts';
import { echo, send, startGateway } from './fixture.ts';

const stage = {
  DefaultRouteSettings: { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 2 },
  RouteSettings: { 'POST /payments/webhook': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 3 } },
};
const start = Date.UTC(2026, 10, 23, 8, 0, 0);

it('allows a burst, and rejects further calls', () => {
  const throttle = new Throttle(stage);
  expect([0, 0, 0, 0].map((ms) => throttle.allows('GET /x', start + ms))).toEqual([true, true, false, false]);
  expect([0, 0, 0, 0].map((ms) => throttle.allows('POST /payments/webhook', start + ms))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

it('refills with time, never beyond the burst', () => {
  const throttle = new Throttle(stage);
  const allows = (ms: number) => throttle.allows('GET /x', start + ms);
  expect([allows(0), allows(0), allows(0)]).toEqual([true, true, false]);
  expect([allows(99), allows(100), allows(101)]).toEqual([false, true, false]);
  expect([allows(60_000), allows(60_000), allows(60_000)]).toEqual([true, true, false]);
});

it('counts each route separately', () => {
  const throttle = new Throttle(stage);
  for (let calls = 0; calls < 5; calls += 1) throttle.allows('POST /payments/webhook', start);
  expect(throttle.allows('GET /x', start)).toBe(true);
});

it('allows every call on a stage without limits', () => {
  const throttle = new Throttle({});
  expect(Array.from({ length: 1_000 }, () => throttle.allows('GET /x', start)).every(Boolean)).toBe(true);
});

it('a throttled call is a 429 and invokes no function', async () => {
  const slow = { DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 } };
  const gateway = await startGateway({ routes: ['GET /echo'], code: echo, stage: slow });
  expect((await send(gateway.host, { path: '/echo' })).status).toBe(200);
  const throttled = await send(gateway.host, { path: '/echo' });
  expect([throttled.status, throttled.json]).toEqual([429, { message: 'Too Many Requests' }]);
  await gateway.close();
});

/** How many calls a route takes, by the stage of the template. The clock is an argument. */

import { expect, it } from 'vitest';
import { Throttle } from '../../../local/aws/throttle.ts';
import { echo, send, startGateway } from './fixture.ts';

const stage = {
  DefaultRouteSettings: { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 2 },
  RouteSettings: { 'POST /payments/webhook': { ThrottlingRateLimit: 1, ThrottlingBurstLimit: 3 } },
};
const start = Date.UTC(2026, 10, 23, 8, 0, 0);

it('a burst is let through, and what is more is not', () => {
  const throttle = new Throttle(stage);
  expect([0, 0, 0, 0].map((ms) => throttle.lets('GET /x', start + ms))).toEqual([true, true, false, false]);
  expect([0, 0, 0, 0].map((ms) => throttle.lets('POST /payments/webhook', start + ms))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

it('room comes back with time, and never more than the burst', () => {
  const throttle = new Throttle(stage);
  const lets = (ms: number) => throttle.lets('GET /x', start + ms);
  expect([lets(0), lets(0), lets(0)]).toEqual([true, true, false]);
  expect([lets(99), lets(100), lets(101)]).toEqual([false, true, false]);
  expect([lets(60_000), lets(60_000), lets(60_000)]).toEqual([true, true, false]);
});

it('one route does not take the room of another', () => {
  const throttle = new Throttle(stage);
  for (let calls = 0; calls < 5; calls += 1) throttle.lets('POST /payments/webhook', start);
  expect(throttle.lets('GET /x', start)).toBe(true);
});

it('a stage without limits lets everything through', () => {
  const throttle = new Throttle({});
  expect(Array.from({ length: 1_000 }, () => throttle.lets('GET /x', start)).every(Boolean)).toBe(true);
});

it('a call too many is a 429 that no function sees', async () => {
  const slow = { DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 } };
  const gateway = await startGateway({ routes: ['GET /echo'], code: echo, stage: slow });
  expect((await send(gateway.host, { path: '/echo' })).status).toBe(200);
  const turnedAway = await send(gateway.host, { path: '/echo' });
  expect([turnedAway.status, turnedAway.json]).toEqual([429, { message: 'Too Many Requests' }]);
  await gateway.close();
});

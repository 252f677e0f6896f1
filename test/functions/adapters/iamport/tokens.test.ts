/** One access token for all instances: stored in the table, fetched by one instance, and never a reason to fail a payment. */

import { expect, test } from 'vitest';
import { createSharedToken } from '../../../../functions/adapters/dynamodb/state.ts';
import { table } from '../../../../functions/adapters/dynamodb/table.ts';
import { iamportClient } from '../../../../functions/adapters/iamport/client.ts';
import { type SharedToken, type Token, tokensFrom } from '../../../../functions/adapters/iamport/tokens.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { systemClock } from '../../../../functions/runtime/clock.ts';
import { type Clock, deadlineIn } from '../../../../functions/shared/clock.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { cardPayment } from './payments.ts';
import { envelope, ok, scripted, tokenReply } from './server.ts';

/** A clock that advances only by `sleep` and `advance`. */
function steppedClock(now = 1_000_000_000): Clock & { advance(ms: number): void } {
  let ms = now;
  const advance = (by: number) => {
    ms += by;
  };
  return { now: () => ms, sleep: async (by) => advance(by), advance };
}

async function sharedToken(): Promise<SharedToken> {
  const { client, names } = await freshTables();
  return createSharedToken(table(client, names.state));
}

/** Counts the fetches, and returns `token-1`, `token-2` and so on, each for half an hour. */
function fetching(clock: Clock, takesMs = 0) {
  const counted = { fetches: 0 };
  const fetchToken = async (): Promise<Token> => {
    counted.fetches += 1;
    const value = `token-${counted.fetches}`;
    await systemClock.sleep(takesMs);
    return { value, expiresAt: clock.now() + 1_800_000 };
  };
  return { counted, fetchToken };
}

test('fetches one token for 200 instances that start concurrently without one', async () => {
  // Sleeps take real time, but `now` is constant: no claim expires, however slow the machine is with 200 instances.
  const clock: Clock = { now: () => 1_000_000_000, sleep: systemClock.sleep };
  const shared = await sharedToken();
  const { counted, fetchToken } = fetching(clock, 40);
  const tokens = await Promise.all(
    Array.from({ length: 200 }, () =>
      tokensFrom(fetchToken, shared, clock, Math.random).current(deadlineIn(clock, 10_000)),
    ),
  );
  expect(new Set(tokens)).toEqual(new Set(['token-1']));
  expect(counted.fetches).toBe(1);
});

test('renews the token in its last minute by one instance, and the others use it meanwhile', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.write({ value: 'old', expiresAt: clock.now() + 30_000 });
  const [started, fetched] = [Promise.withResolvers<void>(), Promise.withResolvers<Token>()];
  const fetchToken = () => {
    started.resolve();
    return fetched.promise;
  };
  const renewed = tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000));
  await started.promise;
  const other = fetching(clock);
  const meanwhile = await tokensFrom(other.fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000));
  fetched.resolve({ value: 'token-1', expiresAt: clock.now() + 1_800_000 });
  expect([await renewed, meanwhile]).toEqual(['token-1', 'old']);
  expect(other.counted.fetches).toBe(0);
  expect(await shared.read()).toMatchObject({ token: { value: 'token-1' } });
});

test('takes over the claim of an instance that died after 3 seconds', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  expect(await shared.claim(undefined, clock.now())).toEqual({ claimed: true });
  const { counted, fetchToken } = fetching(clock);
  const begin = clock.now();
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
  expect(counted.fetches).toBe(1);
  expect(clock.now() - begin).toBe(3_100);
});

test('writes no claim while the table shows the claim of another instance', async () => {
  const clock = steppedClock();
  const stored = await sharedToken();
  await stored.claim(undefined, clock.now());
  let claims = 0;
  const shared: SharedToken = {
    ...stored,
    claim: (seen, now) => {
      claims += 1;
      return stored.claim(seen, now);
    },
  };
  const { fetchToken } = fetching(clock);
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
  // The one that succeeds, once the other claim has expired.
  expect(claims).toBe(1);
});

test('fetches a token itself after it has waited half of its time for another instance', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.claim(undefined, clock.now() + 60_000);
  const { fetchToken } = fetching(clock);
  const begin = clock.now();
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
  expect(clock.now() - begin).toBe(5_100);
});

test('replaces a wrong token in the table after one 401 and one refresh, for all instances', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  // Its expiry is later than that of any token of Iamport.
  await shared.write({ value: 'wrong', expiresAt: clock.now() + 9_000_000 });
  const payment = 'GET /payments/imp_100000000001';
  await using server = await scripted({
    'POST /users/getToken': [tokenReply('right')],
    [payment]: [envelope(401, -1), ok(cardPayment)],
  });
  const instance = () => {
    const credentials = async () => ({ impKey: 'key', impSecret: 'secret' });
    const transport = undiciTransport(server.url);
    return iamportClient({ transport, credentials, sharedToken: shared, clock, random: () => 0.5 });
  };
  for (let instances = 0; instances < 3; instances += 1) {
    const found = await instance().payment('imp_100000000001', deadlineIn(clock, 10_000));
    expect(found?.impUid).toBe('imp_100000000001');
  }
  expect(server.seen.map(({ authorization }) => authorization)).toEqual([
    'wrong',
    undefined,
    'right',
    'right',
    'right',
  ]);
});

test('does not use an expired token', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.write({ value: 'expired', expiresAt: clock.now() - 1 });
  const { fetchToken } = fetching(clock);
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
});

test('fetches a token in the request after a fetch at init ran out of time', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  const calls: number[] = [];
  const fetchToken = async (deadline: { leftMs(): number }): Promise<Token> => {
    calls.push(deadline.leftMs());
    await systemClock.sleep(20);
    if (deadline.leftMs() < 5_000) throw new Error('no time left');
    return { value: 'token', expiresAt: clock.now() + 1_800_000 };
  };
  const tokens = tokensFrom(fetchToken, shared, clock, () => 0.5);
  const atInit = tokens.current(deadlineIn(clock, 2_000));
  const inRequest = tokens.current(deadlineIn(clock, 30_000));
  await expect(atInit).rejects.toThrow('no time left');
  expect(await inRequest).toBe('token');
  expect(calls).toHaveLength(2);
});

/** One access token for all instances: kept in the table, fetched by one of those who miss it, never in the way of a payment. */

import { expect, test } from 'vitest';
import { sharedTokenIn } from '../../../../functions/adapters/dynamodb/state.ts';
import { table } from '../../../../functions/adapters/dynamodb/table.ts';
import { iamportClient } from '../../../../functions/adapters/iamport/client.ts';
import { type SharedToken, type Token, tokensFrom } from '../../../../functions/adapters/iamport/tokens.ts';
import { undiciTransport } from '../../../../functions/adapters/iamport/transport.ts';
import { systemClock } from '../../../../functions/runtime/clock.ts';
import { type Clock, deadlineIn } from '../../../../functions/shared/clock.ts';
import { freshTables } from '../../../support/dynamodb.ts';
import { cardPayment } from './payments.ts';
import { envelope, ok, scripted, tokenReply } from './server.ts';

/** Time that passes only when somebody waits. */
function steppedClock(now = 1_000_000_000): Clock & { advance(ms: number): void } {
  let ms = now;
  const advance = (by: number) => {
    ms += by;
  };
  return { now: () => ms, sleep: async (by) => advance(by), advance };
}

async function sharedToken(): Promise<SharedToken> {
  const { client, names } = await freshTables();
  return sharedTokenIn(table(client, names.state));
}

/** Counts, and hands out `token-1`, `token-2` and so on, each for half an hour. */
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

test('200 instances that start at once without a token ask Iamport for it once', async () => {
  // Whoever waits does, but no claim runs out, however long a slow machine takes for 200 of them.
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

test('in its last minute one instance renews the token, and the others go on with it meanwhile', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.write({ value: 'old', expiresAt: clock.now() + 30_000 });
  const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<Token>()];
  const fetchToken = () => {
    begun.resolve();
    return answered.promise;
  };
  const renewed = tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000));
  await begun.promise;
  const other = fetching(clock);
  const meanwhile = await tokensFrom(other.fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000));
  answered.resolve({ value: 'token-1', expiresAt: clock.now() + 1_800_000 });
  expect([await renewed, meanwhile]).toEqual(['token-1', 'old']);
  expect(other.counted.fetches).toBe(0);
  expect(await shared.read()).toMatchObject({ value: 'token-1' });
});

test('the claim of an instance that died is taken over after 3 seconds', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  expect(await shared.claim(undefined, clock.now())).toEqual({ claimed: true });
  const { counted, fetchToken } = fetching(clock);
  const begin = clock.now();
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
  expect(counted.fetches).toBe(1);
  expect(clock.now() - begin).toBe(3_100);
});

test('who has waited half of its time for another instance asks Iamport itself', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.claim(undefined, clock.now() + 60_000);
  const { fetchToken } = fetching(clock);
  const begin = clock.now();
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
  expect(clock.now() - begin).toBe(5_100);
});

test('a wrong token in the table costs one 401 and one refresh, and then nobody else meets it', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  // It says of itself that it lives longer than any that Iamport issues.
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

test('an expired token is not tried', async () => {
  const clock = steppedClock();
  const shared = await sharedToken();
  await shared.write({ value: 'expired', expiresAt: clock.now() - 1 });
  const { fetchToken } = fetching(clock);
  expect(await tokensFrom(fetchToken, shared, clock, () => 0.5).current(deadlineIn(clock, 10_000))).toBe('token-1');
});

test('a request does not fail because init had too little time', async () => {
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

/** The key of the shop's server: which keys are admitted, and when the secret is read. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { beforeEach, describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../functions/application/faults.ts';
import { Problem } from '../../functions/http/problem.ts';
import { checkKey, keyIn } from '../../functions/http/shop-key.ts';
import { iamAuth, shopAuth } from '../../functions/runtime/shop-auth.ts';
import { type ShopKeySecret, type ShopRight, shopKeysOf } from '../../functions/shared/shop-keys.ts';

const text = (letter: string): string => letter.repeat(43) + letter.toUpperCase().repeat(43);
const [current, previous] = [text('a'), text('b')];
const ordersKey = (of: string): string => shopKeysOf({ current: of }).orders[0] ?? '';
const moneyKey = (of: string): string => shopKeysOf({ current: of }).money[0] ?? '';

describe('the header', () => {
  test.each([
    [`Bearer ${moneyKey(current)}`, moneyKey(current)],
    [`bearer   ${ordersKey(current)}`, ordersKey(current)],
    ['', undefined],
    [moneyKey(current), undefined],
    [`Basic ${moneyKey(current)}`, undefined],
    [`Bearer ${moneyKey(current)} `, undefined],
    [`Bearer ${moneyKey(current)}, Bearer ${moneyKey(previous)}`, undefined],
    [`Bearer ${moneyKey(current)},Bearer ${moneyKey(current)}`, undefined],
    [`Bearer sk_admin_${'a'.repeat(43)}`, undefined],
    ['Bearer sk_money_', undefined],
    [`Bearer sk_money_${'a'.repeat(201)}`, undefined],
    [`Bearer sk_money_${'a'.repeat(42)}ä`, undefined],
    [`Bearer sk_money_${'a'.repeat(42)}\u0430`, undefined],
    ['Bearer sk_money_aaaaa\n', undefined],
  ])('of %j has the key %s', (authorization, key) => {
    expect(keyIn({ headers: { authorization } })).toBe(key);
  });

  test('of ten megabytes is refused within a fraction of a second', () => {
    // The time of the processor: on a busy machine the real time says nothing about the check.
    const before = process.threadCpuUsage();
    expect(
      keyIn({ headers: { authorization: `Bearer ${' '.repeat(5_000_000)}${'a'.repeat(5_000_000)}` } }),
    ).toBeUndefined();
    const { user, system } = process.threadCpuUsage(before);
    expect(user + system).toBeLessThan(2_000_000);
  });
});

describe('a key', () => {
  const keys = shopKeysOf({ current, previous });

  test.each<[string, string, ShopRight, string]>([
    ['for money', moneyKey(current), 'money', 'accepted'],
    ['for money, on a route for orders', moneyKey(current), 'orders', 'accepted'],
    ['for orders', ordersKey(current), 'orders', 'accepted'],
    ['for orders, on a route for money', ordersKey(current), 'money', 'insufficient'],
    ['for money, before the rotation', moneyKey(previous), 'money', 'accepted'],
    ['for orders, before the rotation', ordersKey(previous), 'orders', 'accepted'],
    ['for orders, before the rotation, on a route for money', ordersKey(previous), 'money', 'insufficient'],
    ['with another prefix', moneyKey(current).replace('sk_money_', 'sk_orders_'), 'orders', 'unknown'],
    ['cut by one character', moneyKey(current).slice(0, -1), 'money', 'unknown'],
    ['with one character more', `${moneyKey(current)}A`, 'money', 'unknown'],
    ['in lower case', moneyKey(current).toLowerCase(), 'money', 'unknown'],
    ['that is only the prefix', 'sk_money_', 'money', 'unknown'],
  ])('%s, is %4$s', (_name, key, right, result) => {
    expect(checkKey(key, keys, right)).toBe(result);
  });

  test('that is retired is unknown', () => {
    expect(checkKey(moneyKey(previous), shopKeysOf({ current }), 'money')).toBe('unknown');
  });
});

describe('the secret', () => {
  let now: number;
  let reads: number;
  let secret: ShopKeySecret | Error;
  beforeEach(() => {
    [now, reads, secret] = [1_000_000, 0, { current }];
  });
  const clock = { now: () => now, sleep: async () => undefined };
  const auth = (right: ShopRight = 'money') =>
    shopAuth(
      async () => {
        reads += 1;
        if (secret instanceof Error) throw secret;
        return shopKeysOf(secret);
      },
      clock,
      right,
    );
  const requestContext = {} as APIGatewayProxyEventV2['requestContext'];
  const withKey = (key: string) => ({ headers: { authorization: `Bearer ${key}` }, requestContext });
  const codeOf = (promise: Promise<void>) =>
    promise.then(
      () => 'admitted',
      (error: unknown) => (error instanceof Problem ? error.code : (error as Error).name),
    );

  test('is read once for many requests', async () => {
    const admit = auth().admit;
    for (let count = 0; count < 5; count += 1) expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('admitted');
    expect(reads).toBe(1);
  });

  test('is not read for a request without a key', async () => {
    expect(await codeOf(auth().admit({ headers: {}, requestContext }))).toBe('unauthorised');
    expect(reads).toBe(0);
  });

  test('is read again after five minutes, so that a retired key ends', async () => {
    const { admit } = auth();
    await admit(withKey(moneyKey(current)));
    secret = { current: previous };
    now += 299_000;
    expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('admitted');
    now += 1_000;
    expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('unauthorised');
  });

  test('is read again for an unknown key, so that a new key works at once', async () => {
    const { admit } = auth();
    await admit(withKey(moneyKey(current)));
    secret = { current: previous, previous: current };
    now += 10_000;
    expect(await codeOf(admit(withKey(moneyKey(previous))))).toBe('admitted');
    expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('admitted');
    expect(reads).toBe(2);
  });

  test('is read once in ten seconds for a hundred unknown keys', async () => {
    const { admit } = auth();
    await admit(withKey(moneyKey(current)));
    now += 10_000;
    for (let count = 0; count < 100; count += 1) {
      now += 99;
      expect(await codeOf(admit(withKey(moneyKey(`${count}`.padStart(86, 'c')))))).toBe('unauthorised');
    }
    expect(reads).toBe(2);
  });

  test('that cannot be read makes no caller unauthorised', async () => {
    secret = new StoreUnavailable('down');
    expect(await codeOf(auth().admit(withKey(moneyKey(current))))).toBe('StoreUnavailable');
  });

  test('that cannot be read again leaves the known keys valid, and makes no unknown key a refusal', async () => {
    const { admit } = auth();
    await admit(withKey(moneyKey(current)));
    secret = new StoreUnavailable('down');
    now += 300_000;
    expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('admitted');
    now += 10_000;
    expect(await codeOf(admit(withKey(moneyKey(previous))))).toBe('StoreUnavailable');
  });

  test('is read again ten seconds after a failed read', async () => {
    const { admit } = auth();
    await admit(withKey(moneyKey(current)));
    secret = new StoreUnavailable('down');
    now += 300_000;
    await admit(withKey(moneyKey(current)));
    secret = { current: previous };
    now += 10_000;
    expect(await codeOf(admit(withKey(moneyKey(current))))).toBe('unauthorised');
  });

  test('is read during init, and a failure there stops nothing', async () => {
    secret = new StoreUnavailable('down');
    const { warmUp, admit } = auth('orders');
    await warmUp();
    secret = { current };
    expect(await codeOf(admit(withKey(ordersKey(current))))).toBe('admitted');
    expect(await codeOf(auth('money').admit(withKey(ordersKey(current))))).toBe('forbidden');
  });
});

describe('with IAM', () => {
  const event = (context: object) => ({
    headers: {},
    requestContext: context as APIGatewayProxyEventV2['requestContext'],
  });

  test('a caller that API Gateway has authorized is admitted', async () => {
    await expect(iamAuth.admit(event({ authorizer: { iam: { accessKey: 'AKIA' } } }))).resolves.toBeUndefined();
  });

  test.each([[{}], [{ authorizer: {} }], [{ authorizer: { jwt: {} } }]])(
    'a caller of a route that is still open is refused: %j',
    async (context) => {
      await expect(iamAuth.admit(event(context))).rejects.toMatchObject({ code: 'unauthorised' });
    },
  );
});

/** Attacks on the keys of the shop's server, over HTTP: nothing is admitted, written or logged. */

import { request } from 'node:http';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../ops/cli.ts';
import { type System, startSystem } from '../support/system.ts';

const terms = { amount: 14_000 };
const keys = { orders: 'sk_orders_local', money: 'sk_money_local' };
let system: System;
let log = '';
beforeAll(async () => {
  system = await startSystem({
    log: (text) => {
      log += text;
    },
  });
});
afterAll(() => system.close());

const register = (order: string, headers: Record<string, string>, query = '', body: object = terms) =>
  system.send(`/orders/${order}${query}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

/** `fetch` sends a header once only. */
function registerWith(order: string, headers: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(terms);
    const { host } = new URL(system.url);
    const sent = ['host', host, 'content-type', 'application/json', 'content-length', String(body.length), ...headers];
    const outgoing = request(`${system.url}/orders/${order}`, { method: 'PUT', headers: sent });
    outgoing.on('response', (response) => resolve(response.resume().statusCode ?? 0));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('no order is registered by a request', () => {
  test.each<[string, Record<string, string>, string, object]>([
    ['without a key', {}, '', terms],
    ['with a wrong key', { authorization: `Bearer ${keys.money}x` }, '', terms],
    ['with the start of a key', { authorization: `Bearer ${keys.money.slice(0, -1)}` }, '', terms],
    ['with a key in upper case', { authorization: `Bearer ${keys.money.toUpperCase()}` }, '', terms],
    ['with a key and no scheme', { authorization: keys.money }, '', terms],
    ['with a key as a basic password', { authorization: `Basic ${btoa(`shop:${keys.money}`)}` }, '', terms],
    ['with a key in the query', {}, `?authorization=Bearer%20${keys.money}&key=${keys.money}`, terms],
    ['with a key in the body', {}, '', { ...terms, authorization: `Bearer ${keys.money}` }],
    ['with a key in a cookie', { cookie: `authorization=Bearer ${keys.money}` }, '', terms],
    ['with a key in another header', { 'x-api-key': keys.money }, '', terms],
    [
      'with a letter of another alphabet',
      { authorization: `Bearer ${encodeURIComponent('sk_money_lоcal')}` },
      '',
      terms,
    ],
  ])('%s', async (_name, headers, query, body) => {
    expect(await register('attack', headers, query, body)).toMatchObject({
      status: 401,
      json: { code: 'unauthorised' },
    });
    expect((await system.shop('GET', 'attack')).status).toBe(404);
  });

  test.each<[string, readonly string[]]>([
    ['with two keys', ['authorization', `Bearer ${keys.orders}`, 'authorization', `Bearer ${keys.money}`]],
    ['with the same key twice', ['authorization', `Bearer ${keys.money}`, 'authorization', `Bearer ${keys.money}`]],
    ['with two keys in one header', ['authorization', `Bearer ${keys.money}, ${keys.orders}`]],
  ])('%s', async (_name, headers) => {
    expect(await registerWith('attack-twice', headers)).toBe(401);
  });

  test('with a header of 10 MB', async () => {
    const headers = ['authorization', `Bearer ${'a'.repeat(10_000_000)}`];
    // The HTTP server refuses the header before a function sees it.
    const status = await registerWith('attack-large', headers).catch(() => 431);
    expect([400, 413, 431]).toContain(status);
    expect((await system.shop('GET', 'attack-large')).status).toBe(404);
  });
});

test('a key for orders registers and reads, and neither refunds nor closes', async () => {
  const headers = { authorization: `Bearer ${keys.orders}` };
  expect((await register('limited', headers)).status).toBe(201);
  expect((await system.send('/orders/limited', { headers })).status).toBe(200);
  const refund = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{"reason":"x"}',
  };
  expect(await system.send('/orders/limited/refunds', refund)).toMatchObject({
    status: 403,
    json: { code: 'forbidden' },
  });
  expect(await system.send('/orders/limited', { method: 'DELETE', headers })).toMatchObject({ status: 403 });
  expect((await system.shop('GET', 'limited')).json).toMatchObject({ status: 'ready' });
});

test('no key, right or wrong, is in a log line or in a response [T39]', async () => {
  const wrong = 'sk_money_thisIsAWrongKey';
  const refused = await register('logged', { authorization: `Bearer ${wrong}` });
  const accepted = await register('logged', { authorization: `Bearer ${keys.money}` });
  expect([refused.status, accepted.status]).toEqual([401, 201]);
  expect(log).toContain('unauthorised');
  for (const text of [log, refused.text, accepted.text, JSON.stringify([...refused.headers])]) {
    expect(text).not.toContain('thisIsAWrongKey');
    expect(text).not.toContain(keys.money);
  }
});

test('while requests run, keys are changed without one being refused, and the old ones end', async () => {
  const output: string[] = [];
  const to = { write: (text: string) => void output.push(text) };
  const stdin = Object.assign(process.stdin, { isTTY: false });
  const ops = async (...args: string[]) => {
    output.length = 0;
    const exitCode = await main(['keys', ...args, '--local', '--url', system.url, '--yes', '--json'], {
      stdout: to,
      stderr: { write: () => undefined },
      stdin,
    });
    return { exitCode, ...JSON.parse(output.join('')) } as { exitCode: number; orders: string[]; money: string[] };
  };
  expect(await ops()).toEqual({ exitCode: 0, orders: [keys.orders], money: [keys.money] });
  let isRunning = true;
  const statuses: number[] = [];
  const running = (async () => {
    while (isRunning) statuses.push((await system.shop('GET', 'rotated')).status);
  })();
  const { orders, money } = await ops('rotate');
  expect(orders[0]).toMatch(/^sk_orders_[0-9A-Za-z]{43}$/);
  expect(money[0]).toMatch(/^sk_money_[0-9A-Za-z]{43}$/);
  expect([orders[1], money[1]]).toEqual([keys.orders, keys.money]);
  // An instance reads the secret at most once in ten seconds for an unknown key.
  await expect
    .poll(async () => (await register('rotated', { authorization: `Bearer ${money[0]}` })).status, {
      timeout: 30_000,
      interval: 500,
    })
    .toBeLessThan(300);
  isRunning = false;
  await running;
  expect(statuses.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 200 && status !== 404)).toEqual([]);
  expect(await ops('rotate')).toMatchObject({ exitCode: 3 });
  expect(await ops('retire')).toMatchObject({ exitCode: 0, money: [money[0]] });
  expect(await ops('retire')).toMatchObject({ exitCode: 3 });
  const client = new SecretsManagerClient({});
  const arn = process.env.SHOP_KEYS_SECRET_ARN ?? '';
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  expect(JSON.parse(SecretString)).not.toHaveProperty('previous');
});

/**
 * Fuzzes every HTTP endpoint with random and malformed requests, in the bundles that deploy. No request may cause a 5xx, a hang or a
 * write. A request without a payment id may cause no call to Iamport. `REQUESTS` is the number for each endpoint (`npm run fuzz`:
 * 100,000), `SEED` selects them.
 */

import { Agent, request } from 'node:http';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localShopKey } from '../../local/aws/secrets.ts';
import { SeededRandom } from '../simulation/random.ts';
import { type System, startSystem } from '../support/system.ts';
import { type FuzzRequest, fuzzRequest, mayNameAPayment, targets } from './requests.ts';

const perEndpoint = Number(process.env.REQUESTS ?? 300);
const seed = Number(process.env.SEED ?? 1);
/** The system ends a function after 12 s, and the 500 fails the test. On a busy machine the first requests wait for processes too. */
const hangsAfterMs = 30_000;
const concurrency = 8;

const databaseKey = 'fuzztest';
const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
let system: System;
/** An order that no request may change. */
let unrelatedOrder: string;
let before: string;

beforeAll(async () => {
  system = await startSystem({ databaseKey, throttles: false, log: () => undefined });
  unrelatedOrder = await system.order();
  before = await storedItems();
});
afterAll(async () => {
  agent.destroy();
  await system.close();
});

/** The items of all tables except the state. */
async function storedItems(): Promise<string> {
  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: system.database.endpoint, region: 'ap-northeast-2', credentials });
  const names = system.tables.filter((name) => !name.includes('State'));
  const items = await Promise.all(names.map((TableName) => client.send(new ScanCommand({ TableName }))));
  client.destroy();
  return JSON.stringify(items.map(({ Items }) => Items));
}

async function send({ method, path, headers, body }: FuzzRequest, isOfShop: boolean): Promise<number> {
  const host = new URL(system.url).host;
  const all = { ...headers, host, ...(body.length > 0 && { 'content-length': String(body.length) }) };
  const key = isOfShop ? { authorization: `Bearer ${localShopKey}` } : {};
  return new Promise((resolve, reject) => {
    const outgoing = request(`${system.url}/`, {
      method,
      path,
      agent,
      headers: { ...all, ...key },
      timeout: hangsAfterMs,
    });
    outgoing.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no response')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** @returns the number of responses by status. @throws Error for the first request with a forbidden status */
async function fuzz(target: (typeof targets)[number], requests: readonly FuzzRequest[]) {
  const counts: Record<number, number> = {};
  const remaining = requests.entries();
  const described = (at: number, { method, path, headers, body }: FuzzRequest) =>
    `${target.name} seed ${seed} request ${at}: ${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)} ${body.toString().slice(0, 300)}`;
  const work = async () => {
    for (const [at, one] of remaining) {
      const status = await send(one, target.isOfShop).catch((error: unknown) => {
        throw new Error(described(at, one), { cause: error });
      });
      counts[status] = (counts[status] ?? 0) + 1;
      if (status >= 500 || status < 200) throw new Error(`${status} to ${described(at, one)}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return counts;
}

describe.each(targets)('$name', (target) => {
  test(`answers ${perEndpoint} malformed requests without a 5xx or a write`, {
    timeout: perEndpoint * 100 + 30_000,
  }, async () => {
    const random = new SeededRandom(seed + targets.indexOf(target));
    const all = Array.from({ length: perEndpoint }, () => fuzzRequest(target, random));
    const naming = all.filter((one) => mayNameAPayment(target, one));
    const nameless = all.filter((one) => !mayNameAPayment(target, one));
    const begun = performance.now();
    system.iamport.faults.forgetCalls();
    const refused = await fuzz(target, nameless);
    const calls = system.iamport.faults.calls.filter((call) => !call.endsWith('/users/getToken'));
    expect(calls, 'calls to Iamport').toEqual([]);
    const others = await fuzz(target, naming);
    const accepted = Object.entries(others).filter(([status]) => !['400', '413', '415'].includes(status));
    const max = accepted.reduce((sum, [, times]) => sum + times, 0);
    const made = system.iamport.faults.calls.filter((call) => !call.endsWith('/users/getToken')).length;
    expect(made, 'at most one call for each request that was not refused').toBeLessThanOrEqual(max);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(
      `${target.name}: ${all.length} in ${seconds} s, ${JSON.stringify(refused)} and ${JSON.stringify(others)}`,
    );
    expect(await storedItems(), 'stored items').toBe(before);
    expect(Object.keys({ ...refused, ...others }).some((status) => Number(status) >= 400)).toBe(true);
  });
});

test('an unrelated order is unchanged, and no function has failed', async () => {
  expect((await system.shop('GET', unrelatedOrder)).json).toMatchObject({ status: 'ready', revision: 1 });
  expect(system.faults).toEqual([]);
});

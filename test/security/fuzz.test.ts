/**
 * Every door under random and bent requests, over HTTP, in the bundles that deploy: no 5xx, no hang, nobody asked about what names
 * no payment, and nothing written. `REQUESTS` is how many a door (`npm run hostile`: 100,000), `SEED` which ones.
 */

import { Agent, request } from 'node:http';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signed } from '../../local/aws/signature.ts';
import { Chance } from '../simulation/random.ts';
import { type System, startSystem } from '../support/system.ts';
import { type Hostile, hostile, mayNameAPayment, targets } from './requests.ts';

const perDoor = Number(process.env.REQUESTS ?? 300);
const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));
/** Lambda gives a door 12 s; this is a hang, or as good as one. */
const hangsAfterMs = 10_000;
const together = 8;

const databaseKey = 'hostiletest';
const agent = new Agent({ keepAlive: true, maxSockets: together });
let system: System;
/** An order that nobody may touch. */
let bystander: string;
let before: string;

beforeAll(async () => {
  system = await startSystem({ databaseKey, throttles: false, log: () => undefined });
  bystander = await system.order();
  before = await written();
});
afterAll(async () => {
  agent.destroy();
  await system.close();
});

/** All that the tables hold of orders and payments. */
async function written(): Promise<string> {
  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: system.database.endpoint, region: 'ap-northeast-2', credentials });
  const names = system.tables.filter((name) => !name.includes('State'));
  const items = await Promise.all(names.map((TableName) => client.send(new ScanCommand({ TableName }))));
  client.destroy();
  return JSON.stringify(items.map(({ Items }) => Items));
}

async function sent({ method, path, headers, body }: Hostile, isSigned: boolean): Promise<number> {
  const host = new URL(system.url).host;
  const all = { ...headers, host, ...(body.length > 0 && { 'content-length': String(body.length) }) };
  const signature = isSigned ? await signed({ method, url: path, headers: { host }, body }) : {};
  return new Promise((resolve, reject) => {
    const asked = request(`${system.url}/`, {
      method,
      path,
      agent,
      headers: { ...all, ...signature },
      timeout: hangsAfterMs,
    });
    asked.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end(body);
  });
}

/** @returns how often each status was answered; the first request that was answered in a way that none may be is a failure */
async function barrage(target: (typeof targets)[number], requests: readonly Hostile[]) {
  const counts: Record<number, number> = {};
  const left = requests.entries();
  const told = (at: number, { method, path, headers, body }: Hostile) =>
    `${target.name} seed ${seed} request ${at}: ${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)} ${body.toString().slice(0, 300)}`;
  const work = async () => {
    for (const [at, one] of left) {
      const status = await sent(one, target.isSigned).catch((error: unknown) => {
        throw new Error(told(at, one), { cause: error });
      });
      counts[status] = (counts[status] ?? 0) + 1;
      if (status >= 500 || status < 200) throw new Error(`${status} to ${told(at, one)}`);
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  return counts;
}

describe.each(targets)('$name', (target) => {
  test(`answers ${perDoor} of them, and nothing comes of it`, { timeout: perDoor * 100 + 30_000 }, async () => {
    const chance = new Chance(seed + targets.indexOf(target));
    const all = Array.from({ length: perDoor }, () => hostile(target, chance));
    const naming = all.filter((one) => mayNameAPayment(target, one));
    const nameless = all.filter((one) => !mayNameAPayment(target, one));
    const begun = performance.now();
    system.iamport.faults.forgetCalls();
    const refused = await barrage(target, nameless);
    const calls = system.iamport.faults.calls.filter((call) => !call.endsWith('/users/getToken'));
    expect(calls, 'asked of Iamport').toEqual([]);
    const others = await barrage(target, naming);
    const accepted = Object.entries(others).filter(([status]) => !['400', '413', '415'].includes(status));
    const most = accepted.reduce((sum, [, times]) => sum + times, 0);
    const asked = system.iamport.faults.calls.filter((call) => !call.endsWith('/users/getToken')).length;
    expect(asked, 'no more than one question for each that was not refused').toBeLessThanOrEqual(most);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(
      `${target.name}: ${all.length} in ${seconds} s, ${JSON.stringify(refused)} and ${JSON.stringify(others)}`,
    );
    expect(await written(), 'written').toBe(before);
    expect(Object.keys({ ...refused, ...others }).some((status) => Number(status) >= 400)).toBe(true);
  });
});

test('the order of a bystander is as it was, and no function has failed', async () => {
  expect((await system.shop('GET', bystander)).json).toMatchObject({ status: 'ready', revision: 1 });
  expect(system.faults).toEqual([]);
});

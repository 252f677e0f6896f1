/**
 * Chaos on the local system: three endpoints receive every payment at once, one Iamport call in ten fails, and instances are killed at
 * random. Afterwards the reconciler runs, and the amounts must agree to the won. At the end many buyers pay at once. `PAYMENTS` and
 * `BUYERS` are their numbers (`npm run chaos`: 2,000 and 200), `SEED` selects them.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../local/iamport/faults.ts';
import { SeededRandom } from '../simulation/random.ts';
import { type System, startSystem } from '../support/system.ts';

const payments = Number(process.env.PAYMENTS ?? 60);
const buyers = Number(process.env.BUYERS ?? 20);
const seed = Number(process.env.SEED ?? 1);
const random = new SeededRandom(seed);
const shoppers = 8;
const amount = 14_000;

let system: System;
const tally: Record<string, number> = {};
const count = (what: string, times = 1) => {
  tally[what] = (tally[what] ?? 0) + times;
};

beforeAll(async () => {
  system = await startSystem({
    throttles: false,
    log: () => undefined,
    report: () => count('functions that died or failed'),
  });
  system.iamport.settings.webhooks = 'never';
});
afterAll(() => system.close());

interface Bought {
  readonly merchantUid: string;
  readonly impUids: readonly string[];
}

/** Repeats a request until it is answered below 500. Buyers and Iamport give up after some tries, and leave the payment to the reconciler. */
async function withRetries(send: () => Promise<{ status: number }>, tries: number): Promise<number> {
  for (let left = tries; ; left -= 1) {
    const status = await send().then(
      (response) => response.status,
      () => 0,
    );
    if ((status > 0 && status < 500) || left <= 1) return status;
    await wait(100);
  }
}

async function register(): Promise<string> {
  const merchantUid = `order-${random.whole(1, 2 ** 50)}`;
  const status = await withRetries(() => system.shop('PUT', merchantUid, { amount }), 100);
  expect([200, 201]).toContain(status);
  return merchantUid;
}

function pay(merchantUid: string, how: 'card' | 'forged' | 'deposit'): string {
  const { ledger } = system.iamport;
  const pay_method = how === 'deposit' ? 'vbank' : 'card';
  const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount, pay_method });
  if (how !== 'deposit') return ledger.pay(imp_uid, { amount: how === 'forged' ? 100 : amount }).imp_uid;
  ledger.issueAccount(imp_uid);
  return ledger.deposit(imp_uid).imp_uid;
}

/** One buyer: an order, one or two payments, and the requests that report them. */
async function shopFor(): Promise<Bought> {
  const merchantUid = await register();
  const how = random.pick({ card: 65, deposit: 12, forged: 10, twice: 10, 'card, unreported': 3 });
  count(`bought: ${how}`);
  const kinds = {
    card: ['card'],
    deposit: ['deposit'],
    forged: ['forged'],
    twice: ['card', 'card'],
    'card, unreported': ['card'],
  } as const;
  const impUids = kinds[how].map((kind) => pay(merchantUid, kind));
  if (how === 'card, unreported') return { merchantUid, impUids };
  await Promise.all(
    impUids.map(async (imp_uid) => {
      const ids = { imp_uid, merchant_uid: merchantUid };
      const statuses = await Promise.all([
        withRetries(() => system.complete(ids), 3),
        withRetries(() => system.mobile(ids), 2),
        withRetries(() => system.webhook({ ...ids, status: 'paid' }), 3),
      ]);
      for (const status of statuses) count(`answered ${status}`);
    }),
  );
  return { merchantUid, impUids };
}

const faults: readonly Fault[] = [
  { status: 500 },
  { status: 429 },
  { status: 401 },
  { answer: 'garbage' },
  { answer: 'half' },
  { answer: 'reset' },
  { answer: 'reset', performed: true },
  { delayMs: 600 },
  { path: '/payments/cancel', answer: 'reset', performed: true },
];

/** Makes one Iamport call in ten fail, and kills instances at random, until `stop` is called. */
function startChaosMonkey() {
  let isOn = true;
  const addFaults = async () => {
    let added = 0;
    while (isOn) {
      const wanted = Math.floor(system.iamport.faults.calls.length / 10);
      for (; added < wanted; added += 1) system.iamport.faults.add(faults[random.whole(0, faults.length - 1)] as Fault);
      await wait(5);
    }
    count('faults at Iamport', added);
  };
  const kill = async () => {
    while (isOn) {
      await wait(random.whole(200, 1_500));
      // A later kill could hit the reconciler, which runs next.
      if (!isOn) return;
      const pids = system.processIds();
      const pid = pids[random.whole(0, Math.max(0, pids.length - 1))];
      if (!pid) continue;
      try {
        process.kill(pid, 'SIGKILL');
        count('killed');
      } catch {
        // The process has already exited.
      }
    }
  };
  const stopped = Promise.all([addFaults(), kill()]);
  return {
    async stop() {
      isOn = false;
      await stopped;
      count('calls to Iamport', system.iamport.faults.calls.length);
      system.iamport.faults.clear();
    },
  };
}

interface OrderJson {
  readonly status: string;
  readonly revision: number;
  readonly imp_uid?: string;
  readonly reversals: readonly { imp_uid: string; kind: string; state: string; amount: number }[];
}

const readOrder = async (merchantUid: string) => (await system.shop('GET', merchantUid)).json as OrderJson;

/** Runs the reconciler until no work is left. A reversal whose attempt died is due again after a minute. */
async function reconcileUntilNothingIsDue(bought: readonly Bought[]): Promise<void> {
  for (let run = 1; run <= 30; run += 1) {
    const report = (await system.reconcile()) as { settled: number; faults: string[]; finished: boolean };
    count('settled by the reconciler', report.settled);
    count('runs of the reconciler');
    let isOpen = false;
    for (const { merchantUid } of bought) {
      isOpen ||= (await readOrder(merchantUid)).reversals.some(({ state }) => state === 'requested');
    }
    if (report.finished && report.settled === 0 && !isOpen) return;
    await wait(isOpen ? 5_000 : 100);
  }
  expect.unreachable('items are still due after thirty runs');
}

describe('chaos', () => {
  const bought: Bought[] = [];

  test(`${payments} payments agree to the won after failed calls and killed instances`, {
    timeout: 240_000 + payments * 400,
  }, async () => {
    await system.reconcile();
    const begun = performance.now();
    const chaosMonkey = startChaosMonkey();
    let left = payments;
    await Promise.all(
      Array.from({ length: shoppers }, async () => {
        while (left > 0) {
          left -= 1;
          bought.push(await shopFor());
        }
      }),
    );
    await chaosMonkey.stop();
    count('seconds of chaos', Math.round((performance.now() - begun) / 1000));
    await reconcileUntilNothingIsDue(bought);

    const { ledger } = system.iamport;
    const kept = (impUid: string) => ledger.payment(impUid).amount - ledger.payment(impUid).cancel_amount;
    let [atIamport, inOrders, forOperator] = [0, 0, 0];
    for (const { merchantUid, impUids } of bought) {
      const order = await readOrder(merchantUid);
      if (order.status === 'paid') inOrders += amount;
      for (const impUid of impUids) {
        atIamport += kept(impUid);
        const reversal = order.reversals.find(({ imp_uid }) => imp_uid === impUid);
        if (reversal?.state === 'manual') forOperator += reversal.amount;
        const settlesOrder = order.status === 'paid' && order.imp_uid === impUid;
        const cancels = ledger.payment(impUid).cancel_history;
        expect(
          cancels,
          `${impUid} of ${merchantUid}: a payment that does not settle its order is cancelled once`,
        ).toHaveLength(settlesOrder ? 0 : 1);
      }
    }
    count('won kept at Iamport', atIamport);
    count('won of paid orders', inOrders);
    expect(inOrders + forOperator).toBe(atIamport);
    expect(tally.killed ?? 0).toBeGreaterThan(0);
    expect(tally['faults at Iamport'] ?? 0).toBeGreaterThan(0);
  });

  test('every step of every order was published', { timeout: 90_000 }, async () => {
    const steps: string[] = [];
    for (const { merchantUid } of bought) {
      const { revision } = await readOrder(merchantUid);
      for (let step = 2; step <= revision; step += 1) steps.push(`${merchantUid}:${step}`);
    }
    const publishedIds = () => new Set(system.bus.events.map(({ detail }) => (detail as { id: string }).id));
    await expect
      .poll(() => steps.filter((step) => !publishedIds().has(step)), { timeout: 80_000, interval: 500 })
      .toEqual([]);
    count('steps published', steps.length);
  });

  test(`${buyers} concurrent buyers all get a response`, { timeout: 60_000 + buyers * 300 }, async () => {
    const paid = [];
    for (let buyer = 0; buyer < buyers; buyer += 1) {
      const merchant_uid = await register();
      paid.push({ merchant_uid, imp_uid: pay(merchant_uid, 'card') });
    }
    const times = await Promise.all(
      paid.map(async (ids) => {
        const begun = performance.now();
        const response = await system.complete(ids);
        expect(response, response.text).toMatchObject({ status: 200, json: { status: 'paid', ...ids } });
        return performance.now() - begun;
      }),
    );
    const sorted = times.toSorted((one, other) => one - other);
    const at = (share: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    console.log(`${buyers} concurrent buyers: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, the last after ${at(1)} ms`);
    console.log(
      Object.entries({ seed, ...tally })
        .map(([what, times]) => `${what} ${times}`)
        .join('; '),
    );
  });
});

/**
 * Chaos on the real local system: every payment comes through three doors, Iamport misbehaves at one call in ten, and functions
 * are killed at random. Then the reconciler runs, and the books must agree to the won. Then many buyers at once.
 * `PAYMENTS` and `BUYERS` are how many (`npm run chaos`: 2,000 and 200), `SEED` which ones.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../local/iamport/faults.ts';
import { Chance } from '../simulation/random.ts';
import { type System, startSystem } from '../support/system.ts';

const payments = Number(process.env.PAYMENTS ?? 60);
const buyers = Number(process.env.BUYERS ?? 20);
const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));
const chance = new Chance(seed);
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

/** Asks until somebody answers; a buyer and Iamport give up after a while, and the reconciler has to do without them. */
async function persistently(ask: () => Promise<{ status: number }>, tries: number): Promise<number> {
  for (let left = tries; ; left -= 1) {
    const status = await ask().then(
      (answer) => answer.status,
      () => 0,
    );
    if ((status > 0 && status < 500) || left <= 1) return status;
    await wait(100);
  }
}

async function register(): Promise<string> {
  const merchantUid = `order-${chance.whole(1, 2 ** 50)}`;
  const status = await persistently(() => system.shop('PUT', merchantUid, { amount }), 100);
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

/** One buyer: an order, a payment or two, and whoever tells us of them. */
async function shopFor(): Promise<Bought> {
  const merchantUid = await register();
  const how = chance.pick({ card: 65, deposit: 12, forged: 10, twice: 10, 'card, untold': 3 });
  count(`bought: ${how}`);
  const kinds = {
    card: ['card'],
    deposit: ['deposit'],
    forged: ['forged'],
    twice: ['card', 'card'],
    'card, untold': ['card'],
  } as const;
  const impUids = kinds[how].map((kind) => pay(merchantUid, kind));
  if (how === 'card, untold') return { merchantUid, impUids };
  await Promise.all(
    impUids.map(async (imp_uid) => {
      const ids = { imp_uid, merchant_uid: merchantUid };
      const statuses = await Promise.all([
        persistently(() => system.complete(ids), 3),
        persistently(() => system.mobile(ids), 2),
        persistently(() => system.webhook({ ...ids, status: 'paid' }), 3),
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

/** Keeps one call in ten faulty, and kills an instance now and then, until it is told to stop. */
function monkey() {
  let isOn = true;
  const spoil = async () => {
    let spoilt = 0;
    while (isOn) {
      const wanted = Math.floor(system.iamport.faults.calls.length / 10);
      for (; spoilt < wanted; spoilt += 1)
        system.iamport.faults.add(faults[chance.whole(0, faults.length - 1)] as Fault);
      await wait(5);
    }
    count('faults at Iamport', spoilt);
  };
  const kill = async () => {
    while (isOn) {
      await wait(chance.whole(200, 1_500));
      // What dies in the last moment could be the reconciler, that is called next.
      if (!isOn) return;
      const pids = system.processIds();
      const pid = pids[chance.whole(0, Math.max(0, pids.length - 1))];
      if (!pid) continue;
      try {
        process.kill(pid, 'SIGKILL');
        count('killed');
      } catch {
        // It was quicker.
      }
    }
  };
  const over = Promise.all([spoil(), kill()]);
  return {
    async stop() {
      isOn = false;
      await over;
      count('calls to Iamport', system.iamport.faults.calls.length);
      system.iamport.faults.clear();
    },
  };
}

interface Shown {
  readonly status: string;
  readonly revision: number;
  readonly imp_uid?: string;
  readonly reversals: readonly { imp_uid: string; kind: string; state: string; amount: number }[];
}

const show = async (merchantUid: string) => (await system.shop('GET', merchantUid)).json as Shown;

/** A reversal whose attempt died is due again after a minute. */
async function reconcileUntilNothingIsDue(bought: readonly Bought[]): Promise<void> {
  for (let run = 1; run <= 30; run += 1) {
    const report = (await system.reconcile()) as { settled: number; faults: string[]; finished: boolean };
    count('settled by the reconciler', report.settled);
    count('runs of the reconciler');
    let isOpen = false;
    for (const { merchantUid } of bought) {
      isOpen ||= (await show(merchantUid)).reversals.some(({ state }) => state === 'requested');
    }
    if (report.finished && report.settled === 0 && !isOpen) return;
    await wait(isOpen ? 5_000 : 100);
  }
  expect.unreachable('something is still due after thirty runs');
}

describe('chaos', () => {
  const bought: Bought[] = [];

  test(`${payments} payments, one call in ten spoilt, instances killed: then the books agree to the won`, {
    timeout: 240_000 + payments * 400,
  }, async () => {
    await system.reconcile();
    const begun = performance.now();
    const bedlam = monkey();
    let left = payments;
    await Promise.all(
      Array.from({ length: shoppers }, async () => {
        while (left > 0) {
          left -= 1;
          bought.push(await shopFor());
        }
      }),
    );
    await bedlam.stop();
    count('seconds of chaos', Math.round((performance.now() - begun) / 1000));
    await reconcileUntilNothingIsDue(bought);

    const { ledger } = system.iamport;
    const kept = (impUid: string) => ledger.payment(impUid).amount - ledger.payment(impUid).cancel_amount;
    let [atIamport, inOrders, forAPerson] = [0, 0, 0];
    for (const { merchantUid, impUids } of bought) {
      const order = await show(merchantUid);
      if (order.status === 'paid') inOrders += amount;
      for (const impUid of impUids) {
        atIamport += kept(impUid);
        const reversal = order.reversals.find(({ imp_uid }) => imp_uid === impUid);
        if (reversal?.state === 'manual') forAPerson += reversal.amount;
        const isTaken = order.status === 'paid' && order.imp_uid === impUid;
        const given = ledger.payment(impUid).cancel_history;
        expect(given, `${impUid} of ${merchantUid}: given back once, or not at all`).toHaveLength(isTaken ? 0 : 1);
      }
    }
    count('won kept at Iamport', atIamport);
    count('won of paid orders', inOrders);
    expect(inOrders + forAPerson).toBe(atIamport);
    expect(tally.killed ?? 0).toBeGreaterThan(0);
    expect(tally['faults at Iamport'] ?? 0).toBeGreaterThan(0);
  });

  test('and every step of every order was told', { timeout: 90_000 }, async () => {
    const steps: string[] = [];
    for (const { merchantUid } of bought) {
      const { revision } = await show(merchantUid);
      for (let step = 2; step <= revision; step += 1) steps.push(`${merchantUid}:${step}`);
    }
    const toldIds = () => new Set(system.bus.events.map(({ detail }) => (detail as { id: string }).id));
    await expect
      .poll(() => steps.filter((step) => !toldIds().has(step)), { timeout: 80_000, interval: 500 })
      .toEqual([]);
    count('steps told', steps.length);
  });

  test(`${buyers} buyers at once are all answered`, { timeout: 60_000 + buyers * 300 }, async () => {
    const paid = [];
    for (let buyer = 0; buyer < buyers; buyer += 1) {
      const merchant_uid = await register();
      paid.push({ merchant_uid, imp_uid: pay(merchant_uid, 'card') });
    }
    const times = await Promise.all(
      paid.map(async (ids) => {
        const begun = performance.now();
        const answer = await system.complete(ids);
        expect(answer, answer.text).toMatchObject({ status: 200, json: { status: 'paid', ...ids } });
        return performance.now() - begun;
      }),
    );
    const sorted = times.toSorted((one, other) => one - other);
    const at = (share: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    console.log(`${buyers} buyers at once: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, the last after ${at(1)} ms`);
    console.log(
      Object.entries({ seed, ...tally })
        .map(([what, times]) => `${what} ${times}`)
        .join('; '),
    );
  });
});

/**
 * Measures the reconciler in three scenarios, each with a fake Iamport in its own process: `npm run bench:reconcile`
 *
 *   list      10,000 payments in Iamport's lists, 1 % of them unsettled: calls, time, memory
 *   backlog   10,000 orders that expire at once while a cancel becomes due, at 100 ms a call: how many runs
 *   foreign   100,000 payments of another shop on the same account: calls, writes, memory, with and without `orderPrefix`
 *
 * `-- list` runs one of them. Exits 1 when a result is not the expected one.
 */

import { fork } from 'node:child_process';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { undiciTransport } from '../functions/adapters/iamport/transport.ts';
import { reconcile } from '../functions/application/reconcile/reconcile.ts';
import type { Amount } from '../functions/payment/money.ts';
import { systemClock } from '../functions/runtime/clock.ts';
import type { HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import { startDynamodbLocal } from '../local/aws/dynamodb-local.ts';
import { startIamport } from '../local/iamport/server.ts';
import { dependenciesAt, expiringOrders, lastRunAt, orderItem, put, runMs, watchingHeap } from './reconciler.ts';

/** The 10,000 payments by kind. One in a hundred is not settled. */
const counts = { paid: 8_600, cancelled: 400, failed: 500, ready: 500 };
const unsettledEvery = 100;

type Scenario = 'list' | 'backlog' | 'foreign';

/** The fake Iamport, in a child process. It creates its payments, then sends its address. */
async function fakeIamport(scenario: Scenario): Promise<void> {
  const iamport = await startIamport({ port: 0 });
  const { ledger } = iamport;
  process.on('message', () => process.send?.({ calls: iamport.faults.counts() }));
  if (scenario === 'backlog') {
    iamport.faults.add({ path: '/payments', delayMs: 100, times: 1_000_000 });
    const forged = ledger.open({ merchant_uid: 'forged', amount: 14_000 }).imp_uid;
    ledger.pay(forged, { amount: 100 });
    process.send?.({ url: iamport.url, payments: [{ merchantUid: 'forged', impUid: forged, kind: 'paid' }] });
    return;
  }
  if (scenario === 'foreign') {
    for (let index = 0; index < foreignPayments; index += 1) {
      ledger.pay(ledger.open({ merchant_uid: `foreign-${index}`, amount: 14_000 }).imp_uid);
    }
    process.send?.({ url: iamport.url, payments: [] });
    return;
  }
  const payments: { merchantUid: string; impUid: string; kind: keyof typeof counts }[] = [];
  for (const [kind, many] of Object.entries(counts) as [keyof typeof counts, number][]) {
    for (let index = 0; index < many; index += 1) {
      const merchantUid = `${kind}-${index}`;
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
      if (kind === 'failed') ledger.fail(imp_uid, '한도 초과');
      if (kind === 'paid' || kind === 'cancelled') ledger.pay(imp_uid);
      if (kind === 'cancelled') ledger.cancelInConsole(imp_uid);
      payments.push({ merchantUid, impUid: imp_uid, kind });
    }
  }
  process.send?.({
    url: iamport.url,
    payments,
    failedAt: ledger
      .entries()
      .map(({ payment }) => payment.failed_at)
      .find(Boolean),
  });
}

interface Filled {
  readonly url: string;
  readonly payments: readonly { merchantUid: string; impUid: string; kind: keyof typeof counts }[];
}

async function main(scenario: Scenario): Promise<void> {
  const child = fork(import.meta.filename, ['fake', scenario]);
  const dynamodb = await startDynamodbLocal();
  try {
    const { url, payments } = await new Promise<Filled>((resolve) =>
      child.once('message', (filled) => resolve(filled as Filled)),
    );
    const { deps, client } = await dependenciesAt(undiciTransport(url), dynamodb.endpoint);
    await lastRunAt(deps, Math.floor(Date.now() / 1000) - 3_600);
    if (scenario === 'list') await run(deps, child, await fill(client, payments));
    if (scenario === 'backlog') await backlog(deps, client, payments[0]?.impUid ?? '');
    if (scenario === 'foreign') await foreign(deps, child);
  } finally {
    child.kill();
    await dynamodb.close();
  }
}

const expiring = 10_000;
const foreignPayments = 100_000;
/** In a deployment, runs are five minutes apart. The bench does not wait between them. */
const maxRuns = 3;

/** Orders that expire at the same time, and a cancel that becomes due while the reconciler processes them. */
async function backlog(deps: HandlerDependencies, client: DynamoDBClient, forged: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  await put(client, [...expiringOrders(expiring, now), orderItem('forged', 'ready')]);
  const request = { impUid: forged, merchantUid: 'forged', kind: 'cancel', reason: 'amount_mismatch' } as const;
  // Attempted once without a response: due a minute after the start of the first run.
  await deps.reversals.request({ ...request, amount: 100 as Amount, currency: 'KRW' }, now, 1);
  let left = expiring;
  for (let runs = 1; left > 0 && runs <= maxRuns; runs += 1) {
    const begin = performance.now();
    const report = await reconcile(deps, deadlineIn(systemClock, runMs));
    left -= report.due;
    const reversal = await deps.reversals.read(forged);
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    console.log(
      `run ${runs}   ${report.due} items in ${seconds} s, cancel ${reversal?.state}, faults ${report.faultCount}`,
    );
    if (runs === 1 && reversal?.state !== 'done') process.exitCode = 1;
  }
  console.log(left <= 0 ? 'every order has expired' : `${left} orders are left after ${maxRuns} runs`);
  if (left > 0) process.exitCode = 1;
}

/** Payments whose merchant_uid is not an order of ours. */
async function foreign(deps: HandlerDependencies, child: ReturnType<typeof fork>): Promise<void> {
  await deps.iamport.payment('imp_0', deadlineIn(systemClock, 10_000));
  const ours: HandlerDependencies = { ...deps, config: { ...deps.config, orderPrefix: 'ours-' } };
  const scans = [
    ['with orderPrefix', ours],
    ['without, first', deps],
    ['without, again', deps],
  ] as const;
  for (const [name, scanned] of scans) {
    const now = Math.floor(Date.now() / 1000);
    const { revision = 0 } = (await deps.checkpoints.read(['recent'])).checkpoint('recent') ?? {};
    await deps.checkpoints.write('recent', { completedUntil: now - 3_600, unresolved: [], revision });
    const { watched, aliveMb } = watchingHeap(scanned);
    const before = await callsOf(child);
    const begin = performance.now();
    let [runs, orphans, finished] = [0, 0, false];
    while (!finished && runs < 10) {
      const report = await reconcile(watched, deadlineIn(systemClock, runMs));
      runs += 1;
      orphans += report.orphans;
      finished = report.finished;
    }
    const calls = Object.entries(await callsOf(child)).map(
      ([call, times]) => [call, times - (before[call] ?? 0)] as const,
    );
    const lists = calls.filter(([call]) => call.includes('/status/')).reduce((sum, [, times]) => sum + times, 0);
    const others = calls.reduce((sum, [, times]) => sum + times, 0) - lists;
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    const memory = `${Math.min(...aliveMb).toFixed(1)} to ${Math.max(...aliveMb).toFixed(1)} MB`;
    console.log(
      `${name.padEnd(18)} ${runs} runs, ${seconds} s, ${lists} list calls, ${others} others, ${orphans} recorded, ${memory}`,
    );
    if (others > 0 || !finished) process.exitCode = 1;
  }
}

async function run(deps: HandlerDependencies, child: ReturnType<typeof fork>, unsettled: number): Promise<void> {
  const { watched, aliveMb } = watchingHeap(deps);
  // The token is shared in the table, as in a deployment that has run before.
  await deps.iamport.payment('imp_0', deadlineIn(systemClock, 10_000));
  const before = await callsOf(child);
  const begin = performance.now();
  const report = await reconcile(watched, deadlineIn(systemClock, runMs));
  const took = performance.now() - begin;
  const calls = Object.entries(await callsOf(child)).map(
    ([call, times]) => [call, times - (before[call] ?? 0)] as const,
  );
  const sum = (of: typeof calls) => of.reduce((total, [, times]) => total + times, 0);
  const own = sum(calls.filter(([call]) => /^GET \/payments\/imp_|^POST \/payments\/cancel/.test(call)));
  const scan = sum(calls) - own;
  console.log(`payments at Iamport      ${report.payments}`);
  console.log(`unsettled                ${unsettled}, settled by this run ${report.settled}`);
  console.log(`calls to Iamport         ${scan} for the scan, ${own} for the unsettled ones`);
  console.log(`time                     ${(took / 1000).toFixed(1)} s`);
  const [least, most] = [Math.min(...aliveMb).toFixed(1), Math.max(...aliveMb).toFixed(1)];
  console.log(`alive after a page       ${least} to ${most} MB, ${aliveMb.length} pages`);
  if (scan > 12 || report.settled !== unsettled || !report.finished) process.exitCode = 1;
}

function callsOf(child: ReturnType<typeof fork>): Promise<Record<string, number>> {
  child.send('calls?');
  return new Promise((resolve) =>
    child.once('message', (message) => resolve((message as { calls: Record<string, number> }).calls)),
  );
}

/** Writes the orders in the state of their payments, except one in a hundred. @returns how many orders are unsettled */
async function fill(client: DynamoDBClient, payments: Filled['payments']): Promise<number> {
  let unsettled = 0;
  const items = payments.map(({ merchantUid, impUid, kind }, index) => {
    const isOpen = index % unsettledEvery === 0;
    // An abandoned payment window does not change its order, nor does a payment that was cancelled before the first check.
    if (isOpen && (kind === 'paid' || kind === 'failed')) unsettled += 1;
    const status = kind === 'ready' || isOpen ? 'ready' : kind;
    const failure = { M: { imp_uid: { S: impUid }, failed_at: { N: String(2 ** 33) } } };
    return {
      ...orderItem(merchantUid, status),
      ...(status === 'failed' && { failure }),
      ...((status === 'paid' || status === 'cancelled') && { imp_uid: { S: impUid }, payment: { M: {} } }),
      ...(status === 'cancelled' && { cancelled_amount: { N: '14000' } }),
    };
  });
  await put(client, items);
  return unsettled;
}

const scenarios = ['list', 'backlog', 'foreign'] as const satisfies readonly Scenario[];
const [first, second] = process.argv.slice(2);
if (first === 'fake') await fakeIamport(second as Scenario);
else {
  for (const scenario of scenarios.filter((one) => first === undefined || one === first)) {
    console.log(`\n${scenario}`);
    await main(scenario);
  }
}

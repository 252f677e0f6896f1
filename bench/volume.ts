/**
 * Measures what grows with the number of payments: `npm run bench:volume`.
 *
 *   cost    dollars of 10³ to 10⁷ payments a month, from one counted payment
 *   burst   webhooks at 10, 100 and 1,000 a second through the local gateway with the template's throttles
 *   scan    the reconciler's scan of 10³ to 10⁶ settled payments, Iamport 40 ms away
 *   due     10² to 10⁴ orders that are due at once
 *
 * `-- scan due` runs a part of it, `--max 10000` leaves the larger numbers out, `--write` writes docs/performance.md and the plots.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Table } from '../functions/adapters/dynamodb/table.ts';
import type { Transport } from '../functions/adapters/iamport/transport.ts';
import { reconcile } from '../functions/application/reconcile/reconcile.ts';
import { systemClock } from '../functions/runtime/clock.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import type { Language } from '../functions/shared/language.ts';
import { cdkContext } from '../infra/context.ts';
import { localAssembly } from '../local/assembly.ts';
import { startDynamodbLocal } from '../local/aws/dynamodb-local.ts';
import { localCaller } from '../local/aws/signature.ts';
import { region } from '../local/aws/template.ts';
import { type LocalSystem, startLocal } from '../local/system.ts';
import { writeParts } from '../scripts/generated.ts';
import { monthly, used } from './cost.ts';
import { drawn, type Plot } from './plot.ts';
import { dependenciesAt, expiringOrders, lastRunAt, orderItem, put, runMs, watchingHeap } from './reconciler.ts';
import { quantile } from './report.ts';
import { paidPayment, responseAfterMs } from './upstreams.ts';

/** A part of the bench: its table, in each language, and its plot. */
interface Part {
  readonly head: Readonly<Record<Language, readonly string[]>>;
  readonly rows: readonly (readonly string[])[];
  readonly plot: Plot;
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en');
const upTo = (values: readonly number[], max: number): number[] => values.filter((value) => value <= max);

async function cost(max: number): Promise<Part> {
  const one = await used();
  const months = upTo([1e3, 1e4, 1e5, 1e6, 1e7], max).map((payments) => ({
    payments,
    usd: monthly(one, payments).reduce((sum, [, dollars]) => sum + dollars, 0),
  }));
  return {
    head: {
      en: ['payments a month', 'USD a month'],
      ko: ['월 결제 수', '월 USD'],
    },
    rows: months.map(({ payments, usd }) => [grouped(payments), usd.toFixed(2)]),
    plot: {
      title: 'Cost of a month',
      xName: 'payments a month',
      x: months.map(({ payments }) => grouped(payments)),
      yName: 'USD',
      series: [
        { name: 'a month', values: months.map(({ usd }) => usd) },
        { name: 'a thousand payments', values: months.map(({ usd, payments }) => (usd / payments) * 1000) },
      ],
    },
  };
}

const burstSeconds = 3;
/** The status of a webhook whose connection broke. */
const noResponse = 0;

/** The responses to a burst of webhooks, one for each paid payment, and the orders that the reconciler settles afterwards. */
interface Burst {
  readonly perSecond: number;
  readonly statuses: readonly number[];
  /** Milliseconds of the accepted webhooks. */
  readonly acceptedMs: readonly number[];
  /** Until the last response. */
  readonly seconds: number;
  readonly settledLater: number;
}

async function bursts(max: number): Promise<Part> {
  const database = await startDynamodbLocal();
  const local = await startLocal({
    assembly: localAssembly(cdkContext()),
    port: 0,
    dynamodb: database.endpoint,
    schedules: false,
    report: () => undefined,
    log: () => undefined,
  });
  try {
    // The first run begins the scans: it reads no payment that is older.
    await local.reconcile();
    const client = new DynamoDBClient({ endpoint: database.endpoint, region, credentials: localCaller });
    const measured: Burst[] = [];
    for (const perSecond of upTo([10, 100, 1_000], max)) measured.push(await burst(local, client, perSecond));
    return burstPart(measured);
  } finally {
    await local.close();
    await database.close();
  }
}

async function burst(local: LocalSystem, client: DynamoDBClient, perSecond: number): Promise<Burst> {
  const { iamport, tables } = local;
  if (!iamport) throw new Error('The local system has no fake Iamport');
  iamport.settings.webhooks = 'never';
  const numbers = Array.from({ length: perSecond * burstSeconds }, (_none, index) => `burst-${perSecond}-${index}`);
  const orders = tables.find((name) => name.includes('Orders'));
  await put(
    client,
    numbers.map((number) => orderItem(number, 'ready')),
    orders,
  );
  const payments = numbers.map((merchant_uid) => {
    const { imp_uid } = iamport.ledger.open({ merchant_uid, amount: 14_000, pay_method: 'card' });
    iamport.ledger.pay(imp_uid);
    return { imp_uid, merchant_uid, status: 'paid' };
  });
  const begin = performance.now();
  const sent = payments.map(async (payment, index) => {
    await systemClock.sleep((index / perSecond) * 1000);
    const sentAt = performance.now();
    const response = await fetch(`${local.url}/payments/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payment),
    }).catch(() => undefined);
    const status = response?.status ?? noResponse;
    return { status, ms: performance.now() - sentAt };
  });
  const responses = await Promise.all(sent);
  const seconds = (performance.now() - begin) / 1000;
  return {
    perSecond,
    statuses: responses.map(({ status }) => status),
    acceptedMs: responses.filter(({ status }) => status === 200).map(({ ms }) => ms),
    seconds,
    settledLater: await settledByReconciler(local),
  };
}

/** Runs the reconciler until it has finished. @returns how many payments it settled */
async function settledByReconciler(local: LocalSystem): Promise<number> {
  let settled = 0;
  for (let runs = 0; runs < 10; runs += 1) {
    const report = (await local.reconcile()) as { settled: number; finished: boolean };
    settled += report.settled;
    if (report.finished) return settled;
  }
  throw new Error('The reconciler did not finish in 10 runs');
}

function burstPart(bursts: readonly Burst[]): Part {
  const of = ({ statuses }: Burst, isCounted: (status: number) => boolean) => statuses.filter(isCounted).length;
  const columns = bursts.map((one) => ({
    accepted: of(one, (status) => status === 200),
    refused: of(one, (status) => status === 429),
    failed: of(one, (status) => status === noResponse || status >= 500),
    perSecond: of(one, (status) => status === 200) / one.seconds,
    p50: quantile(one.acceptedMs, 0.5),
    p99: quantile(one.acceptedMs, 0.99),
  }));
  return {
    head: {
      en: [
        'webhooks a second',
        '200',
        '429',
        '5xx or no response',
        'settled a second',
        'p50 / p99, ms',
        'settled later',
      ],
      ko: ['초당 웹훅', '200', '429', '5xx 또는 무응답', '초당 반영', 'p50 / p99, ms', '나중에 반영'],
    },
    rows: bursts.map(({ perSecond, settledLater }, index) => {
      const column = columns[index];
      const counts = [perSecond, column?.accepted, column?.refused, column?.failed, column?.perSecond];
      const times = `${grouped(column?.p50 ?? Number.NaN)} / ${grouped(column?.p99 ?? Number.NaN)}`;
      return [...counts.map((value) => grouped(value ?? Number.NaN)), times, grouped(settledLater)];
    }),
    plot: {
      title: 'A burst of webhooks',
      xName: 'webhooks a second',
      x: bursts.map(({ perSecond }) => grouped(perSecond)),
      yName: 'a second; ms',
      series: [
        { name: 'settled a second', values: columns.map(({ perSecond }) => perSecond) },
        { name: '429 in all', values: columns.map(({ refused }) => refused) },
        { name: 'p99, ms', values: columns.map(({ p99 }) => p99) },
      ],
    },
  };
}

/** Runs of the reconciler over some number of payments or items, until nothing is left. */
interface Reconciled {
  readonly many: number;
  readonly runs: number;
  readonly seconds: number;
  readonly iamportCalls: number;
  readonly tableCalls: number;
  /** The largest heap after a page. 0 without pages. */
  readonly heapMb: number;
}

const ok = (response: unknown) => ({ status: 200, body: JSON.stringify({ code: 0, message: null, response }) });

/**
 * A fake Iamport without HTTP that answers after 40 ms: `many` paid payments in its list of paid ones, and none of any other order.
 * @param startedAt of every payment, in Unix seconds: a later span has none of them
 */
function fakeIamport(many: number, startedAt: number): { transport: Transport; calls: () => number } {
  let calls = 0;
  const transport: Transport = async ({ path }) => {
    calls += 1;
    await systemClock.sleep(responseAfterMs.iamport);
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    if (pathname === '/users/getToken') {
      return ok({ access_token: 'a'.repeat(40), now: startedAt, expired_at: startedAt + 86_400 });
    }
    if (!pathname.startsWith('/payments/status/')) {
      return {
        status: 404,
        body: JSON.stringify({ code: 1, message: '존재하지 않는 결제정보입니다.', response: null }),
      };
    }
    const [page, limit] = [Number(searchParams.get('page')), Number(searchParams.get('limit'))];
    const isInSpan = Number(searchParams.get('from')) <= startedAt;
    const total = pathname.endsWith('/paid') && isInSpan ? many : 0;
    const length = Math.max(0, Math.min(limit, total - (page - 1) * limit));
    const list = Array.from({ length }, (_none, index) =>
      paidPayment(`imp_${String((page - 1) * limit + index).padStart(12, '0')}`, startedAt),
    );
    return ok({ total, previous: page - 1, next: page * limit < total ? page + 1 : 0, list });
  };
  return { transport, calls: () => calls };
}

const paidOrder = (merchantUid: string) => ({
  ...orderItem(merchantUid, 'paid'),
  imp_uid: { S: merchantUid.replace('order-', 'imp_') },
  payment: { M: {} },
});

/** Runs the reconciler until it has finished, in tables of its own. */
async function reconciled(many: number, work: 'scan' | 'due'): Promise<Reconciled> {
  const database = await startDynamodbLocal();
  try {
    const now = Math.floor(Date.now() / 1000);
    const iamport = fakeIamport(work === 'scan' ? many : 0, now - 1_800);
    // Every payment of the scan has its order, already paid by it. They are not stored, since DynamoDB Local is slow to fill.
    let batches = 0;
    const readMany: Table['readMany'] = async (keys) => {
      batches += Math.ceil(keys.length / 100);
      return keys.map(({ merchant_uid }) => paidOrder(merchant_uid?.S ?? ''));
    };
    const { client, deps } = await dependenciesAt(
      iamport.transport,
      database.endpoint,
      work === 'scan' ? { readMany } : {},
    );
    await lastRunAt(deps, work === 'scan' ? now - 3_600 : now);
    if (work === 'due') await put(client, expiringOrders(many, now));
    let tableCalls = 0;
    client.middlewareStack.add((next) => (input) => {
      tableCalls += 1;
      return next(input);
    });
    const { watched, aliveMb } = watchingHeap(deps);
    const begin = performance.now();
    let [runs, finished] = [0, false];
    while (!finished) {
      if (runs === 50) throw new Error(`The reconciler did not finish in ${runs} runs`);
      ({ finished } = await reconcile(watched, deadlineIn(systemClock, runMs)));
      runs += 1;
    }
    const seconds = (performance.now() - begin) / 1000;
    return {
      many,
      runs,
      seconds,
      iamportCalls: iamport.calls(),
      tableCalls: tableCalls + batches,
      heapMb: Math.max(0, ...aliveMb),
    };
  } finally {
    await database.close();
  }
}

async function reconcilerPart(work: 'scan' | 'due', numbers: readonly number[]): Promise<Part> {
  const all: Reconciled[] = [];
  for (const many of numbers) all.push(await reconciled(many, work));
  const isScan = work === 'scan';
  const name = isScan ? { en: 'payments scanned', ko: '스캔한 결제' } : { en: 'items due', ko: '기한이 된 항목' };
  return {
    head: {
      en: [name.en, 'runs', 'seconds', 'calls to Iamport', 'calls to DynamoDB', ...(isScan ? ['heap, MB'] : [])],
      ko: [name.ko, '실행 수', '초', 'Iamport 호출', 'DynamoDB 호출', ...(isScan ? ['힙, MB'] : [])],
    },
    rows: all.map(({ many, runs, seconds, iamportCalls, tableCalls, heapMb }) => [
      ...[grouped(many), grouped(runs), seconds.toFixed(1), grouped(iamportCalls), grouped(tableCalls)],
      ...(isScan ? [grouped(heapMb)] : []),
    ]),
    plot: {
      title: isScan ? 'A scan of settled payments' : 'Items that are due at once',
      xName: name.en,
      x: all.map(({ many }) => grouped(many)),
      yName: isScan ? 'seconds; calls; MB' : 'seconds; calls',
      series: [
        { name: 'seconds', values: all.map(({ seconds }) => seconds) },
        { name: 'calls to Iamport', values: all.map(({ iamportCalls }) => iamportCalls) },
        { name: 'calls to DynamoDB', values: all.map(({ tableCalls }) => tableCalls) },
        ...(isScan ? [{ name: 'heap, MB', values: all.map(({ heapMb }) => heapMb) }] : []),
      ],
    },
  };
}

const parts = {
  cost,
  burst: bursts,
  scan: (max: number) => reconcilerPart('scan', upTo([1e3, 1e4, 1e5, 1e6], max)),
  due: (max: number) => reconcilerPart('due', upTo([1e2, 1e3, 1e4], max)),
};
type PartName = keyof typeof parts;
const isPart = (name: string): name is PartName => Object.hasOwn(parts, name);

const table = ({ head, rows }: Part, language: Language): string =>
  [head[language], head[language].map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { max: { type: 'string' }, write: { type: 'boolean' } },
  });
  const unknown = positionals.find((name) => !isPart(name));
  if (unknown !== undefined) throw new Error(`Unknown part "${unknown}": choose from ${Object.keys(parts).join(', ')}`);
  const chosen = positionals.length === 0 ? (Object.keys(parts) as PartName[]) : positionals.filter(isPart);
  for (const name of chosen) {
    const part = await parts[name](Number(values.max ?? Number.POSITIVE_INFINITY));
    console.log(`\n${name}\n${table(part, 'en')}`);
    if (!values.write) continue;
    const day = new Date().toISOString().slice(0, 10);
    writeParts({ en: 'docs/performance.md', ko: 'docs/performance.ko.md' }, (language) => ({
      [`bench:volume-${name}`]: `${day}\n\n${table(part, language)}\n\n![](volume-${name}.svg)`,
    }));
    writeFileSync(join(import.meta.dirname, `../docs/volume-${name}.svg`), drawn(part.plot));
  }
}

if (import.meta.main) await main();

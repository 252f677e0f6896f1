/**
 * Measures the cold start of this project and of other implementations: `npm run bench`. Every cold start is a new process, all
 * upstreams are behind TLS with a fixed response time, the contestants take turns in a rotating order, and results are medians of
 * many rounds. `--rounds N`, `--only a,b` and `--warm N` make a shorter run, which writes no docs.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeParts } from '../scripts/generated.ts';
import { type Contestant, contestants } from './contestants.ts';
import { cpuLimits, fullCpuMb } from './cpu.ts';
import { Instance } from './instance.ts';
import type { Measured } from './measured.ts';
import { circumstances, coldTable, drawing, goalTable, type Report, warmTable } from './report.ts';
import { type Call, orderOf, price, startUpstreams, type Upstreams } from './upstreams.ts';

/** Cold starts of each contestant by memory size in MB. */
const roundsOf: Readonly<Record<number, number>> = { [fullCpuMb]: 11, 512: 11, 256: 9, 128: 5 };
const warmCalls = 80;
/** Calls before the warm calls are counted, so that V8 has compiled the code. */
const warmUpCalls = 20;
let payments = 0;

/** API Gateway's event for the completion of a new payment. */
function completion(): object {
  payments += 1;
  const impUid = `imp_${String(payments).padStart(12, '0')}`;
  const route = { method: 'POST', path: '/payments/complete' };
  return {
    version: '2.0',
    routeKey: `${route.method} ${route.path}`,
    rawPath: route.path,
    rawQueryString: '',
    headers: {
      accept: '*/*',
      'accept-language': 'ko-KR,ko;q=0.9',
      'content-type': 'application/json',
      host: 'abcdefghij.execute-api.ap-northeast-2.amazonaws.com',
      origin: 'https://shop.example',
      'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abcdefghij',
      domainName: 'abcdefghij.execute-api.ap-northeast-2.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: { ...route, protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: 'Mozilla/5.0' },
      requestId: `request-${payments}`,
      routeKey: `${route.method} ${route.path}`,
      stage: '$default',
      time: '23/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_000_000_000,
    },
    body: JSON.stringify({ imp_uid: impUid, merchant_uid: orderOf(impUid), amount: price }),
    isBase64Encoded: false,
  };
}

async function invoked(instance: Instance, name: string): Promise<number> {
  const { ms, response } = await instance.invoke(completion());
  const { body = '' } = response as { body?: string };
  if (!/"status":"paid"/.test(body)) throw new Error(`${name} returned ${JSON.stringify(response)}`);
  return ms;
}

/** Measures all contestants under the same conditions. */
export class Bench {
  readonly #limits = cpuLimits();
  readonly #upstreams: Upstreams;
  readonly #measured: Measured[];
  /** `token`: whether the stub of DynamoDB returns a shared access token. */
  readonly #shares: { token: boolean };

  constructor(upstreams: Upstreams, measuredContestants: readonly Contestant[], shares: { token: boolean }) {
    this.#upstreams = upstreams;
    this.#shares = shares;
    this.#measured = measuredContestants.map((contestant) => ({
      contestant,
      cold: new Map(this.sizes.map((size) => [size, []])),
      coldCalls: [],
      coldConnections: 0,
      warm: undefined,
    }));
  }

  get sizes(): number[] {
    return this.#limits ? [fullCpuMb, 512, 256, 128] : [fullCpuMb];
  }

  get limitedBy(): string | undefined {
    return this.#limits?.by;
  }

  get measured(): readonly Measured[] {
    return this.#measured;
  }

  /** @param rounds the most for each memory size; roundsOf may have fewer */
  async cold(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      for (const memoryMb of this.sizes) {
        if (round >= (roundsOf[memoryMb] ?? 0)) continue;
        for (const measured of rotated(this.#measured, round)) await this.#coldStart(measured, memoryMb);
      }
      process.stderr.write(`\rcold starts: round ${round + 1} of ${rounds} `);
    }
    process.stderr.write('\n');
  }

  async #coldStart(measured: Measured, memoryMb: number): Promise<void> {
    this.#upstreams.taken();
    const { instance, initMs } = await this.#started(measured.contestant, memoryMb);
    try {
      instance.limit();
      const firstResponseMs = await invoked(instance, measured.contestant.name);
      const [cpuMs, peakMemoryMb] = [instance.cpuUsedMs(), instance.peakMemoryMb()];
      measured.cold.get(memoryMb)?.push({ initMs, firstResponseMs, cpuMs, peakMemoryMb });
      const { calls, connections } = this.#upstreams.taken();
      measured.coldCalls = calls;
      measured.coldConnections = connections;
    } finally {
      await instance.end();
    }
  }

  async #started({ codeDirectory, handler, environment, sharedToken }: Contestant, memoryMb: number) {
    this.#shares.token = sharedToken;
    return Instance.start({ codeDirectory, handler, environment, memoryMb, limits: this.#limits });
  }

  /** All instances run at once and are called in turns, so that other load on the machine affects all of them. */
  async warm(calls: number): Promise<void> {
    const instances: Instance[] = [];
    try {
      for (const { contestant } of this.#measured)
        instances.push((await this.#started(contestant, fullCpuMb)).instance);
      const runs = this.#measured.map((measured, index) => new WarmRun(measured, instances[index] as Instance));
      for (let call = 0; call < warmUpCalls + calls; call += 1) {
        if (call === warmUpCalls) for (const run of runs) run.begin();
        for (const run of rotated(runs, call)) await run.call(this.#upstreams);
      }
      for (const run of runs) run.end(calls);
    } finally {
      for (const instance of instances) await instance.end();
    }
  }

  close(): void {
    this.#limits?.close();
  }
}

class WarmRun {
  readonly #measured: Measured;
  readonly #instance: Instance;
  #responsesMs: number[] = [];
  #upstreamMs: number[] = [];
  #calls: readonly Call[] = [];
  #cpuBefore: number | undefined;

  constructor(measured: Measured, instance: Instance) {
    this.#measured = measured;
    this.#instance = instance;
  }

  begin(): void {
    this.#responsesMs = [];
    this.#upstreamMs = [];
    this.#cpuBefore = this.#instance.cpuUsedMs();
  }

  async call(upstreams: Upstreams): Promise<void> {
    upstreams.taken();
    this.#responsesMs.push(await invoked(this.#instance, this.#measured.contestant.name));
    this.#calls = upstreams.taken().calls;
    this.#upstreamMs.push(waitedMs(this.#calls));
  }

  end(calls: number): void {
    const cpu = this.#instance.cpuUsedMs();
    this.#measured.warm = {
      responsesMs: this.#responsesMs,
      upstreamMs: this.#upstreamMs,
      cpuMsPerCall: cpu === undefined || this.#cpuBefore === undefined ? undefined : (cpu - this.#cpuBefore) / calls,
      peakMemoryMb: this.#instance.peakMemoryMb(),
      calls: this.#calls,
    };
  }
}

/** Milliseconds in which at least one of the calls was pending. Concurrent calls count once. */
function waitedMs(calls: readonly Call[]): number {
  let waitedMs = 0;
  let until = 0;
  for (const { begin, end } of calls.toSorted((a, b) => a.begin - b.begin)) {
    waitedMs += Math.max(0, end - Math.max(begin, until));
    until = Math.max(until, end);
  }
  return waitedMs;
}

const rotated = <Element>(list: readonly Element[], by: number): Element[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

/** Writes the tables into docs/performance.md and its translation, and draws the chart. */
async function publish(report: Report): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  writeParts({ en: 'docs/performance.md', ko: 'docs/performance.ko.md' }, (language) => {
    const blocks = [
      [circumstances(report, language, day)],
      coldTable(report, language),
      ['![](cold-start.svg)'],
      warmTable(report, language),
      goalTable(report, language),
    ];
    return { bench: blocks.map((lines) => lines.join('\n')).join('\n\n') };
  });
  await writeFile(join(import.meta.dirname, '../docs/cold-start.svg'), drawing(report));
  console.error('Written: docs/performance.md, docs/performance.ko.md, docs/cold-start.svg');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string' }, only: { type: 'string' }, warm: { type: 'string' } },
  });
  const only = values.only?.split(',');
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  const shares = { token: false };
  const upstreams = await startUpstreams(() => shares.token);
  try {
    const all = await contestants(upstreams, directory);
    const bench = new Bench(upstreams, only ? all.filter(({ name }) => only.includes(name)) : all, shares);
    try {
      await bench.cold(Number(values.rounds ?? Math.max(...Object.values(roundsOf))));
      await bench.warm(Number(values.warm ?? warmCalls));
    } finally {
      bench.close();
    }
    const report = { measured: bench.measured, sizes: bench.sizes, limitedBy: bench.limitedBy };
    const tables = [coldTable(report, 'en'), warmTable(report, 'en'), goalTable(report, 'en')];
    console.log(tables.map((lines) => lines.join('\n')).join('\n\n'));
    if (Object.keys(values).length === 0) await publish(report);
  } finally {
    await upstreams.close();
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) await main();

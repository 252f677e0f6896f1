/**
 * Measures cold starts and warm calls of this project and of other implementations, at each memory size: `npm run bench`. Every cold
 * start is a new process, all upstreams are behind TLS with a fixed response time, the contestants take turns in a rotating order, and
 * results are medians. `--write` writes the docs; the options of a shorter run are `--sizes 512,256`, `--only a,b`, `--rounds N` (cold
 * starts) and `--instances N` (warm). `--functions` measures `confirm` and `deliver` beside `complete` instead, and writes no docs.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeParts } from '../scripts/generated.ts';
import { contestants, functionsOfStack } from './contestants.ts';
import { cpuLimits, fullCpuMb } from './cpu.ts';
import { completion } from './events.ts';
import { Instance } from './instance.ts';
import {
  type CallWindow,
  type Contestant,
  earlyCalls,
  lateCalls,
  type Measured,
  type Warm,
  type WarmCalls,
} from './measured.ts';
import { circumstances, decisionTable, drawing, goalTable, type Report } from './report.ts';
import { type Call, startUpstreams, type Upstreams } from './upstreams.ts';

/** Cold starts of each contestant by memory size in MB. */
const roundsOf: Readonly<Record<number, number>> = { [fullCpuMb]: 11, 512: 11, 256: 9, 128: 5 };
/** Instances of each contestant at each size whose warm calls are measured. */
const warmInstances = 3;
const defaultSizes = Object.keys(roundsOf)
  .map(Number)
  .toSorted((a, b) => b - a);
let payments = 0;

/** @returns the milliseconds until the response. @throws Error for another response than the expected one */
async function invoked(instance: Instance, { name, call }: Contestant): Promise<number> {
  payments += 1;
  const { event, response: expected } = call ?? { event: completion, response: /\\"status\\":\\"paid\\"/ };
  const { ms, response } = await instance.invoke(event(payments));
  const text = JSON.stringify(response);
  if (!expected.test(text)) throw new Error(`${name} returned ${text}`);
  return ms;
}

/** Measures all contestants under the same conditions. */
export class Bench {
  readonly #limits = cpuLimits();
  readonly #upstreams: Upstreams;
  readonly #measured: Measured[];
  /** `token`: whether the stub of DynamoDB returns a shared access token. */
  readonly #shares: { token: boolean };

  readonly sizes: readonly number[];

  /** @param sizes memory sizes in MB; without control groups only the full CPU is measured */
  constructor(
    upstreams: Upstreams,
    measuredContestants: readonly Contestant[],
    shares: { token: boolean },
    sizes: readonly number[] = defaultSizes,
  ) {
    this.#upstreams = upstreams;
    this.#shares = shares;
    this.sizes = this.#limits ? sizes : [fullCpuMb];
    this.#measured = measuredContestants.map((contestant) => ({
      contestant,
      cold: new Map(this.sizes.map((size) => [size, []])),
      warm: new Map(this.sizes.map((size) => [size, { early: noCalls(), late: noCalls() }])),
    }));
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
    const { instance, initMs } = await this.#started(measured.contestant, memoryMb);
    try {
      instance.limit();
      const firstResponseMs = await invoked(instance, measured.contestant);
      const [cpuMs, peakMemoryMb] = [instance.cpuUsedMs(), instance.peakMemoryMb()];
      measured.cold.get(memoryMb)?.push({ initMs, firstResponseMs, cpuMs, peakMemoryMb });
    } finally {
      await instance.end();
    }
  }

  async #started({ codeDirectory, handler, environment, sharedToken }: Contestant, memoryMb: number) {
    this.#shares.token = sharedToken;
    return Instance.start({ codeDirectory, handler, environment, memoryMb, limits: this.#limits });
  }

  /**
   * At each size, one instance of every contestant at once. They are called in turns, so that other load on the machine affects all.
   * @param instances how many times that is done
   */
  async warm(instances: number): Promise<void> {
    for (const memoryMb of this.sizes) {
      for (let run = 0; run < instances; run += 1) {
        await this.#warmAt(memoryMb);
        process.stderr.write(`\rwarm calls at ${memoryMb} MB: ${run + 1} of ${instances} `);
      }
    }
    process.stderr.write('\n');
  }

  async #warmAt(memoryMb: number): Promise<void> {
    const runs: WarmRun[] = [];
    try {
      for (const measured of this.#measured) {
        const { instance } = await this.#started(measured.contestant, memoryMb);
        instance.limit();
        runs.push(new WarmRun(measured, instance, measured.warm.get(memoryMb) as Warm));
      }
      for (let call = 1; call <= lateCalls.last; call += 1) {
        for (const run of rotated(runs, call)) await run.call(call, this.#upstreams);
      }
    } finally {
      for (const run of runs) await run.instance.end();
    }
  }
}

const noCalls = (): WarmCalls => ({ responsesMs: [], upstreamMs: [], cpuMs: [] });
const windows = { early: earlyCalls, late: lateCalls } satisfies Record<keyof Warm, CallWindow>;

/** The warm calls of one instance. */
class WarmRun {
  readonly instance: Instance;
  readonly #measured: Measured;
  readonly #warm: Warm;
  #cpuBefore: number | undefined;

  constructor(measured: Measured, instance: Instance, warm: Warm) {
    this.#measured = measured;
    this.instance = instance;
    this.#warm = warm;
  }

  /** @param number the place of the call among those of the instance, from 1 on */
  async call(number: number, upstreams: Upstreams): Promise<void> {
    const [name] = (['early', 'late'] as const).filter((one) => isIn(windows[one], number));
    if (name && number === windows[name].first) this.#cpuBefore = this.instance.cpuUsedMs();
    upstreams.taken();
    const ms = await invoked(this.instance, this.#measured.contestant);
    const calls = upstreams.taken();
    if (!name) return;
    this.#warm[name].responsesMs.push(ms);
    this.#warm[name].upstreamMs.push(waitedMs(calls));
    const cpu = this.instance.cpuUsedMs();
    if (number !== windows[name].last || cpu === undefined || this.#cpuBefore === undefined) return;
    this.#warm[name].cpuMs.push((cpu - this.#cpuBefore) / (windows[name].last - windows[name].first + 1));
  }
}

const isIn = ({ first, last }: CallWindow, call: number): boolean => call >= first && call <= last;

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
    const text = (lines: readonly string[]) => lines.join('\n');
    return {
      'bench:decision': [circumstances(report, language, day), text(decisionTable(report, language))].join('\n\n'),
      'bench:goals': text(goalTable(report, language)),
    };
  });
  await writeFile(join(import.meta.dirname, '../docs/cold-start.svg'), drawing(report));
  console.error('Written: docs/performance.md, docs/performance.ko.md, docs/cold-start.svg');
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      sizes: text,
      only: text,
      rounds: text,
      instances: text,
      functions: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  });
  const only = values.only?.split(',');
  const sizes = values.sizes?.split(',').map(Number);
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  const shares = { token: false };
  const upstreams = await startUpstreams(() => shares.token);
  try {
    if (values.functions && values.write) throw new Error('--functions writes no docs: leave --write out');
    const all = await (values.functions ? functionsOfStack : contestants)(upstreams, directory);
    const chosen = only ? all.filter(({ name }) => only.includes(name)) : all;
    if (chosen.length === 0) throw new Error(`--only: choose from ${all.map(({ name }) => name).join(', ')}`);
    const bench = new Bench(upstreams, chosen, shares, sizes);
    await bench.cold(Number(values.rounds ?? Math.max(...Object.values(roundsOf))));
    await bench.warm(Number(values.instances ?? warmInstances));
    const report = { measured: bench.measured, sizes: bench.sizes, limitedBy: bench.limitedBy };
    const tables = [decisionTable, goalTable].map((table) => table(report, 'en'));
    console.log(tables.map((lines) => lines.join('\n')).join('\n\n'));
    if (values.write) await publish(report);
  } finally {
    await upstreams.close();
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) await main();

/**
 * Measures the cold start of this project and of other implementations: `npm run bench`. Every cold start is a new process, all
 * upstreams are behind TLS with a fixed response time, the contestants take turns in a rotating order, and results are medians of
 * many rounds. `--rounds N`, `--only a,b` and `--warm N` make a shorter run, which writes no docs. `--functions` measures `confirm`
 * and `deliver` beside `complete` instead, and writes none either.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeParts } from '../scripts/generated.ts';
import { type Contestant, contestants, functionsOfStack } from './contestants.ts';
import { cpuLimits, fullCpuMb } from './cpu.ts';
import { completion } from './events.ts';
import { Instance } from './instance.ts';
import type { Measured } from './measured.ts';
import { circumstances, coldTable, drawing, goalTable, type Report, warmTable } from './report.ts';
import { type Call, startUpstreams, type Upstreams } from './upstreams.ts';

/** Cold starts of each contestant by memory size in MB. */
const roundsOf: Readonly<Record<number, number>> = { [fullCpuMb]: 11, 512: 11, 256: 9, 128: 5 };
const warmCalls = 80;
/** Calls before the warm calls are counted, so that V8 has compiled the code. */
const warmUpCalls = 20;
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
      const firstResponseMs = await invoked(instance, measured.contestant);
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
    this.#responsesMs.push(await invoked(this.#instance, this.#measured.contestant));
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
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      warm: { type: 'string' },
      functions: { type: 'boolean' },
    },
  });
  const only = values.only?.split(',');
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  const shares = { token: false };
  const upstreams = await startUpstreams(() => shares.token);
  try {
    const all = await (values.functions ? functionsOfStack : contestants)(upstreams, directory);
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

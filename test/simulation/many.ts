/** Runs many seeds on all cores, and adds up their coverage and failures. */

import { Worker } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { missingFrom } from './required-coverage.ts';
import type { Block, BlockResult } from './worker.ts';
import type { Scope } from './worlds/choice.ts';

export interface SimulationReport {
  readonly isGreen: boolean;
  readonly perMinute: number;
  /** The coverage and the violations, one a line. */
  readonly text: string;
  readonly failures: readonly BlockResult['failures'][number][];
}

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  /** The run stops after so many failures. */
  readonly maxFailures: number;
  readonly scope?: Scope;
  readonly progress?: (line: string) => void;
}

/** The scenarios of one message to a worker. */
const blockSize = 250;
/** With more failures than this, the text counts them by invariant. */
const maxFailuresShown = 20;
/** V8's default is 16 MB: with little memory for new objects, a worker spends a tenth of its time on collecting garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 128 };
/** A run of this size covers the rare events too. Smaller runs do not require coverage. */
const requiresCoverageFrom = 20_000;

export async function runMany({
  seeds,
  from,
  workers,
  maxFailures,
  progress,
  scope = {},
}: Options): Promise<SimulationReport> {
  const begun = performance.now();
  const coverage = new Coverage();
  const failures: BlockResult['failures'][number][] = [];
  let [next, done, maxWrites] = [from, 0, 0];
  const end = from + seeds;
  const perMinute = () => Math.round((done / (performance.now() - begun)) * 60_000);

  const work = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { resourceLimits });
    try {
      while (next < end && failures.length < maxFailures) {
        const block: Block = {
          from: next,
          to: Math.min(end, next + blockSize),
          scope,
          stopsAtFailure: maxFailures === 1,
        };
        next = block.to;
        const result = await runBlock(worker, block);
        coverage.add(result.coverage);
        failures.push(...result.failures);
        maxWrites = Math.max(maxWrites, result.maxWrites);
        const before = done;
        done += block.to - block.from;
        if (Math.floor(before / 50_000) < Math.floor(done / 50_000))
          progress?.(`${done} done, ${perMinute()} a minute`);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, workers) }, work));

  const missing = seeds >= requiresCoverageFrom ? missingFrom(coverage, scope) : [];
  const text = [
    ...[...coverage.counts]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([what, times]) => `${String(times).padStart(10)}  ${what}`),
    `${done} scenarios, ${perMinute()} a minute; at most ${maxWrites} writes to an order`,
    ...missing.map((what) => `SIM FAIL not covered: ${what}`),
    ...countsOf(failures),
    ...failures
      .slice(0, maxFailuresShown)
      .map(
        ({ seed, invariant, message }) =>
          `SIM FAIL seed=${seed} invariant=${invariant} ${message} — rerun: npm run simulate -- --seed ${seed} --trace`,
      ),
    failures.length + missing.length === 0 ? 'No violation.' : '',
  ].join('\n');
  return { isGreen: failures.length + missing.length === 0, perMinute: perMinute(), text, failures };
}

/** Counts the scenarios that broke each invariant, when there are too many to print. */
function countsOf(failures: SimulationReport['failures']): string[] {
  if (failures.length <= maxFailuresShown) return [];
  const byInvariant = Object.entries(Object.groupBy(failures, ({ invariant }) => invariant));
  return byInvariant.map(([invariant, those = []]) => {
    const seeds = those.slice(0, 3).map(({ seed }) => seed);
    return `${String(those.length).padStart(10)}  broke ${invariant}, such as seed ${seeds.join(', ')}`;
  });
}

function runBlock(worker: Worker, block: Block): Promise<BlockResult> {
  return new Promise((resolve, reject) => {
    const stopListening = () => {
      worker.off('message', done);
      worker.off('error', failed);
    };
    const done = (result: BlockResult) => {
      stopListening();
      resolve(result);
    };
    const failed = (error: Error) => {
      stopListening();
      reject(error);
    };
    worker.on('message', done);
    worker.on('error', failed);
    worker.postMessage(block);
  });
}

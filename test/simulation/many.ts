/** Runs many seeds on all cores, and puts together what they reached. */

import { Worker } from 'node:worker_threads';
import { Reached } from './coverage.ts';
import { missingFrom } from './required-coverage.ts';
import type { Block, Done } from './worker.ts';
import type { Scope } from './worlds/choice.ts';

export interface Report {
  readonly isGreen: boolean;
  readonly perMinute: number;
  /** What was reached, and what was violated, for a person. */
  readonly text: string;
  readonly failures: readonly Done['failures'][number][];
}

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  /** So many failures say enough. */
  readonly mostFailures: number;
  readonly scope?: Scope;
  readonly progress?: (line: string) => void;
}

/** A worker asks for more after so many schedules. */
const blockSize = 250;
/** A run that is to count its failures may have many. */
const mostFailuresShown = 20;
/** What is rare is reached in a run of this size, and only there it is demanded. */
const demandsFrom = 20_000;

export async function runMany({ seeds, from, workers, mostFailures, progress, scope = {} }: Options): Promise<Report> {
  const begun = performance.now();
  const reached = new Reached();
  const failures: Done['failures'][number][] = [];
  let [next, done, mostWrites] = [from, 0, 0];
  const end = from + seeds;
  const perMinute = () => Math.round((done / (performance.now() - begun)) * 60_000);

  const work = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      while (next < end && failures.length < mostFailures) {
        const block: Block = {
          from: next,
          to: Math.min(end, next + blockSize),
          scope,
          stopsAtFailure: mostFailures === 1,
        };
        next = block.to;
        const answer = await answerOf(worker, block);
        reached.add(answer.reached);
        failures.push(...answer.failures);
        mostWrites = Math.max(mostWrites, answer.mostWrites);
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

  const missing = seeds >= demandsFrom ? missingFrom(reached, scope) : [];
  const text = [
    ...[...reached.counts]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([what, times]) => `${String(times).padStart(10)}  ${what}`),
    `${done} schedules, ${perMinute()} a minute; at most ${mostWrites} writes to an order`,
    ...missing.map((what) => `SIM FAIL never reached: ${what}`),
    ...countsOf(failures),
    ...failures
      .slice(0, mostFailuresShown)
      .map(
        ({ seed, invariant, message }) =>
          `SIM FAIL seed=${seed} invariant=${invariant} ${message} — rerun: npm run simulate -- --seed ${seed} --trace`,
      ),
    failures.length + missing.length === 0 ? 'No violation.' : '',
  ].join('\n');
  return { isGreen: failures.length + missing.length === 0, perMinute: perMinute(), text, failures };
}

/** How many schedules broke each invariant, where there are too many to show. */
function countsOf(failures: Report['failures']): string[] {
  if (failures.length <= mostFailuresShown) return [];
  const byInvariant = Object.entries(Object.groupBy(failures, ({ invariant }) => invariant));
  return byInvariant.map(([invariant, those = []]) => {
    const seeds = those.slice(0, 3).map(({ seed }) => seed);
    return `${String(those.length).padStart(10)}  broke ${invariant}, such as seed ${seeds.join(', ')}`;
  });
}

function answerOf(worker: Worker, block: Block): Promise<Done> {
  return new Promise((resolve, reject) => {
    const over = () => {
      worker.off('message', done);
      worker.off('error', failed);
    };
    const done = (answer: Done) => {
      over();
      resolve(answer);
    };
    const failed = (error: Error) => {
      over();
      reject(error);
    };
    worker.on('message', done);
    worker.on('error', failed);
    worker.postMessage(block);
  });
}

/** One of the workers of a long run: takes a block of seeds, and says what became of it. */

import { parentPort } from 'node:worker_threads';
import { Reached } from './coverage.ts';
import { runSchedule } from './scenario.ts';
import type { Scope } from './worlds/choice.ts';

/** From one seed up to, and without, another. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly scope: Scope;
  /** The rest of the block is left out after its first failure. */
  readonly stopsAtFailure: boolean;
}

export interface Done {
  readonly reached: readonly (readonly [string, number])[];
  readonly failures: readonly { readonly seed: number; readonly invariant: string; readonly message: string }[];
  readonly mostWrites: number;
}

// The lines that the doors log would be most of the work.
console.info = () => undefined;
console.error = () => undefined;
// So would be the stacks of the faults that are thrown on purpose.
Error.stackTraceLimit = 0;

parentPort?.on('message', async ({ from, to, scope, stopsAtFailure }: Block) => {
  const reached = new Reached();
  const failures: Done['failures'][number][] = [];
  let mostWrites = 0;
  for (let seed = from; seed < to; seed += 1) {
    const { violation, mostWrites: writes } = await runSchedule(seed, reached, scope);
    mostWrites = Math.max(mostWrites, writes);
    if (!violation) continue;
    failures.push({ seed, invariant: violation.invariant, message: violation.message });
    // An error of the program is no violation, and the run looks for one.
    if (stopsAtFailure && violation.invariant !== 'broken') break;
  }
  parentPort?.postMessage({ reached: [...reached.counts], failures, mostWrites } satisfies Done);
});

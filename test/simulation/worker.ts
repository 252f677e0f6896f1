/** One worker of a long run: receives blocks of seeds, and returns their coverage and failures. */

import { parentPort } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { runScenario } from './scenario.ts';
import type { Scope } from './worlds/choice.ts';

/** The seeds from `from` (included) to `to` (excluded). */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly scope: Scope;
  /** Skip the rest of the block after its first failure. */
  readonly stopsAtFailure: boolean;
}

export interface BlockResult {
  readonly coverage: readonly (readonly [string, number])[];
  readonly failures: readonly { readonly seed: number; readonly invariant: string; readonly message: string }[];
  readonly maxWrites: number;
}

// Printing the log lines of the functions would take most of the time.
console.info = () => undefined;
console.error = () => undefined;
// So would the stack traces of the simulated faults.
Error.stackTraceLimit = 0;

parentPort?.on('message', async ({ from, to, scope, stopsAtFailure }: Block) => {
  const coverage = new Coverage();
  const failures: BlockResult['failures'][number][] = [];
  let maxWrites = 0;
  for (let seed = from; seed < to; seed += 1) {
    const { violation, maxWrites: writes } = await runScenario(seed, coverage, scope);
    maxWrites = Math.max(maxWrites, writes);
    if (!violation) continue;
    failures.push({ seed, invariant: violation.invariant, message: violation.message });
    // A crash of the simulation is not a violation, so the block goes on.
    if (stopsAtFailure && violation.invariant !== 'broken') break;
  }
  parentPort?.postMessage({ coverage: [...coverage.counts], failures, maxWrites } satisfies BlockResult);
});

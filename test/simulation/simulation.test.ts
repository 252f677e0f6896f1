/** The simulation in CI: 20,000 scenarios, a scenario for each bug that was found, and a check that a scenario is deterministic. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { runMany } from './many.ts';
import { mutations } from './mutations/mutations.ts';
import { runScenario } from './scenario.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

interface Regression {
  readonly seed: number;
  /** The bug that this seed once found. */
  readonly bug: string;
}

const regressions = JSON.parse(
  readFileSync(new URL('./regressions.json', import.meta.url), 'utf8'),
) as readonly Regression[];

// The same seeds in every run: a change of the code is the only reason for a failure. `npm run simulate -- --from N` takes others.
test('20,000 scenarios break no invariant, and cover every rule, every death and every fault', {
  timeout: 300_000,
}, async () => {
  const { isGreen, text } = await runMany({
    seeds: 20_000,
    from: 1,
    workers: availableParallelism(),
    maxFailures: 5,
  });
  expect(
    isGreen,
    text
      .split('\n')
      .filter((line) => line.startsWith('SIM FAIL'))
      .join('\n'),
  ).toBe(true);
});

test('every mutation has exactly one place in the code', () => {
  for (const { name, file, find } of mutations) {
    const code = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(code.split(find).length, name).toBe(2);
  }
});

test.each(regressions)('finds no violation with seed $seed: $bug', async ({ seed }) => {
  const { violation } = await runScenario(seed);
  expect(violation && `${violation.invariant} ${violation.message}`).toBeUndefined();
});

describe('a seed', () => {
  const traceOf = async (seed: number) => {
    const hash = createHash('sha256');
    await runScenario(seed, undefined, {}, (line) => hash.update(line));
    return hash.digest('hex');
  };

  test('gives the same scenario in each run, to the last call', async () => {
    for (let seed = 1; seed <= 100; seed += 1) expect(await traceOf(seed), `seed ${seed}`).toBe(await traceOf(seed));
  });

  test('gives another scenario than the next seed', async () => {
    expect(await traceOf(1)).not.toBe(await traceOf(2));
  });
});

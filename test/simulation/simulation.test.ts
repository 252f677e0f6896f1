/** The simulation in the gate: new schedules every day, a schedule for each fault that was found, and that a schedule is always the same. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { runMany } from './many.ts';
import { mutations } from './mutations/mutations.ts';
import { runSchedule } from './scenario.ts';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();

interface Regression {
  readonly seed: number;
  /** What was wrong in it once. */
  readonly was: string;
}

const regressions = JSON.parse(
  readFileSync(new URL('./regressions.json', import.meta.url), 'utf8'),
) as readonly Regression[];

/** Others every day, and all of one day the same, so that a failure can be run again. */
const today = Math.floor(Date.now() / 86_400_000) * 1_000_000;

test('20,000 new schedules break no invariant, and reach every rule, every death and every fault', {
  timeout: 300_000,
}, async () => {
  const { isGreen, text } = await runMany({
    seeds: 20_000,
    from: today,
    workers: availableParallelism(),
    mostFailures: 5,
  });
  expect(
    isGreen,
    text
      .split('\n')
      .filter((line) => line.startsWith('SIM FAIL'))
      .join('\n'),
  ).toBe(true);
});

test('every bug to plant still has its place in the code', () => {
  for (const { name, file, find } of mutations) {
    const code = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(code.split(find).length, name).toBe(2);
  }
});

test.each(regressions)('seed $seed: $was', async ({ seed }) => {
  const { violation } = await runSchedule(seed);
  expect(violation && `${violation.invariant} ${violation.message}`).toBeUndefined();
});

describe('a seed', () => {
  const traceOf = async (seed: number) => {
    const hash = createHash('sha256');
    await runSchedule(seed, undefined, {}, (line) => hash.update(line));
    return hash.digest('hex');
  };

  test('is the same schedule each time, to the last call', async () => {
    for (let seed = 1; seed <= 100; seed += 1) expect(await traceOf(seed), `seed ${seed}`).toBe(await traceOf(seed));
  });

  test('is another schedule than the next one', async () => {
    expect(await traceOf(1)).not.toBe(await traceOf(2));
  });
});

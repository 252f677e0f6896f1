/** Runs the scenario of one seed. */

import { Coverage } from './coverage.ts';
import { minute } from './units.ts';
import { Violation } from './violation.ts';
import { Workload } from './workload/workload.ts';
import { World } from './world.ts';
import type { Scope } from './worlds/choice.ts';
import { makeBacklog } from './worlds/crowd.ts';

export interface Result {
  readonly seed: number;
  readonly violation?: Violation;
  readonly maxWrites: number;
}

/**
 * @param seed any whole number below 2^53
 * @param coverage counts the events of this scenario
 * @param scope the worlds and invariants of the run
 * @param line prints a line of the trace
 */
export async function runScenario(
  seed: number,
  coverage = new Coverage(),
  scope: Scope = {},
  line?: (line: string) => void,
): Promise<Result> {
  const world = new World(seed, coverage, scope, line);
  const { random, time, iamport } = world;
  if (random.is(0.02)) {
    // Iamport is down for hours, while the actors act.
    coverage.count('fault: iamport is down for hours');
    world.hasLongWait = true;
    world.faultsForMs = random.whole(60, 180) * minute;
    time.after(random.whole(1, 20) * minute, () => void Object.assign(iamport, { isDown: true }));
    time.after(world.faultsForMs, () => void Object.assign(iamport, { isDown: false }));
  }
  let violation: Violation | undefined;
  try {
    if (world.worlds.has('backlog')) await makeBacklog(world);
    new Workload(world).begin();
    await world.run();
    await world.deliveries?.run();
  } catch (error) {
    violation =
      error instanceof Violation
        ? error
        : new Violation('broken', String(error instanceof Error ? error.stack : error));
  }
  return { seed, maxWrites: world.safety.maxWrites, ...(violation && { violation }) };
}

/** Runs one seed from its beginning to its end. */

import { Reached } from './coverage.ts';
import { Violation } from './violation.ts';
import { People } from './workload/people.ts';
import { World } from './world.ts';
import type { Scope } from './worlds/choice.ts';
import { makeBacklog } from './worlds/crowd.ts';

export interface Result {
  readonly seed: number;
  readonly violation?: Violation;
  readonly mostWrites: number;
}

const minute = 60_000;

/**
 * @param seed any whole number below 2^53
 * @param reached takes what this schedule has been through
 * @param scope which worlds and invariants the run has
 * @param line takes the trace, if anybody wants one
 */
export async function runSchedule(
  seed: number,
  reached = new Reached(),
  scope: Scope = {},
  line?: (line: string) => void,
): Promise<Result> {
  const world = new World(seed, reached, scope, line);
  const { chance, time, iamport } = world;
  if (chance.is(0.02)) {
    // Iamport goes away for hours, in the middle of everything.
    reached.count('fault: iamport is down for hours');
    world.hasLongWait = true;
    world.badForMs = chance.whole(60, 180) * minute;
    time.after(chance.whole(1, 20) * minute, () => void Object.assign(iamport, { isDown: true }));
    time.after(world.badForMs, () => void Object.assign(iamport, { isDown: false }));
  }
  let violation: Violation | undefined;
  try {
    if (world.worlds.has('backlog')) await makeBacklog(world);
    new People(world).begin();
    await world.run();
  } catch (error) {
    violation =
      error instanceof Violation
        ? error
        : new Violation('broken', String(error instanceof Error ? error.stack : error));
  }
  return { seed, mostWrites: world.books.mostWrites, ...(violation && { violation }) };
}

/** Decides what a broken invariant means in this run: an end of the schedule, or a count while its fault is not mended yet. */

import type { Reached } from './coverage.ts';
import { Violation } from './violation.ts';

/** Invariants that the present code breaks in worlds that are not pending. Only a run with `--pending` enforces them. */
export const pendingInvariants: ReadonlySet<string> = new Set([]);

export class Judge {
  readonly #reached: Reached;
  readonly #enforcesPending: boolean;

  constructor(reached: Reached, enforcesPending: boolean) {
    this.#reached = reached;
    this.#enforcesPending = enforcesPending;
  }

  /** Counts that an invariant had something to judge: a run that never reaches it proves nothing. */
  judged(invariant: string): void {
    this.#reached.count(`judged: ${invariant}`);
  }

  /** @throws Violation unless the invariant is pending */
  broken(invariant: string, message: string): void {
    if (this.#enforcesPending || !pendingInvariants.has(invariant)) throw new Violation(invariant, message);
    this.#reached.count(`pending: ${invariant}`);
  }
}

/** Handles a broken invariant: it ends the scenario, or only counts while the fix is pending. */

import type { Coverage } from './coverage.ts';
import { Violation } from './violation.ts';

/** Invariants that the current code breaks in worlds that are not pending. Only a run with `--pending` enforces them. */
export const pendingInvariants: ReadonlySet<string> = new Set([]);

export class Judge {
  readonly #coverage: Coverage;
  readonly #enforcesPending: boolean;

  constructor(coverage: Coverage, enforcesPending: boolean) {
    this.#coverage = coverage;
    this.#enforcesPending = enforcesPending;
  }

  /** Counts that an invariant was evaluated: a run that never evaluates it proves nothing about it. */
  judged(invariant: string): void {
    this.#coverage.count(`judged: ${invariant}`);
  }

  /** @throws Violation unless the invariant is pending */
  broken(invariant: string, message: string): void {
    if (this.#enforcesPending || !pendingInvariants.has(invariant)) throw new Violation(invariant, message);
    this.#coverage.count(`pending: ${invariant}`);
  }
}

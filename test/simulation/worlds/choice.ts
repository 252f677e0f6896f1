/**
 * The worlds of a schedule: circumstances of a share of the schedules, beside the faults of `weather.ts`. Each seed draws
 * its worlds from a generator of its own, so that a schedule without one stays as it was before the world existed.
 */

import type { Reached } from '../coverage.ts';
import { Chance } from '../random.ts';

/** The share of the schedules that each world is in. */
const shares = {
  /** The orders are items of the shop's own table. */
  'shop table': 0.08,
  /** Hundreds of orders and reversals are due at once. */
  backlog: 0.003,
  /** A buyer, or a stranger, has opened hundreds of windows for one order. */
  'many attempts': 0.002,
  /** An attempt of an order carries an amount that is none: half a won. */
  'broken attempt': 0.06,
  /** Pages of Iamport's lists are too large, or refused. */
  lists: 0.04,
  /** The PG accepts a cancel or a revocation, and performs it minutes, hours or days later. */
  'slow pg': 0.02,
  /** The PG cuts, trims or re-encodes the reason of a cancel. */
  'pg words': 0.04,
  /** The PG refuses a cancel, and performs it all the same. */
  'pg denies': 0.03,
  /** A bank takes deposits back up to three days later. */
  'late bank': 0.02,
  /** Another shop sells through the same Iamport account. */
  'two shops': 0.05,
  /** Iamport answers 429 with `retry-after` for a while. */
  throttled: 0.04,
  /** Amounts in answers carry the noise of binary fractions. */
  'float noise': 0.02,
} as const;

export type WorldName = keyof typeof shares;
export const worldNames = Object.keys(shares) as WorldName[];

/** Worlds in which the present code breaks an invariant. Only a run with `--pending` enters them. */
export const pendingWorlds: ReadonlySet<WorldName> = new Set<WorldName>();

/** Which worlds and invariants a run has. */
export interface Scope {
  /** Enter the pending worlds and enforce the pending invariants. */
  readonly pending?: boolean;
  /** Exactly these worlds are in every schedule. */
  readonly only?: readonly WorldName[];
}

export class Worlds {
  /** For everything that a world decides. */
  readonly chance: Chance;
  readonly #names: ReadonlySet<WorldName>;

  constructor(seed: number, scope: Scope, reached: Reached) {
    this.chance = new Chance(seed + seedOffset);
    const names = new Set<WorldName>();
    for (const name of worldNames) {
      const isDrawn = this.chance.is(shares[name]);
      const isEntered = scope.only ? scope.only.includes(name) : isDrawn && (scope.pending || !pendingWorlds.has(name));
      if (!isEntered) continue;
      names.add(name);
      reached.count(`world: ${name}`);
    }
    this.#names = names;
  }

  has(name: WorldName): boolean {
    return this.#names.has(name);
  }

  get names(): readonly WorldName[] {
    return [...this.#names];
  }
}

/** Keeps the generator of the worlds apart from the generators of neighbouring seeds. Below 2^53 with any seed of a run. */
const seedOffset = 7_000_000_000_037;

/**
 * The worlds: conditions of a share of the scenarios, in addition to the faults of `faults.ts`. Each seed draws its worlds from a
 * separate generator, so that a new world does not change the scenarios without it.
 */

import type { Coverage } from '../coverage.ts';
import { SeededRandom } from '../random.ts';

/** The share of the scenarios that have each world. */
const shares = {
  /** The orders are items of the shop's own table. */
  'shop table': 0.08,
  /** Hundreds of orders and reversals are due at once. */
  backlog: 0.003,
  /** A buyer, or an unknown sender, has opened hundreds of payment windows for one order. */
  'many attempts': 0.003,
  /** An attempt of an order has an invalid amount: half a won. */
  'broken attempt': 0.06,
  /** Pages of Iamport's lists are too large, or refused. */
  lists: 0.04,
  /** The PG accepts a cancel or a revocation, and performs it minutes, hours or days later. */
  'slow pg': 0.02,
  /** The PG cuts, trims or re-encodes the reason of a cancel. */
  'pg words': 0.04,
  /** The PG refuses a cancel, but performs it. */
  'pg denies': 0.03,
  /** A bank takes deposits back up to three days later. */
  'late bank': 0.02,
  /** Another shop sells through the same Iamport account. */
  'two shops': 0.05,
  /** Iamport answers 429 with `retry-after` for a while. */
  throttled: 0.04,
  /** Amounts in responses carry the rounding errors of binary fractions. */
  'float noise': 0.02,
  /** The events go to two URLs of the shop, which fail in their own ways. */
  webhooks: 0.05,
  /** The request or the answer of the first cancel of a payment is lost, and the shop refunds. */
  'lost cancels': 0.02,
  /** The PG accepts the cancel of a rejected payment, and never performs it. The shop has changed the price for a moment. */
  'pg forgets': 0.002,
  /** DynamoDB does not respond to writes for seconds after Iamport accepted a cancel or a revocation. */
  'lost records': 0.01,
  /** The shop refunds, and the answer to the first cancel is lost. An operator may cancel a part, or the PG refuse the repeat. */
  'late refunds': 0.02,
  /** The shop's own table is older than the deployment, and the shop writes some items after their payments. */
  'adopted table': 0.02,
  /** `slow pg`, and the shop refunds twice with two keys, at once or with minutes between. */
  'two refunds': 0.01,
  /** Iamport invalidates its tokens twice after the faults, just before a buyer's request. */
  'short tokens': 0.01,
  /** `slow pg`, by phone: the PG refuses the first cancel of a rejected payment, and the instance dies in the second one. */
  'dead cancels': 0.01,
  /** `slow pg`: the request of a refund is lost. The shop repeats it while it sends another one. */
  'repeated refunds': 0.02,
  /** The shop deploys one to three times with other settings: `reversals`, `testPayments` or `orderPrefix`. */
  redeployed: 0.01,
} as const;

/** A world that another one needs. */
const needed: Readonly<Partial<Record<keyof typeof shares, keyof typeof shares>>> = {
  'pg forgets': 'shop table',
  'lost records': 'slow pg',
  'late refunds': 'slow pg',
  'adopted table': 'shop table',
  'two refunds': 'slow pg',
  'dead cancels': 'slow pg',
  'repeated refunds': 'slow pg',
};

/** These came after the first regressions, whose seeds must keep their worlds: another generator draws them. */
const laterWorlds: ReadonlySet<string> = new Set<keyof typeof shares>([
  'webhooks',
  'lost cancels',
  'pg forgets',
  'lost records',
  'late refunds',
  'adopted table',
  'two refunds',
  'short tokens',
  'dead cancels',
  'repeated refunds',
  'redeployed',
]);

export type WorldName = keyof typeof shares;
export const worldNames = Object.keys(shares) as WorldName[];

/** Worlds in which the current code breaks an invariant. Only a run with `--pending` enters them. */
export const pendingWorlds: ReadonlySet<WorldName> = new Set<WorldName>();

/** The worlds and invariants of a run. */
export interface Scope {
  /** Enter the pending worlds and enforce the pending invariants. */
  readonly pending?: boolean;
  /** Every scenario has exactly these worlds. */
  readonly only?: readonly WorldName[];
}

export class Worlds {
  /** The generator of every decision of a world. */
  readonly random: SeededRandom;
  readonly #names: ReadonlySet<WorldName>;

  constructor(seed: number, scope: Scope, coverage: Coverage) {
    this.random = new SeededRandom(seed + seedOffset);
    const names = new Set<WorldName>();
    const later = new SeededRandom(seed + laterOffset);
    for (const name of worldNames) {
      const isDrawn = (laterWorlds.has(name) ? later : this.random).is(shares[name]);
      const isEntered = scope.only ? scope.only.includes(name) : isDrawn && (scope.pending || !pendingWorlds.has(name));
      if (!isEntered) continue;
      names.add(name);
      const other = needed[name];
      if (other) names.add(other);
    }
    for (const name of names) coverage.count(`world: ${name}`);
    this.#names = names;
  }

  has(name: WorldName): boolean {
    return this.#names.has(name);
  }

  get names(): readonly WorldName[] {
    return [...this.#names];
  }
}

/** Separates the generator of the worlds from those of neighbouring seeds. The sum with any seed stays below 2^53. */
const seedOffset = 7_000_000_000_037;
const laterOffset = 5_000_000_000_053;

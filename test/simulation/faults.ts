/** What goes wrong in a schedule: each kind of fault is there in half of them, and then as often as the seed says. */

import type { Reached } from './coverage.ts';
import type { Chance } from './random.ts';

/** The chance of each fault, by one call that it may strike. */
const faults = {
  /** No effect, no answer. */
  'fails before': 0.06,
  /** The effect happens, and its answer is lost. */
  'fails after': 0.06,
  /** The instance dies, and its call never leaves it. */
  'dies before': 0.03,
  /** The instance dies while its call takes effect. */
  'dies after': 0.03,
  /** An answer takes up to half a minute. */
  stalls: 0.08,
  /** The AWS SDK sends a write again, since the first answer was lost. */
  'sent twice': 0.06,
  /** Iamport answers 500, or 429. */
  'answers 5xx': 0.05,
  /** Iamport answers something that is not its JSON. */
  'answers nonsense': 0.03,
  /** Iamport lists a payment, and answers nonsense when asked about it, for as long as things go wrong. */
  'a payment is unreadable': 0.3,
  /** Iamport's token is worth nothing any more. */
  'forgets token': 0.05,
  /** The PG refuses to cancel. */
  'refuses cancel': 0.3,
  /** The index `due` shows an older state. */
  'index lags': 0.4,
  /** Iamport's lists do not show what is newer than up to two minutes. */
  'list lags': 0.4,
  /** The bus takes some of a batch. */
  'bus takes some': 0.15,
  /** A batch of the stream is delivered though it was worked off. */
  'batch again': 0.1,
  'webhook lost': 0.4,
  'webhook twice': 0.3,
  'webhook late': 0.3,
  /** A run of the reconciler does not take place. */
  'run skipped': 0.3,
  /** The clock of an instance is some seconds off. */
  'clock is off': 0.3,
  /** Two runs of the reconciler at the same time. */
  'run twice': 0.2,
} as const;

export type Fault = keyof typeof faults;
export const faultKinds = Object.keys(faults) as Fault[];
const noFaults = Object.fromEntries(faultKinds.map((fault) => [fault, 0])) as Record<Fault, number>;
const names = Object.fromEntries(faultKinds.map((fault) => [fault, `fault: ${fault}`])) as Record<Fault, string>;

/** What may become of a call; the last only of one that its client sends again. */
const accidents = ['fails before', 'fails after', 'dies before', 'dies after', 'stalls', 'sent twice'] as const;
export type Accident = (typeof accidents)[number];

export class Weather {
  readonly #chance: Chance;
  readonly #reached: Reached;
  #rates = noFaults;

  constructor(chance: Chance, reached: Reached) {
    this.#chance = chance;
    this.#reached = reached;
    const rates = { ...noFaults };
    for (const fault of faultKinds) if (chance.is(0.5)) rates[fault] = faults[fault] * (0.1 + chance.number());
    this.#rates = rates;
  }

  /** Does this fault strike now? */
  strikes(fault: Fault): boolean {
    if (!this.#chance.is(this.#rates[fault])) return false;
    this.#reached.count(names[fault]);
    return true;
  }

  /** What becomes of a call, if anything does: one draw for all of it, since nothing is done as often. */
  accident(): Accident | undefined {
    if (this.#rates === noFaults) return undefined;
    let left = this.#chance.number();
    for (const accident of accidents) {
      left -= this.#rates[accident];
      if (left < 0) return accident;
    }
    return undefined;
  }

  /** It has happened. */
  struck(fault: Fault): void {
    this.#reached.count(names[fault]);
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.#rates = noFaults;
  }
}

/** The faults of a scenario. Each kind of fault is in half of the scenarios, at a rate that the seed chooses. */

import type { Coverage } from './coverage.ts';
import type { SeededRandom } from './random.ts';

/** The largest probability of each fault, for one call that it can happen to. */
const faults = {
  /** The call has no effect and no response. */
  'fails before': 0.06,
  /** The call takes effect, and its response is lost. */
  'fails after': 0.06,
  /** The instance dies before it sends its call. */
  'dies before': 0.03,
  /** The instance dies right after its call took effect. */
  'dies after': 0.03,
  /** A response takes up to half a minute. */
  stalls: 0.08,
  /** The AWS SDK sends a write again, because the first response was lost. */
  'sent twice': 0.06,
  /** Iamport answers 500, or 429. */
  'answers 5xx': 0.05,
  /** Iamport answers with something other than its JSON. */
  'answers invalid JSON': 0.03,
  /** Iamport lists a payment, and answers reads of that payment with invalid JSON until the faults end. */
  'a payment is unreadable': 0.3,
  /** Iamport invalidates its token. */
  'forgets token': 0.05,
  /** The PG refuses to cancel. */
  'refuses cancel': 0.3,
  /** The index `due` returns an older state. */
  'index lags': 0.4,
  /** Iamport's lists lag by up to two minutes. */
  'list lags': 0.4,
  /** The bus accepts only some entries of a batch. */
  'bus accepts some': 0.15,
  /** The stream delivers a batch again that was processed. */
  'batch again': 0.1,
  'webhook lost': 0.4,
  'webhook twice': 0.3,
  'webhook late': 0.3,
  /** The scheduler skips a run of the reconciler. */
  'run skipped': 0.3,
  /** The clock of an instance has an error of some seconds. */
  'clock is off': 0.3,
  /** Two runs of the reconciler overlap. */
  'run twice': 0.2,
} as const;

export type Fault = keyof typeof faults;
export const faultKinds = Object.keys(faults) as Fault[];
const noFaults = Object.fromEntries(faultKinds.map((fault) => [fault, 0])) as Record<Fault, number>;
const names = Object.fromEntries(faultKinds.map((fault) => [fault, `fault: ${fault}`])) as Record<Fault, string>;

/** Accidents of a call; the last one only for a call that its client sends again. */
const accidents = ['fails before', 'fails after', 'dies before', 'dies after', 'stalls', 'sent twice'] as const;
export type Accident = (typeof accidents)[number];

export class Faults {
  readonly #random: SeededRandom;
  readonly #coverage: Coverage;
  #rates = noFaults;

  constructor(random: SeededRandom, coverage: Coverage) {
    this.#random = random;
    this.#coverage = coverage;
    const rates = { ...noFaults };
    for (const fault of faultKinds) if (random.is(0.5)) rates[fault] = faults[fault] * (0.1 + random.number());
    this.#rates = rates;
  }

  /** Draws whether this fault happens now, and counts it. */
  happens(fault: Fault): boolean {
    if (!this.#random.is(this.#rates[fault])) return false;
    this.#coverage.count(names[fault]);
    return true;
  }

  /** Draws the accident of a call, if any. One draw for all kinds, because this is the most frequent draw. */
  accident(): Accident | undefined {
    if (this.#rates === noFaults) return undefined;
    let left = this.#random.number();
    for (const accident of accidents) {
      left -= this.#rates[accident];
      if (left < 0) return accident;
    }
    return undefined;
  }

  /** Counts an accident that happened. */
  count(fault: Fault): void {
    this.#coverage.count(names[fault]);
  }

  /** Ends all faults. */
  end(): void {
    this.#rates = noFaults;
  }
}

/** DynamoDB does not respond to writes of the table of reversals, for up to three seconds after Iamport accepted a request. */

import type { Coverage } from '../coverage.ts';
import type { Time } from '../time.ts';
import { second } from '../units.ts';
import type { Worlds } from './choice.ts';

/** The longest outage; milliseconds. */
const longest = 3 * second;

export class LostRecords {
  readonly #worlds: Worlds;
  readonly #time: Time;
  readonly #coverage: Coverage;
  /** No outage begins from then on; milliseconds since 1970. */
  readonly #end: number;
  /** Milliseconds since 1970. */
  #until = 0;

  /** @param forMs how long faults happen */
  constructor(worlds: Worlds, { time, coverage }: { time: Time; coverage: Coverage }, forMs: number) {
    this.#worlds = worlds;
    this.#time = time;
    this.#coverage = coverage;
    this.#end = time.now + forMs - longest;
  }

  /** An instance has received the response that Iamport accepted a cancel or a revocation. */
  accepted(): void {
    const { now } = this.#time;
    if (!this.#worlds.has('lost records') || now >= this.#end) return;
    this.#until = now + this.#worlds.random.whole(0, longest);
  }

  /** @returns what happens to a write of the table of reversals, if anything */
  accident(): 'fails before' | 'fails after' | undefined {
    if (this.#time.now >= this.#until) return undefined;
    this.#coverage.count('lost records: a write');
    return this.#worlds.random.is(0.8) ? 'fails before' : 'fails after';
  }
}

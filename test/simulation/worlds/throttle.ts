/** Iamport answers 429 with `retry-after` for a while. Judges S25 (invariants.ts). */

import type { Coverage } from '../coverage.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';
import type { Time } from '../time.ts';
import { second } from '../units.ts';
import type { Worlds } from './choice.ts';

export class Throttle {
  readonly #time: Time;
  readonly #judge: Judge;
  readonly #coverage: Coverage;
  /** From and to; milliseconds since 1970. */
  readonly #spans: (readonly [number, number])[] = [];
  readonly #until = new WeakMap<Instance, number>();

  /** @param forMs how long faults happen */
  constructor(worlds: Worlds, parts: { time: Time; judge: Judge; coverage: Coverage }, forMs: number) {
    const { time, judge, coverage } = parts;
    this.#coverage = coverage;
    this.#time = time;
    this.#judge = judge;
    if (!worlds.has('throttled')) return;
    for (let count = worlds.random.whole(1, 3); count > 0; count -= 1) {
      const begin = time.now + worlds.random.whole(0, forMs);
      this.#spans.push([begin, begin + worlds.random.whole(5, 60) * second]);
    }
  }

  /** @returns the value of `retry-after`; undefined when Iamport does not throttle. Seconds */
  waits(): number | undefined {
    const { now } = this.#time;
    const span = this.#spans.find(([from, to]) => from <= now && now < to);
    return span && Math.ceil((span[1] - now) / second);
  }

  sending(from: Instance): void {
    const until = this.#until.get(from);
    if (until === undefined) return;
    this.#judge.judged('S25');
    if (this.#time.now < until) {
      this.#judge.broken('S25', `${from.name} calls Iamport ${until - this.#time.now} ms before retry-after is over`);
    }
  }

  /** An instance has received a 429. */
  received(by: Instance, seconds: number): void {
    this.#coverage.count('received 429 with retry-after');
    this.#until.set(by, Math.max(this.#until.get(by) ?? 0, this.#time.now + seconds * second));
  }
}

/**
 * Iamport answers 429 with `retry-after` for a while.
 *
 * S25 an instance that was answered so calls Iamport no more before that time is over
 */

import type { Reached } from '../coverage.ts';
import type { Judge } from '../judge.ts';
import type { Instance } from '../network.ts';
import type { Time } from '../time.ts';
import type { Worlds } from './choice.ts';

const second = 1_000;

export class Throttle {
  readonly #time: Time;
  readonly #judge: Judge;
  readonly #reached: Reached;
  /** Milliseconds since 1970, from and to. */
  readonly #spans: (readonly [number, number])[] = [];
  readonly #until = new WeakMap<Instance, number>();

  /** @param forMs how long things go wrong */
  constructor(worlds: Worlds, parts: { time: Time; judge: Judge; reached: Reached }, forMs: number) {
    const { time, judge, reached } = parts;
    this.#reached = reached;
    this.#time = time;
    this.#judge = judge;
    if (!worlds.has('throttled')) return;
    for (let count = worlds.chance.whole(1, 3); count > 0; count -= 1) {
      const begin = time.now + worlds.chance.whole(0, forMs);
      this.#spans.push([begin, begin + worlds.chance.whole(5, 60) * second]);
    }
  }

  /** @returns how long callers must wait; undefined when Iamport answers. Seconds */
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
      this.#judge.broken('S25', `${from.name} calls ${until - this.#time.now} ms before retry-after is over`);
    }
  }

  /** An instance has read the answer. */
  heard(by: Instance, seconds: number): void {
    this.#reached.count('answered 429 with retry-after');
    this.#until.set(by, Math.max(this.#until.get(by) ?? 0, this.#time.now + seconds * second));
  }
}

/**
 * The way from an instance to what it calls. Every call of the code under test comes through here, and each is a point where the
 * world may wait, lose the call or its answer, send it twice, or kill the instance.
 */

import type { Reached } from './coverage.ts';
import type { Accident, Weather } from './faults.ts';
import type { Chance } from './random.ts';
import type { Time } from './time.ts';
import type { Trace } from './trace.ts';

/** One Lambda instance. What a dead one was waiting for never comes. */
export class Instance {
  readonly name: string;
  isAlive = true;
  /** How many calls it has made. */
  calls = 0;
  #onDeath: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** @param act what the one who called it is told */
  whenItDies(act: () => void): void {
    this.#onDeath = act;
  }

  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#onDeath();
  }
}

export interface Call<Answer> {
  /** What is called, the same for every call of its kind: `orders.write revisionIsUnchanged`. Seldom asked, and often called. */
  readonly what: () => string;
  /** The instant in which it takes effect. */
  readonly effect: () => Answer;
  /** How long it takes there and back; milliseconds. */
  readonly takes: readonly [number, number];
  /** When the caller gives up; milliseconds. */
  readonly timeoutMs: number;
  /** What the caller sees then, and when nobody answers. */
  readonly lost: () => Error;
  /** The caller's own client sends a call again whose answer does not come. */
  readonly resends?: boolean;
  /** A call for the token or a checkpoint: to wait for a token is to ask again and again, and is not counted. */
  readonly isOfState?: boolean;
  /** Nobody is there. */
  readonly isDown?: boolean;
}

export class Network {
  readonly #time: Time;
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #reached: Reached;
  readonly #trace: Trace | undefined;

  constructor(parts: { time: Time; chance: Chance; weather: Weather; reached: Reached; trace: Trace | undefined }) {
    this.#time = parts.time;
    this.#chance = parts.chance;
    this.#weather = parts.weather;
    this.#reached = parts.reached;
    this.#trace = parts.trace;
  }

  call<Answer>(from: Instance, call: Call<Answer>): Promise<Answer> {
    if (!call.isOfState) from.calls += 1;
    return new Promise((resolve, reject) => {
      if (!from.isAlive) return;
      const accident = this.#accident(call);
      const [least, most] = call.takes;
      // Some stalls end in time, and bring old news.
      const longest = this.#chance.is(0.5) ? 3_900 : 30_000;
      const takes = accident === 'stalls' ? this.#chance.whole(500, longest) : this.#chance.whole(least, most);
      const there = takes >> 1;
      this.#trace?.(from.name, `→ ${call.what()}${accident ? ` (${accident})` : ''}`);
      const giveUp = () => {
        this.#trace?.(from.name, `✗ ${call.what()}`);
        if (from.isAlive) reject(call.lost());
      };
      if (accident === 'dies before') this.#dies(from, call.what(), 'before', there);
      if (accident === 'dies before' || accident === 'fails before') {
        this.#time.after(Math.min(takes, call.timeoutMs), giveUp);
        return;
      }
      if (takes > call.timeoutMs) this.#time.after(call.timeoutMs, giveUp);
      this.#time.after(there, () => {
        let answer = call.effect();
        if (accident === 'dies after') this.#dies(from, call.what(), 'after', 0);
        if (accident === 'sent twice') answer = call.effect();
        if (takes > call.timeoutMs) return;
        this.#time.after(takes - there, () => {
          if (accident === 'fails after') giveUp();
          else if (from.isAlive) {
            this.#trace?.(from.name, `← ${call.what()}`, answer);
            resolve(answer);
          }
        });
      });
    });
  }

  #accident({ resends, isDown }: Call<unknown>): Accident | undefined {
    if (isDown) return 'fails before';
    const accident = this.#weather.accident();
    if (accident === undefined || (accident === 'sent twice' && !resends)) return undefined;
    this.#weather.struck(accident);
    return accident;
  }

  #dies(instance: Instance, what: string, when: 'before' | 'after', inMs: number): void {
    this.#reached.count(`dies ${when} ${what}`);
    this.#time.after(inMs, () => {
      this.#trace?.(instance.name, `dies ${when} ${what}`);
      instance.kill();
    });
  }
}

/**
 * The network between an instance and the services that it calls. Every call of the code under test goes through here. Each call can
 * be delayed, lost, lose its response, be sent twice, or see its instance killed.
 */

import type { Coverage } from './coverage.ts';
import type { Accident, Faults } from './faults.ts';
import type { SeededRandom } from './random.ts';
import { type Settings, usualSettings } from './settings.ts';
import type { Time } from './time.ts';
import type { Trace } from './trace.ts';

/** A request to an instance, or a run of it. */
export interface Invocation {
  /** Milliseconds since 1970; undefined while it runs, and for ever when the instance died in it. */
  endedAt?: number;
}

/** One Lambda instance. The calls of a dead instance never settle. */
export class Instance {
  readonly name: string;
  /** Of the deployment that started it. It keeps them for its whole life. */
  readonly settings: Settings;
  isAlive = true;
  /** The newest one. */
  invocation: Invocation = {};
  /** How many calls it has made. */
  calls = 0;
  /** The last invocation in which Iamport did not answer a call of it, or answered with a fault. */
  faultIn: Invocation | undefined;
  /** How many of them asked Iamport for a page of a list. */
  listCalls = 0;
  #died: () => void = () => undefined;

  constructor(name: string, settings = usualSettings) {
    this.name = name;
    this.settings = settings;
  }

  onDeath(act: () => void): void {
    this.#died = act;
  }

  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#died();
  }
}

export interface Call<Result> {
  /** Names the kind of the call, such as `orders.write revisionIsUnchanged`. Lazy, because few calls need their name. */
  readonly what: () => string;
  /** Takes effect at one instant. */
  readonly effect: () => Result;
  /** The shortest and the longest round trip; milliseconds. */
  readonly takes: readonly [number, number];
  /** The timeout of the caller; milliseconds. */
  readonly timeoutMs: number;
  /** The error of the caller after the timeout, or when the service is down. */
  readonly lost: () => Error;
  /** The client of the caller retries a call without a response. */
  readonly resends?: boolean;
  /** A call for the token or a checkpoint. Waiting for a token polls, so these calls are not counted. */
  readonly isOfState?: boolean;
  /** The service is down. */
  readonly isDown?: boolean;
  /** What happens to this call in any case. */
  readonly accident?: Accident | undefined;
}

export class Network {
  readonly #time: Time;
  readonly #random: SeededRandom;
  readonly #faults: Faults;
  readonly #coverage: Coverage;
  readonly #trace: Trace | undefined;

  constructor(parts: {
    time: Time;
    random: SeededRandom;
    faults: Faults;
    coverage: Coverage;
    trace: Trace | undefined;
  }) {
    this.#time = parts.time;
    this.#random = parts.random;
    this.#faults = parts.faults;
    this.#coverage = parts.coverage;
    this.#trace = parts.trace;
  }

  call<Result>(from: Instance, call: Call<Result>): Promise<Result> {
    if (!call.isOfState) from.calls += 1;
    return new Promise((resolve, reject) => {
      if (!from.isAlive) return;
      const accident = this.#accident(call);
      const [min, max] = call.takes;
      // Some stalls end before the timeout, and return an old state.
      const maxStall = this.#random.is(0.5) ? 3_900 : 30_000;
      const takes = accident === 'stalls' ? this.#random.whole(500, maxStall) : this.#random.whole(min, max);
      const outbound = takes >> 1;
      this.#trace?.(from.name, `→ ${call.what()}${accident ? ` (${accident})` : ''}`);
      const giveUp = () => {
        this.#trace?.(from.name, `✗ ${call.what()}`);
        if (from.isAlive) reject(call.lost());
      };
      if (accident === 'dies before') this.#dies(from, call.what(), 'before', outbound);
      if (accident === 'dies before' || accident === 'fails before') {
        this.#time.after(Math.min(takes, call.timeoutMs), giveUp);
        return;
      }
      if (takes > call.timeoutMs) this.#time.after(call.timeoutMs, giveUp);
      this.#time.afterSynchronous(outbound, () => {
        let result = call.effect();
        if (accident === 'dies after') this.#dies(from, call.what(), 'after', 0);
        if (accident === 'sent twice') result = call.effect();
        if (takes > call.timeoutMs) return;
        this.#time.after(takes - outbound, () => {
          if (accident === 'fails after') giveUp();
          else if (from.isAlive) {
            this.#trace?.(from.name, `← ${call.what()}`, result);
            resolve(result);
          }
        });
      });
    });
  }

  #accident({ resends, isDown, accident: planned }: Call<unknown>): Accident | undefined {
    if (isDown) return 'fails before';
    if (planned) return planned;
    const accident = this.#faults.accident();
    if (accident === undefined || (accident === 'sent twice' && !resends)) return undefined;
    this.#faults.count(accident);
    return accident;
  }

  #dies(instance: Instance, what: string, when: 'before' | 'after', inMs: number): void {
    this.#coverage.count(`dies ${when} ${what}`);
    this.#time.after(inMs, () => {
      this.#trace?.(instance.name, `dies ${when} ${what}`);
      instance.kill();
    });
  }
}

/**
 * The shop deploys again with other settings. Instances that run go on with the settings of their start. Lambda replaces the functions
 * one after the other: each call of an HTTP function goes to either version for some minutes, as with `canary`, and a run of the
 * reconciler to the earlier version for a minute at most.
 */

import type { Coverage } from '../coverage.ts';
import type { Release, Settings } from '../settings.ts';
import type { Time } from '../time.ts';
import type { Trace } from '../trace.ts';
import { hour, minute, second } from '../units.ts';
import type { Worlds } from './choice.ts';

/** CloudFormation updates a stack after the other update has ended. Milliseconds. */
const shortestInterval = 10 * minute;
/** How long both versions of an HTTP function are called, and how long the earlier version of the reconciler. Milliseconds. */
const longestShift = 8 * minute;
const longestReplacement = minute;

/** The order numbers that remain the shop's. */
const prefixes = { 'of every order': 'm_', 'of the first order': 'm_1', 'of no order': 'n_' } as const;

interface Deployment extends Release {
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class Deployments {
  readonly #worlds: Worlds;
  readonly #time: Time;
  readonly #coverage: Coverage;
  /** The oldest first. */
  readonly #all: [Deployment, ...Deployment[]];
  /** When the version of a function was replaced; milliseconds since 1970, by the function and the number of the deployment. */
  readonly #replacedAt = new Map<string, number>();

  constructor(
    first: Settings,
    worlds: Worlds,
    { time, coverage, trace }: { time: Time; coverage: Coverage; trace: Trace | undefined },
  ) {
    this.#worlds = worlds;
    this.#time = time;
    this.#coverage = coverage;
    this.#all = [{ number: 0, settings: first, at: time.now }];
    if (!worlds.has('redeployed')) return;
    const { random } = worlds;
    for (let count = Number(random.pick({ 1: 3, 2: 5, 3: 2 })); count > 0; count -= 1) {
      const last = this.#last;
      const wait = random.whole(minute, random.is(0.8) ? 30 * minute : 8 * hour);
      const at = last.at + wait + (last.number > 0 ? shortestInterval : 0);
      const deployment = { number: last.number + 1, settings: this.#changed(last.settings), at };
      this.#all.push(deployment);
      time.after(at - time.now, () => trace?.('shop', 'deploys', deployment.settings));
    }
  }

  /** The deployment to whose version Lambda sends a call of this function now. */
  releaseFor(name: string): Release {
    const { now } = this.#time;
    const newest = this.#all.findLast(({ at }) => at <= now) ?? this.#all[0];
    const earlier = this.#all[newest.number - 1];
    if (!earlier || now >= this.#replacement(name, newest)) return newest;
    const { random } = this.#worlds;
    if (!isWorker(name) && random.is(0.5)) return newest;
    this.#coverage.count('redeployed: a call to the earlier version');
    return earlier;
  }

  /** The settings of the newest deployment. */
  get settings(): Settings {
    return (this.#all.findLast(({ at }) => at <= this.#time.now) ?? this.#all[0]).settings;
  }

  /** When the shop deploys; milliseconds since 1970. Without the deployment before the scenario. */
  get times(): readonly number[] {
    return this.#all.slice(1).map(({ at }) => at);
  }

  /** Some deployment ignored payments that the next one does not. */
  get endsIgnoring(): boolean {
    return this.#all.slice(0, -1).some(({ settings }) => settings.orderPrefix !== '');
  }

  get #last(): Deployment {
    return this.#all.at(-1) ?? this.#all[0];
  }

  #replacement(name: string, { number, at }: Deployment): number {
    const key = `${name} ${number}`;
    const longest = isWorker(name) ? longestReplacement : longestShift;
    const replacedAt = this.#replacedAt.get(key) ?? at + this.#worlds.random.whole(second, longest);
    this.#replacedAt.set(key, replacedAt);
    return replacedAt;
  }

  /** Other settings, in one or two of them. */
  #changed(before: Settings): Settings {
    const { random } = this.#worlds;
    const change = random.pick({ reversals: 6, testPayments: 2, orderPrefix: 3, 'reversals and orderPrefix': 1 });
    let after = before;
    if (change.includes('reversals')) after = { ...after, reversals: other[before.reversals] };
    if (change === 'testPayments') after = { ...after, acceptTestPayments: !before.acceptTestPayments };
    if (change.includes('orderPrefix')) after = { ...after, orderPrefix: this.#otherPrefix(before) };
    this.#count(before, after);
    return after;
  }

  #otherPrefix({ orderPrefix }: Settings): string {
    const { random } = this.#worlds;
    if (orderPrefix !== '') return '';
    return prefixes[random.pick({ 'of every order': 3, 'of the first order': 3, 'of no order': 2 })];
  }

  #count(before: Settings, after: Settings): void {
    const count = (what: string) => this.#coverage.count(`redeployed: ${what}`);
    if (before.reversals !== after.reversals) count(`reversals are ${after.reversals}`);
    if (before.acceptTestPayments !== after.acceptTestPayments)
      count(`test payments are ${after.acceptTestPayments ? 'accepted' : 'refused'}`);
    if (before.orderPrefix !== after.orderPrefix)
      count(`orderPrefix is ${after.orderPrefix === '' ? 'removed' : 'set'}`);
  }
}

const other = { automatic: 'manual', manual: 'automatic' } as const;

/** No buyer waits for these functions, and they are replaced at once. */
const isWorker = (name: string): boolean => name === 'reconcile' || name === 'publish';

/**
 * The webhooks of a scenario. EventBridge puts every event that the bus accepted into the queues of two URLs of the shop, and the real
 * code delivers them. Webhooks act on nothing else, so they run after the scenario, on their own clock and for up to four days.
 */

import { eventSource } from '../../../functions/events/event-schema.ts';
import type { Coverage } from '../coverage.ts';
import { Faults } from '../faults.ts';
import type { Judge } from '../judge.ts';
import { Network } from '../network.ts';
import { SeededRandom } from '../random.ts';
import { Time } from '../time.ts';
import { traceOf } from '../trace.ts';
import { minute, second } from '../units.ts';
import { Destination } from './destination.ts';

/** Separates the generator of the deliveries from those of neighbouring seeds. */
const seedOffset = 3_000_000_000_077;
/** Faults of the network and of Lambda end after this time; the receivers go on failing. Milliseconds. */
const faultsForMs = 360 * minute;
/** A backlog publishes hundreds of events, and more than this adds nothing. */
const maxEvents = 30;

interface Published {
  readonly at: number;
  readonly id: string;
  readonly message: string;
}

export class Deliveries {
  readonly #seed: number;
  readonly #parts: { coverage: Coverage; judge: Judge; line: ((line: string) => void) | undefined };
  readonly #published: Published[] = [];

  constructor(seed: number, parts: { coverage: Coverage; judge: Judge; line: ((line: string) => void) | undefined }) {
    this.#seed = seed;
    this.#parts = parts;
  }

  /** The bus has accepted an event. @param at milliseconds since 1970 */
  published(name: string, detail: object, at: number): void {
    if (this.#published.length >= maxEvents) return;
    const time = new Date(at).toISOString();
    const message = JSON.stringify({ source: eventSource, 'detail-type': name, time, detail });
    this.#published.push({ at, id: (detail as { id: string }).id, message });
  }

  /** Delivers every event until each is accepted, refused for good, or too old. */
  async run(): Promise<void> {
    const [first] = this.#published;
    if (!first) return;
    const { coverage, judge, line } = this.#parts;
    const time = new Time(first.at);
    time.maxEvents *= 4;
    const random = new SeededRandom(this.#seed + seedOffset);
    const trace = line && traceOf(time, line);
    const faults = new Faults(random, coverage);
    const network = new Network({ time, random, faults, coverage, trace });
    const parts = { time, random, faults, network, coverage, judge, trace };
    const destinations = [new Destination('a', parts), new Destination('b', parts)];
    time.after(faultsForMs, () => faults.end());
    for (const { at, id, message } of this.#published) {
      for (const destination of destinations) {
        time.after(at - first.at + random.whole(50, 2 * second), () => destination.queued(id, message));
      }
    }
    await time.runUntil(Number.POSITIVE_INFINITY);
    for (const destination of destinations) destination.checkLiveness();
  }
}

/** The shop's server that receives webhooks: it answers, fails, is slow, loses its answers, is down or wants no more. */

import type { Coverage } from '../coverage.ts';
import type { SeededRandom } from '../random.ts';
import type { Time } from '../time.ts';
import { hour, minute, second } from '../units.ts';

const kinds = { healthy: 4, slow: 1, flaky: 4, 'down for hours': 2, 'down for days': 1, gone: 2 } as const;
export type ReceiverKind = keyof typeof kinds;

/** What the server does with one request. */
export interface Reaction {
  readonly kind:
    | 'accepted'
    | 'accepted late'
    | 'accepted, answer lost'
    | 'failed'
    | 'not answered'
    | 'refused'
    | 'gone';
  /** The shortest and the longest round trip; milliseconds. Beyond 10 s the sender has given up. */
  readonly takes: readonly [number, number];
}

const prompt = [50, 800] as const;
const reactions = {
  accepted: { kind: 'accepted', takes: prompt },
  'accepted late': { kind: 'accepted late', takes: [4 * second, 9_900] },
  'accepted, answer lost': { kind: 'accepted, answer lost', takes: [10_001, 30 * second] },
  failed: { kind: 'failed', takes: prompt },
  'not answered': { kind: 'not answered', takes: [10_001, 30 * second] },
  refused: { kind: 'refused', takes: prompt },
  gone: { kind: 'gone', takes: prompt },
} as const satisfies Record<Reaction['kind'], Reaction>;

/** Answers that are neither a success nor a 410. A redirect is one of them. */
const failures = { 500: 4, 503: 2, 429: 1, 404: 1, 401: 1, 302: 1 } as const;

export class Receiver {
  readonly kind: ReceiverKind;
  /** When the server accepted each event first; milliseconds since 1970. */
  readonly accepted = new Map<string, number>();
  readonly #parts: { time: Time; random: SeededRandom; coverage: Coverage };
  /** The server is healthy before and after; milliseconds since 1970. */
  readonly #from: number;
  readonly #to: number;

  constructor(parts: { time: Time; random: SeededRandom; coverage: Coverage }) {
    const { time, random } = parts;
    this.#parts = parts;
    this.kind = random.pick(kinds);
    this.#from = time.now + random.whole(0, 20 * minute);
    const lasts = { flaky: [10 * minute, 5 * hour], 'down for hours': [hour, 40 * hour] } as const;
    const [min, max] =
      this.kind === 'flaky' || this.kind === 'down for hours' ? lasts[this.kind] : [120 * hour, 120 * hour];
    this.#to = this.#from + random.whole(min, max);
  }

  /** Draws the reaction to a request that is sent now. */
  reaction(): Reaction {
    const { time, random } = this.#parts;
    if (time.now < this.#from || time.now >= this.#to) return reactions.accepted;
    switch (this.kind) {
      case 'healthy':
        return reactions.accepted;
      case 'slow':
        return reactions['accepted late'];
      case 'flaky':
        return reactions[
          random.pick({ accepted: 2, 'accepted late': 1, 'accepted, answer lost': 2, failed: 3, 'not answered': 2 })
        ];
      case 'down for hours':
      case 'down for days':
        return reactions.refused;
      case 'gone':
        return reactions.gone;
    }
  }

  /** A request arrives. @returns the status of the answer */
  receive(id: string, { kind }: Reaction): number {
    const { time, random, coverage } = this.#parts;
    if (kind === 'gone') return 410;
    if (kind === 'failed' || kind === 'not answered' || kind === 'refused') return Number(random.pick(failures));
    if (this.accepted.has(id)) coverage.count('webhook: accepted again');
    else this.accepted.set(id, time.now);
    return random.is(0.5) ? 200 : 204;
  }
}

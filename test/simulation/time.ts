/**
 * Simulated time: a heap of what happens when. Between two events everything that was set free runs until nothing moves any
 * more, so that a schedule is the same each time it is run.
 */

import { Violation } from './violation.ts';

interface Event {
  readonly at: number;
  /** Breaks ties: what was planned first happens first. */
  readonly order: number;
  /** Taken away from what will not happen after all. */
  run: (() => void) | undefined;
}

export class Time {
  /** Milliseconds since 1970. */
  now: number;
  /** A schedule has about a thousand events, and one with more than this never ends. */
  mostEvents = 50_000;
  readonly #heap: Event[] = [];
  #planned = 0;
  #happened = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** @returns takes it back */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + ms, order: this.#planned++, run };
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Begins something that takes its time. What it throws ends the schedule. */
  begin(act: () => Promise<void>): void {
    act().catch((violation: unknown) => {
      this.after(0, () => {
        throw violation;
      });
    });
  }

  /** Lets everything happen that is planned until then, and what follows from it. */
  runUntil(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        while (this.#heap[0] && !this.#heap[0].run) this.#pop();
        const event = this.#heap[0];
        if (!event || event.at > end) {
          if (end < Number.POSITIVE_INFINITY) this.now = Math.max(this.now, end);
          resolve();
          return;
        }
        this.#pop();
        this.now = event.at;
        this.#happened += 1;
        try {
          if (this.#happened > this.mostEvents) throw new Violation('L10', 'it never ends');
          event.run?.();
        } catch (error) {
          reject(error);
          return;
        }
        next();
      };
      // A tick that a microtask asks for comes when no microtask is left, however many follow each other. An immediate would do as
      // well, and costs a turn of Node's loop.
      const next = () => queueMicrotask(() => process.nextTick(step));
      next();
    });
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isEarlier(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!isEarlier(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

const isEarlier = (one: Event, other: Event): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/**
 * Simulated time: a heap of planned events. Between two events the microtask queue is emptied, so that a scenario is the same in each
 * run.
 */

import { Violation } from './violation.ts';

interface Event {
  readonly at: number;
  /** Breaks ties: the event that was planned first runs first. */
  readonly order: number;
  /** undefined once the event is cancelled. */
  run: (() => void) | undefined;
  /** It settles no promise, so no microtask has to run before the next event. */
  readonly isSynchronous: boolean;
}

export class Time {
  /** Milliseconds since 1970. */
  now: number;
  /** A scenario has about a thousand events. One with more than this counts as endless. */
  maxEvents = 50_000;
  readonly #heap: Event[] = [];
  #planned = 0;
  #happened = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** @returns cancels the event */
  after(ms: number, run: () => void): () => void {
    const event = this.#plan(ms, run, false);
    return () => {
      event.run = undefined;
    };
  }

  /** Plans an event that settles no promise. It costs half of another event, because the microtask queue stays empty. */
  afterSynchronous(ms: number, run: () => void): void {
    this.#plan(ms, run, true);
  }

  #plan(ms: number, run: () => void, isSynchronous: boolean): Event {
    const event: Event = { at: this.now + ms, order: this.#planned++, run, isSynchronous };
    this.#push(event);
    return event;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Starts an asynchronous action. An error that it throws ends the scenario. */
  begin(act: () => Promise<void>): void {
    act().catch((violation: unknown) => this.#fail(violation));
  }

  /** Calls a check. An error that it throws ends the scenario, and does not reach the caller. */
  check(judge: () => void): void {
    try {
      judge();
    } catch (violation) {
      this.#fail(violation);
    }
  }

  #fail(violation: unknown): void {
    this.after(0, () => {
      throw violation;
    });
  }

  /** Runs every event that is planned until then, and the events that follow from them. */
  runUntil(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        let isSynchronous = true;
        while (isSynchronous) {
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
            if (this.#happened > this.maxEvents) throw new Violation('L10', 'the scenario does not end');
            event.run?.();
          } catch (error) {
            reject(error);
            return;
          }
          isSynchronous = event.isSynchronous;
        }
        next();
      };
      // A tick that a microtask requests runs once the microtask queue is empty, however long the chain is. An immediate would do as
      // well, but costs a turn of Node's event loop.
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

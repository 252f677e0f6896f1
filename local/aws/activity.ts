/** Ends the waits between two reads of a table when a function has returned, since it may have written. */

export class Activity {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  /** A function has returned. */
  happened(): void {
    this.#count += 1;
    for (const end of this.#waiting) end();
  }

  /** How often a function has returned so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Waits for that many milliseconds, and no longer than until the next function returns.
   * @param since a former `count`: no wait if a function has returned in the meantime
   */
  async wait(ms: number, since: number, signal: AbortSignal): Promise<void> {
    if (this.#count !== since || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }
}

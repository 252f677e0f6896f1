/** Sends webhooks by the settings: now, late, twice or never, as JSON or as a form. Independent of payments. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Notice } from './ledger.ts';
import type { Settings } from './settings.ts';

/** One attempt, for the control page and for tests. */
export interface Delivery {
  notice: Notice;
  format: Settings['format'];
  /** Milliseconds since 1970. */
  at: number;
  /** The HTTP status of the response; undefined without a response. */
  status?: number;
}

const maxDeliveries = 200;
const maxRepeats = 5;
const firstTimeoutMs = 30_000;
const repeatTimeoutMs = 15_000;

export class Webhooks {
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #ending = new AbortController();
  readonly #pending = new Set<Promise<void>>();
  /** Newest first. */
  readonly deliveries: Delivery[] = [];

  constructor(settings: Settings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Sends the webhooks of a change in the ledger. Returns at once. */
  announce(notice: Notice): void {
    const { webhooks, lateSeconds } = this.#settings;
    if (webhooks === 'never') return;
    this.send(notice, { delaySeconds: webhooks === 'late' ? lateSeconds : 0 });
    if (webhooks === 'twice') this.send(notice);
  }

  /** Sends one webhook in every mode. Returns at once. */
  send(
    notice: Notice,
    { delaySeconds = 0, format = this.#settings.format }: { delaySeconds?: number; format?: Settings['format'] } = {},
  ): void {
    if (!this.#settings.webhookUrl) return;
    const delivery = this.#deliver(notice, format, delaySeconds)
      // Only `close()` aborts a delivery.
      .catch(() => undefined)
      .finally(() => this.#pending.delete(delivery));
    this.#pending.add(delivery);
  }

  /** Resolves when no webhook is being sent or delayed. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.idle();
  }

  async #deliver(notice: Notice, format: Settings['format'], delaySeconds: number): Promise<void> {
    const { signal } = this.#ending;
    if (delaySeconds > 0) await wait(delaySeconds * 1000, undefined, { signal });
    for (let repeat = 0; repeat <= maxRepeats; repeat += 1) {
      const status = await this.#post(notice, format, repeat === 0 ? firstTimeoutMs : repeatTimeoutMs);
      this.deliveries.unshift({ notice, format, at: this.#now(), ...(status !== undefined && { status }) });
      this.deliveries.length = Math.min(this.deliveries.length, maxDeliveries);
      if (!this.#settings.repeats || (status !== undefined && status < 500)) return;
      await wait(this.#settings.repeatSeconds * 1000, undefined, { signal });
    }
  }

  /** @returns the status of the response, or undefined without a response */
  async #post(notice: Notice, format: Settings['format'], timeoutMs: number): Promise<number | undefined> {
    const fields: Record<string, string> = { ...notice };
    const body = format === 'json' ? JSON.stringify(fields) : new URLSearchParams(fields).toString();
    const contentType = format === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
    try {
      const response = await fetch(this.#settings.webhookUrl, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.#ending.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      if (this.#ending.signal.aborted) throw error;
      return undefined;
    }
  }
}

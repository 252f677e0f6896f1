/** The browser functions that the checkout uses. Tests replace all of them. */

import type { PaymentParam } from './types.ts';

/** Iamport's SDK, as `iamport.js` puts it on the page. */
export interface Iamport {
  request_pay(param: PaymentParam & { m_redirect_url: string }, callback: (rsp: unknown) => void): unknown;
}

/** The part of a `Response` that the checkout reads. */
export interface BackendResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

export interface BrowserEnvironment {
  /** Undefined until `iamport.js` has loaded. */
  iamport(): Iamport | undefined;
  /** Posts a form. @throws any error, without a response within `timeoutMs` */
  post(
    url: string,
    form: string,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<BackendResponse>;
  wait(ms: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** The storage of this tab. May throw: a browser can be set to block storage. */
  storage(): {
    getItem(key: string): string | null;
    setItem(key: string, text: string): void;
    removeItem(key: string): void;
  };
  /** The address of the page. */
  address(): string;
  /**
   * Calls back when the browser restores the page from its back/forward cache.
   * @returns a function that removes the listener
   */
  onReturn(callback: () => void): () => void;
}

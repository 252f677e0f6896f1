/** What the checkout needs of a browser. In tests all of it is literal. */

import type { PaymentParam } from './types.ts';

/** Iamport's SDK, as `iamport.js` puts it on the page. */
export interface Iamport {
  request_pay(param: PaymentParam & { m_redirect_url: string }, callback: (rsp: unknown) => void): unknown;
}

/** The part of a `Response` that is read. */
export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

export interface World {
  /** Undefined while `iamport.js` is not there. */
  iamport(): Iamport | undefined;
  /** Asks with a form. @throws whatever, when there was no answer within `timeoutMs` */
  post(url: string, form: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Answer>;
  wait(ms: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Of this tab. It may throw: browsers can be told to keep nothing. */
  storage(): {
    getItem(key: string): string | null;
    setItem(key: string, text: string): void;
    removeItem(key: string): void;
  };
  /** The address of the page. */
  address(): string;
  /** Calls back when the browser shows the page again as it was left. @returns what ends that */
  onReturn(callback: () => void): () => void;
}

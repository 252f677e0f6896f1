/**
 * A scripted browser: the clock advances only by `wait`, and a test sets the results of iamport.js and of the backend.
 */

import type { BackendResponse, BrowserEnvironment, Iamport } from '../../storefront/checkout/browser-environment.ts';
import type { PayRequest } from '../../storefront/checkout/types.ts';

export const request: PayRequest = {
  pg: 'html5_inicis',
  pay_method: 'card',
  merchant_uid: 'order-1',
  name: 'Plain notebook',
  amount: 14_000,
  buyer_tel: '010-1234-5678',
  completeUrl: 'https://api.example/payments/complete',
  mobileRedirectUrl: 'https://api.example/payments/complete/mobile?to=web',
};

export const paid = { status: 'paid', imp_uid: 'imp_1', merchant_uid: 'order-1', amount: 14_000, message: 'Paid.' };

export const response = (status: number, body: unknown, headers: Record<string, string> = {}): BackendResponse => ({
  status,
  headers: new Headers(headers),
  json: async () => body,
});

/** The results of the calls of the backend in order; the last one repeats. */
export type CallResult = BackendResponse | 'lost';

export class TestBrowser implements BrowserEnvironment {
  readonly opened: Parameters<Iamport['request_pay']>[0][] = [];
  readonly calls: { url: string; form: string; headers: Readonly<Record<string, string>> }[] = [];
  readonly waits: number[] = [];
  readonly stored = new Map<string, string>();
  readonly callbacks: ((rsp: unknown) => void)[] = [];
  readonly #results: CallResult[];
  readonly #returns = new Set<() => void>();
  sdk: Iamport | undefined = {
    request_pay: (param, callback) => {
      this.opened.push(param);
      this.callbacks.push(callback);
    },
  };
  page = 'https://shop.example/cart';
  clock = 1_750_000_000_000;

  constructor(...results: CallResult[]) {
    this.#results = results;
  }

  /** Calls the callback of a window. */
  callBack(rsp: unknown, index = 0): void {
    this.callbacks[index]?.(rsp);
  }

  /** Restores the page from the back/forward cache. */
  restorePage(): void {
    for (const callback of [...this.#returns]) callback();
  }

  iamport = () => this.sdk;
  async post(url: string, form: string, headers: Readonly<Record<string, string>>): Promise<BackendResponse> {
    this.calls.push({ url, form, headers });
    const result = this.#results.length > 1 ? this.#results.shift() : this.#results[0];
    if (result === undefined || result === 'lost') throw new TypeError('Failed to fetch');
    return result;
  }
  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    this.clock += ms;
  }
  now = () => this.clock;
  random = () => 1;
  storage(): ReturnType<BrowserEnvironment['storage']> {
    return {
      getItem: (key) => this.stored.get(key) ?? null,
      setItem: (key, text) => void this.stored.set(key, text),
      removeItem: (key) => void this.stored.delete(key),
    };
  }
  address = () => this.page;
  onReturn(callback: () => void): () => void {
    this.#returns.add(callback);
    return () => void this.#returns.delete(callback);
  }
}

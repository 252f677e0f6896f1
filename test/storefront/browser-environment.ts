/** A browser in which everything is literal: the clock moves only when somebody waits, and iamport.js and the backend say what a test tells them. */

import type { Answer, Iamport, World } from '../../storefront/checkout/browser-environment.ts';
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

export const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: new Headers(headers),
  json: async () => body,
});

/** What the backend does: one entry a question, the last one for all that follow. */
export type Reaction = Answer | 'lost';

export class TestWorld implements World {
  readonly opened: Parameters<Iamport['request_pay']>[0][] = [];
  readonly asked: { url: string; form: string; headers: Readonly<Record<string, string>> }[] = [];
  readonly waits: number[] = [];
  readonly kept = new Map<string, string>();
  readonly callbacks: ((rsp: unknown) => void)[] = [];
  readonly #reactions: Reaction[];
  readonly #returns = new Set<() => void>();
  sdk: Iamport | undefined = {
    request_pay: (param, callback) => {
      this.opened.push(param);
      this.callbacks.push(callback);
    },
  };
  page = 'https://shop.example/cart';
  clock = 1_750_000_000_000;

  constructor(...reactions: Reaction[]) {
    this.#reactions = reactions;
  }

  /** The window calls back. */
  callBack(rsp: unknown, place = 0): void {
    this.callbacks[place]?.(rsp);
  }

  /** The buyer comes back to the page as it was left. */
  comeBack(): void {
    for (const callback of [...this.#returns]) callback();
  }

  iamport = () => this.sdk;
  async post(url: string, form: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    this.asked.push({ url, form, headers });
    const reaction = this.#reactions.length > 1 ? this.#reactions.shift() : this.#reactions[0];
    if (reaction === undefined || reaction === 'lost') throw new TypeError('Failed to fetch');
    return reaction;
  }
  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
    this.clock += ms;
  }
  now = () => this.clock;
  random = () => 1;
  storage(): ReturnType<World['storage']> {
    return {
      getItem: (key) => this.kept.get(key) ?? null,
      setItem: (key, text) => void this.kept.set(key, text),
      removeItem: (key) => void this.kept.delete(key),
    };
  }
  address = () => this.page;
  onReturn(callback: () => void): () => void {
    this.#returns.add(callback);
    return () => void this.#returns.delete(callback);
  }
}

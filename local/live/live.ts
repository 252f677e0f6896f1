/**
 * The feed of the live page: requests, calls, decisions, writes, events and webhooks, each a fact from one place to
 * another. Only observes, and keeps the newest facts for a page that opens late. Not deployed.
 */

import type { DynamoDBRecord } from 'aws-lambda';
import type { LocalEvent } from '../aws/bus.ts';
import type { WebhookObserver } from '../aws/webhooks.ts';
import type { RequestObserver } from '../request-observer.ts';

/**
 * The sender or the receiver of a fact. `bank` is a user of the fake Iamport's control page, `queue` the queue of a
 * destination of webhooks with its dead-letter queue.
 */
export type Place = 'shop' | 'buyer' | 'functions' | 'iamport' | 'bank' | 'table' | 'bus' | 'queue';

export interface Fact {
  /** Grows with each new fact. A fact published again with the same id has been completed by its response. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'request' | 'call' | 'window' | 'decision' | 'write' | 'event' | 'queue' | 'webhook';
  readonly from: Place;
  readonly to: Place;
  /** As on the wire: `POST /payments/complete`, `paid`, `ready → paid`, `Payment Paid`; `repeat`, `dead-letter`. */
  readonly title: string;
  /** `200 · 35 ms`, the reason of a rejection, the revision of a write. */
  readonly detail?: string;
  readonly order?: string;
  readonly payment?: string;
  readonly amount?: number;
  /** Which delivery of a webhook it is, from 1. */
  readonly attempt?: number;
  /** The time until the next attempt of a webhook. Seconds. */
  readonly afterSeconds?: number;
}

type NewFact = Omit<Fact, 'id' | 'at'>;

const factsKept = 500;

export class Live {
  readonly #facts: Fact[] = [];
  readonly #listeners = new Set<(fact: Fact) => void>();
  /** The order of each payment, from facts that named both. */
  readonly #orders = new Map<string, string>();
  readonly #now: () => number;
  #last = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Oldest first. */
  get facts(): readonly Fact[] {
    return this.#facts;
  }

  /** Publishes a fact. @returns a function that publishes the same fact again with more fields */
  add(added: NewFact): (more: Partial<NewFact>) => void {
    this.#last += 1;
    let fact: Fact = this.#withOrder({ ...added, id: this.#last, at: this.#now() });
    this.#facts.push(fact);
    if (this.#facts.length > factsKept) this.#facts.shift();
    this.#notify(fact);
    return (more) => {
      const index = this.#facts.indexOf(fact);
      fact = this.#withOrder({ ...fact, ...more });
      if (index >= 0) this.#facts[index] = fact;
      this.#notify(fact);
    };
  }

  /** @returns a function that removes the listener */
  listen(listener: (fact: Fact) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #notify(fact: Fact): void {
    for (const listener of this.#listeners) listener(fact);
  }

  #withOrder(fact: Fact): Fact {
    if (fact.payment && fact.order) this.#orders.set(fact.payment, fact.order);
    const order = fact.order ?? (fact.payment && this.#orders.get(fact.payment));
    return order ? { ...fact, order } : fact;
  }
}

/** Publishes each request at the gateway when it arrives, and again with its response. */
export function observeRequests(live: Live): RequestObserver {
  return ({ method, path, ids, isFromShop }) => {
    const from: Place = isFromShop ? 'shop' : /\/(webhook|confirm)$/.test(path) ? 'iamport' : 'buyer';
    const update = live.add({ kind: 'request', from, to: 'functions', title: `${method} ${path}`, ...ids });
    return (status, ms) => update({ detail: `${status} · ${ms} ms` });
  };
}

/** Publishes the calls to the fake Iamport by the functions, the payment window and the control page. */
export function observeIamport(
  live: Live,
  paymentOf: (impUid: string) => { status: string; amount: number; merchant_uid: string } | undefined,
): RequestObserver {
  return ({ method, path, ids: { payment, order } }) => {
    const caller = callerOf(method, path);
    if (!caller) return () => undefined;
    const call = { ...caller, to: 'iamport' as const, title: `${method} ${path}` };
    const update = live.add({ ...call, ...(payment && { payment }), ...(order && { order }) });
    return (status, ms) => {
      const found = payment === undefined ? undefined : paymentOf(payment);
      const state = found && status < 400 && caller.kind !== 'window' ? ` · ${found.status} ${found.amount}` : '';
      update({
        detail: `${status} · ${ms} ms${state}`,
        ...(found && { order: found.merchant_uid, amount: found.amount }),
      });
    };
  };
}

/** @returns undefined for requests that only load a page */
function callerOf(method: string, path: string): Pick<Fact, 'kind' | 'from'> | undefined {
  if (path.startsWith('/checkout')) return method === 'POST' ? { kind: 'window', from: 'buyer' } : undefined;
  if (/^\/__control\/payments\//.test(path)) return { kind: 'window', from: 'bank' };
  return /^\/(payments|users|vbanks)\b/.test(path) ? { kind: 'call', from: 'functions' } : undefined;
}

/** Publishes the decisions and the attempts of webhooks in a function's log. Other log lines are ignored. */
export function observeLog(live: Live): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      for (const fact of factsIn(line)) live.add(fact);
    }
  };
}

function factsIn(line: string): NewFact[] {
  // Lambda's JSON log format has the logged object as `message`.
  const message = objectIn(objectIn(line).message);
  const { route, outcome, reason, code, merchantUid, impUid, durationMs } = message;
  const title = outcome ?? code;
  if (typeof route !== 'string' || typeof title !== 'string') return [];
  const ids = {
    ...(typeof merchantUid === 'string' && { order: merchantUid }),
    ...(typeof impUid === 'string' && { payment: impUid }),
  };
  const duration = typeof durationMs === 'number' && `${durationMs} ms`;
  if (route === 'deliver') return attemptIn(message, title, duration).map((fact) => ({ ...fact, ...ids }));
  const endpoint = route.split('/').at(-1);
  const details = [endpoint, reason ?? (outcome && code), duration].filter(Boolean);
  return [{ kind: 'decision', from: 'functions', to: 'functions', title, detail: details.join(' · '), ...ids }];
}

/** The request to the shop's server, if there was one, and what follows when it was not the last. */
function attemptIn(message: Readonly<Record<string, unknown>>, outcome: string, duration: string | false): NewFact[] {
  const { receiver, status, causes, afterSeconds } = message;
  // An error that stands for several has no message of its own.
  const fault = Array.isArray(causes) && causes.map((cause) => cause.replace(/^\w+: /, '')).findLast(Boolean);
  const detail = [status ?? fault, duration].filter(Boolean).join(' · ');
  const toShop: NewFact = { kind: 'webhook', from: 'functions', to: 'shop', title: `POST ${receiver}`, detail };
  const toQueue = { kind: 'queue', from: 'functions', to: 'queue' } as const;
  if (outcome === 'delivered') return [toShop];
  if (outcome === 'repeat') return [toShop, { ...toQueue, title: outcome, afterSeconds: Number(afterSeconds) }];
  // A message that is no event is not sent.
  return [...(outcome === 'unreadable' ? [] : [toShop]), { ...toQueue, title: 'dead-letter', detail: outcome }];
}

/** @param value an object, or its JSON; anything else has no fields */
function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  try {
    return Object(typeof value === 'string' ? JSON.parse(value) : value);
  } catch {
    return {};
  }
}

/** Publishes a change of a table from its stream record. */
export function recordWrite(live: Live, table: string, { dynamodb = {} }: DynamoDBRecord): void {
  const { NewImage: after = {}, OldImage: before = {} } = dynamodb;
  const [was, is] = [before, after].map((image) => image.status?.S ?? image.state?.S);
  if (!is) return;
  const order = after.merchant_uid?.S;
  const payment = after.imp_uid?.S;
  const isReversal = after.kind !== undefined;
  const name = /reversals/i.test(table) ? 'reversals' : 'orders';
  const revision = after.revision?.N;
  live.add({
    kind: 'write',
    from: 'functions',
    to: 'table',
    title: was && was !== is ? `${was} → ${is}` : is,
    detail: [name, isReversal ? after.reason?.S : revision && `revision ${revision}`].filter(Boolean).join(' · '),
    ...(order && { order }),
    ...(payment && { payment }),
    ...(after.amount?.N && { amount: Number(after.amount.N) }),
  });
}

export function recordEvent(live: Live, event: LocalEvent): void {
  live.add({ kind: 'event', from: 'table', to: 'bus', title: event['detail-type'], ...idsIn(event.detail) });
}

/** Publishes the way of a webhook through its queue. The log of `deliver` has the attempt itself. */
export const observeWebhooks = (live: Live): WebhookObserver => ({
  queued(event) {
    live.add({ kind: 'queue', from: 'bus', to: 'queue', title: event['detail-type'], ...idsIn(event.detail) });
  },
  received(body, attempt) {
    const { 'detail-type': type, detail } = objectIn(body);
    const ids = idsIn(detail);
    live.add({
      kind: 'queue',
      from: 'queue',
      to: 'functions',
      title: 'deliver',
      ...(typeof type === 'string' && { detail: type }),
      attempt,
      ...ids,
    });
  },
});

function idsIn(detail: unknown): Pick<NewFact, 'order' | 'payment'> {
  const { merchant_uid: order, imp_uid: payment } = objectIn(detail);
  return { ...(typeof order === 'string' && { order }), ...(typeof payment === 'string' && { payment }) };
}

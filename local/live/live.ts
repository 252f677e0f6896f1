/**
 * What happens in the local system, as it happens: requests, calls, decisions, writes and events, each a fact from one place to
 * another. Only watches, and keeps the newest facts for a page that opens late. Nothing of it deploys.
 */

import type { DynamoDBRecord } from 'aws-lambda';
import type { LocalEvent } from '../aws/bus.ts';
import type { Watch } from '../request-observer.ts';

/** Who speaks, or is spoken to. `bank` is whoever acts on the sandbox's control page. */
export type Place = 'shop' | 'buyer' | 'functions' | 'iamport' | 'bank' | 'table' | 'bus';

export interface Fact {
  /** Grows with each new fact. A fact that is told again under its id has been answered meanwhile. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'request' | 'call' | 'window' | 'decision' | 'write' | 'event';
  readonly from: Place;
  readonly to: Place;
  /** In the words of the wire: `POST /payments/complete`, `paid`, `ready → paid`, `Payment Paid`. */
  readonly title: string;
  /** `200 · 35 ms`, the reason of a rejection, the revision of a write. */
  readonly detail?: string;
  readonly order?: string;
  readonly payment?: string;
  readonly amount?: number;
}

type News = Omit<Fact, 'id' | 'at'>;

const factsKept = 500;

export class Live {
  readonly #facts: Fact[] = [];
  readonly #listeners = new Set<(fact: Fact) => void>();
  /** The order of each payment that was ever named together with one. */
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

  /** @returns what tells the same fact again, with more to it */
  tell(news: News): (more: Partial<News>) => void {
    this.#last += 1;
    let fact: Fact = this.#withOrder({ ...news, id: this.#last, at: this.#now() });
    this.#facts.push(fact);
    if (this.#facts.length > factsKept) this.#facts.shift();
    this.#publish(fact);
    return (more) => {
      const place = this.#facts.indexOf(fact);
      fact = this.#withOrder({ ...fact, ...more });
      if (place >= 0) this.#facts[place] = fact;
      this.#publish(fact);
    };
  }

  /** @returns what ends it */
  listen(listener: (fact: Fact) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #publish(fact: Fact): void {
    for (const listener of this.#listeners) listener(fact);
  }

  #withOrder(fact: Fact): Fact {
    if (fact.payment && fact.order) this.#orders.set(fact.payment, fact.order);
    const order = fact.order ?? (fact.payment && this.#orders.get(fact.payment));
    return order ? { ...fact, order } : fact;
  }
}

/** A request at the gateway, told when it comes and again when it is answered. */
export function watchRequests(live: Live): Watch {
  return ({ method, path, ids, signed }) => {
    const from: Place = signed ? 'shop' : /\/(webhook|confirm)$/.test(path) ? 'iamport' : 'buyer';
    const again = live.tell({ kind: 'request', from, to: 'functions', title: `${method} ${path}`, ...ids });
    return (status, ms) => again({ detail: `${status} · ${ms} ms` });
  };
}

/** What the stand-in Iamport is asked, by the functions, by the payment window and by the control page. */
export function watchIamport(
  live: Live,
  paymentOf: (impUid: string) => { status: string; amount: number; merchant_uid: string } | undefined,
): Watch {
  return ({ method, path, ids: { payment, order } }) => {
    const who = callerOf(method, path);
    if (!who) return () => undefined;
    const deed = { ...who, to: 'iamport' as const, title: `${method} ${path}` };
    const again = live.tell({ ...deed, ...(payment && { payment }), ...(order && { order }) });
    return (status, ms) => {
      const found = payment === undefined ? undefined : paymentOf(payment);
      const said = found && status < 400 && who.kind !== 'window' ? ` · ${found.status} ${found.amount}` : '';
      again({
        detail: `${status} · ${ms} ms${said}`,
        ...(found && { order: found.merchant_uid, amount: found.amount }),
      });
    };
  };
}

/** Undefined for what only fills a page. */
function callerOf(method: string, path: string): Pick<Fact, 'kind' | 'from'> | undefined {
  if (path.startsWith('/checkout')) return method === 'POST' ? { kind: 'window', from: 'buyer' } : undefined;
  if (/^\/__control\/payments\//.test(path)) return { kind: 'window', from: 'bank' };
  return /^\/(payments|users|vbanks)\b/.test(path) ? { kind: 'call', from: 'functions' } : undefined;
}

/** The log lines of a function. Whatever else it writes is no decision. */
export function watchLog(live: Live): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = decisionIn(line);
      if (said) live.tell(said);
    }
  };
}

function decisionIn(line: string): News | undefined {
  const message = messageIn(line);
  const { route, outcome, reason, code, merchantUid, impUid, durationMs } = message ?? {};
  const title = outcome ?? code;
  if (typeof route !== 'string' || typeof title !== 'string') return undefined;
  const door = route.split('/').at(-1);
  const why = [door, reason ?? (outcome && code), typeof durationMs === 'number' && `${durationMs} ms`].filter(Boolean);
  return {
    kind: 'decision',
    from: 'functions',
    to: 'functions',
    title,
    detail: why.join(' · '),
    ...(typeof merchantUid === 'string' && { order: merchantUid }),
    ...(typeof impUid === 'string' && { payment: impUid }),
  };
}

/** Of a line in Lambda's JSON log format. */
function messageIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const { message } = JSON.parse(line);
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

/** A change of a table, as its stream has it. */
export function tellWrite(live: Live, table: string, { dynamodb = {} }: DynamoDBRecord): void {
  const { NewImage: after = {}, OldImage: before = {} } = dynamodb;
  const [was, is] = [before, after].map((image) => image.status?.S ?? image.state?.S);
  if (!is) return;
  const order = after.merchant_uid?.S;
  const payment = after.imp_uid?.S;
  const isReversal = after.kind !== undefined;
  const name = /reversals/i.test(table) ? 'reversals' : 'orders';
  const revision = after.revision?.N;
  live.tell({
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

export function tellEvent(live: Live, event: LocalEvent): void {
  const { merchant_uid: order, imp_uid: payment } = event.detail as { merchant_uid?: string; imp_uid?: string };
  const title = event['detail-type'];
  live.tell({ kind: 'event', from: 'table', to: 'bus', title, ...(order && { order }), ...(payment && { payment }) });
}

/**
 * Iamport for the simulation: the ledger of the fake Iamport behind the routes that we call, without sockets. It records every state of
 * a payment, so that the invariants can compare our tables with it.
 */

import type { HttpRequest, TransportResponse } from '../../functions/adapters/iamport/transport.ts';
import { awaitsDeposit, type CancelRequest, Ledger, requirePgKey } from '../../local/iamport/ledger.ts';
import { inSpan, ofOrder, type PageOfPayments, pageOf, sorted } from '../../local/iamport/lists.ts';
import { hundredths, type Payment } from '../../local/iamport/payment.ts';
import { invalidToken, Refused, refusals } from '../../local/iamport/refused.ts';
import { Tokens } from '../../local/iamport/tokens.ts';
import type { Accident, Faults } from './faults.ts';
import { keyIn } from './invariants/once.ts';
import type { Instance } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Time } from './time.ts';
import type { Lists } from './worlds/lists.ts';
import { noisy, type Pg } from './worlds/pg.ts';
import type { Throttle } from './worlds/throttle.ts';

/** One state of a payment at Iamport. Amounts in hundredths of the major unit. */
export interface Truth {
  readonly status: Payment['status'];
  readonly merchantUid: string;
  readonly amount: number;
  readonly currency: string;
  readonly sandbox: boolean;
  /** Money has arrived, even if it was returned since. */
  readonly moved: boolean;
  readonly kept: number;
  /** The sum of all deposits into a fixed account. */
  readonly deposited: number | undefined;
}

/** A response to an instance, with facts that only the simulation reads. */
export interface HttpResponse extends TransportResponse {
  /** Iamport accepted a cancel or a revocation: the key of the item that requested it. */
  readonly accepted?: string;
  /** The body is larger than the client reads. */
  readonly isTooLarge?: boolean;
}

/** How the worlds of a scenario change Iamport. */
export interface IamportConditions {
  readonly pg: Pg;
  readonly lists: Lists;
  readonly throttle: Throttle;
  /** Amounts carry the rounding errors of binary fractions. */
  readonly isNoisy: boolean;
}

export interface SimulatedIamport {
  readonly ledger: Ledger;
  respond(request: HttpRequest, from: Instance): HttpResponse;
  /** Records the state of a payment. Call it after each change that did not go through `respond`. */
  recordChange(impUid: string): void;
  /** Every state of a payment, the oldest first. */
  truths(impUid: string): readonly Truth[];
  /** Several deposits arrived on a fixed account. Major units. */
  depositHistory(impUid: string, amounts: readonly number[]): void;
  payments(): readonly Payment[];
  /** How many payments have changed since a time. Unpaid attempts beyond 20 do not count. @param time milliseconds since 1970 */
  changedSince(time: number): number;
  /** Called before a cancel or a revocation through the API takes effect. */
  onUndo: (impUid: string, from: Instance, cancel?: CancelRequest) => void;
  /** Called when Iamport accepts a cancel, or a revocation without `cancel`. @param isPending the PG performs it later */
  onAccepted: (impUid: string, key: string | undefined, isPending: boolean, cancel: CancelRequest | undefined) => void;
  /** Called after a cancel or a revocation through the API took effect. @param key of a refund */
  onCancelled: (impUid: string, key: string | undefined) => void;
  /** Called before our call registers or overwrites an amount. */
  onPrepare: (merchantUid: string, isChange: boolean) => void;
  /** Called when an instance reads a payment by its `imp_uid`. */
  onPaymentRead: (impUid: string, from: Instance) => void;
  /** Called for each payment in a response, with its JSON. */
  onReturned: (payment: string, merchantUid: string) => void;
  /** Payments that the lists contain, but that cannot be read by their `imp_uid`. */
  readonly unreadable: Set<string>;
  /** Invalidates every token that it has issued. */
  forgetTokens(): void;
  /** Calls do not reach Iamport. */
  isDown: boolean;
  /** @returns the `imp_uid` of a cancel of a rejected payment or of a revocation; undefined for every other call */
  undoneBy(request: HttpRequest): string | undefined;
  /** What the world of the scenario does to a call. */
  accidentOf(request: HttpRequest): Accident | undefined;
}

export const pgApiKey = 'key-at-inicis';

export function simulatedIamport(
  time: Time,
  seeded: SeededRandom,
  faults: Faults,
  { pg, lists, throttle, isNoisy }: IamportConditions,
): SimulatedIamport {
  const now = () => time.now;
  const random = () => seeded.number();
  /** How the PG handles the cancel of the current call. */
  let call:
    | { impUid: string; key: string | undefined; isRevocation: boolean; isPending: boolean; isDenied: boolean }
    | undefined;
  /** The key of the item whose cancel or revocation the current call accepted. */
  const last: { accepted: string | undefined } = { accepted: undefined };
  const ledger = new Ledger({
    now,
    random,
    refusesCancels: () =>
      faults.happens('refuses cancel') || pg.refuses(call?.key === undefined ? call?.impUid : undefined),
    storedReason: (reason) => pg.storedReason(reason),
    performsLater(impUid, perform) {
      if (!call) return false;
      const { key, isRevocation } = call;
      // A refund of the shop would stay open; the operator takes over only a cancel.
      if (key === undefined && !isRevocation && pg.forgets()) {
        call.isPending = true;
        return true;
      }
      const denial = pg.denial();
      const delay = denial ?? pg.delay();
      call.isDenied = denial !== undefined;
      const performed = () => {
        const before = truthOf(ledger.payment(impUid), undefined);
        perform();
        recordChange(impUid);
        const after = truthOf(ledger.payment(impUid), undefined);
        if (before.kept !== after.kept || before.status !== after.status) simulated.onCancelled(impUid, key);
      };
      if (!delay) {
        performed();
        return true;
      }
      call.isPending = true;
      pg.after(delay, performed);
      return true;
    },
  });
  const tokens = new Tokens(now, random);
  const history = new Map<string, Truth[]>();
  const deposits = new Map<string, readonly number[]>();

  /** Iamport returns an unknown field as null, or omits it. */
  const unknown = seeded.is(0.3) ? null : undefined;

  /** The JSON of each payment until its next change. A cache, because a scenario serializes payments most often. */
  const texts = new Map<string, string>();

  const recordChange = (impUid: string): void => {
    texts.delete(impUid);
    const known = history.get(impUid) ?? [];
    const truth = truthOf(ledger.payment(impUid), deposits.get(impUid));
    history.set(impUid, [...known, truth]);
  };
  const paymentJson = (payment: Payment): string => {
    const { imp_uid: impUid } = payment;
    let text = texts.get(impUid);
    if (text === undefined) {
      const amounts = deposits.get(impUid);
      const whole = {
        ...payment,
        deposit_history: amounts?.map((amount) => ({ amount })),
        ...(isNoisy && noise(payment)),
      };
      text = JSON.stringify(whole, (_name, value) => value ?? unknown);
      texts.set(impUid, text);
    }
    simulated.onReturned(text, payment.merchant_uid);
    return text;
  };
  const listJson = ({ total, previous, next, list }: PageOfPayments) =>
    `{"total":${total},"previous":${previous},"next":${next},"list":[${list.map(paymentJson).join()}]}`;
  const paymentsOf = (merchantUid: string, status: string | undefined) =>
    sorted(ofOrder(ledger.entries(), merchantUid, status));

  /** Performs a cancel, or a revocation when `cancel` is missing. @throws Refused when the PG refuses, even if it performs it */
  const undo = (impUid: string, from: Instance, cancel?: CancelRequest): string => {
    simulated.onUndo(impUid, from, cancel);
    const key = cancel && keyIn(cancel.reason);
    call = { impUid, key, isRevocation: cancel === undefined, isPending: false, isDenied: false };
    try {
      const payment = cancel ? ledger.cancel(cancel) : ledger.revokeAccount(impUid);
      if (call.isDenied) throw new Refused('declined', 'PG 응답 시간 초과');
      last.accepted = key === undefined ? impUid : `${impUid}/${key}`;
      simulated.onAccepted(impUid, key, call.isPending, cancel);
      return paymentJson(payment);
    } finally {
      call = undefined;
    }
  };

  /** @returns JSON */
  const route = ({ method, path, body }: HttpRequest, from: Instance): string => {
    const end = path.indexOf('?');
    const [pathname, query] = end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end + 1)];
    const segments = pathname.split('/');
    const [, resource = '', first = '', second = '', third] = pathname.includes('%')
      ? segments.map(decodeURIComponent)
      : segments;
    const fields = body === undefined ? {} : JSON.parse(body);
    const parameter = (name: string) => {
      const at = query.indexOf(`${name}=`);
      return at < 0 ? undefined : Number.parseInt(query.slice(at + name.length + 1), 10);
    };
    switch (second === '' && method !== 'POST' ? `${method} ${resource}` : `${method} ${resource} ${first}`) {
      case 'GET payments':
        simulated.onPaymentRead(first, from);
        return paymentJson(ledger.payment(first));
      case 'GET payments find':
        return paymentJson(paymentsOf(second, third)[0] as Payment);
      case 'GET payments findAll': {
        const page = pageOf(paymentsOf(second, third), parameter('page'), parameter('limit'));
        return lists.isTooLarge(page.list) ? tooLarge : listJson(page);
      }
      case 'GET payments status': {
        const lag = faults.happens('list lags') ? seeded.whole(1, 120) * 1000 : 0;
        const visible = ledger.entries().filter(({ updatedAt }) => updatedAt <= time.now - lag);
        const found = inSpan(visible, second, Math.floor(time.now / 1000), parameter('to'), parameter('from'));
        const page = pageOf(sorted(found, 'started'), parameter('page'), parameter('limit'));
        const fault = lists.fault(page.list);
        if (fault === 'refused') throw new Refused('invalid', '목록을 조회할 수 없습니다.');
        if (fault === 'too large') return tooLarge;
        return listJson(page);
      }
      case 'POST payments cancel':
        return undo(fields.imp_uid, from, fields);
      case 'POST payments prepare': {
        const registered = ledger.prepared.register({ currency: null, ...fields });
        simulated.onPrepare(fields.merchant_uid, false);
        return JSON.stringify(registered);
      }
      case 'PUT payments':
        simulated.onPrepare(fields.merchant_uid, true);
        return JSON.stringify(ledger.prepared.change({ currency: null, ...fields }));
      case 'GET payments prepare':
        return JSON.stringify(ledger.prepared.of(second));
      case 'DELETE vbanks': {
        const payment = ledger.payment(first);
        requirePgKey(payment, query.replace('pg_api_key=', ''), pgApiKey);
        return awaitsDeposit(payment) ? undo(first, from) : paymentJson(ledger.revokeAccount(first));
      }
      default:
        throw new Error(`The simulated Iamport has no ${method} ${path}`);
    }
  };
  const simulated: SimulatedIamport = {
    ledger,
    recordChange,
    onUndo: () => undefined,
    onAccepted: () => undefined,
    onCancelled: () => undefined,
    onPrepare: () => undefined,
    onPaymentRead: () => undefined,
    onReturned: () => undefined,
    unreadable: new Set(),
    forgetTokens: () => tokens.forget(),
    isDown: false,
    undoneBy({ method, path, body = '{}' }) {
      if (method === 'DELETE') return /^\/vbanks\/([^?]+)/.exec(path)?.[1];
      if (path !== '/payments/cancel') return undefined;
      const { imp_uid: impUid, reason } = JSON.parse(body) as { imp_uid: string; reason?: string };
      return keyIn(reason) === undefined ? impUid : undefined;
    },
    accidentOf({ path, body = '{}' }) {
      if (path !== '/payments/cancel') return undefined;
      const { imp_uid: impUid, reason } = JSON.parse(body) as { imp_uid: string; reason?: string };
      return pg.accidentOfCancel(impUid, keyIn(reason) !== undefined);
    },
    truths: (impUid) => history.get(impUid) ?? [],
    depositHistory(impUid, amounts) {
      deposits.set(impUid, amounts);
      recordChange(impUid);
    },
    changedSince(since) {
      const changed = ledger.entries().filter(({ updatedAt }) => updatedAt >= since);
      const abandoned = changed.filter(({ payment }) => wasAbandoned(payment)).length;
      return changed.length - Math.max(0, abandoned - usualAttempts);
    },
    payments: () => ledger.entries().map(({ payment }) => payment),

    respond(request, from) {
      const retryAfter = throttle.waits();
      if (retryAfter !== undefined) {
        return { status: 429, body: '{"code":-1}', retryAfter: String(retryAfter) };
      }
      if (faults.happens('answers 5xx')) return { status: seeded.is(0.5) ? 500 : 429, body: '{"code":-1}' };
      if (faults.happens('answers invalid JSON'))
        return { status: 200, body: seeded.is(0.5) ? '<html>' : '{"code":"0"}' };
      if (request.path === '/users/getToken') return { status: 200, body: enveloped(JSON.stringify(tokens.issue())) };
      if (faults.happens('forgets token')) tokens.forget();
      if (!tokens.accepts(request.headers.authorization ?? '')) return refusal(invalidToken());
      for (const impUid of simulated.unreadable) {
        if (request.path.includes(impUid)) return { status: 200, body: '<html>' };
      }
      last.accepted = undefined;
      try {
        const response = route(request, from);
        if (response === tooLarge) return { status: 200, body: '', isTooLarge: true };
        return {
          status: 200,
          body: enveloped(response),
          ...(last.accepted !== undefined && { accepted: last.accepted }),
        };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return refusal(error);
      }
    },
  };
  return simulated;
}

/** Marks a page that is larger than the client reads. */
const tooLarge = '';

/** The amounts of a payment with rounding errors. */
const noise = ({ amount, cancel_amount }: Payment) => ({ amount: noisy(amount), cancel_amount: noisy(cancel_amount) });

const enveloped = (response: string) => `{"code":0,"message":null,"response":${response}}`;
const refusal = ({ kind, message }: Refused): TransportResponse => ({
  status: refusals[kind].status,
  body: JSON.stringify({ code: refusals[kind].code, message, response: null }),
});

/** Abandoned attempts above this number must not cost more calls. */
const usualAttempts = 20;

/** Cancelled before any money arrived. */
const wasAbandoned = ({ status, paid_at, cancel_history }: Payment): boolean =>
  status === 'cancelled' && paid_at === 0 && cancel_history.length === 0;

function truthOf(payment: Payment, deposits: readonly number[] | undefined): Truth {
  const moved = payment.paid_at > 0 || payment.cancel_history.length > 0;
  return {
    status: payment.status,
    merchantUid: payment.merchant_uid,
    amount: hundredths(payment.amount),
    currency: payment.currency,
    sandbox: payment.sandbox,
    moved,
    kept: moved ? hundredths(payment.amount) - hundredths(payment.cancel_amount) : 0,
    deposited: deposits && hundredths(deposits.reduce((sum, amount) => sum + amount, 0)),
  };
}

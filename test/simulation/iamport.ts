/**
 * Iamport for the simulation: the sandbox's own book of payments behind the routes that we call, without sockets. It remembers
 * all that a payment has been, so that what our tables say can be held against what was true.
 */

import type { HttpAnswer, HttpRequest } from '../../functions/adapters/iamport/transport.ts';
import { awaitsDeposit, type CancelRequest, Ledger } from '../../local/iamport/ledger.ts';
import { inSpan, type PageOfPayments, pageOf, sorted } from '../../local/iamport/lists.ts';
import { hundredths, type Payment } from '../../local/iamport/payment.ts';
import { Refused, unknownPayment } from '../../local/iamport/refused.ts';
import { Tokens } from '../../local/iamport/tokens.ts';
import type { Weather } from './faults.ts';
import { keyIn } from './invariants/once.ts';
import type { Instance } from './network.ts';
import type { Chance } from './random.ts';
import type { Time } from './time.ts';
import type { Lists } from './worlds/lists.ts';
import { noisy, type Pg } from './worlds/pg.ts';
import type { Throttle } from './worlds/throttle.ts';

/** What was true of a payment for a while. Amounts in hundredths of the major unit. */
export interface Truth {
  readonly status: Payment['status'];
  readonly merchantUid: string;
  readonly amount: number;
  readonly currency: string;
  readonly sandbox: boolean;
  /** Money has come in, whether or not it has gone back since. */
  readonly moved: boolean;
  readonly kept: number;
  /** What arrived on a fixed account in all. */
  readonly deposited: number | undefined;
}

/** What comes back to an instance, with what the simulation has to know of it. */
export interface Answer extends HttpAnswer {
  /** Iamport accepted a cancel or a revocation: the key of the item that asked for it. */
  readonly accepted?: string;
  /** More than the client reads. */
  readonly isTooLarge?: boolean;
}

/** What a world makes of Iamport. */
export interface Circumstances {
  readonly pg: Pg;
  readonly lists: Lists;
  readonly throttle: Throttle;
  /** Amounts carry the noise of binary fractions. */
  readonly isNoisy: boolean;
}

export interface SimulatedIamport {
  readonly ledger: Ledger;
  answer(request: HttpRequest, from: Instance): Answer;
  /** Writes down what has become of a payment: to be called after each change that did not come through `answer`. */
  note(impUid: string): void;
  /** All that was true of a payment, the oldest first. */
  truths(impUid: string): readonly Truth[];
  /** Several deposits arrived on a fixed account. Major units. */
  depositHistory(impUid: string, amounts: readonly number[]): void;
  payments(): readonly Payment[];
  /** How many payments have changed since a time, a crowd of unpaid attempts aside. Milliseconds since 1970 */
  changedSince(time: number): number;
  /** Called before a cancel or a revocation through the API takes effect. */
  onUndo: (impUid: string, from: Instance, cancel?: CancelRequest) => void;
  /** Called when Iamport accepts a cancel or a revocation through the API. @param isPending the PG performs it later */
  onAccepted: (impUid: string, key: string | undefined, isPending: boolean, isRevocation: boolean) => void;
  /** Called after a cancel or a revocation through the API took effect. @param key of a refund */
  onCancelled: (impUid: string, key: string | undefined) => void;
  /** Called before an amount is registered, or overwritten, because we asked. */
  onPrepare: (merchantUid: string, isChange: boolean) => void;
  /** Called when a payment is asked for by its `imp_uid`. */
  onAsked: (impUid: string, from: Instance) => void;
  /** Called for each payment that somebody is shown, with its JSON. */
  onShown: (payment: string) => void;
  /** Payments that are listed, and cannot be asked about. */
  readonly unreadable: Set<string>;
  /** Nobody reaches Iamport. */
  isDown: boolean;
}

export const pgApiKey = 'key-at-inicis';

export function simulatedIamport(
  time: Time,
  chance: Chance,
  weather: Weather,
  { pg, lists, throttle, isNoisy }: Circumstances,
): SimulatedIamport {
  const now = () => time.now;
  const random = () => chance.number();
  /** What the PG does with the call that is being answered. */
  let call: { key: string | undefined; isPending: boolean; isDenied: boolean } | undefined;
  /** The key of the item whose cancel or revocation was accepted by the call that is being answered. */
  const last: { accepted: string | undefined } = { accepted: undefined };
  const ledger = new Ledger({
    now,
    random,
    refusesCancels: () => weather.strikes('refuses cancel'),
    storedReason: (reason) => pg.storedReason(reason),
    performsLater(impUid, perform) {
      if (!call) return false;
      const { key } = call;
      const denial = pg.denial();
      const delay = denial ?? pg.delay();
      call.isDenied = denial !== undefined;
      const performed = () => {
        const before = truthOf(ledger.payment(impUid), undefined);
        perform();
        note(impUid);
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

  /** What Iamport does not know is null, or is not there at all. */
  const unknown = chance.is(0.3) ? null : undefined;

  /** What each payment looks like in an answer, until it is noted to have changed: nothing else of a schedule is told as often. */
  const texts = new Map<string, string>();

  const note = (impUid: string): void => {
    texts.delete(impUid);
    const known = history.get(impUid) ?? [];
    const truth = truthOf(ledger.payment(impUid), deposits.get(impUid));
    history.set(impUid, [...known, truth]);
  };
  const shown = (payment: Payment): string => {
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
    simulated.onShown(text);
    return text;
  };
  const listed = ({ total, previous, next, list }: PageOfPayments) =>
    `{"total":${total},"previous":${previous},"next":${next},"list":[${list.map(shown).join()}]}`;
  const ofOrder = (merchantUid: string, status = '') => {
    const isFound = ({ merchant_uid, status: its }: Payment) =>
      merchant_uid === merchantUid && (!status || its === status);
    const found = ledger.entries().filter(({ payment }) => isFound(payment));
    if (found.length === 0) throw unknownPayment();
    return found;
  };

  /** One call that undoes something, as the PG takes it. @throws Refused when the PG refuses, even where it performs it */
  const undone = (impUid: string, from: Instance, cancel?: CancelRequest): string => {
    simulated.onUndo(impUid, from, cancel);
    const key = cancel && keyIn(cancel.reason);
    call = { key, isPending: false, isDenied: false };
    try {
      const payment = cancel ? ledger.cancel(cancel) : ledger.revokeAccount(impUid);
      if (call.isDenied) throw new Refused('declined', 'PG 응답 시간 초과');
      last.accepted = key === undefined ? impUid : `${impUid}/${key}`;
      simulated.onAccepted(impUid, key, call.isPending, cancel === undefined);
      return shown(payment);
    } finally {
      call = undefined;
    }
  };

  /** @returns JSON */
  const respond = ({ method, path, body }: HttpRequest, from: Instance): string => {
    const end = path.indexOf('?');
    const [pathname, query] = end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end + 1)];
    const segments = pathname.split('/');
    const [, resource = '', first = '', second = '', third = ''] = pathname.includes('%')
      ? segments.map(decodeURIComponent)
      : segments;
    const fields = body === undefined ? {} : JSON.parse(body);
    const asked = (name: string) => {
      const at = query.indexOf(`${name}=`);
      return at < 0 ? Number.NaN : Number.parseInt(query.slice(at + name.length + 1), 10);
    };
    switch (second === '' && method !== 'POST' ? `${method} ${resource}` : `${method} ${resource} ${first}`) {
      case 'GET payments':
        simulated.onAsked(first, from);
        return shown(ledger.payment(first));
      case 'GET payments find':
        return shown(sorted(ofOrder(second, third))[0] as Payment);
      case 'GET payments findAll':
        return listed(pageOf(sorted(ofOrder(second)), asked('page'), 1000));
      case 'GET payments status': {
        const lag = weather.strikes('list lags') ? chance.whole(1, 120) * 1000 : 0;
        const visible = ledger.entries().filter(({ updatedAt }) => updatedAt <= time.now - lag);
        const found = inSpan(visible, second, Math.floor(time.now / 1000), asked('to'), asked('from'));
        const page = pageOf(sorted(found, 'started'), asked('page'), asked('limit'));
        const fault = lists.fault(page.list);
        if (fault === 'refused') throw new Refused('invalid', '목록을 조회할 수 없습니다.');
        if (fault === 'too large') return tooLarge;
        return listed(page);
      }
      case 'POST payments cancel':
        return undone(fields.imp_uid, from, fields);
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
        if (query !== `pg_api_key=${pgApiKey}`) throw new Refused('declined', 'pg_api_key');
        if (!awaitsDeposit(ledger.payment(first))) return shown(ledger.revokeAccount(first));
        return undone(first, from);
      }
      default:
        throw new Error(`The simulated Iamport has no ${method} ${path}`);
    }
  };
  const simulated: SimulatedIamport = {
    ledger,
    note,
    onUndo: () => undefined,
    onAccepted: () => undefined,
    onCancelled: () => undefined,
    onPrepare: () => undefined,
    onAsked: () => undefined,
    onShown: () => undefined,
    unreadable: new Set(),
    isDown: false,
    truths: (impUid) => history.get(impUid) ?? [],
    depositHistory(impUid, amounts) {
      deposits.set(impUid, amounts);
      note(impUid);
    },
    changedSince(since) {
      const changed = ledger.entries().filter(({ updatedAt }) => updatedAt >= since);
      const givenUp = changed.filter(({ payment }) => wasGivenUp(payment)).length;
      return changed.length - Math.max(0, givenUp - usualAttempts);
    },
    payments: () => ledger.entries().map(({ payment }) => payment),

    answer(request, from) {
      const retryAfter = throttle.waits();
      if (retryAfter !== undefined) {
        return { status: 429, body: '{"code":-1}', retryAfter: String(retryAfter) };
      }
      if (weather.strikes('answers 5xx')) return { status: chance.is(0.5) ? 500 : 429, body: '{"code":-1}' };
      if (weather.strikes('answers nonsense')) return { status: 200, body: chance.is(0.5) ? '<html>' : '{"code":"0"}' };
      if (request.path === '/users/getToken') return { status: 200, body: enveloped(JSON.stringify(tokens.issue())) };
      if (weather.strikes('forgets token')) tokens.forget();
      if (!tokens.accepts(request.headers.authorization ?? '')) return refusal(401, -1);
      for (const impUid of simulated.unreadable) {
        if (request.path.includes(impUid)) return { status: 200, body: '<html>' };
      }
      last.accepted = undefined;
      try {
        const response = respond(request, from);
        if (response === tooLarge) return { status: 200, body: '', isTooLarge: true };
        return {
          status: 200,
          body: enveloped(response),
          ...(last.accepted !== undefined && { accepted: last.accepted }),
        };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { declined: refusal(200, 1), unknown: refusal(404, -1), invalid: refusal(400, -1) }[error.kind];
      }
    },
  };
  return simulated;
}

/** Stands for the response of a page that the client does not read to its end. */
const tooLarge = '';

/** The amounts of a payment, as they are shown. */
const noise = ({ amount, cancel_amount }: Payment) => ({ amount: noisy(amount), cancel_amount: noisy(cancel_amount) });

const enveloped = (response: string) => `{"code":0,"message":null,"response":${response}}`;
const refusal = (status: number, code: number): HttpAnswer => ({
  status,
  body: `{"code":${code},"message":"거절","response":null}`,
});

/** Attempts that were given up unpaid: more of them must not cost more calls. */
const usualAttempts = 20;

/** Cancelled before any money came. */
const wasGivenUp = ({ status, paid_at, cancel_history }: Payment): boolean =>
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

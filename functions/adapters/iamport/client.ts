/** The gateway to Iamport's V1 REST API. The only place that speaks to it; decides nothing about payments. */

import {
  IamportAccepted,
  IamportBusy,
  IamportRefused,
  IamportUnavailable,
  IamportUnexpected,
  markNotSent,
  NoTimeLeft,
} from '../../application/faults.ts';
import type { CancelRequest, Iamport, Prepared } from '../../application/ports.ts';
import { type Amount, majorUnits } from '../../payment/money.ts';
import type { Payment } from '../../payment/payment.ts';
import type { Clock, Deadline, Random } from '../../shared/clock.ts';
import { type Busy, busyBy } from './busy.ts';
import { type SharedToken, type Token, type Tokens, tokensFrom } from './tokens.ts';
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts';
import { type Envelope, envelopeOf, paymentOf, paymentPageOf, preparedOf, tokenOf } from './wire.ts';

/** What Iamport knows the shop by. Source: the console's REST API key and secret. */
export interface Credentials {
  readonly impKey: string;
  readonly impSecret: string;
  /** KG Inicis' own key, without which it revokes no virtual account. */
  readonly pgApiKey?: string;
}

export interface IamportParts {
  readonly transport: Transport;
  /** Read only when a token is needed. @param again the last ones were refused: they may have been replaced */
  readonly credentials: (again: boolean) => Promise<Credentials>;
  readonly sharedToken: SharedToken;
  readonly clock: Clock;
  readonly random: Random;
}

/** Lambda has 12 s and a request 10: one call must leave room for what follows. */
const callTimeoutMs = 4_000;
/** Reads are tried twice. A second failure within seconds means that Iamport is down, and the caller will come again. */
const readTries = 2;

type Call = Pick<HttpRequest, 'method' | 'path'> & { readonly body?: object; readonly tier?: string | undefined };

/** The parts, and what one client learns about Iamport's limits. */
interface Line extends IamportParts {
  readonly busy: Busy;
}

/** Every call needs a token. Who fetches it before the first one has it then. */
export interface IamportClient extends Iamport {
  /** @throws as every call does */
  prepareToken(deadline: Deadline): Promise<void>;
}

export function iamportClient(parts: IamportParts): IamportClient {
  const { credentials } = parts;
  const line: Line = { ...parts, busy: busyBy(parts.clock) };
  const tokens = tokensFrom((deadline) => fetchToken(line, deadline), parts.sharedToken, parts.clock, parts.random);
  const ask = (call: Call, deadline: Deadline) => authorized(line, tokens, call, deadline);

  const find = async (path: string, deadline: Deadline, tier: string | undefined): Promise<Payment | undefined> => {
    const answer = await ask({ method: 'GET', path, tier }, deadline);
    return isUnknown(answer) ? undefined : paymentOf(responseOf(answer));
  };

  return {
    // Test payments are asked for too, so that they are refused by name instead of seeming not to exist.
    async payment(impUid, deadline, tier) {
      const payment = await find(`/payments/${encodeURIComponent(impUid)}?include_sandbox=true`, deadline, tier);
      if (payment && payment.impUid !== impUid) throw new IamportUnexpected(`Asked for ${impUid}, got another payment`);
      return payment;
    },

    newestPayment(merchantUid, deadline, tier, status) {
      const path = `/payments/find/${encodeURIComponent(merchantUid)}${status ? `/${status}` : ''}`;
      return find(`${path}?include_sandbox=true`, deadline, tier);
    },

    async payments(merchantUid, deadline, tier) {
      const all: Payment[] = [];
      const unreadable: string[] = [];
      for (let page = 1; page > 0; ) {
        const path = `/payments/findAll/${encodeURIComponent(merchantUid)}?page=${page}&limit=1000&include_sandbox=true`;
        const answer = await ask({ method: 'GET', path, tier }, deadline);
        if (isUnknown(answer)) break;
        const found = paymentPageOf(responseOf(answer), page);
        all.push(...found.payments);
        unreadable.push(...found.unreadable);
        page = found.next;
      }
      return { payments: all, unreadable };
    },

    async listPayments({ status, from, to, page, limit }, deadline) {
      // By the one time that never changes, so that a page means the same while its payments move on.
      const query = `from=${from}&to=${to}&page=${page}&limit=${limit}&sorting=started&include_sandbox=true`;
      const answer = await ask({ method: 'GET', path: `/payments/status/${status}?${query}` }, deadline);
      return paymentPageOf(responseOf(answer), page);
    },

    async cancel(request, deadline, tier) {
      const body = cancelBody(request);
      const answer = await ask({ method: 'POST', path: '/payments/cancel', body, tier }, deadline);
      const response = responseOf(answer);
      try {
        return paymentOf(response);
      } catch (cause) {
        throw new IamportAccepted('Iamport accepted the cancel, and its answer shows no payment', { cause });
      }
    },

    async revokeAccount(impUid, deadline, tier) {
      // Read again where there was none: the operator who was told to add it is not to wait for a new instance.
      const pgApiKey = (await credentials(false)).pgApiKey ?? (await credentials(true)).pgApiKey;
      const query = pgApiKey ? `?pg_api_key=${encodeURIComponent(pgApiKey)}` : '';
      const path = `/vbanks/${encodeURIComponent(impUid)}${query}`;
      const answer = await ask({ method: 'DELETE', path, tier }, deadline);
      try {
        return paymentOf(responseOf(answer));
      } catch (refusal) {
        if (pgApiKey || !(refusal instanceof IamportRefused)) throw refusal;
        // The one PG that wants more, and the message of a refusal is all that a person sees.
        throw new IamportRefused(`${refusal.message} (KG Inicis wants pg_api_key: put it into the secret)`, {
          status: refusal.status,
          cause: refusal,
        });
      }
    },

    prepare: (order, deadline, replaced) => prepare(ask, order, deadline, replaced),

    async prepareToken(deadline) {
      await tokens.current(deadline);
    },
  };
}

/** The body of `POST /payments/cancel`. JSON, since a form cannot carry `extra`. */
function cancelBody({ payment, amount, checksum, reason, taxFree, vatAmount, account, requester }: CancelRequest) {
  const { impUid, currency } = payment;
  const major = (part: Amount) => majorUnits(part, currency);
  return {
    imp_uid: impUid,
    amount: major(amount),
    checksum: major(checksum),
    reason,
    ...(taxFree !== undefined && { tax_free: major(taxFree) }),
    ...(vatAmount !== undefined && { vat_amount: major(vatAmount) }),
    ...(account && { refund_holder: account.holder, refund_bank: account.bank, refund_account: account.number }),
    ...(account?.tel !== undefined && { refund_tel: account.tel }),
    ...(requester && { extra: { requester } }),
  };
}

/**
 * Registers the amount. Iamport refuses a second `POST` for an order, which is fine if the same amount is registered already. Another
 * one may be another shop's on the same account.
 */
async function prepare(
  ask: (call: Call, deadline: Deadline) => Promise<HttpAnswer>,
  { merchantUid, amount, currency, tier }: Prepared,
  deadline: Deadline,
  replaced: Amount | undefined,
): Promise<'prepared' | 'conflict'> {
  const body = { merchant_uid: merchantUid, amount: majorUnits(amount, currency), currency };
  const path = '/payments/prepare';
  try {
    responseOf(await ask({ method: 'POST', path, body, tier }, deadline));
    return 'prepared';
  } catch (refusal) {
    if (!(refusal instanceof IamportRefused)) throw refusal;
    const known = await ask({ method: 'GET', path: `${path}/${encodeURIComponent(merchantUid)}`, tier }, deadline);
    const held = envelopeOf(known.body);
    if (held.code !== 0 || !held.response) throw refusal;
    const prepared = preparedOf(held.response);
    if (prepared.amount === body.amount && (prepared.currency ?? currency) === currency) return 'prepared';
    const isOurs = replaced !== undefined && prepared.amount === majorUnits(replaced, currency);
    if (!isOurs) return 'conflict';
    responseOf(await ask({ method: 'PUT', path, body, tier }, deadline));
    return 'prepared';
  }
}

/** Our own, and the one that another instance has left for all, may both have ended before their time. */
const mostRefusedTokens = 2;

/** Sends a call with a token; one that Iamport no longer takes is replaced. @throws with `notSent` when there is no token */
async function authorized(parts: Line, tokens: Tokens, call: Call, deadline: Deadline): Promise<HttpAnswer> {
  const tier = call.tier && { tier: call.tier };
  const fail = (error: unknown) => {
    throw markNotSent(error);
  };
  let token = await tokens.current(deadline).catch(fail);
  for (let refused = 0; ; refused += 1) {
    const answer = await sent(parts, call, { ...tier, authorization: token }, deadline);
    if (answer.status !== 401 || refused === mostRefusedTokens) return answer;
    // Iamport checks the token before it reads the request, so a call with a refused token had no effect.
    token = await tokens.insteadOf(token, deadline).catch(fail);
  }
}

/** Iamport hands out the same token until it ends, so asking twice is harmless. */
async function fetchToken(parts: Line, deadline: Deadline): Promise<Token> {
  const asked = async (again: boolean) => {
    const { impKey, impSecret } = await parts.credentials(again);
    const call: Call = { method: 'POST', path: '/users/getToken', body: { imp_key: impKey, imp_secret: impSecret } };
    return sent(parts, call, {}, deadline, readTries);
  };
  let answer = await asked(false);
  // The key may have been replaced while this instance kept the old one.
  if (answer.status === 401) answer = await asked(true);
  if (answer.status === 401) {
    throw new IamportRefused('Iamport does not accept imp_key and imp_secret: check the values in the secret', {
      status: 401,
    });
  }
  const { value, livesSeconds } = tokenOf(responseOf(answer));
  return { value, expiresAt: parts.clock.now() + livesSeconds * 1000 };
}

/** One call within the deadline. Only reads are repeated: a lost answer to a cancel must not become a second cancel. */
async function sent(
  { transport, clock, random, busy }: Line,
  call: Call,
  headers: Record<string, string>,
  deadline: Deadline,
  tries = call.method === 'GET' ? readTries : 1,
): Promise<HttpAnswer> {
  for (let left = tries; ; left -= 1) {
    const timeoutMs = Math.min(callTimeoutMs, deadline.leftMs());
    // What changes something gets its whole time or does not begin, so that its answer can be waited for.
    if (timeoutMs <= 0 || (tries === 1 && timeoutMs < callTimeoutMs)) {
      throw new NoTimeLeft(`No time left to ask Iamport: ${call.method} ${call.path.split('?')[0]}`);
    }
    try {
      return await whole(transport, busy, call, headers, timeoutMs);
    } catch (error) {
      // A call after a 429 would make Iamport refuse for longer.
      if (!(error instanceof IamportUnavailable) || error instanceof IamportBusy || left <= 1) throw error;
      await clock.sleep(50 + random() * 200);
    }
  }
}

async function whole(
  transport: Transport,
  busy: Busy,
  { method, path, body }: Call,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  const json = body && { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const name = `${method} ${path.split('?')[0]}`;
  busy.check(name);
  const answer = await transport({ method, path, headers, timeoutMs, ...json });
  if (answer.status === 429) throw busy.record(name, answer.retryAfter);
  // A redirect is never followed, and a fault of theirs is a reason to come again.
  if (answer.status >= 500 || (answer.status >= 300 && answer.status < 400)) {
    throw new IamportUnavailable(`Iamport answered ${answer.status} to ${name}`);
  }
  return answer;
}

/** A 404 of Iamport's own; one of something in between has another form and is not believed. */
function isUnknown(answer: HttpAnswer): boolean {
  return answer.status === 404 && envelopeOf(answer.body).code !== 0;
}

/** The `response` of an answer that worked. @throws IamportRefused for a `code` that is not 0, whatever the HTTP status */
function responseOf({ status, body }: HttpAnswer): unknown {
  if (status === 401)
    throw new IamportRefused('Iamport does not accept a token that it has just issued', { status: 401, notSent: true });
  const { code, message, response }: Envelope = envelopeOf(body);
  if (code !== 0 || status >= 400)
    throw new IamportRefused(message ?? `Iamport answered with code ${code}`, { status });
  return response;
}

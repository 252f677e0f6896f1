/**
 * The simulated Iamport and the fake Iamport's REST API have routers of their own over the same ledger. Both must return the same status
 * and body for every route that our client calls, in the same state.
 */

import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../functions/adapters/iamport/transport.ts';
import { apiRoutes } from '../../local/iamport/api.ts';
import type { Ledger } from '../../local/iamport/ledger.ts';
import { Tokens } from '../../local/iamport/tokens.ts';
import type { Faults } from './faults.ts';
import { type IamportConditions, pgApiKey, simulatedIamport } from './iamport.ts';
import { Instance } from './network.ts';
import { SeededRandom } from './random.ts';
import { Time } from './time.ts';

const start = 1_795_000_000;
const noFaults = { happens: () => false } as unknown as Faults;
/** The PG performs each cancel at once, no list fails, Iamport does not throttle. */
const usual = {
  pg: {
    storedReason: (reason: string) => reason,
    denial: () => undefined,
    delay: () => undefined,
    forgets: () => false,
    refuses: () => false,
  },
  lists: { fault: () => undefined, isTooLarge: () => false },
  throttle: { waits: () => undefined },
  isNoisy: false,
} as unknown as IamportConditions;

type Request = Omit<HttpRequest, 'headers' | 'timeoutMs'>;
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Iamport may return an unknown field as null, or omit it. */
const comparable = (text: string): unknown => JSON.parse(text, (_name, value) => value ?? undefined);

/** A ledger with the payments that the requests below name. @returns their ids by name, the same for every call */
function fill(ledger: Ledger): Record<string, string> {
  const open = (merchant_uid: string, pay_method = 'card') =>
    ledger.open({ merchant_uid, amount: 14_000, pay_method }).imp_uid;
  const ids = {
    opened: open('order-1'),
    paid: open('order-2'),
    cancelled: open('order-3'),
    failed: open('order-4'),
    account: open('order-5', 'vbank'),
    deposit: open('order-6', 'vbank'),
  };
  for (const id of [ids.paid, ids.cancelled]) ledger.pay(id);
  ledger.cancelInConsole(ids.cancelled);
  ledger.fail(ids.failed, '한도초과');
  for (const id of [ids.account, ids.deposit]) ledger.issueAccount(id);
  ledger.deposit(ids.deposit);
  ledger.prepared.register({ merchant_uid: 'order-2', amount: 14_000, currency: 'KRW' });
  return ids;
}

/** Both routers, each over a ledger of its own with the same content and the same random numbers. */
function routers() {
  const create = () => {
    const [time, random] = [new Time(start * 1000), new SeededRandom(7)];
    const simulated = simulatedIamport(time, random, noFaults, usual);
    return { time, random, simulated, ids: fill(simulated.ledger) };
  };
  const [own, other] = [create(), create()];
  const api = apiRoutes({
    ledger: other.simulated.ledger,
    tokens: new Tokens(
      () => other.time.now,
      () => other.random.number(),
    ),
    keys: { impKey: 'key', impSecret: 'secret', pgApiKey },
    now: () => other.time.now,
  });
  const from = new Instance('complete');
  const ofSimulation = (request: Request, authorization: string): Answer => {
    const { status, body } = own.simulated.respond({ ...request, headers: { authorization }, timeoutMs: 1_000 }, from);
    return { status, body: comparable(body) };
  };
  const ofApi = async ({ method, path, body }: Request, authorization: string): Promise<Answer> => {
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await api.request(path, { method, headers, ...(body !== undefined && { body }) });
    return { status: response.status, body: comparable(await response.text()) };
  };
  return { ids: own.ids, ofSimulation, ofApi };
}

const getToken: Request = {
  method: 'POST',
  path: '/users/getToken',
  body: JSON.stringify({ imp_key: 'key', imp_secret: 'secret' }),
};
const get = (path: string): Request => ({ method: 'GET', path });
const list = (status: string, more: string) =>
  get(`/payments/status/${status}?${more}&sorting=started&include_sandbox=true`);
const span = `from=${start - 86_400}&to=${start + 86_400}`;
const cancel = (body: object): Request => ({ method: 'POST', path: '/payments/cancel', body: JSON.stringify(body) });
const prepare = (method: 'POST' | 'PUT', merchant_uid: string, amount: number): Request => ({
  method,
  path: '/payments/prepare',
  body: JSON.stringify({ merchant_uid, amount, currency: 'KRW' }),
});
const revoke = (id: string, key: string): Request => ({ method: 'DELETE', path: `/vbanks/${id}?pg_api_key=${key}` });
const account = { refund_holder: '홍길동', refund_bank: '88', refund_account: '110' };
const byStatus = ['opened', 'paid', 'cancelled', 'failed', 'account', 'deposit'] as const;

/** Each request with its HTTP status and the `code` of the envelope. */
const REQUESTS: readonly (readonly [
  name: string,
  status: number,
  code: number,
  request: (ids: Record<string, string>) => Request,
])[] = [
  ...byStatus.map(
    (name) =>
      [`reads a payment: ${name}`, 200, 0, (ids: Record<string, string>) => get(`/payments/${ids[name]}`)] as const,
  ),
  ['reads an unknown payment', 404, -1, () => get('/payments/imp_000000000000?include_sandbox=true')],
  ['finds the newest payment of an order', 200, 0, () => get('/payments/find/order-2?include_sandbox=true')],
  ['finds the paid payment of an order', 200, 0, () => get('/payments/find/order-2/paid?include_sandbox=true')],
  ['finds no paid payment of an unpaid order', 404, -1, () => get('/payments/find/order-1/paid?include_sandbox=true')],
  ['finds no payment of an unknown order', 404, -1, () => get('/payments/find/unknown?include_sandbox=true')],
  ['refuses to find an unknown status', 400, -1, () => get('/payments/find/order-1/settled?include_sandbox=true')],
  ['lists the payments of an order', 200, 0, () => get('/payments/findAll/order-2?page=1&limit=1000')],
  ['lists no paid payments of an unpaid order', 404, -1, () => get('/payments/findAll/order-1/paid?page=1&limit=1000')],
  ['refuses a page of an order past the last', 400, -1, () => get('/payments/findAll/order-2?page=2&limit=1000')],
  ['lists no payments of an unknown order', 404, -1, () => get('/payments/findAll/unknown?page=1&limit=1000')],
  ...['all', 'ready', 'paid', 'cancelled', 'failed'].map(
    (status) => [`lists payments: ${status}`, 200, 0, () => list(status, `${span}&page=1&limit=1000`)] as const,
  ),
  ['lists a middle page', 200, 0, () => list('all', `${span}&page=2&limit=2`)],
  ['lists an empty span', 200, 0, () => list('paid', `from=1&to=2&page=1&limit=2`)],
  ['lists without page and limit', 200, 0, () => list('paid', span)],
  ['refuses a page past the last', 400, -1, () => list('paid', `${span}&page=2&limit=1000`)],
  ['refuses the page 0', 400, -1, () => list('paid', `${span}&page=0&limit=1000`)],
  ['refuses a limit over 1000', 400, -1, () => list('paid', `${span}&page=1&limit=1001`)],
  ['refuses an unknown status', 400, -1, () => list('settled', `${span}&page=1&limit=1000`)],
  ['refuses a span over 90 days', 400, -1, () => list('paid', `from=1&to=${start}&page=1&limit=1000`)],
  ['cancels a payment', 200, 0, ({ paid }) => cancel({ imp_uid: paid, amount: 14_000, checksum: 14_000, reason: 'x' })],
  ['cancels a part', 200, 0, ({ paid }) => cancel({ imp_uid: paid, amount: 4_000, checksum: 14_000, reason: 'x' })],
  ['cancels a deposit', 200, 0, ({ deposit }) => cancel({ imp_uid: deposit, reason: 'x', ...account })],
  [
    'refuses another checksum',
    200,
    1,
    ({ paid }) => cancel({ imp_uid: paid, amount: 4_000, checksum: 9, reason: 'x' }),
  ],
  ['refuses to cancel more than is left', 200, 1, ({ paid }) => cancel({ imp_uid: paid, amount: 14_001, reason: 'x' })],
  ['refuses to cancel an unpaid payment', 200, 1, ({ opened }) => cancel({ imp_uid: opened, reason: 'x' })],
  ['refuses to cancel again', 200, 1, ({ cancelled }) => cancel({ imp_uid: cancelled, reason: 'x' })],
  [
    'refuses to cancel a deposit without an account',
    200,
    1,
    ({ deposit }) => cancel({ imp_uid: deposit, reason: 'x' }),
  ],
  ['refuses to cancel an unknown payment', 200, 1, () => cancel({ imp_uid: 'imp_000000000000', reason: 'x' })],
  ['revokes a virtual account', 200, 0, (ids) => revoke(`${ids.account}`, pgApiKey)],
  ['refuses another key of KG Inicis', 200, 1, (ids) => revoke(`${ids.account}`, 'other')],
  ['refuses to revoke a paid account', 400, -1, (ids) => revoke(`${ids.deposit}`, pgApiKey)],
  ['refuses to revoke a card payment by another key', 400, -1, (ids) => revoke(`${ids.paid}`, 'other')],
  ['refuses to revoke an unknown account', 404, -1, () => revoke('imp_000000000000', pgApiKey)],
  ['registers an amount', 200, 0, () => prepare('POST', 'order-9', 14_000)],
  ['refuses a second registration', 200, 1, () => prepare('POST', 'order-2', 14_000)],
  ['changes a registered amount', 200, 0, () => prepare('PUT', 'order-2', 9_000)],
  ['changes no unknown amount', 404, -1, () => prepare('PUT', 'order-9', 9_000)],
  ['reads a registered amount', 200, 0, () => get('/payments/prepare/order-2')],
  ['reads no unknown amount', 404, -1, () => get('/payments/prepare/order-9')],
];

const tokenOf = ({ body }: Answer) => (body as { response: { access_token: string } }).response.access_token;

describe('the simulated Iamport responds as the fake Iamport does', () => {
  test.each(REQUESTS)('%s', async (_name, status, code, requestOf) => {
    const { ids, ofSimulation, ofApi } = routers();
    const [token, sameToken] = [ofSimulation(getToken, ''), await ofApi(getToken, '')];
    expect(token).toEqual(sameToken);
    const request = requestOf(ids);
    const answer = ofSimulation(request, tokenOf(token));
    expect(answer).toEqual(await ofApi(request, tokenOf(token)));
    expect(answer).toMatchObject({ status, body: { code } });
    // The state afterwards is the same too.
    const all = list('all', `${span}&page=1&limit=1000`);
    expect(ofSimulation(all, tokenOf(token))).toEqual(await ofApi(all, tokenOf(token)));
  });

  test.each(['', 'other'])('refuses the token "%s"', async (token) => {
    const { ids, ofSimulation, ofApi } = routers();
    const request = get(`/payments/${ids.paid}`);
    const answer = ofSimulation(request, token);
    expect(answer).toEqual(await ofApi(request, token));
    expect(answer).toMatchObject({ status: 401, body: { code: -1 } });
  });
});

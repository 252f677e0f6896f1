/**
 * Iamport's REST API over the ledger, for a shop's server. Every response is `{code, message, response}`.
 * Source: PortOne's V1 API description. The rules are in the ledger.
 */

import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { bodyOf, fields, flag, number, text } from './body.ts';
import { type Ledger, requirePgKey } from './ledger.ts';
import { inSpan, ofOrder, pageOf, sorted } from './lists.ts';
import type { Payment } from './payment.ts';
import { invalidToken, Refused, refusals, unknownPayment } from './refused.ts';
import type { Tokens } from './tokens.ts';

/** The shop's credentials for a token, and its own key at KG Inicis, which the revocation of an account needs. */
export interface Keys {
  readonly impKey: string;
  readonly impSecret: string;
  readonly pgApiKey: string;
}

export interface ApiParts {
  readonly ledger: Ledger;
  readonly tokens: Tokens;
  readonly keys: Keys;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const credentials = z.object({ imp_key: text, imp_secret: text });
const cancelFields = z.object({
  imp_uid: text,
  merchant_uid: text,
  amount: number,
  checksum: number,
  reason: text,
  refund_holder: text,
  refund_bank: text,
  refund_account: text,
  refund_tel: text,
  tax_free: number,
  vat_amount: number,
  extra: z.object({ requester: text }).optional(),
  enable_webhook: flag,
});
const preparedFields = z
  .object({ merchant_uid: z.coerce.string().min(1).max(40), amount: z.coerce.number().positive(), currency: text })
  .transform(({ merchant_uid, amount, currency }) => ({ merchant_uid, amount, currency: currency ?? null }));
const listFields = z.object({ page: number, limit: number, sorting: text, from: number, to: number });

/** True for the paths of Iamport's API; all other paths are the fake Iamport's own. */
export const isApiPath = (path: string): boolean => /^\/(users|payments|vbanks)(\/|$)/.test(path);

export function apiRoutes(parts: ApiParts): Hono {
  const { tokens, keys } = parts;
  const api = new Hono({ strict: false });
  api.onError((error, c) => failure(c, error));
  api.notFound((c) => envelope(c, 404, -1, '존재하지 않는 API입니다.'));

  api.post('/users/getToken', async (c) => {
    const { imp_key, imp_secret } = await bodyOf(c, credentials);
    if (imp_key !== keys.impKey || imp_secret !== keys.impSecret) {
      throw new Refused('unauthorized', 'API 키 또는 시크릿이 올바르지 않습니다.');
    }
    return success(c, tokens.issue());
  });

  for (const protectedPath of ['/payments', '/payments/*', '/vbanks/*']) {
    api.use(protectedPath, async (c, next) => {
      const token = c.req.header('authorization')?.replace(/^Bearer /i, '') ?? '';
      if (!tokens.accepts(token)) throw invalidToken();
      return next();
    });
  }
  addChanges(api, parts);
  addLists(api, parts);
  api.get('/payments/:imp_uid', (c) => {
    const { ledger } = parts;
    const payment = ledger.payment(c.req.param('imp_uid'));
    if (!isVisible(payment, c) || ledger.tierOf(payment.imp_uid) !== tierOf(c)) throw unknownPayment();
    return success(c, payment);
  });
  return api;
}

function addChanges(api: Hono, { ledger, keys }: ApiParts): void {
  api.post('/payments/cancel', async (c) => {
    const request = await bodyOf(c, cancelFields);
    if (request.imp_uid && ledger.tierOf(request.imp_uid) !== tierOf(c)) throw unknownPayment();
    return success(c, ledger.cancel(request));
  });
  api.post('/payments/prepare', async (c) => success(c, ledger.prepared.register(await bodyOf(c, preparedFields))));
  api.put('/payments/prepare', async (c) => success(c, ledger.prepared.change(await bodyOf(c, preparedFields))));
  api.get('/payments/prepare/:merchant_uid', (c) => success(c, ledger.prepared.of(c.req.param('merchant_uid'))));
  api.delete('/vbanks/:imp_uid', (c) => {
    const payment = ledger.payment(c.req.param('imp_uid'));
    if (ledger.tierOf(payment.imp_uid) !== tierOf(c)) throw unknownPayment();
    requirePgKey(payment, c.req.query('pg_api_key'), keys.pgApiKey);
    return success(c, ledger.revokeAccount(payment.imp_uid));
  });
}

function addLists(api: Hono, { ledger, now }: ApiParts): void {
  const visible = (c: Context) =>
    ledger.entries().filter(({ payment, tier }) => isVisible(payment, c) && tier === tierOf(c));

  api.get('/payments', (c) => {
    const impUids = c.req.queries('imp_uid[]') ?? [];
    const merchantUids = c.req.queries('merchant_uid[]') ?? [];
    const requested = impUids.length + merchantUids.length;
    if (requested === 0 || requested > 100)
      throw new Refused('invalid', '한 번에 1건 이상 100건까지 조회할 수 있습니다.');
    const payments = sorted(visible(c));
    const found = [
      ...impUids.map((uid) => payments.find((payment) => payment.imp_uid === uid)),
      ...merchantUids.map((uid) => payments.find((payment) => payment.merchant_uid === uid)),
    ].filter((payment) => payment !== undefined);
    if (found.length === 0) throw unknownPayment();
    return c.json({ code: 0, message: null, response: found }, found.length === requested ? 200 : 207);
  });

  api.get('/payments/find/:merchant_uid/:status?', (c) => {
    const { sorting } = fields(c.req.query(), listFields);
    const { merchant_uid: merchantUid, status } = c.req.param();
    const [payment] = sorted(ofOrder(visible(c), merchantUid, status), sorting);
    return success(c, payment);
  });

  api.get('/payments/findAll/:merchant_uid/:status?', (c) => {
    const { page, limit, sorting } = fields(c.req.query(), listFields);
    const { merchant_uid: merchantUid, status } = c.req.param();
    return success(c, pageOf(sorted(ofOrder(visible(c), merchantUid, status), sorting), page, limit));
  });

  api.get('/payments/status/:status', (c) => {
    const { page, limit, sorting, from, to } = fields(c.req.query(), listFields);
    const found = inSpan(visible(c), c.req.param('status'), Math.floor(now() / 1000), to, from);
    return success(c, pageOf(sorted(found, sorting), page, limit));
  });
}

/** Payments through a test channel are visible only with `include_sandbox=true`. */
const isVisible = (payment: Payment, c: Context): boolean =>
  !payment.sandbox || c.req.query('include_sandbox') === 'true';

/** The sub-merchant that the call is for: a payment of another one, or of none, is unknown to it. */
const tierOf = (c: Context): string | undefined => c.req.header('tier') || undefined;

const success = (c: Context, response: unknown) => c.json({ code: 0, message: null, response });

const envelope = (c: Context, status: 200 | 400 | 401 | 404 | 500, code: number, message: string) =>
  c.json({ code, message, response: null }, status);

function failure(c: Context, error: Error): Response {
  if (!(error instanceof Refused)) return envelope(c, 500, -1, `가짜 아임포트 오류: ${error.message}`);
  const { status, code } = refusals[error.kind];
  return envelope(c, status, code, error.message);
}

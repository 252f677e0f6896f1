/**
 * The API of the payment window and of iamport.js: opens a window, and performs the buyer's actions in it.
 * Returns what the browser passes to the shop: `rsp` for the callback of a PC, `redirect_url` for a phone.
 *
 *   POST /checkout                          {param, channel, user_agent, tier?}   -> {imp_uid, window} | {rsp}
 *   GET  /checkout/{imp_uid}                                                 -> the payment
 *   POST /checkout/{imp_uid}/pay            {amount?, test_channel?}         -> {rsp, redirect_url?}
 *   POST /checkout/{imp_uid}/account        {amount?, test_channel?, lasts_seconds?}
 *   POST /checkout/{imp_uid}/fail           {reason?}
 *   POST /checkout/{imp_uid}/close
 */

import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import * as z from 'zod';
import { bodyOf, fields, flag, number, text } from './body.ts';
import type { Ledger } from './ledger.ts';
import type { Payment } from './payment.ts';
import { Refused } from './refused.ts';
import type { Settings } from './settings.ts';

const requestFields = z.object({
  channel: z.enum(['pc', 'mobile']),
  user_agent: text,
  /** The code of the sub-merchant, as `IMP.agency` sets it. */
  tier: text,
  param: z.object({
    merchant_uid: z.coerce.string().default(''),
    amount: z.coerce.number().default(0),
    currency: text,
    pg: text,
    pay_method: text,
    name: text,
    buyer_name: text,
    buyer_email: text,
    buyer_tel: text,
    buyer_addr: text,
    buyer_postcode: text,
    /** Any value from the shop; the API returns it as a JSON string. */
    custom_data: z
      .unknown()
      .optional()
      .transform((value) => (value === undefined ? undefined : JSON.stringify(value))),
    escrow: flag,
    /** The language of the window: Korean for `ko`, English for any other. By default that of the browser. */
    language: text,
    m_redirect_url: text,
    confirm_url: text,
  }),
});
const paymentFields = z.object({ amount: number, test_channel: flag, lasts_seconds: number });

type Session = Pick<z.infer<typeof requestFields>['param'], 'language' | 'm_redirect_url' | 'confirm_url'>;

/** The error of the window, in the fields that the browser gets. */
interface WindowError {
  error_code: string;
  error_msg: string;
}

const closed = (language = 'ko'): WindowError => ({
  error_code: 'F400',
  error_msg: /^ko\b/.test(language) ? '사용자가 결제를 취소하셨습니다.' : 'The buyer cancelled the payment.',
});

/** The real one waits ten seconds for the shop's confirmation before an approval. */
const confirmTimeoutMs = 10_000;

export function checkoutRoutes(ledger: Ledger, settings: Settings): Hono {
  const sessions = new Map<string, Session>();
  const checkout = new Hono();
  // The shop's page has another origin, as with the real one.
  checkout.use(cors());
  checkout.onError((error, c) => c.json({ error: error.message }, error instanceof Refused ? 400 : 500));

  const result = (c: Context, payment: Payment, error?: WindowError) => {
    const rsp = resultOf(payment, settings.sdkReturnsSuccess, error);
    const { m_redirect_url: target } = sessions.get(payment.imp_uid) ?? {};
    return c.json({ rsp, ...(target && payment.channel === 'mobile' && { redirect_url: redirectTo(target, rsp) }) });
  };

  checkout.post('/', async (c) => {
    const { channel, user_agent, tier, param } = await bodyOf(c, requestFields);
    try {
      const { imp_uid } = ledger.open({ ...param, channel, user_agent, tier });
      sessions.set(imp_uid, param);
      const query = param.language ? `?${new URLSearchParams({ lang: param.language })}` : '';
      return c.json({ imp_uid, window: `/window/${imp_uid}${query}` });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A refused request gets no imp_uid.
      const refusal = {
        imp_uid: null,
        merchant_uid: param.merchant_uid,
        error_code: 'F0001',
        error_msg: error.message,
      };
      const rsp = { ...(settings.sdkReturnsSuccess && { success: false }), ...refusal };
      const target = channel === 'mobile' ? param.m_redirect_url : undefined;
      return c.json({ rsp, ...(target && { redirect_url: redirectTo(target, rsp) }) });
    }
  });

  checkout.get('/:imp_uid', (c) => c.json(ledger.payment(c.req.param('imp_uid'))));

  checkout.post('/:imp_uid/:action{pay|account}', async (c) => {
    const { imp_uid: impUid, action } = c.req.param();
    const { amount, test_channel: sandbox, lasts_seconds: lastsSeconds } = await bodyOf(c, paymentFields);
    const payment = ledger.payment(impUid);
    const { confirm_url: confirmUrl } = sessions.get(impUid) ?? {};
    const objection = confirmUrl && (await objectionOf(confirmUrl, payment, amount ?? payment.amount));
    if (objection) {
      return result(c, ledger.fail(impUid, objection), { error_code: 'F1002', error_msg: objection });
    }
    const change = { ...(amount && { amount }), ...(sandbox !== undefined && { sandbox }) };
    if (action === 'pay') return result(c, ledger.pay(impUid, change));
    return result(c, ledger.issueAccount(impUid, { ...change, ...(lastsSeconds && { lastsSeconds }) }));
  });

  checkout.post('/:imp_uid/fail', async (c) => {
    const { reason = '한도초과' } = await bodyOf(c, z.object({ reason: text }));
    return result(c, ledger.fail(c.req.param('imp_uid'), reason), { error_code: 'F400', error_msg: reason });
  });

  // The PG is not notified when the buyer closes the window: the payment stays `ready`.
  checkout.post('/:imp_uid/close', (c) => {
    const impUid = c.req.param('imp_uid');
    return result(c, ledger.payment(impUid), closed(sessions.get(impUid)?.language));
  });
  return checkout;
}

/**
 * Calls the shop's `confirm_url` before an approval.
 * @returns the reason to reject, or undefined when the shop returns 200
 */
async function objectionOf(confirmUrl: string, payment: Payment, amount: number): Promise<string | undefined> {
  const { imp_uid, merchant_uid } = payment;
  try {
    const response = await fetch(confirmUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ imp_uid, merchant_uid, amount }),
      signal: AbortSignal.timeout(confirmTimeoutMs),
    });
    const body: unknown = await response.json().catch(() => ({}));
    if (response.status === 200) return undefined;
    return (
      fields(body ?? {}, z.object({ reason: text }).catch({ reason: undefined })).reason ??
      '가맹점이 결제를 승인하지 않았습니다.'
    );
  } catch {
    return '가맹점의 결제 확인 응답이 없습니다.';
  }
}

/** The fields of `rsp` as PortOne documents them for the callback of `IMP.request_pay`. */
function resultOf(payment: Payment, hasSuccess: boolean, error?: WindowError): Record<string, unknown> {
  const { imp_uid, merchant_uid, pay_method } = payment;
  const outcome = hasSuccess && { success: error === undefined };
  if (error) return { ...outcome, imp_uid, merchant_uid, pay_method, ...error };
  const { name, pg_provider, pg_tid, status, paid_at, receipt_url, apply_num, currency, custom_data } = payment;
  const { buyer_name, buyer_email, buyer_tel, buyer_addr, buyer_postcode } = payment;
  const buyer = { buyer_name, buyer_email, buyer_tel, buyer_addr, buyer_postcode };
  const { vbank_num, vbank_name, vbank_holder, vbank_date } = payment;
  return {
    ...outcome,
    imp_uid,
    merchant_uid,
    pay_method,
    paid_amount: payment.amount,
    ...{ status, name, currency, pg_provider, pg_tid, paid_at, receipt_url, custom_data },
    ...buyer,
    ...(apply_num && { apply_num }),
    ...(status === 'ready' && { vbank_num, vbank_name, vbank_holder, vbank_date }),
  };
}

/** Adds the result to the query of `m_redirect_url`, and keeps the query and the fragment that it has. */
export function redirectTo(target: string, rsp: Record<string, unknown>): string {
  const [address = '', fragment] = target.split('#');
  const { imp_uid, merchant_uid, success: imp_success, error_code, error_msg } = rsp;
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries({ imp_uid, merchant_uid, imp_success, error_code, error_msg })) {
    if (value !== undefined && value !== null) added.set(name, String(value));
  }
  const separator = address.includes('?') ? (/[?&]$/.test(address) ? '' : '&') : '?';
  return `${address}${separator}${added}${fragment === undefined ? '' : `#${fragment}`}`;
}

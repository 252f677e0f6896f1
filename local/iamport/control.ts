/**
 * The JSON API of the control page: the bank, the PG, the shop's console, and faults for tests.
 *
 *   GET    /__control/state                          {settings, payments (newest first), deliveries, shopUrl?}
 *   PATCH  /__control/settings                       any of settings.ts                     -> settings
 *   POST   /__control/payments/{imp_uid}/approve     approves a failed (or abandoned) payment late
 *   POST   /__control/payments/{imp_uid}/fail        {reason?}
 *   POST   /__control/payments/{imp_uid}/deposit     the money arrives on the virtual account
 *   POST   /__control/payments/{imp_uid}/take-back   the bank reverses the deposit
 *   POST   /__control/payments/{imp_uid}/cancel      {amount?} in the shop's console, the rest by default
 *   POST   /__control/payments/{imp_uid}/webhook     {status?, times?, delay_seconds?, format?} in every mode
 *   POST   /__control/billing-key-payments           {merchant_uid, amount, customer_uid?, currency?, name?, tier?}
 *                                                    charges by billing key -> a paid payment, imps_…
 *   POST   /__control/deferred-cancels/process      the PG refunds the cancels that it has only registered
 *   POST   /__control/tokens/expire                  invalidates the current token
 *   POST   /__control/faults  · DELETE               adds a fault of faults.ts for the next calls · removes all
 *   GET    /__control/requests · DELETE              {total, paths: {"GET /payments/imp_1": 2}} · resets them
 *
 * Each route of a payment returns the payment, or a 409 `{error}` for an action that is not possible.
 */

import { Hono } from 'hono';
import { cors } from 'hono/cors';
import * as z from 'zod';
import { bodyOf, number, text } from './body.ts';
import { type Faults, faultFields } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { sorted } from './lists.ts';
import { Refused } from './refused.ts';
import { type Settings, settingsFields } from './settings.ts';
import type { Tokens } from './tokens.ts';
import type { Webhooks } from './webhooks.ts';

const webhookFields = z.object({
  status: z.enum(['ready', 'paid', 'cancelled', 'failed']).optional(),
  times: z.coerce.number().int().min(1).max(10).default(1),
  delay_seconds: z.coerce.number().min(0).max(3600).default(0),
  format: z.enum(['json', 'form']).optional(),
});

const chargeFields = z.object({
  merchant_uid: z.coerce.string().default(''),
  amount: z.coerce.number().default(0),
  customer_uid: z.string().default('customer-1'),
  currency: text,
  name: text,
  tier: text,
});

export interface ControlParts {
  readonly ledger: Ledger;
  readonly tokens: Tokens;
  readonly webhooks: Webhooks;
  readonly faults: Faults;
  readonly settings: Settings;
  readonly shopUrl?: string | undefined;
}

export function controlRoutes({ ledger, tokens, webhooks, faults, settings, shopUrl }: ControlParts): Hono {
  const control = new Hono();
  // The demo shop has another origin on the same machine.
  control.use(cors({ origin: (origin) => (isLoopback(origin) ? origin : null) }));
  control.onError((error, c) => {
    const status = !(error instanceof Refused)
      ? 500
      : error.kind === 'unknown'
        ? 404
        : error.kind === 'invalid'
          ? 400
          : 409;
    return c.json({ error: error.message }, status);
  });

  control.get('/state', (c) =>
    c.json({ settings, payments: sorted(ledger.entries()), deliveries: webhooks.deliveries, shopUrl }),
  );
  control.patch('/settings', async (c) => c.json(Object.assign(settings, await bodyOf(c, settingsFields.partial()))));

  control.post('/payments/:imp_uid/approve', (c) => c.json(ledger.pay(c.req.param('imp_uid'))));
  control.post('/payments/:imp_uid/fail', async (c) => {
    const { reason = '한도초과' } = await bodyOf(c, z.object({ reason: text }));
    return c.json(ledger.fail(c.req.param('imp_uid'), reason));
  });
  control.post('/payments/:imp_uid/deposit', (c) => c.json(ledger.deposit(c.req.param('imp_uid'))));
  control.post('/payments/:imp_uid/take-back', (c) => c.json(ledger.takeBackDeposit(c.req.param('imp_uid'))));
  control.post('/payments/:imp_uid/cancel', async (c) => {
    const { amount } = await bodyOf(c, z.object({ amount: number }));
    return c.json(ledger.cancelInConsole(c.req.param('imp_uid'), amount));
  });
  control.post('/payments/:imp_uid/webhook', async (c) => {
    const { status, times, delay_seconds, format } = await bodyOf(c, webhookFields);
    const notice = ledger.notice(c.req.param('imp_uid'), status);
    for (let sent = 0; sent < times; sent += 1) {
      webhooks.send(notice, { delaySeconds: delay_seconds, ...(format && { format }) });
    }
    return c.json(ledger.payment(notice.imp_uid));
  });

  control.post('/billing-key-payments', async (c) => c.json(ledger.charge(await bodyOf(c, chargeFields))));
  control.post('/deferred-cancels/process', (c) => {
    ledger.processDeferred();
    return c.body(null, 204);
  });
  control.post('/tokens/expire', (c) => {
    tokens.forget();
    return c.body(null, 204);
  });
  control.post('/faults', async (c) => {
    faults.add(await bodyOf(c, faultFields));
    return c.body(null, 204);
  });
  control.delete('/faults', (c) => {
    faults.clear();
    return c.body(null, 204);
  });
  control.get('/requests', (c) => c.json({ total: faults.calls.length, paths: faults.counts() }));
  control.delete('/requests', (c) => {
    faults.forgetCalls();
    return c.body(null, 204);
  });
  return control;
}

const isLoopback = (origin: string): boolean => /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/.test(origin);

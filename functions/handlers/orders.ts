/**
 * `PUT` and `GET /orders/{merchant_uid}`: the shop's own server registers an order, and reads its state.
 * Authorized by a key of the shop's server, or with shopAuth "iam" by AWS Signature Version 4.
 */

import * as z from 'zod/mini';
import { IamportFault } from '../application/faults.ts';
import { storedValue } from '../application/ports/stores.ts';
import { orderJson, refundJson, reversalJson } from '../http/order-json.ts';
import { Problem, refusal } from '../http/problem.ts';
import { jsonBodyFields, newOrderPath, orderPath, parse } from '../http/request.ts';
import { type HttpResponse, json } from '../http/response.ts';
import { wellFormed } from '../http/stored-text.ts';
import { type Amount, parseAmount } from '../payment/money.ts';
import { planOrderCheck } from '../payment/next-check.ts';
import { isPayable, type Order, type OrderTerms, tierCode } from '../payment/order.ts';
import { isUnmatched, recheckPlanned } from '../payment/reversal.ts';
import type { HttpHandler, RequestContext, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { defined } from '../shared/defined.ts';
import { causesOf } from '../shared/log-line.ts';

/** Strict: a misspelt field is an error of the shop's server and must not be ignored. */
export const terms = z.strictObject({
  amount: z.number('must be a number in major units, such as 14000 (KRW) or 10.5 (USD)'),
  currency: z._default(
    z.string('must be a text').check(z.regex(/^[A-Z]{3}$/, 'must be three letters, such as KRW')),
    'KRW',
  ),
  tax_free: z.optional(z.number('must be a number in major units; 0 is one')),
  vat_amount: z.optional(z.number('must be a number in major units; 0 is one')),
  name: z.optional(z.string('must be a text').check(z.maxLength(200, 'must be at most 200 characters'), wellFormed)),
  expires_at: z.optional(z.int('must be a time in Unix seconds')),
  tier: z.optional(z.string('must be a text').check(z.regex(tierCode, 'must be a sub-merchant code'))),
});

export const orders: HttpHandler = async (context, deps) => {
  const isNew = context.event.requestContext.http.method === 'PUT';
  const { merchant_uid } = parse(isNew ? newOrderPath : orderPath, context.event.pathParameters ?? {});
  context.log({ merchantUid: merchant_uid });
  return isNew ? register(merchant_uid, context, deps) : show(merchant_uid, deps);
};

async function register(
  merchantUid: string,
  { event, log }: RequestContext,
  deps: RequestDependencies,
): Promise<HttpResponse> {
  const now = unixSeconds(deps.clock);
  const wanted = termsOf(merchantUid, parse(terms, jsonBodyFields(event)));
  if (!merchantUid.startsWith(deps.config.orderPrefix)) {
    throw new Problem('invalid_request', `merchant_uid must begin with ${deps.config.orderPrefix} (orderPrefix).`);
  }
  // A repeat of an earlier registration may come after its deadline.
  if (wanted.expiresAt !== undefined && wanted.expiresAt <= now && !(await isRegistered(merchantUid, deps))) {
    throw wrongExpiry();
  }
  await recheckUnmatched(merchantUid, deps, now);
  const result = await deps.orders.register(wanted, now);
  const order = storedValue(result);
  // Only in the shop's own table, where the shop creates the items.
  if (!order) throw new Problem('order_not_found', 'Your table has no such order: write it there first.');
  const different = result.written ? [] : differences(order, wanted);
  if (different.length > 0) {
    throw new Problem(
      'order_exists',
      `The order exists with another ${different.join(', ')}. Its terms never change: register other terms as another order.`,
    );
  }
  // Iamport then opens no payment window with another amount. The amount is checked again when the payment is settled.
  const prepared = isPayable(order.state) ? await prepare(order, log, deps) : undefined;
  await schedulePrepare(order, prepared, deps, now);
  return json(result.written ? 201 : 200, { ...orderJson(order), prepared: prepared && prepared === 'prepared' });
}

/** At revision 0 only the shop has written the order, in its own table. */
const isRegistered = async (merchantUid: string, { orders }: RequestDependencies): Promise<boolean> =>
  ((await orders.read(merchantUid))?.revision ?? 0) > 0;

/** The longest duration of a registration. Seconds. */
const maxRegistrationSeconds = 60;

/** Money may be paid before its order is registered: then the reconciler checks it again after the registration. */
async function recheckUnmatched(merchantUid: string, { reversals }: RequestDependencies, now: number): Promise<void> {
  const known = await reversals.ofOrder(merchantUid);
  for (const reversal of known.reversals) {
    if (isUnmatched(reversal)) {
      await reversals.move(reversal, recheckPlanned(reversal, now + maxRegistrationSeconds, now));
    }
  }
}

/**
 * Compares a registered order with the request. A field that the request leaves out differs from a registered one.
 * @returns the names of the different fields, as in the body
 */
export function differences(known: OrderTerms, wanted: OrderTerms): string[] {
  const pairs: Record<string, readonly [known: unknown, wanted: unknown]> = {
    amount: [known.amount, wanted.amount],
    currency: [known.currency, wanted.currency],
    tax_free: [known.taxFree, wanted.taxFree],
    vat_amount: [known.vatAmount, wanted.vatAmount],
    name: [known.name, wanted.name],
    expires_at: [known.expiresAt, wanted.expiresAt],
    tier: [known.tier, wanted.tier],
  };
  return Object.entries(pairs).flatMap(([field, [before, now]]) => (before === now ? [] : field));
}

/** As milliseconds a time in 1973, as seconds one in the year 5138: an order that never expires. */
const minMilliseconds = 1e11;

const wrongExpiry = () =>
  new Problem('invalid_request', 'expires_at must be in the future, in Unix seconds, not milliseconds.');

function termsOf(merchantUid: string, fields: z.output<typeof terms>): OrderTerms {
  const { currency, name, expires_at, tier } = fields;
  const amount = parseAmount(fields.amount, currency);
  if (!amount) throw new Problem('invalid_request', `amount must be more than 0 and an amount of ${currency}.`);
  if (expires_at !== undefined && expires_at >= minMilliseconds) throw wrongExpiry();
  const taxFree = taxPartOf('tax_free', fields.tax_free, currency);
  const vatAmount = taxPartOf('vat_amount', fields.vat_amount, currency);
  if ((taxFree ?? 0) + (vatAmount ?? 0) > amount) {
    throw new Problem('invalid_request', 'tax_free and vat_amount together must not be more than amount.');
  }
  return defined<OrderTerms>({ merchantUid, amount, currency, taxFree, vatAmount, name, expiresAt: expires_at, tier });
}

/** @returns undefined when the shop sent none, which Iamport distinguishes from 0 */
function taxPartOf(name: string, major: number | undefined, currency: string): Amount | undefined {
  const part = major === undefined ? undefined : parseAmount(major, currency);
  if (major === undefined || part !== undefined) return part;
  throw new Problem('invalid_request', `${name} must be an amount of ${currency}; 0 is one.`);
}

/**
 * Registers the amount with Iamport. The order stays registered whatever the result.
 * @returns `conflict` when Iamport has another amount that we did not register; `failed` when the call failed
 */
async function prepare(order: Order, log: RequestContext['log'], { iamport }: RequestDependencies) {
  try {
    const prepared = await iamport.prepare(order, order.preparedAmount);
    log({ prepared });
    return prepared;
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    log({ prepared: 'failed', causes: causesOf(error) });
    return 'failed';
  }
}

/** Schedules another attempt by the reconciler for an amount that could not be registered with Iamport. */
async function schedulePrepare(
  read: Order,
  prepared: Awaited<ReturnType<typeof prepare>> | undefined,
  { orders }: RequestDependencies,
  now: number,
) {
  if (prepared === undefined) return;
  const isUnprepared = prepared === 'failed';
  const isNewlyPrepared = orders.isShops && prepared === 'prepared' && read.preparedAmount !== read.amount;
  const preparedAmount = isNewlyPrepared ? read.amount : undefined;
  if (isUnprepared === (read.isUnprepared ?? false) && preparedAmount === undefined) return;
  const { isUnprepared: _was, ...order } = read;
  const next = { ...order, ...(isUnprepared && { isUnprepared: true as const }) };
  const nextCheckAt = planOrderCheck(next, now);
  // This write fails if another request has settled the order meanwhile: then its amount needs no registration.
  await orders.updateSchedule(order, {
    ...(isUnprepared && { isUnprepared: true }),
    ...(nextCheckAt !== undefined && { nextCheckAt }),
    ...(preparedAmount !== undefined && { preparedAmount }),
  });
}

async function show(merchantUid: string, deps: RequestDependencies): Promise<HttpResponse> {
  const [order, known] = await Promise.all([deps.orders.read(merchantUid), deps.reversals.ofOrder(merchantUid)]);
  if (!order) throw refusal('order_not_found');
  return json(200, {
    ...orderJson(order),
    reversals: known.reversals.map(reversalJson),
    refunds: known.refunds.map(refundJson),
  });
}

export const handler = await lambdaHandler(orders, { right: 'orders' });

/** `PUT` and `GET /orders/{merchant_uid}`: the shop's own server registers an order, and reads what became of it. IAM-signed. */

import * as z from 'zod/mini';
import { IamportFault } from '../application/faults.ts';
import { orderJson, refundJson, reversalJson } from '../http/order-json.ts';
import { Problem, refusal } from '../http/problem.ts';
import { jsonBodyFields, newOrderPath, orderPath, parse } from '../http/request.ts';
import { type Answer, json } from '../http/response.ts';
import { type Amount, amountOf } from '../payment/money.ts';
import { nextLookAt } from '../payment/next-check.ts';
import { isPayable, type Order, type OrderTerms } from '../payment/order.ts';
import { expected } from '../payment/reversal.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Door, serve, type Visit } from '../runtime/lambda-handler.ts';
import { causesOf } from '../runtime/log.ts';
import { unixSeconds } from '../shared/clock.ts';
import { defined } from '../shared/defined.ts';

/** Strict: a misspelt field of the shop's own server is an error, not something to pass over. */
export const terms = z.strictObject({
  amount: z.number('must be a number in major units, such as 14000 (KRW) or 10.5 (USD)'),
  currency: z._default(
    z.string('must be a text').check(z.regex(/^[A-Z]{3}$/, 'must be three letters, such as KRW')),
    'KRW',
  ),
  tax_free: z.optional(z.number('must be a number in major units; 0 is one')),
  vat_amount: z.optional(z.number('must be a number in major units; 0 is one')),
  name: z.optional(z.string('must be a text').check(z.maxLength(200, 'must be at most 200 characters'))),
  expires_at: z.optional(z.int('must be a time in Unix seconds')),
  tier: z.optional(z.string('must be a text').check(z.regex(/^[0-9A-Za-z_-]{1,40}$/, 'must be a sub-merchant code'))),
});

export const orders: Door = async (visit, rooms) => {
  const isNew = visit.event.requestContext.http.method === 'PUT';
  const { merchant_uid } = parse(isNew ? newOrderPath : orderPath, visit.event.pathParameters ?? {});
  visit.note({ merchantUid: merchant_uid });
  return isNew ? register(merchant_uid, visit, rooms) : show(merchant_uid, rooms);
};

async function register(merchantUid: string, { event, deadline, note }: Visit, rooms: Rooms): Promise<Answer> {
  const now = unixSeconds(rooms.clock);
  const wanted = termsOf(merchantUid, parse(terms, jsonBodyFields(event)), now);
  if (!merchantUid.startsWith(rooms.config.orderPrefix)) {
    throw new Problem('invalid_request', `merchant_uid must begin with ${rooms.config.orderPrefix} (orderPrefix).`);
  }
  await expectUnmatched(merchantUid, rooms, now);
  const { held, order } = await rooms.orders.register(wanted, now);
  // Only in the shop's own table, whose items are the shop's to make.
  if (!order) throw new Problem('order_not_found', 'Your table has no such order: write it there first.');
  const different = held ? [] : differences(order, wanted);
  if (different.length > 0) {
    throw new Problem(
      'order_exists',
      `The order exists with another ${different.join(', ')}. Its terms never change: register other terms as another order.`,
    );
  }
  // Iamport then opens no window with another amount. A convenience, not the check: an order without it is as safe.
  const prepared = isPayable(order.state) ? await prepare(order, { deadline, note }, rooms) : undefined;
  await notePrepared(order, prepared, rooms, now);
  return json(held ? 201 : 200, { ...orderJson(order), prepared: prepared && prepared === 'prepared' });
}

/** How long a registration takes at most. Seconds. */
const registrationTakes = 60;

/** Money that came before its order is checked by the reconciler once the order is registered. */
async function expectUnmatched(merchantUid: string, { reversals }: Rooms, now: number): Promise<void> {
  const known = await reversals.ofOrder(merchantUid);
  for (const reversal of known.reversals) {
    if (reversal.kind === 'orphan' && reversal.state === 'manual') {
      await reversals.move(reversal, expected(reversal, now + registrationTakes, now));
    }
  }
}

/**
 * The fields in which a registered order is not the one that was sent, by their names in the body. A field that was left out is
 * different from one that was registered.
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

function termsOf(merchantUid: string, fields: z.output<typeof terms>, now: number): OrderTerms {
  const { currency, name, expires_at, tier } = fields;
  const amount = amountOf(fields.amount, currency);
  if (!amount) throw new Problem('invalid_request', `amount must be more than 0 and an amount of ${currency}.`);
  if (expires_at !== undefined && expires_at <= now) {
    throw new Problem('invalid_request', 'expires_at must be in the future, in Unix seconds.');
  }
  const taxFree = taxPartOf('tax_free', fields.tax_free, currency);
  const vatAmount = taxPartOf('vat_amount', fields.vat_amount, currency);
  if ((taxFree ?? 0) + (vatAmount ?? 0) > amount) {
    throw new Problem('invalid_request', 'tax_free and vat_amount together must not be more than amount.');
  }
  return defined<OrderTerms>({ merchantUid, amount, currency, taxFree, vatAmount, name, expiresAt: expires_at, tier });
}

/** @returns undefined where the shop sent none: Iamport tells that from 0 */
function taxPartOf(name: string, major: number | undefined, currency: string): Amount | undefined {
  const part = major === undefined ? undefined : amountOf(major, currency);
  if (major === undefined || part !== undefined) return part;
  throw new Problem('invalid_request', `${name} must be an amount of ${currency}; 0 is one.`);
}

/**
 * @returns whether the amount is registered with Iamport; `conflict` when another amount is that is not ours, `failed` when Iamport
 * could not be reached. The order is registered in each case.
 */
async function prepare(order: Order, { deadline, note }: Pick<Visit, 'deadline' | 'note'>, { iamport }: Rooms) {
  try {
    const prepared = await iamport.prepare(order, deadline, order.preparedAmount);
    note({ prepared });
    return prepared;
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    note({ prepared: 'failed', causes: causesOf(error) });
    return 'failed';
  }
}

/** The reconciler registers an amount again that could not be registered. */
async function notePrepared(
  read: Order,
  prepared: Awaited<ReturnType<typeof prepare>> | undefined,
  { orders }: Rooms,
  now: number,
) {
  if (prepared === undefined) return;
  const isUnprepared = prepared === 'failed';
  const preparedAmount = orders.isShops && prepared === 'prepared' ? read.amount : undefined;
  if (isUnprepared === (read.isUnprepared ?? false) && preparedAmount === undefined) return;
  const { isUnprepared: _was, ...order } = read;
  const noted = { ...order, ...(isUnprepared && { isUnprepared: true as const }) };
  const dueAt = nextLookAt(noted, now);
  // Another request that changed the order meanwhile has settled it, and then its amount needs no registration.
  await orders.note(order, {
    ...(isUnprepared && { isUnprepared: true }),
    ...(dueAt !== undefined && { dueAt }),
    ...(preparedAmount !== undefined && { preparedAmount }),
  });
}

async function show(merchantUid: string, rooms: Rooms): Promise<Answer> {
  const [order, undone] = await Promise.all([rooms.orders.read(merchantUid), rooms.reversals.ofOrder(merchantUid)]);
  if (!order) throw refusal('order_not_found');
  return json(200, {
    ...orderJson(order),
    reversals: undone.reversals.map(reversalJson),
    refunds: undone.refunds.map(refundJson),
  });
}

export const handler = await serve(orders);

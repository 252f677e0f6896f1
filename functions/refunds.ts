/** `POST /orders/{merchant_uid}/refunds`: the shop's own server gives back a part of a payment, or all of it. IAM-signed. */

import * as z from 'zod/mini';
import { json } from './edge/answer.ts';
import { unixSeconds } from './edge/clock.ts';
import { orderJson, refundJson } from './edge/order-json.ts';
import { Problem, refusal } from './edge/problem.ts';
import { jsonBodyFields, orderPath, parse } from './edge/request.ts';
import { type Amount, amountOf } from './payment/money.ts';
import { isSettled, type Order } from './payment/order.ts';
import type { Payment } from './payment/payment.ts';
import { decideRefund, type Refund } from './payment/refund.ts';
import { attemptRefund } from './refund.ts';
import type { Rooms } from './rooms.ts';
import { type Door, serve, type Visit } from './serve.ts';
import { settlePayment } from './settle.ts';
import { type NewRefund, refundId } from './store/refunds.ts';

const words = (most: number) =>
  z.string('must be a text').check(z.minLength(1, 'is empty'), z.maxLength(most, `must be at most ${most} characters`));

export const body = z.strictObject({
  amount: z.optional(z.number('must be a number in major units; leave it out for all that is left')),
  reason: words(200),
  account: z.optional(
    z.strictObject({ holder: words(40), bank: words(10), number: words(40) }, 'must have holder, bank and number'),
  ),
});

const details = {
  not_paid: 'Nothing of this order is left to give back.',
  refund_exceeds: 'Ask for no more than is left; leave the amount out for all of it.',
  account_missing: 'This was paid into a virtual account: send account {holder, bank, number} of the buyer.',
} as const;

export const refunds: Door = async ({ event, deadline, note }, rooms) => {
  const { merchant_uid } = parse(orderPath, event.pathParameters ?? {});
  const fields = parse(body, jsonBodyFields(event));
  const key = keyOf(event);
  note({ merchantUid: merchant_uid });
  const known = await rooms.orders.read(merchant_uid);
  if (!known) throw refusal('order_not_found');
  if (!isSettled(known.state)) throw new Problem('not_paid', details.not_paid);
  const { impUid } = known.state;
  note({ impUid });
  const wanted = fields.amount === undefined ? undefined : wantedOf(fields.amount, known);

  const payment = await rooms.iamport.payment(impUid, deadline, known.tier);
  if (!payment) throw refusal('payment_not_found');
  const { refund, isOurs } = await begun(rooms, { known, payment, key, wanted, fields, deadline });
  const help = { account: fields.account, tier: known.tier };
  const result = isOurs ? await attemptRefund(rooms, refund, payment, deadline, help) : refund;
  note({ outcome: `refund ${result.state}` });
  if (result.state === 'refused') throw new Problem('refund_refused', result.message ?? 'The PG refused it.');
  const order = (await rooms.orders.read(merchant_uid)) ?? known;
  return json(result.state === 'done' ? 200 : 202, { refund: refundJson(result), order: orderJson(order) });
};

interface Beginning extends Pick<Visit, 'deadline'> {
  readonly known: Order;
  readonly payment: Payment;
  readonly key: string;
  readonly wanted: Amount | undefined;
  readonly fields: z.output<typeof body>;
}

/**
 * The refund of this key, new or known: the same key again is the same refund, whatever has become of the order since.
 * @returns `isOurs` when this request has claimed the next attempt
 */
async function begun(rooms: Rooms, beginning: Beginning): Promise<{ refund: Refund; isOurs: boolean }> {
  const { known, payment, key, wanted } = beginning;
  const now = unixSeconds(rooms.clock);
  const before = await rooms.refunds.read(refundId({ impUid: payment.impUid, key }));
  if (!before) {
    const { created, refund } = await rooms.refunds.request(await decided(rooms, beginning), now);
    return { refund, isOurs: created };
  }
  if (before.merchantUid !== known.merchantUid || (wanted !== undefined && wanted !== before.amount)) {
    throw new Problem('refund_key_used', 'This idempotency-key has asked for another amount before.');
  }
  const claimed = await rooms.refunds.claim(before, now);
  return { refund: claimed ?? before, isOurs: claimed !== undefined };
}

/** Decides on the order as its payment stands now: somebody may have cancelled in the console. */
async function decided(rooms: Rooms, { known, payment, key, wanted, fields, deadline }: Beginning): Promise<NewRefund> {
  await settlePayment(rooms, payment, known, deadline);
  const order = (await rooms.orders.read(known.merchantUid)) ?? known;
  const refund = decideRefund(order, wanted, fields.account !== undefined);
  if (typeof refund === 'string') throw new Problem(refund, details[refund]);
  const { merchantUid, currency } = order;
  return { ...refund, key, merchantUid, currency, reason: fields.reason };
}

function wantedOf(major: number, order: Order): Amount {
  const amount = amountOf(major, order.currency);
  if (!amount) throw new Problem('invalid_request', `amount must be more than 0 and an amount of ${order.currency}.`);
  return amount;
}

/** Without a key each request is a refund of its own. */
function keyOf({ headers, requestContext }: Visit['event']): string {
  const key = headers['idempotency-key'];
  if (key === undefined) return requestContext.requestId;
  if (/^[0-9A-Za-z_-]{1,64}$/.test(key)) return key;
  throw new Problem('invalid_request', 'idempotency-key must be 1 to 64 letters, digits, - or _.');
}

export const handler = await serve(refunds);

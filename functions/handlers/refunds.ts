/** `POST /orders/{merchant_uid}/refunds`: the shop's own server gives back a part of a payment, or all of it. IAM-signed. */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { attemptRefund } from '../application/refund.ts';
import { settlePayment } from '../application/settle.ts';
import { orderJson, refundJson } from '../http/order-json.ts';
import { Problem, refusal } from '../http/problem.ts';
import { jsonBodyFields, orderPath, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { type Amount, amountOf } from '../payment/money.ts';
import { isSettled, type Order } from '../payment/order.ts';
import type { Payment } from '../payment/payment.ts';
import { decideRefund, type Refund, type RefundAccount, type RefundRefusal, type TaxParts } from '../payment/refund.ts';
import { opened } from '../payment/refund-steps.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Door, serve, type Visit } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { defined } from '../shared/defined.ts';

const words = (most: number) =>
  z.string('must be a text').check(z.minLength(1, 'is empty'), z.maxLength(most, `must be at most ${most} characters`));
const part = () => z.optional(z.number('must be a number in major units; 0 is sent too'));

export const body = z.strictObject({
  amount: z.optional(z.number('must be a number in major units; leave it out for all that is left')),
  tax_free: part(),
  vat_amount: part(),
  reason: words(200),
  account: z.optional(
    z.strictObject(
      { holder: words(40), bank: words(10), number: words(40), tel: z.optional(words(40)) },
      'must have holder, bank and number',
    ),
  ),
  requester: z.optional(z.enum(['customer', 'admin'], 'must be customer or admin')),
});

const details = {
  not_paid: 'Nothing of this order is left to give back.',
  refund_exceeds:
    'Ask for no more than is left; leave the amount out for all of it. A refund that is under way counts.',
  account_missing: 'This was paid into a virtual account: send account {holder, bank, number} of the buyer.',
} as const;

export const refunds: Door = async ({ event, deadline, note }, rooms) => {
  const { merchant_uid } = parse(orderPath, event.pathParameters ?? {});
  const fields = parse(body, jsonBodyFields(event));
  const key = keyOf(event, fields.amount !== undefined);
  note({ merchantUid: merchant_uid });
  const known = await rooms.orders.read(merchant_uid);
  if (!known) throw refusal('order_not_found');
  if (!isSettled(known.state)) throw new Problem('not_paid', details.not_paid);
  const { impUid } = known.state;
  note({ impUid, refundKey: key });
  const wish = wishOf(fields, known);

  const payment = await rooms.iamport.payment(impUid, deadline, known.tier);
  if (!payment) throw refusal('payment_not_found');
  // After the payment: whatever refund has made an entry of its history was recorded before.
  const { refunds: others } = await rooms.reversals.ofOrder(merchant_uid);
  const { refund, isFirst } = await begun(rooms, { known, payment, key, wish, others, deadline });
  const help = { account: wish.account, tier: known.tier, isFirst, isAsked: true, others };
  const result = await attemptRefund(rooms, refund, payment, deadline, help);
  note({ outcome: `refund ${result.state}`, ...(result.needs && { needs: result.needs }) });
  throwIfRefused(result);
  const order = (await rooms.orders.read(merchant_uid)) ?? known;
  return json(result.state === 'done' ? 200 : 202, { refund: refundJson(result), order: orderJson(order) });
};

/** A refusal of the PG is answered at once. The record stays `requested` until a second look has confirmed it. */
function throwIfRefused({ state, refusal, message = 'The PG refused it.' }: Refund): void {
  if (state === 'refused') throw new Problem('refund_refused', message);
  if (state === 'requested' && refusal === 'refused_by_pg') {
    const next = 'The payment is looked at once more in 5 minutes; Refund Refused or Refund Completed follows.';
    throw new Problem('refund_refused', `${message} ${next}`);
  }
}

interface Wish extends TaxParts {
  readonly amount?: Amount;
  readonly reason: string;
  readonly account?: RefundAccount;
  readonly requester?: 'customer' | 'admin';
}

interface Beginning extends Pick<Visit, 'deadline'> {
  readonly known: Order;
  readonly payment: Payment;
  readonly key: string;
  readonly wish: Wish;
  readonly others: readonly Refund[];
}

/**
 * The refund of this key, new or known: the same key again is the same refund, whatever has become of the order since.
 * @returns `isFirst` when this request has written it
 */
async function begun(rooms: Rooms, beginning: Beginning): Promise<{ refund: Refund; isFirst: boolean }> {
  const { known, payment, key, wish } = beginning;
  const { impUid } = payment;
  let before = await rooms.refunds.read({ impUid, key });
  if (!before || before.state === 'unsent') {
    const next = opened(await decided(rooms, beginning), unixSeconds(rooms.clock));
    const revision = (before?.revision ?? 0) + 1;
    const { held, refund } = await rooms.refunds.request({ ...next, revision });
    if (held) return { refund, isFirst: true };
    before = refund;
  }
  const { amount, taxFree, vatAmount } = wish;
  const isOther =
    before.merchantUid !== known.merchantUid ||
    (amount !== undefined && amount !== before.amount) ||
    (taxFree !== undefined && taxFree !== before.taxFree) ||
    (vatAmount !== undefined && vatAmount !== before.vatAmount);
  if (isOther) {
    throw new Problem(
      'refund_key_used',
      'This idempotency-key has asked for another amount or other tax parts before.',
    );
  }
  return { refund: before, isFirst: false };
}

/** Decides on the order as its payment stands now: somebody may have cancelled in the console. */
async function decided(rooms: Rooms, { known, payment, key, wish, others, deadline }: Beginning) {
  await settlePayment(rooms, payment, known, deadline);
  const order = (await rooms.orders.read(known.merchantUid)) ?? known;
  const { account, reason, requester, ...parts } = wish;
  const refund = decideRefund(order, { ...parts, hasAccount: account !== undefined, others });
  if (typeof refund === 'string') throw refused(refund);
  const { merchantUid, currency } = order;
  return {
    ...refund,
    ...{ key, cancelKey: cancelKeyOf(refund.impUid, key), merchantUid, currency, reason },
    ...(requester && { requester }),
    cancelsBefore: payment.cancels?.length ?? 0,
  };
}

function refused(why: RefundRefusal): Problem {
  switch (why) {
    case 'tax_parts_exceed':
      return new Problem('invalid_request', 'tax_free and vat_amount together must not be more than the refund.');
    case 'tax_parts_unknown':
      return new Problem(
        'invalid_request',
        'Send tax_free and vat_amount: what is left of those of the order is unknown.',
      );
    case 'not_paid':
    case 'refund_exceeds':
    case 'account_missing':
      return new Problem(why, details[why]);
  }
}

/**
 * 62 bits of SHA-256 in base 36. Only the cancels of one payment are compared: among 1,000 of them, two have the same key with a
 * probability of about 10^-13.
 */
function cancelKeyOf(impUid: string, key: string): string {
  const hash = createHash('sha256').update(`${impUid}/${key}`).digest('hex').slice(0, 32);
  return (BigInt(`0x${hash}`) % 36n ** 12n).toString(36).padStart(12, '0');
}

function wishOf(
  { amount, tax_free, vat_amount, reason, account, requester }: z.output<typeof body>,
  order: Order,
): Wish {
  const { currency } = order;
  const partOf = (name: string, major: number | undefined) => {
    const exact = major === undefined ? undefined : amountOf(major, currency);
    if (major === undefined || exact !== undefined) return exact;
    throw new Problem('invalid_request', `${name} must be an amount of ${currency}; 0 is one.`);
  };
  const wanted = amount === undefined ? undefined : amountOf(amount, currency);
  if (amount !== undefined && !wanted) {
    throw new Problem('invalid_request', `amount must be more than 0 and an amount of ${currency}.`);
  }
  return defined<Wish>({
    ...{ amount: wanted, taxFree: partOf('tax_free', tax_free), vatAmount: partOf('vat_amount', vat_amount) },
    ...{ reason, account: account && defined<RefundAccount>({ ...account, tel: account.tel }), requester },
  });
}

/** A part may be asked for twice on purpose, so only its key tells a repeat. All that is left can go back only once. */
function keyOf({ headers, requestContext }: Visit['event'], isPart: boolean): string {
  const key = headers['idempotency-key'];
  if (key === undefined && isPart) {
    throw new Problem('invalid_request', 'A refund with an amount needs the header idempotency-key.');
  }
  if (key === undefined) return requestContext.requestId;
  if (/^[0-9A-Za-z_-]{1,64}$/.test(key)) return key;
  throw new Problem('invalid_request', 'idempotency-key must be 1 to 64 letters, digits, - or _.');
}

export const handler = await serve(refunds);

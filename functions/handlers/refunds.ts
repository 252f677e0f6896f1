/**
 * `POST /orders/{merchant_uid}/refunds`: the shop's own server refunds a payment, in part or in full.
 * Authorized by a key of the shop's server, or with shopAuth "iam" by AWS Signature Version 4.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { type RefundList, storedValue } from '../application/ports/stores.ts';
import { announce, attemptRefund, busy } from '../application/refund.ts';
import { settlePayment } from '../application/settle.ts';
import { orderJson, refundJson } from '../http/order-json.ts';
import { Problem, refusal } from '../http/problem.ts';
import { jsonBodyFields, orderPath, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { wellFormed } from '../http/stored-text.ts';
import { type Amount, parseAmount } from '../payment/money.ts';
import { isSettled, type Order } from '../payment/order.ts';
import type { Payment } from '../payment/payment.ts';
import {
  asIn,
  decideRefund,
  isBeingSent,
  isUnsent,
  joined,
  mayBeWhole,
  type Refund,
  type RefundAccount,
  type RefundRefusal,
  type TaxParts,
} from '../payment/refund.ts';
import { opened, over, refusalOpenUntil } from '../payment/refund-steps.ts';
import type { HttpHandler, RequestContext, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { defined } from '../shared/defined.ts';

const shortText = (maxLength: number) =>
  z
    .string('must be a text')
    .check(z.minLength(1, 'is empty'), z.maxLength(maxLength, `must be at most ${maxLength} characters`), wellFormed);
const taxPart = () => z.optional(z.number('must be a number in major units; 0 is sent too'));

export const body = z.strictObject({
  amount: z.optional(z.number('must be a number in major units; leave it out for all that is left')),
  tax_free: taxPart(),
  vat_amount: taxPart(),
  reason: shortText(200),
  account: z.optional(
    z.strictObject(
      { holder: shortText(40), bank: shortText(10), number: shortText(40), tel: z.optional(shortText(40)) },
      'must have holder, bank and number',
    ),
  ),
  requester: z.optional(z.enum(['customer', 'admin'], 'must be customer or admin')),
});

/** The `detail` of each refusal. */
export const details = {
  not_paid: 'Nothing of this order is left to refund.',
  refund_exceeds: 'Send at most the amount that is left, or no amount for all of it. A refund in progress counts.',
  account_missing: 'This was paid into a virtual account: send account {holder, bank, number} of the buyer.',
} as const;

export const refunds: HttpHandler = async ({ event, log }, deps) => {
  const { merchant_uid } = parse(orderPath, event.pathParameters ?? {});
  const fields = parse(body, jsonBodyFields(event));
  const key = keyOf(event, fields.amount !== undefined);
  log({ merchantUid: merchant_uid });
  const known = await deps.orders.read(merchant_uid);
  if (!known) throw refusal('order_not_found');
  if (!isSettled(known.state)) throw new Problem('not_paid', details.not_paid);
  const { impUid } = known.state;
  log({ impUid, refundKey: key });
  const request = requestFrom(fields, known);

  const payment = await deps.iamport.payment(impUid, known.tier);
  if (!payment) throw refusal('payment_not_found');
  // Read after the payment: a refund whose money has moved since then does not match the checksum.
  const [list, indexed] = await Promise.all([deps.refunds.ofPayment(impUid), deps.reversals.ofOrder(merchant_uid)]);
  const others = joined(list.refunds, indexed.refunds);
  const { refund, isFirst } = await recordRefund(deps, { known, payment, key, request, list, others });
  const help = { account: request.account, tier: known.tier, isFirst, isShopRequest: true, others };
  const result = await attemptRefund(deps, refund, payment, help);
  log({ outcome: `refund ${result.state}`, ...(result.needs && { needs: result.needs }) });
  throwIfRefused(result);
  const order = (await deps.orders.read(merchant_uid)) ?? known;
  return json(result.state === 'done' ? 200 : 202, { refund: refundJson(result), order: orderJson(order) });
};

/**
 * The caller gets a refusal of the PG at once. The record stays `requested` until the reconciler's check confirms it. A
 * refund that needs the operator is not refused, since it may have been made.
 */
function throwIfRefused({ state, refusal, needs, message = 'The PG refused it.' }: Refund): void {
  if (state === 'refused') throw new Problem('refund_refused', message);
  if (state === 'requested' && refusal && !needs) {
    const next = 'The payment is checked again in 5 minutes; Refund Refused or Refund Completed follows.';
    throw new Problem('refund_refused', `${message} ${next}`);
  }
}

/** The fields of the body, with exact amounts. */
interface RefundRequest extends TaxParts {
  readonly amount?: Amount;
  readonly reason: string;
  readonly account?: RefundAccount;
  readonly requester?: 'customer' | 'admin';
}

interface RefundContext {
  readonly known: Order;
  readonly payment: Payment;
  readonly key: string;
  readonly request: RefundRequest;
  readonly list: RefundList;
  /** Every refund of the order that is not `unsent`. */
  readonly others: readonly Refund[];
}

/**
 * Writes the refund of this key, or reads the existing one. A repeated key is the same refund, in every state of the
 * order. A new refund is written as `unsent`, then announced, and then `requested`: see `announce` in application/refund.ts.
 * @returns `isFirst` when this request has written it
 * @throws OrderBusy when another refund of the payment is decided or sent at the same time: nothing was sent
 */
async function recordRefund(
  deps: RequestDependencies,
  context: RefundContext,
): Promise<{ refund: Refund; isFirst: boolean }> {
  const { known, payment, key, request } = context;
  const { impUid } = payment;
  let before = await deps.refunds.read({ impUid, key });
  if (!before || isUnsent(before)) {
    const now = unixSeconds(deps.clock);
    const next = opened(await decide(deps, context), now);
    before ??= storedValue(await deps.refunds.request(over(next, 'unsent', now)));
    if (isUnsent(before)) {
      await announce(deps, context.list, key);
      const result = await deps.refunds.change(before, next);
      if (result.written) return { refund: result.value, isFirst: true };
      before = result.current;
      if (isUnsent(before)) throw busy(impUid);
    }
  }
  const { amount, taxFree, vatAmount } = request;
  const isOther =
    before.merchantUid !== known.merchantUid ||
    (amount === undefined ? !mayBeWhole(before, context.others) : amount !== before.amount) ||
    (taxFree !== undefined && taxFree !== before.taxFree) ||
    (vatAmount !== undefined && vatAmount !== before.vatAmount);
  if (isOther) {
    throw new Problem('refund_key_used', 'This idempotency-key was used for another amount or other tax parts.');
  }
  return { refund: before, isFirst: false };
}

/** Settles the payment before it decides: an operator may have cancelled it in Iamport's console. */
async function decide(deps: RequestDependencies, { known, payment, key, request, others }: RefundContext) {
  await settlePayment(deps, payment, known);
  const order = (await deps.orders.read(known.merchantUid)) ?? known;
  // Iamport may be about to accept it. Until then it does not reduce the amount that is left.
  const now = unixSeconds(deps.clock);
  if (others.some((other) => other.impUid === payment.impUid && isBeingSent(other, now))) throw busy(payment.impUid);
  const shown = asIn(payment, others);
  for (const other of shown) throwWhileRefusalIsOpen(other, payment.impUid, now);
  const { account, reason, requester, ...parts } = request;
  const refund = decideRefund(order, { ...parts, hasAccount: account !== undefined, others: shown });
  if (typeof refund === 'string') throw problemOfRefusal(refund);
  const { merchantUid, currency, tier } = order;
  return {
    ...refund,
    ...{ key, cancelKey: cancelKeyOf(refund.impUid, key), merchantUid, currency, reason },
    ...(requester && { requester }),
    ...(tier !== undefined && { tier }),
    cancelsBefore: payment.cancels?.length ?? 0,
  };
}

/** The PG may have performed what it refused. This key would then refund the same money again. */
function throwWhileRefusalIsOpen(other: Refund, impUid: string, now: number): void {
  const until = other.impUid === impUid ? refusalOpenUntil(other, now) : undefined;
  if (until === undefined) return;
  const detail = `The PG has just refused the refund ${other.key}, and may perform it anyway. Repeat this request after the payment was checked again.`;
  throw new Problem('order_busy', detail, { retryAfter: until - now });
}

function problemOfRefusal(refusal: RefundRefusal): Problem {
  switch (refusal) {
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
      return new Problem(refusal, details[refusal]);
  }
}

/**
 * 62 bits of SHA-256 in base 36. Keys are compared only within one payment. Among 1,000 cancels, two have the same key
 * with a probability of about 10^-13.
 */
function cancelKeyOf(impUid: string, key: string): string {
  const hash = createHash('sha256').update(`${impUid}/${key}`).digest('hex').slice(0, 32);
  return (BigInt(`0x${hash}`) % 36n ** 12n).toString(36).padStart(12, '0');
}

function requestFrom(
  { amount, tax_free, vat_amount, reason, account, requester }: z.output<typeof body>,
  order: Order,
): RefundRequest {
  const { currency } = order;
  const partOf = (name: string, major: number | undefined) => {
    const exact = major === undefined ? undefined : parseAmount(major, currency);
    if (major === undefined || exact !== undefined) return exact;
    throw new Problem('invalid_request', `${name} must be an amount of ${currency}; 0 is one.`);
  };
  const exactAmount = amount === undefined ? undefined : parseAmount(amount, currency);
  if (amount !== undefined && !exactAmount) {
    throw new Problem('invalid_request', `amount must be more than 0 and an amount of ${currency}.`);
  }
  return defined<RefundRequest>({
    ...{ amount: exactAmount, taxFree: partOf('tax_free', tax_free), vatAmount: partOf('vat_amount', vat_amount) },
    ...{ reason, account: account && defined<RefundAccount>({ ...account, tel: account.tel }), requester },
  });
}

/**
 * A partial refund may be repeated on purpose, so only the key identifies a retry. A full refund can succeed only once.
 * @returns the `idempotency-key`, or the id of the request
 */
function keyOf({ headers, requestContext }: RequestContext['event'], isPart: boolean): string {
  const key = headers['idempotency-key'];
  if (key === undefined && isPart) {
    throw new Problem('invalid_request', 'A refund with an amount needs the header idempotency-key.');
  }
  // The response has this key, and a repeat has to be able to send it. API Gateway's ids end with `=`.
  if (key === undefined) return requestContext.requestId.replace(/[^0-9A-Za-z_-]/g, '-');
  if (/^[0-9A-Za-z_-]{1,64}$/.test(key)) return key;
  throw new Problem('invalid_request', 'idempotency-key must be 1 to 64 letters, digits, - or _.');
}

export const handler = await lambdaHandler(refunds, { right: 'money' });

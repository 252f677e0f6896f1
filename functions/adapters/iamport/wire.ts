/** Parses Iamport's responses into our own types. Unknown fields, personal data among them, are dropped here. */

import * as z from 'zod/mini';
import { IamportUnexpected } from '../../application/faults.ts';
import type { PaymentPage, UnreadablePayment } from '../../application/ports/iamport.ts';
import { type Amount, amountNear, majorUnits, minus, plus } from '../../payment/money.ts';
import type { Cancel, Payment, PaymentRecord, PaymentState, VirtualAccount } from '../../payment/payment.ts';
import { defined } from '../../shared/defined.ts';
import { foreignText } from '../../shared/foreign-text.ts';
import { jsonIn } from '../../shared/json-text.ts';

/** Iamport sends a missing value as null, as an empty text, as time 0, or not at all. */
const orAbsent = <Value>(value: Value) => value || undefined;
const text = z.pipe(z.nullish(z.string()), z.transform(orAbsent));
/** A sentence of a PG or of Iamport, without the account numbers and names that it may contain. */
const sentence = z.pipe(
  z.nullish(z.string()),
  z.transform((value) => orAbsent(foreignText(value ?? undefined))),
);
const unixSeconds = z.pipe(z.nullish(z.number().check(z.nonnegative())), z.transform(orAbsent));

/** The id of a payment or an order. DynamoDB accepts no empty keys. */
const id = z.string().check(z.minLength(1));

/** The envelope of every response. `code` 0 means success, whatever the HTTP status. */
const envelope = z.object({ code: z.int(), message: sentence, response: z.optional(z.unknown()) });

const token = z.object({
  access_token: z.string().check(z.minLength(1)),
  expired_at: z.number(),
  now: z.number(),
});

/** The fields of a payment that we use. Source: PaymentAnnotation of PortOne's V1 API description. */
const payment = z.object({
  imp_uid: id,
  merchant_uid: id,
  amount: z.number(),
  cancel_amount: z.number(),
  currency: z.string(),
  status: z.enum(['ready', 'paid', 'cancelled', 'failed']),
  sandbox: z.boolean(),
  pay_method: text,
  pg_provider: text,
  pg_tid: text,
  apply_num: text,
  receipt_url: text,
  fail_reason: sentence,
  started_at: unixSeconds,
  paid_at: unixSeconds,
  failed_at: unixSeconds,
  vbank_name: text,
  vbank_num: text,
  vbank_holder: text,
  vbank_date: unixSeconds,
  vbank_issued_at: unixSeconds,
  cancel_history: z.nullish(
    z.array(z.object({ amount: z.nullish(z.number()), cancelled_at: unixSeconds, reason: text })),
  ),
  deposit_history: z.nullish(z.array(z.object({ amount: z.number() }))),
});
type WirePayment = z.infer<typeof payment>;

const page = z.object({ total: z.int(), list: z.array(z.unknown()), next: z.int() });

const prepared = z.object({ merchant_uid: z.string(), amount: z.number(), currency: text });

export type Envelope = z.infer<typeof envelope>;

/** @throws IamportUnexpected when the body is not in Iamport's form */
export function envelopeOf(body: string): Envelope {
  return parsed(envelope, jsonIn(body), 'response');
}

/** @returns the token and its lifetime in seconds by Iamport's clock, since ours may be wrong */
export function tokenOf(response: unknown): { value: string; livesSeconds: number } {
  const { access_token, expired_at, now } = parsed(token, response, 'token');
  return { value: access_token, livesSeconds: expired_at - now };
}

/** @returns the amount registered for an order, in major units, and the registered currency if there is one */
export function preparedOf(response: unknown): { amount: number; currency?: string } {
  const { amount, currency } = parsed(prepared, response, 'prepared amount');
  // Without a currency the amount is read in hundredths, which are exact enough for every currency.
  const near = amountNear(amount, currency ?? 'USD');
  return { amount: near === undefined ? amount : majorUnits(near, currency ?? 'USD'), ...(currency && { currency }) };
}

/** @throws IamportUnexpected when a field has another type than Iamport documents, or an amount is invalid */
export function paymentOf(response: unknown): Payment {
  const wire = parsed(payment, response, 'payment');
  return defined<Payment>({
    impUid: wire.imp_uid,
    merchantUid: wire.merchant_uid,
    amount: exact(wire, wire.amount, 'amount'),
    currency: wire.currency,
    sandbox: wire.sandbox,
    record: recordOf(wire),
    startedAt: wire.started_at,
    deposited: depositedOn(wire),
    state: stateOf(wire),
    cancels: cancelsIn(wire),
  });
}

/** The cancels of a payment, the oldest first. An unreadable amount is left out, since these are evidence only. */
function cancelsIn({ cancel_history, currency }: WirePayment): readonly Cancel[] | undefined {
  const history = cancel_history ?? [];
  if (history.length === 0) return undefined;
  // Sorted only when every entry has its time. Otherwise Iamport's order is kept.
  const areTimed = history.every(({ cancelled_at }) => cancelled_at !== undefined);
  const entries = areTimed ? history.toSorted((a, b) => (a.cancelled_at ?? 0) - (b.cancelled_at ?? 0)) : history;
  return entries.map(({ amount, reason }) =>
    defined<Cancel>({ amount: typeof amount === 'number' ? amountNear(amount, currency) : undefined, reason }),
  );
}

/** The sum of all deposits into a fixed account. Only such an account has a history. */
function depositedOn(wire: WirePayment): Amount | undefined {
  const deposits = wire.deposit_history ?? [];
  if (deposits.length === 0) return undefined;
  return deposits.map(({ amount }) => exact(wire, amount, 'deposit')).reduce(plus);
}

/** @param current the requested page. A `next` that is not a later page counts as 0, the end of the list */
export function paymentPageOf(response: unknown, current: number): PaymentPage {
  const { total, list, next } = parsed(page, response, 'list of payments');
  const payments: Payment[] = [];
  const unreadable: UnreadablePayment[] = [];
  for (const element of list) {
    try {
      payments.push(paymentOf(element));
    } catch (error) {
      if (!(error instanceof IamportUnexpected)) throw error;
      unreadable.push(idsOf(element));
    }
  }
  return { payments, unreadable, total, next: next > current ? next : 0 };
}

/** The ids of an unreadable payment. */
function idsOf(element: unknown): UnreadablePayment {
  const { imp_uid: impUid, merchant_uid: merchantUid } = Object(element) as Record<string, unknown>;
  return {
    impUid: typeof impUid === 'string' ? impUid : '(no imp_uid)',
    ...(typeof merchantUid === 'string' && { merchantUid }),
  };
}

/**
 * Money moved when the payment is paid, or was cancelled after it was paid. Iamport also sends `cancelled` after a
 * partial cancel, so the kept amount is computed from the amounts alone.
 */
function stateOf(wire: WirePayment): PaymentState {
  const moved = wire.status === 'paid' || (wire.status === 'cancelled' && wasPaid(wire));
  if (moved && wire.status === 'cancelled' && exact(wire, wire.cancel_amount, 'cancel_amount') === 0) {
    throw new IamportUnexpected(`Iamport returned ${wire.imp_uid} as cancelled, with a cancel_amount of 0`);
  }
  if (moved) {
    const kept = minus(exact(wire, wire.amount, 'amount'), exact(wire, wire.cancel_amount, 'cancel_amount'));
    if (kept < 0)
      throw new IamportUnexpected(`Iamport returned ${wire.imp_uid} with a cancel_amount greater than its amount`);
    return kept > 0 ? { kind: 'kept', kept } : { kind: 'returned' };
  }
  if (wire.status === 'cancelled') return { kind: 'returned' };
  if (wire.status === 'failed') {
    return defined<PaymentState>({ kind: 'failed', failedAt: wire.failed_at ?? 0, reason: wire.fail_reason });
  }
  const account = wire.pay_method === 'vbank' ? accountOf(wire) : undefined;
  return account ? { kind: 'awaiting_deposit', account } : { kind: 'ready' };
}

/** `paid_at` and the history may be absent after a cancel, but only money that moved was cancelled in part. */
const wasPaid = (wire: WirePayment): boolean =>
  wire.paid_at !== undefined || wire.cancel_amount > 0 || (wire.cancel_history ?? []).length > 0;

/** @returns undefined until the bank has issued the account: some PGs send `발급대기`, `-` or `0000` before */
function accountOf(wire: WirePayment): VirtualAccount | undefined {
  const number = wire.vbank_num?.trim();
  if (!number || !isAccountNumber(number)) return undefined;
  return defined<VirtualAccount>({
    impUid: wire.imp_uid,
    bank: properName(wire.vbank_name),
    number,
    holder: properName(wire.vbank_holder),
    depositDeadline: wire.vbank_date,
    issuedAt: wire.vbank_issued_at ?? 0,
  });
}

/** 7 to 20 digits with dashes or blanks, not all the same. A PG's test channel puts one letter before them. */
function isAccountNumber(text: string): boolean {
  const digits = text.replace(/[-\s]/g, '').replace(/^[A-Za-z]/, '');
  return /^\d{7,20}$/.test(digits) && !/^(\d)\1*$/.test(digits);
}

/** @returns undefined for a name without letters, and for texts that mean a missing name */
const properName = (name: string | undefined): string | undefined =>
  name &&
  /\p{L}/u.test(name) &&
  !/^(?:발급\s*(?:대기|중)|대기중?|미정|없음|null|undefined|none|n\/a)$/i.test(name.trim())
    ? name
    : undefined;

const recordOf = (wire: WirePayment): PaymentRecord =>
  defined<PaymentRecord>({
    payMethod: wire.pay_method,
    pgProvider: wire.pg_provider,
    pgTid: wire.pg_tid,
    applyNum: wire.apply_num,
    receiptUrl: wire.receipt_url,
    paidAt: wire.paid_at,
  });

function exact(wire: WirePayment, major: number, name: string): Amount {
  const amount = amountNear(major, wire.currency);
  if (amount !== undefined) return amount;
  throw new IamportUnexpected(`Iamport's ${name} of ${wire.imp_uid} is not an amount of ${wire.currency}: ${major}`);
}

function parsed<Schema extends z.ZodMiniType>(schema: Schema, value: unknown, name: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // Without the values, which may be personal data.
  const fields = result.error.issues.map((issue) => issue.path.join('.') || '(all of it)').join(', ');
  throw new IamportUnexpected(`Iamport's ${name} has an unknown shape at: ${fields}`);
}

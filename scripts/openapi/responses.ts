/**
 * Schemas of the response bodies: amounts in major units, times in Unix seconds, absent fields left out. Only for the HTTP reference
 * and its test. functions/http/ writes these bodies and imports nothing from here.
 */

import * as z from 'zod';
import { Problem, type ProblemCode } from '../../functions/http/problem.ts';
import type { OrderStatus } from '../../functions/payment/order.ts';
import type { OutcomeStatus } from '../../functions/payment/outcome.ts';
import type { PgRefusal, RefundNeed, RefundState } from '../../functions/payment/refund.ts';
import type { Objection, ReversalKind, ReversalReason, ReversalState } from '../../functions/payment/reversal.ts';

/** An enum of a union type. A value that the record lacks, or has too much, does not compile. */
const enumOf = <Value extends string>(all: Record<Value, true>) => z.enum(Object.keys(all) as [Value, ...Value[]]);

const objections = {
  test_payment: true,
  payment_predates_order: true,
  currency_mismatch: true,
  amount_mismatch: true,
  deposit_mismatch: true,
  deposit_excess: true,
  duplicate_payment: true,
  order_closed: true,
  account_superseded: true,
} as const satisfies Record<Objection, true>;

const orderStatuses = {
  ready: true,
  failed: true,
  expired: true,
  virtual_account_issued: true,
  paid: true,
  partial_cancelled: true,
  cancelled: true,
  deposit_reversed: true,
} as const satisfies Record<Exclude<OrderStatus, 'closed'>, true>;

const text = z.string().min(1);
const unixSeconds = z.int().meta({ description: 'A time in Unix seconds.' });
const amount = z.number().min(0).meta({ description: 'In major units: 14000 won, 10.5 dollars.' });
const currency = z.string().regex(/^[A-Z]{3}$/);
const impUid = z.string().meta({ description: "Iamport's id of the payment." });
const merchantUid = z.string().meta({ description: "The shop's id of the order." });
const reversalKind = enumOf<ReversalKind>({ cancel: true, revoke: true, manual: true, orphan: true });
const reversalState = enumOf<ReversalState>({ requested: true, done: true, manual: true });

const account = {
  bank: text.optional(),
  number: text,
  holder: text.optional(),
  due_at: unixSeconds.optional().meta({ description: 'The deadline of the deposit, in Unix seconds.' }),
  issued_at: unixSeconds,
};

const outcomeStatus = enumOf<OutcomeStatus>({ ...orderStatuses, rejected: true });

const outcome = z
  .object({
    status: outcomeStatus,
    imp_uid: impUid,
    merchant_uid: merchantUid,
    amount,
    currency,
    cancelled_amount: amount.optional().meta({
      description: 'With partial_cancelled and cancelled: the part of amount that went back, in major units.',
    }),
    reason: text.optional().meta({
      description: `With \`rejected\` one of ${Object.keys(objections).join(', ')}; with \`failed\` the words of the PG.`,
    }),
    reversal: z
      .object({ kind: reversalKind, state: reversalState })
      .optional()
      .meta({ description: 'The state of the money of a rejected payment.' }),
    virtual_account: z.object(account).optional(),
    receipt_url: text.optional(),
    apply_num: text.optional(),
    message: text.meta({ description: 'For the buyer, in Korean or English.' }),
  })
  .meta({ description: 'For a request with both ids of the payment that the outcome is based on.' });

const briefOutcome = z.object({ status: outcomeStatus, message: text }).meta({
  description:
    'For a request with an imp_uid alone, or with another payment than the one that the outcome is based on.',
});

const taxParts = {
  tax_free: amount.optional(),
  vat_amount: amount.optional(),
};

const order = z.object({
  merchant_uid: merchantUid,
  amount,
  currency,
  ...taxParts,
  name: text.optional(),
  expires_at: unixSeconds.optional(),
  tier: text.optional(),
  status: enumOf<OrderStatus>({ ...orderStatuses, closed: true }),
  revision: z
    .int()
    .min(0)
    .meta({ description: 'Counts the writes of this order; 0 while only the shop has written it.' }),
  imp_uid: impUid.optional(),
  payment: z
    .object({
      pay_method: text.optional(),
      pg_provider: text.optional(),
      pg_tid: text.optional(),
      apply_num: text.optional(),
      receipt_url: text.optional(),
      paid_at: unixSeconds.optional(),
    })
    .optional()
    .meta({ description: 'Of the payment that settled the order.' }),
  cancelled_amount: amount.optional(),
  virtual_account: z.object({ imp_uid: impUid, ...account }).optional(),
  reason: text.optional().meta({ description: 'Of the latest failed attempt, in the words of the PG.' }),
  created_at: unixSeconds.optional(),
  updated_at: unixSeconds.optional(),
});

/** The common fields of reversals and refunds. */
const common = {
  imp_uid: impUid,
  amount,
  currency,
  attempts: z.int().min(0).meta({ description: 'How often Iamport was called.' }),
  message: text.optional().meta({ description: 'The last error message of Iamport or the PG.' }),
  created_at: unixSeconds,
  updated_at: unixSeconds,
};

const reversal = z.object({
  ...common,
  kind: reversalKind,
  state: reversalState,
  reason: enumOf<ReversalReason>({ ...objections, order_expired: true, order_not_found: true }),
});

const refund = z.object({
  ...common,
  key: text.meta({ description: 'The idempotency-key, or the id of the request if it had none.' }),
  ...taxParts,
  state: enumOf<Exclude<RefundState, 'unsent'>>({ requested: true, done: true, refused: true }),
  reason: text,
  requester: z.enum(['customer', 'admin']).optional(),
  accepted_at: unixSeconds.optional().meta({
    description: 'When Iamport accepted the refund without showing it in the payment. It is never sent again.',
  }),
  needs: enumOf<RefundNeed>({ account: true, repeat: true, operator: true }).optional().meta({
    description:
      'The reason why the refund waits. `account`: the same request again, with the same key and the account of the buyer. `repeat`: the same request again. `operator`: the payment does not show whether it was made. Never send another key for it.',
  }),
  refusal: enumOf<PgRefusal>({ refused_by_pg: true }).optional().meta({
    description: 'Why it is refused. While `state` is `requested`, a second check has not confirmed it yet.',
  }),
});

/** Every code, in the order of the table in functions/http/problem.ts. */
export const PROBLEM_CODES = Object.keys({
  invalid_request: true,
  route_not_found: true,
  unauthorised: true,
  forbidden: true,
  sender_refused: true,
  payment_not_found: true,
  order_not_found: true,
  order_mismatch: true,
  order_exists: true,
  order_paid: true,
  not_paid: true,
  refund_exceeds: true,
  refund_key_used: true,
  refund_refused: true,
  payload_too_large: true,
  unsupported_media_type: true,
  account_missing: true,
  internal_error: true,
  iamport_error: true,
  iamport_unavailable: true,
  store_unavailable: true,
  not_settled: true,
  order_busy: true,
} satisfies Record<ProblemCode, true>) as ProblemCode[];

export const statusOf = (code: ProblemCode): number => new Problem(code, '').status;

const problem = z
  .object({
    type: z.literal('about:blank'),
    title: text,
    status: z.int().min(400).max(599),
    code: z.enum(PROBLEM_CODES as [ProblemCode, ...ProblemCode[]]).meta({ description: 'Never changes its meaning.' }),
    detail: text.meta({ description: 'The remedy, for the engineer.' }),
    message: text.meta({ description: 'For the buyer, in Korean or English.' }),
  })
  .meta({ description: 'RFC 9457. It does not describe the state of the payment. A retry is always safe.' });

/** By their names in the document. */
export const RESPONSE_SCHEMAS = {
  Outcome: z.union([outcome, briefOutcome]),
  Order: order,
  OrderRegistered: order.extend({
    prepared: z.boolean().optional().meta({
      description: 'Whether the amount is registered at Iamport too. Absent for an order that can no longer be paid.',
    }),
  }),
  OrderInFull: order.extend({ reversals: z.array(reversal), refunds: z.array(refund) }),
  RefundAnswer: z.object({ refund, order }),
  Noticed: z.union([
    z.object({ settled: z.literal(true) }),
    z.object({ settled: z.literal(false), code: z.enum(['payment_not_found', 'order_not_found']) }),
  ]),
  Confirmed: z.object({}),
  NotConfirmed: z.object({ reason: text.meta({ description: 'In Korean: Iamport shows it to the buyer.' }) }),
  Problem: problem,
  GatewayMessage: z
    .object({ message: z.string().nullable() })
    .meta({ description: 'From API Gateway itself: it did not invoke a function.' }),
} as const satisfies Record<string, z.ZodType>;

export type ResponseName = keyof typeof RESPONSE_SCHEMAS;

/**
 * Events as subscribers read them: their schema, and the one place that writes them. Amounts in major units, times in Unix seconds.
 * New fields may come; `version` changes only when one that exists changes its meaning.
 */

import * as z from 'zod/mini';
import type { EventName, PaymentEvent } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import type { NotificationEvent, NotificationEventName } from '../payment/notification.ts';
import { accountJson } from './outcome-json.ts';

export const eventNames = [
  'Payment Paid',
  'Virtual Account Issued',
  'Virtual Account Withdrawn',
  'Payment Failed',
  'Payment Cancelled',
  'Payment Partially Cancelled',
  'Deposit Reversed',
  'Order Expired',
  'Order Closed',
  'Payment Rejected',
  'Payment Without Order',
  'Refund Required',
  'Refund Completed',
] as const satisfies readonly EventName[];

const text = z.string();
const unixSeconds = z.int();

/** The `detail` of every event. */
export const eventDetail = z.object({
  version: z.literal(1),
  /** The same in every delivery of one event, and in no other event: tell repeats by it. */
  id: text,
  merchant_uid: text,
  imp_uid: z.optional(text),
  /** Of the order; of a reversal, what has to go back. */
  amount: z.number(),
  currency: text,
  status: z.optional(text),
  cancelled_amount: z.optional(z.number()),
  pay_method: z.optional(text),
  reason: z.optional(text),
  virtual_account: z.optional(
    z.object({
      bank: z.optional(text),
      number: text,
      holder: z.optional(text),
      due_at: z.optional(unixSeconds),
      issued_at: unixSeconds,
    }),
  ),
  reversal: z.optional(
    z.object({
      kind: z.enum(['cancel', 'revoke', 'manual', 'orphan']),
      state: z.enum(['requested', 'done', 'manual']),
    }),
  ),
});

export type EventDetail = z.infer<typeof eventDetail>;

/** The names of events that only pass on what Iamport told, unconfirmed by its API. */
export const notificationNames = [
  'Escrow Changed',
  'Unrecognised Notification',
] as const satisfies readonly NotificationEventName[];

/** The `detail` of an event that nothing confirms. */
export const notificationDetail = z.object({
  version: z.literal(1),
  id: text,
  merchant_uid: text,
  imp_uid: text,
  /** Nobody but the sender says so, and the sender is not proved. */
  verified: z.literal(false),
  /** Iamport's own name of it. */
  event: text,
  /** The fields that came with it, such as `escrow_status`. */
  content: z.record(text, text),
});

export type NotificationDetail = z.infer<typeof notificationDetail>;

export const notificationJson = ({ id, notification }: NotificationEvent): NotificationDetail => ({
  version: 1,
  id,
  merchant_uid: notification.merchantUid,
  imp_uid: notification.impUid,
  verified: false,
  event: notification.event,
  content: { ...notification.content },
});

export function eventJson(event: PaymentEvent): object {
  const { currency } = event;
  return {
    version: 1,
    id: event.id,
    merchant_uid: event.merchantUid,
    imp_uid: event.impUid,
    amount: majorUnits(event.amount, currency),
    currency,
    status: event.status,
    cancelled_amount: event.cancelledAmount === undefined ? undefined : majorUnits(event.cancelledAmount, currency),
    pay_method: event.payMethod,
    reason: event.reason,
    virtual_account: event.account && accountJson(event.account),
    reversal: event.reversal,
  };
}

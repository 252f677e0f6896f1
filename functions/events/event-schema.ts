/**
 * The names and schemas of events, for subscribers. A shop's own functions import this file through the package, so it
 * stays small and publishes nothing. Amounts in major units, times in Unix seconds. New fields may be added; `version`
 * changes only when an existing field changes its meaning.
 */

import * as z from 'zod/mini';
import type { EventName } from '../payment/events.ts';
import type { NotificationEventName } from '../payment/notification.ts';

export { eventSource } from './event-source.ts';

const text = z.string();
const unixSeconds = z.int();

/** The `detail` of every event. */
export const eventDetail = z.object({
  version: z.literal(1),
  /** Unique to the event and the same in every delivery of it: recognise repeats by it. */
  id: text,
  merchant_uid: text,
  imp_uid: z.optional(text),
  /** The order's amount; of a reversal, the amount to give back. */
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

/** The fields that every event of a name has, besides those that every event has. */
export const eventFields = {
  'Payment Paid': ['imp_uid', 'status'],
  'Virtual Account Issued': ['imp_uid', 'status', 'virtual_account'],
  'Virtual Account Withdrawn': ['status'],
  'Payment Failed': ['imp_uid', 'status'],
  'Payment Cancelled': ['imp_uid', 'status', 'cancelled_amount'],
  'Payment Partially Cancelled': ['imp_uid', 'status', 'cancelled_amount'],
  'Deposit Reversed': ['imp_uid', 'status'],
  'Order Expired': ['status'],
  'Order Closed': ['status'],
  'Payment Rejected': ['imp_uid', 'reason', 'reversal'],
  'Payment Without Order': ['imp_uid', 'reason', 'reversal'],
  'Refund Required': ['imp_uid', 'reason', 'reversal'],
  'Refund No Longer Required': ['imp_uid', 'reason', 'reversal'],
  'Refund Completed': ['imp_uid', 'reason'],
  'Refund Refused': ['imp_uid', 'reason'],
} as const satisfies Record<EventName, readonly (keyof EventDetail)[]>;

export const eventNames = Object.keys(eventFields) as readonly EventName[];

/** A record, so that a missing name does not compile. */
const notifications: Readonly<Record<NotificationEventName, true>> = {
  'Escrow Changed': true,
  'Unrecognised Notification': true,
};

/** The names of events that are notifications of Iamport which its API does not confirm. */
export const notificationNames = Object.keys(notifications) as readonly NotificationEventName[];

/** The `detail` of an unconfirmed notification. */
export const notificationDetail = z.object({
  version: z.literal(1),
  id: text,
  merchant_uid: text,
  imp_uid: text,
  /** The sender is not authenticated, and no API confirms the content. */
  verified: z.literal(false),
  /** Iamport's name of the notification. */
  event: text,
  /** The fields of the notification, such as `escrow_status`. */
  content: z.record(text, text),
});

export type NotificationDetail = z.infer<typeof notificationDetail>;

/** The type of the `detail` of an event, by its name. */
export type DetailOf<Name extends EventName | NotificationEventName> = Name extends EventName
  ? EventDetail & { [Field in (typeof eventFields)[Name][number]]-?: NonNullable<EventDetail[Field]> }
  : NotificationDetail;

/**
 * Checks and types the `detail` of an event.
 * @throws z.core.$ZodError when it is not the `detail` of an event of this name in version 1
 */
export function readDetail<Name extends EventName | NotificationEventName>(
  name: Name,
  detail: unknown,
): DetailOf<Name> {
  return schemaOf(name).parse(detail) as DetailOf<Name>;
}

const schemaOf = (name: EventName | NotificationEventName) =>
  isNotificationName(name) ? notificationDetail : withFields(eventFields[name]);

const isNotificationName = (name: EventName | NotificationEventName): name is NotificationEventName =>
  Object.hasOwn(notifications, name);

const withFields = (fields: readonly (keyof EventDetail)[]) =>
  z.required(eventDetail, Object.fromEntries(fields.map((field) => [field, true])) as Record<keyof EventDetail, true>);

/**
 * Notifications of Iamport whose content its API does not return: escrow changes, and events that we do not know. They
 * are published and never settle an order. Pure.
 */

import type { UnixSeconds } from './payment.ts';

export interface Notification {
  readonly impUid: string;
  readonly merchantUid: string;
  /** Iamport's name of the event, such as `Inicis.Escrow.Changed`. */
  readonly event: string;
  /** The other fields of the notification: a few short texts. */
  readonly content: Readonly<Record<string, string>>;
  readonly updatedAt: UnixSeconds;
}

/** Iamport's name for a change of a KG Inicis escrow. */
export const escrowChanged = 'Inicis.Escrow.Changed';

export type NotificationEventName = 'Escrow Changed' | 'Unrecognised Notification';

export interface NotificationEvent {
  readonly name: NotificationEventName;
  readonly id: string;
  readonly notification: Notification;
}

export const notificationEvent = (notification: Notification): NotificationEvent => ({
  name: notification.event === escrowChanged ? 'Escrow Changed' : 'Unrecognised Notification',
  id: `${notification.impUid}:${notification.event}:${notification.updatedAt}`,
  notification,
});

/** What Iamport tells of a payment that its API does not: escrow, and events that we do not know. Never believed, only passed on. Pure. */

import type { UnixSeconds } from './payment.ts';

export interface Notification {
  readonly impUid: string;
  readonly merchantUid: string;
  /** Iamport's name of it, such as `Inicis.Escrow.Changed`. */
  readonly event: string;
  /** What came with it, by field: a few short texts. */
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

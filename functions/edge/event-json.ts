/** The one place that writes the `detail` of events; their form is in event-schema.ts. */

import type { PaymentEvent } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import type { NotificationEvent } from '../payment/notification.ts';
import type { NotificationDetail } from './event-schema.ts';
import { accountJson } from './outcome-json.ts';

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

/** The one place that writes the `detail` of events; their form is in event-schema.ts. */

import { accountJson } from '../http/outcome-json.ts';
import type { PaymentEvent } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import type { NotificationEvent } from '../payment/notification.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import type { EventDetail, NotificationDetail } from './event-schema.ts';

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
    virtual_account: event.account && publishedAccount(event.account),
    reversal: event.reversal,
  };
}

/**
 * Without the holder: some PGs name the buyer there, and a bus is read by many. The buyer is shown it, and the shop's server reads it
 * with `GET /orders/{merchant_uid}`.
 */
function publishedAccount(account: VirtualAccount): NonNullable<EventDetail['virtual_account']> {
  const { holder: _personal, ...published } = accountJson(account);
  return published;
}

/** The `detail` of events, from the types of `payment/`. */

import type { PaymentEvent } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import type { NotificationEvent } from '../payment/notification.ts';
import type { VirtualAccount } from '../payment/payment.ts';
import { accountJson } from '../shared/account-json.ts';
import { foreignText } from '../shared/foreign-text.ts';
import type { EventDetail, NotificationDetail } from './event-schema.ts';

/** `POST /orders/{merchant_uid}/refunds` takes a reason of this length. Characters. */
const maxReasonLength = 200;

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
    // A shop's reason for a refund may name the buyer.
    reason: event.reason === undefined ? undefined : foreignText(event.reason, maxReasonLength),
    virtual_account: event.account && publishedAccount(event.account),
    reversal: event.reversal,
  };
}

/**
 * Without the holder: some PGs put the buyer's name there, and an event bus has many readers. The result page and
 * `GET /orders/{merchant_uid}` have it.
 */
function publishedAccount(account: VirtualAccount): NonNullable<EventDetail['virtual_account']> {
  const { holder: _personal, ...published } = accountJson(account);
  return published;
}

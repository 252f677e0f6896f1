/**
 * `POST /payments/confirm`: Iamport asks, just before a payment is approved, whether it may be (`confirm_url`). Answered from our
 * own order alone: one GetItem and no call to Iamport. Anything but 200 stops the payment.
 *
 * Anybody can call it. A good order gets 200 from every sender, since PortOne's addresses may change and a sale must not stop then.
 * A refusal gives its reason to PortOne's addresses only; every other sender gets one text, whether or not the order exists.
 */

import * as z from 'zod/mini';
import { confirmReason, hiddenConfirmReason } from '../http/messages.ts';
import { bodyFields, impUid, merchantUid, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { isFromIamport } from '../http/webhook-senders.ts';
import { refusalToConfirm } from '../payment/confirm.ts';
import { amountOf } from '../payment/money.ts';
import { type Door, serve } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';

export const body = z.object({
  imp_uid: impUid,
  merchant_uid: merchantUid,
  amount: z.union([z.number(), z.string().check(z.regex(/^\d{1,13}(\.\d{1,2})?$/))], 'must be a number'),
});

export const confirm: Door = async ({ event, note }, rooms) => {
  const { imp_uid, merchant_uid, amount } = parse(body, bodyFields(event));
  note({ impUid: imp_uid, merchantUid: merchant_uid });
  const order = await rooms.orders.read(merchant_uid);
  const refused = refusalToConfirm(order, order && amountOf(amount, order.currency), unixSeconds(rooms.clock));
  const isIamport = isFromIamport(event);
  note({ outcome: refused ?? 'confirmed', sender: isIamport ? 'iamport' : 'other' });
  if (!refused) return json(200, {});
  // Korean: the reason is recorded as the cause, and shown to the buyer.
  return json(409, { reason: isIamport ? confirmReason(refused) : hiddenConfirmReason });
};

export const handler = await serve(confirm, { asksIamport: false });

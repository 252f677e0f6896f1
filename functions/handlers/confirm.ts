/**
 * `POST /payments/confirm`: Iamport calls it (`confirm_url`) just before a payment is approved. The response depends on
 * our order alone: one GetItem and no call to Iamport. Any status but 200 stops the payment.
 *
 * The endpoint is public. A payable order gets 200 for every sender: PortOne's addresses may change, and sales must go
 * on. Only PortOne's addresses get the reason of a refusal. Every other sender gets one text, whether or not the order
 * exists.
 */

import * as z from 'zod/mini';
import { confirmReason, hiddenConfirmReason } from '../http/messages.ts';
import { bodyFields, impUid, merchantUid, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { isFromIamport } from '../http/webhook-senders.ts';
import { refusalToConfirm } from '../payment/confirm.ts';
import { parseAmount } from '../payment/money.ts';
import type { HttpHandler } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';

export const body = z.object({
  imp_uid: impUid,
  merchant_uid: merchantUid,
  amount: z.union([z.number(), z.string().check(z.regex(/^\d{1,13}(\.\d{1,2})?$/))], 'must be a number'),
});

export const confirm: HttpHandler = async ({ event, log }, deps) => {
  const { imp_uid, merchant_uid, amount } = parse(body, bodyFields(event));
  log({ impUid: imp_uid, merchantUid: merchant_uid });
  const order = await deps.orders.read(merchant_uid);
  const refused = refusalToConfirm(order, order && parseAmount(amount, order.currency), unixSeconds(deps.clock));
  const isIamport = isFromIamport(event);
  log({ outcome: refused ?? 'confirmed', sender: isIamport ? 'iamport' : 'other' });
  if (!refused) return json(200, {});
  // Iamport records the reason as the cause and shows it to the buyer, in Korean.
  return json(409, { reason: isIamport ? confirmReason(refused) : hiddenConfirmReason });
};

export const handler = await lambdaHandler(confirm, { callsIamport: false });

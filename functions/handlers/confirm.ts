/**
 * `POST /payments/confirm`: Iamport calls it (`confirm_url`) just before a payment is approved. The response depends on
 * our order, and then on the shop, where the deployment asks it: one GetItem and no call to Iamport. Any status but 200
 * stops the payment.
 *
 * The endpoint is public. A payable order gets 200 for every sender: PortOne's addresses may change, and sales must go
 * on. Only PortOne's addresses get the reason of our own refusal. Every other sender gets one text, whether or not the
 * order exists.
 */

import * as z from 'zod/mini';
import { askShop, type ConfirmingShop } from '../application/confirm.ts';
import { confirmReason, hiddenConfirmReason } from '../http/messages.ts';
import { bodyFields, impUid, merchantUid, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { isFromIamport } from '../http/webhook-senders.ts';
import { refusalToConfirm } from '../payment/confirm.ts';
import { parseAmount } from '../payment/money.ts';
import { environmentOfLambda } from '../runtime/config.ts';
import { createConfirmingShop } from '../runtime/confirming-shop.ts';
import type { HttpHandler, RequestContext, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { causesOf } from '../shared/log-line.ts';

export const body = z.object({
  imp_uid: impUid,
  merchant_uid: merchantUid,
  amount: z.union([z.number(), z.string().check(z.regex(/^\d{1,13}(\.\d{1,2})?$/))], 'must be a number'),
});

/** @param shop asked after our own checks; undefined where the deployment does not ask the shop */
export const confirmWith =
  (shop: ConfirmingShop | undefined): HttpHandler =>
  async ({ event, log }, deps) => {
    const { imp_uid, merchant_uid, amount } = parse(body, bodyFields(event));
    log({ impUid: imp_uid, merchantUid: merchant_uid });
    const order = await deps.orders.read(merchant_uid);
    const refused = refusalToConfirm(order, order && parseAmount(amount, order.currency), unixSeconds(deps.clock));
    const isIamport = isFromIamport(event);
    log({ outcome: refused ?? 'confirmed', sender: isIamport ? 'iamport' : 'other' });
    // Iamport records the reason as the cause and shows it to the buyer, in Korean.
    if (refused) return json(409, { reason: isIamport ? confirmReason(refused) : hiddenConfirmReason });
    // The sender named a payable order and its amount, and gets 200 otherwise: the reason of the shop need not be hidden.
    const reason = shop && order && (await objectionOf(shop, { ...order, impUid: imp_uid }, { log }, deps));
    return reason === undefined ? json(200, {}) : json(409, { reason });
  };

/** Asks the shop. @returns its reason against the payment; undefined to approve it */
async function objectionOf(
  shop: ConfirmingShop,
  question: Parameters<ConfirmingShop['ask']>[0],
  { log }: Pick<RequestContext, 'log'>,
  { clock, count }: RequestDependencies,
): Promise<string | undefined> {
  const begin = clock.now();
  const answer = await askShop(shop, question, clock);
  log({ shop: answer.outcome, shopMs: clock.now() - begin });
  switch (answer.outcome) {
    case 'approved':
      return undefined;
    case 'refused':
      log({ outcome: 'refused_by_shop' });
      return answer.reason || confirmReason('refused_by_shop');
    case 'unanswered':
      count({ ConfirmsUnanswered: 1 });
      log({ causes: causesOf(answer.fault) });
      if (shop.otherwise === 'approve') return undefined;
      log({ outcome: 'shop_unanswered' });
      return confirmReason('shop_unanswered');
  }
}

/** The handler of a deployment that does not ask the shop. */
export const confirm: HttpHandler = confirmWith(undefined);

const environment = environmentOfLambda();
const asked = environment && createConfirmingShop(environment);
const initialized = lambdaHandler(async (context, deps) => confirmWith(await asked)(context, deps), {
  callsIamport: false,
});
// Concurrently: the warm-up of the handler, and the read of the secret.
export const [handler] = await Promise.all([initialized, asked]);

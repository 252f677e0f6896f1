/** `POST /payments/complete`: the storefront, or a native app, says that its buyer has come back from the payment window. */

import * as z from 'zod/mini';
import { settleForBuyer } from '../application/look-up.ts';
import { outcomeJson } from '../http/outcome-json.ts';
import { refusal } from '../http/problem.ts';
import { bodyFields, impUid, languageOf, merchantUid, optional, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { type Door, serve } from '../runtime/lambda-handler.ts';

/** Whatever else is sent (`status`, `paid_amount`, …) is not read: the browser does not know what was paid. */
export const body = z.object({ imp_uid: impUid, merchant_uid: optional(merchantUid) });

export const complete: Door = async ({ event, deadline, note }, rooms) => {
  const fields = parse(body, bodyFields(event));
  note({ impUid: fields.imp_uid, merchantUid: fields.merchant_uid });
  const ids = { impUid: fields.imp_uid, merchantUid: fields.merchant_uid };
  const settlement = await settleForBuyer(rooms, ids, deadline);
  if (settlement.kind !== 'settled') throw refusal(settlement.kind, fields.merchant_uid !== undefined);
  const { outcome } = settlement;
  note({ merchantUid: outcome.merchantUid, outcome: outcome.status, reason: outcome.reason });
  const language = languageOf(event);
  return json(200, outcomeJson(outcome, fields, language), { 'content-language': language });
};

export const handler = await serve(complete, { settles: true });

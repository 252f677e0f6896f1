/**
 * `POST /payments/complete`: called by the storefront or a native app when the buyer returns from the payment window.
 */

import * as z from 'zod/mini';
import { settleForBuyer } from '../application/look-up.ts';
import { outcomeJson } from '../http/outcome-json.ts';
import { refusal } from '../http/problem.ts';
import { bodyFields, impUid, languageOf, merchantUid, optional, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import type { HttpHandler } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';

/** Other fields (`status`, `paid_amount`, …) are ignored: the browser is no source for what was paid. */
export const body = z.object({ imp_uid: impUid, merchant_uid: optional(merchantUid) });

export const complete: HttpHandler = async ({ event, log }, deps) => {
  const fields = parse(body, bodyFields(event));
  log({ impUid: fields.imp_uid, merchantUid: fields.merchant_uid });
  const ids = { impUid: fields.imp_uid, merchantUid: fields.merchant_uid };
  const settlement = await settleForBuyer(deps, ids);
  if (settlement.kind !== 'settled') throw refusal(settlement.kind, fields.merchant_uid !== undefined);
  const { outcome } = settlement;
  log({ merchantUid: outcome.merchantUid, outcome: outcome.status, reason: outcome.reason });
  const language = languageOf(event);
  return json(200, outcomeJson(outcome, fields, language), { 'content-language': language });
};

export const handler = await lambdaHandler(complete, { primes: true });

/**
 * `GET /payments/complete/mobile`: the payment window redirects the buyer's phone here (`m_redirect_url`). The response
 * is never JSON or a bare error. It is a redirect to the shop's own result page, or our page.
 */

import * as z from 'zod/mini';
import { settleForBuyer } from '../application/look-up.ts';
import { Problem, problemOf, refusal } from '../http/problem.ts';
import { impUid, languageOf, merchantUid, optional, parse, queryFields } from '../http/request.ts';
import { type HttpResponse, htmlPage, seeOther } from '../http/response.ts';
import { resultPage } from '../http/result-page.ts';
import { isUnpaid, type Result } from '../http/result-view.ts';
import type { HttpHandler, RequestContext, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { foreignText } from '../shared/foreign-text.ts';
import { causesOf } from '../shared/log-line.ts';
import { visibleText } from '../shared/plain-text.ts';

/** The documented path. Other paths reach this function when a return address was cut off, or ends with a slash. */
const ownPath = '/payments/complete/mobile';

/** `imp_success`, `success` and `error_code` are ignored: the buyer can change them. */
export const query = z.object({
  imp_uid: optional(impUid),
  merchant_uid: optional(merchantUid),
  /** The name of a configured result target. */
  to: z.optional(z.string()),
  /** How often our own page has checked again. */
  again: z.optional(z.string()),
  /** The payment window's own message. Shown as such where nothing was paid; never trusted, stored or logged. */
  error_msg: z.catch(z.optional(z.string()), undefined),
});
type Query = z.infer<typeof query>;

export const mobileRedirect: HttpHandler = async ({ event, log }, deps) => {
  let fields: Query | undefined;
  try {
    fields = parse(query, queryFields(event));
    const { imp_uid, merchant_uid } = fields;
    log({ impUid: imp_uid, merchantUid: merchant_uid });
    if (imp_uid === undefined && merchant_uid === undefined) {
      if (event.rawPath.replace(/\/+$/, '') !== ownPath) {
        throw new Problem('route_not_found', `The payment window redirects to ${ownPath}.`);
      }
      throw new Problem('invalid_request', 'The query has neither imp_uid nor merchant_uid.');
    }
    const settlement = await settleForBuyer(deps, { impUid: imp_uid, merchantUid: merchant_uid });
    if (settlement.kind !== 'settled') throw refusal(settlement.kind);
    const { merchantUid, status, reason } = settlement.outcome;
    log({ merchantUid, outcome: status, reason });
    return resultResponse({ outcome: settlement.outcome }, fields, event, deps);
  } catch (error) {
    const problem = problemOf(error);
    log({ outcome: 'unconfirmed', code: problem.code, causes: causesOf(error) });
    return resultResponse({ problem }, fields, event, deps);
  }
};

/**
 * A redirect to the shop's result target; the built-in page when there is none, or when an app opens only from a link.
 */
function resultResponse(
  result: Result,
  fields: Query | undefined,
  event: RequestContext['event'],
  { config }: RequestDependencies,
): HttpResponse {
  const target = fields && targetOf(config.resultTargets, fields.to);
  const windowMessage = fields && isUnpaid(result, fields) ? foreignText(visibleText(fields.error_msg)) : '';
  const location = target && withOutcome(target, result, fields, windowMessage);
  if (location && !needsLink(location, event)) return seeOther(location);
  const { text, policy } = resultPage({
    result,
    query: fields ?? {},
    shopName: config.shopName,
    branding: config.resultPage,
    language: languageOf(event),
    iamportOrigin: new URL(config.iamportApiUrl).origin,
    appLink: location,
    windowMessage,
  });
  return htmlPage(location || windowMessage ? 200 : statusOf(result), text, policy);
}

function withOutcome(target: string, result: Result, { merchant_uid, imp_uid }: Query, windowMessage: string): string {
  const location = new URL(target);
  const parameters = {
    merchant_uid,
    imp_uid,
    status: 'outcome' in result ? result.outcome.status : 'unconfirmed',
    reason: 'outcome' in result ? result.outcome.reason : result.problem.code,
    error_msg: windowMessage,
  };
  for (const [name, value] of Object.entries(parameters)) if (value) location.searchParams.set(name, value);
  // A blank as `+` is of forms only: URLComponents of iOS and decodeURIComponent leave it a plus.
  location.search = location.search.replaceAll('+', '%20');
  return location.href;
}

/**
 * Whether the browser opens the app only from a link: many do not follow a redirect into an app. A WebView passes the
 * redirect to its app, and so does a client that is no browser. The user agent of a browser has `Safari` or `Firefox`;
 * that of an Android WebView has `; wv`, that of an iOS WebView lacks `Safari`. After a wrong guess the buyer still
 * arrives, with one page more.
 */
function needsLink(location: string, { headers }: RequestContext['event']): boolean {
  const agent = headers['user-agent'] ?? '';
  return !location.startsWith('https:') && /\b(?:Safari|Firefox)\//.test(agent) && !/; wv\)/.test(agent);
}

/** Only a configured target: no part of its address comes from the query. */
function targetOf(targets: Readonly<Record<string, string>>, name = 'web'): string | undefined {
  if (Object.hasOwn(targets, name)) return targets[name];
  return targets.web;
}

/** 200 for a page that checks again: a browser might replace an error page with its own. */
const statusOf = (result: Result): number =>
  'problem' in result && !result.problem.isFault ? result.problem.status : 200;

export const handler = await lambdaHandler(mobileRedirect, { primes: true });

/**
 * `GET /payments/complete/mobile`: the buyer's phone comes back from the payment window, by `m_redirect_url`.
 * A buyer never sees JSON or a bare error: the answer is the shop's own result page, or ours.
 */

import * as z from 'zod/mini';
import { settleForBuyer } from '../application/look-up.ts';
import { Problem, problemOf, refusal } from '../http/problem.ts';
import { impUid, languageOf, merchantUid, optional, parse, queryFields } from '../http/request.ts';
import { type Answer, html, seeOther } from '../http/response.ts';
import { type Result, resultPage } from '../http/result-page.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Door, serve, type Visit } from '../runtime/lambda-handler.ts';
import { causesOf } from '../runtime/log.ts';
import { foreignText } from '../shared/foreign-text.ts';

/** Iamport's address for a phone. Another address reaches this function when a return address was cut, or has a slash at its end. */
const ownPath = '/payments/complete/mobile';

/** `imp_success`, `success` and `error_code` come along too. They prove nothing about the money and are not read. */
export const query = z.object({
  imp_uid: optional(impUid),
  merchant_uid: optional(merchantUid),
  /** The name of a configured result target. */
  to: z.optional(z.string()),
  /** How often our own page has asked again. */
  again: z.optional(z.string()),
  /** The window's own words. Shown as such beside an outcome that is not paid, and never believed, stored or logged. */
  error_msg: z.catch(z.optional(z.string()), undefined),
});
type Query = z.infer<typeof query>;

export const mobileRedirect: Door = async ({ event, deadline, note }, rooms) => {
  let fields: Query | undefined;
  try {
    fields = parse(query, queryFields(event));
    const { imp_uid, merchant_uid } = fields;
    note({ impUid: imp_uid, merchantUid: merchant_uid });
    if (imp_uid === undefined && merchant_uid === undefined) {
      if (event.rawPath.replace(/\/+$/, '') !== ownPath) {
        throw new Problem('route_not_found', `A buyer comes back to ${ownPath}.`);
      }
      throw new Problem('invalid_request', 'The query has neither imp_uid nor merchant_uid.');
    }
    const settlement = await settleForBuyer(rooms, { impUid: imp_uid, merchantUid: merchant_uid }, deadline);
    if (settlement.kind !== 'settled') throw refusal(settlement.kind);
    const { merchantUid, status, reason } = settlement.outcome;
    note({ merchantUid, outcome: status, reason });
    return shown({ outcome: settlement.outcome }, fields, event, rooms);
  } catch (error) {
    const problem = problemOf(error);
    note({ outcome: 'unconfirmed', code: problem.code, causes: causesOf(error) });
    return shown({ problem }, fields, event, rooms);
  }
};

/** On the shop's result target, if there is one; otherwise on the built-in page. */
function shown(result: Result, fields: Query | undefined, event: Visit['event'], { config }: Rooms): Answer {
  const target = fields && targetOf(config.resultTargets, fields.to);
  const windowSays = fields && isUnpaid(result) ? foreignText(fields.error_msg) : '';
  const location = target && withOutcome(target, result, fields, windowSays);
  if (location && !needsAStep(location, event)) return seeOther(location);
  const { text, policy } = resultPage({
    result,
    came: fields ?? {},
    shopName: config.shopName,
    front: config.resultPage,
    language: languageOf(event),
    appLink: location,
    windowSays,
  });
  return html(location ? 200 : statusOf(result), text, policy);
}

/** The words of a window that failed are of use only where nothing was paid. */
const isUnpaid = (result: Result): boolean =>
  'outcome' in result && (result.outcome.status === 'failed' || result.outcome.status === 'ready');

function withOutcome(target: string, result: Result, { merchant_uid, imp_uid }: Query, windowSays: string): string {
  const location = new URL(target);
  const told = {
    merchant_uid,
    imp_uid,
    status: 'outcome' in result ? result.outcome.status : 'unconfirmed',
    reason: 'outcome' in result ? result.outcome.reason : result.problem.code,
    error_msg: windowSays,
  };
  for (const [name, value] of Object.entries(told)) if (value) location.searchParams.set(name, value);
  return location.href;
}

/**
 * Browsers open an app when somebody touches a link, and many will not for a redirect alone. A WebView hands a redirect to its app,
 * and so does whatever is no browser: they get theirs at once. Browsers name themselves by what they descend from; a WebView of
 * Android by `; wv`, one of iOS by the lack of `Safari`. Who is taken for the other arrives all the same, with a page too many.
 */
function needsAStep(location: string, { headers }: Visit['event']): boolean {
  const agent = headers['user-agent'] ?? '';
  return !location.startsWith('https:') && /\b(?:Safari|Firefox)\//.test(agent) && !/; wv\)/.test(agent);
}

/** Only what the configuration names is a target: nothing from the query becomes a part of its address. */
function targetOf(targets: Readonly<Record<string, string>>, name = 'web'): string | undefined {
  if (Object.hasOwn(targets, name)) return targets[name];
  return targets.web;
}

/** A page that asks again is no error to a browser, which might show one of its own. */
const statusOf = (result: Result): number =>
  'problem' in result && !result.problem.isFault ? result.problem.status : 200;

export const handler = await serve(mobileRedirect, { settles: true });

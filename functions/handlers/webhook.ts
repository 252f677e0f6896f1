/**
 * `POST /payments/webhook`: Iamport's notification of a change of a payment. It is not signed, so only its ids are
 * used: everything else is read from Iamport's API.
 */

import * as z from 'zod/mini';
import { settleNotified } from '../application/look-up.ts';
import { Problem, problemOf } from '../http/problem.ts';
import { bodyFields, impUid, merchantUidHint, optional, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { isFromIamport } from '../http/webhook-senders.ts';
import type { Outcome, OutcomeStatus } from '../payment/outcome.ts';
import type { HttpHandler, RequestDependencies } from '../runtime/http-handler.ts';
import { lambdaHandler } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { notificationContent, notificationName } from '../shared/notification-content.ts';

const ownPath = '/payments/webhook';

/** Only the ids are validated: an unknown form of another field must not make us miss a payment. */
export const body = z.object({
  imp_uid: optional(impUid),
  merchant_uid: merchantUidHint,
  status: z.optional(z.unknown()),
  /** Only in notifications that are not about the payment's status. */
  event: z.optional(z.unknown()),
  extra: z.optional(z.unknown()),
});
type Body = z.output<typeof body>;

export const webhook: HttpHandler = async ({ event, log }, deps) => {
  // API Gateway also routes other paths with a slash at the end to this function.
  if (event.rawPath.startsWith('/payments/') && event.rawPath.replace(/\/+$/, '') !== ownPath) {
    throw new Problem('route_not_found', `Iamport notifies ${ownPath}. Remove a slash at the end of another address.`);
  }
  const isIamport = isFromIamport(event);
  log({ sender: isIamport ? 'iamport' : 'other' });
  if (!isIamport) deps.count({ WebhookFromUnknownSender: 1 });
  if (!isIamport && deps.config.webhookSenders === 'iamport-only') {
    throw new Problem('sender_refused', 'This deployment takes notifications from the addresses of Iamport only.');
  }
  const fields = parse(body, bodyFields(event));
  if (fields.imp_uid === undefined && fields.merchant_uid === undefined) {
    throw new Problem('invalid_request', 'The body has neither imp_uid nor merchant_uid.');
  }
  log({ impUid: fields.imp_uid, merchantUid: fields.merchant_uid });
  const eventName =
    typeof fields.event === 'string' && fields.event !== '' ? notificationName(fields.event) : undefined;
  if (eventName) log({ event: eventName });
  const ids = { impUid: fields.imp_uid, merchantUid: fields.merchant_uid };
  const settlement = await settleNotified(deps, ids, isIamport).catch((error: unknown) => {
    const found = problemOf(error);
    // Every fault becomes a 503, after which Iamport repeats the notification: the payment is not settled yet.
    throw found.status === 503 ? found : new Problem('not_settled', found.message, { cause: error });
  });
  if (settlement.kind !== 'settled') {
    log({ outcome: settlement.kind });
    return json(200, { settled: false, code: settlement.kind });
  }
  const { outcome } = settlement;
  log({ merchantUid: outcome.merchantUid, outcome: outcome.status, reason: outcome.reason });
  if (eventName && isStoredFor(outcome, fields.imp_uid)) {
    const stored = await store(fields, eventName, outcome, isIamport, deps);
    log({ notification: stored ? 'stored' : 'not_new' });
  }
  return json(200, { settled: true });
};

/**
 * Only for the payment that settled an order of ours, since a stored notification costs a write and an event. Anyone can
 * open a payment window.
 */
const isStoredFor = ({ status, impUid }: Outcome, notified: string | undefined): boolean =>
  isSettledStatus[status] && impUid === notified;

const isSettledStatus: Readonly<Record<OutcomeStatus, boolean>> = {
  paid: true,
  partial_cancelled: true,
  cancelled: true,
  deposit_reversed: true,
  ready: false,
  failed: false,
  expired: false,
  virtual_account_issued: false,
  rejected: false,
};

/**
 * The least time between two written notifications of unknown senders. Forged ones then cost at most one write and one
 * event a minute. Notifications from Iamport's addresses are always written.
 */
const unknownSenderIntervalSeconds = 60;

/**
 * Stores a notification that no API confirms. The publisher publishes it as unverified, and no decision depends on it.
 * @returns whether it was written
 */
async function store(
  { status, extra }: Body,
  event: string,
  { impUid, merchantUid }: Outcome,
  isIamport: boolean,
  { notifications, clock }: RequestDependencies,
): Promise<boolean> {
  const fields = { status, ...(typeof extra === 'object' && extra) };
  const notification = { impUid, merchantUid, event, content: notificationContent(fields) };
  return notifications.store(notification, unixSeconds(clock), isIamport ? 0 : unknownSenderIntervalSeconds);
}

export const handler = await lambdaHandler(webhook, { primes: true });

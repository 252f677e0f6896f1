/**
 * `POST /payments/webhook`: Iamport says that something happened to a payment. It is not signed, so nothing in it is believed:
 * the ids tell what to ask about, and Iamport's API tells the rest.
 */

import * as z from 'zod/mini';
import { settleNotified } from '../application/look-up.ts';
import { Problem, problemOf } from '../http/problem.ts';
import { bodyFields, impUid, merchantUidHint, optional, parse } from '../http/request.ts';
import { json } from '../http/response.ts';
import { isFromIamport } from '../http/webhook-senders.ts';
import type { Outcome } from '../payment/outcome.ts';
import type { Rooms } from '../runtime/dependencies.ts';
import { type Door, serve } from '../runtime/lambda-handler.ts';
import { unixSeconds } from '../shared/clock.ts';
import { foreignText } from '../shared/foreign-text.ts';

const ownPath = '/payments/webhook';

/** Only the ids are held to a form. Whatever else Iamport writes, today or one day, is no reason to miss a payment. */
export const body = z.object({
  imp_uid: optional(impUid),
  merchant_uid: merchantUidHint,
  status: z.optional(z.unknown()),
  /** Only in notifications of something else than the payment's status. */
  event: z.optional(z.unknown()),
  extra: z.optional(z.unknown()),
});
type Body = z.output<typeof body>;

export const webhook: Door = async ({ event, deadline, note }, rooms) => {
  // Iamport's address, perhaps with a slash at the end. Other addresses come here because of that slash, and are none of ours.
  if (event.rawPath.startsWith('/payments/') && event.rawPath.replace(/\/+$/, '') !== ownPath) {
    throw new Problem('route_not_found', `Iamport notifies ${ownPath}. Remove a slash at the end of another address.`);
  }
  const isIamport = isFromIamport(event);
  note({ sender: isIamport ? 'iamport' : 'other' });
  if (!isIamport) rooms.count({ WebhookFromStranger: 1 });
  if (!isIamport && rooms.config.webhookSenders === 'iamport-only') {
    throw new Problem('sender_refused', 'This deployment takes notifications from the addresses of Iamport only.');
  }
  const fields = parse(body, bodyFields(event));
  if (fields.imp_uid === undefined && fields.merchant_uid === undefined) {
    throw new Problem('invalid_request', 'The body has neither imp_uid nor merchant_uid.');
  }
  note({ impUid: fields.imp_uid, merchantUid: fields.merchant_uid });
  const named = typeof fields.event === 'string' && fields.event !== '' ? short(fields.event, 64) : undefined;
  if (named) note({ event: named });
  const ids = { impUid: fields.imp_uid, merchantUid: fields.merchant_uid };
  const settlement = await settleNotified(rooms, ids, isIamport, deadline).catch((error: unknown) => {
    const found = problemOf(error);
    // Iamport repeats a notification after a 503; whatever it was, this payment is not settled yet.
    throw found.status === 503 ? found : new Problem('not_settled', found.message, { cause: error });
  });
  if (settlement.kind !== 'settled') {
    note({ outcome: settlement.kind });
    return json(200, { settled: false, code: settlement.kind });
  }
  const { outcome } = settlement;
  note({ merchantUid: outcome.merchantUid, outcome: outcome.status, reason: outcome.reason });
  if (named && isKeptFor(outcome, fields.imp_uid)) {
    const kept = await keep(fields, named, outcome, isIamport, rooms);
    note({ notification: kept ? 'kept' : 'not_new' });
  }
  return json(200, { settled: true });
};

/** Only for a payment that settled an order of ours: anybody can open windows, and each would be a write and an event. */
const isKeptFor = ({ status, impUid }: Outcome, notified: string | undefined): boolean =>
  settledStatuses.includes(status) && impUid === notified;
const settledStatuses: readonly Outcome['status'][] = ['paid', 'partial_cancelled', 'cancelled', 'deposit_reversed'];

/**
 * How long an unknown sender's notification keeps a later one of an unknown sender from being written: forged ones then cost one
 * write and one event a minute at most. Those from Iamport's addresses are always written. Seconds.
 */
const unknownSenderInterval = 60;

/** A buyer's own words, such as `denied_reason`, lose what may be personal. A number or a time as text stays. */
const contentOf = (value: string | number): string =>
  typeof value === 'number' || /^\d{1,10}$/.test(value) ? String(value) : foreignText(value);

/** Half a character, sent so or cut so, is none that a table or a bus takes. */
const short = (text: string, most: number): string => text.slice(0, most).toWellFormed();

/** Stores what no API confirms as it came; the publisher passes it on. No decision follows from it. @returns whether it was written */
async function keep(
  { status, extra }: Body,
  event: string,
  { impUid, merchantUid }: Outcome,
  isIamport: boolean,
  { notifications, clock }: Rooms,
): Promise<boolean> {
  const told = { status, ...(typeof extra === 'object' && extra) };
  // A few short texts, whoever wrote them.
  const content = Object.entries(told)
    .filter(
      (field): field is [string, string | number] => field[0] !== '' && ['string', 'number'].includes(typeof field[1]),
    )
    .slice(0, 8)
    .map(([field, value]) => [short(field, 64), contentOf(value)]);
  const notification = { impUid, merchantUid, event, content: Object.fromEntries(content) };
  return notifications.keep(notification, unixSeconds(clock), isIamport ? 0 : unknownSenderInterval);
}

export const handler = await serve(webhook, { settles: true });

/**
 * `POST /payments/webhook`: Iamport says that something happened to a payment. It is not signed, so nothing in it is believed:
 * the ids tell what to ask about, and Iamport's API tells the rest.
 */

import * as z from 'zod/mini';
import { json } from './edge/answer.ts';
import { unixSeconds } from './edge/clock.ts';
import { Problem, problemOf } from './edge/problem.ts';
import { bodyFields, impUid, merchantUid, optional, parse } from './edge/request.ts';
import type { Rooms } from './rooms.ts';
import { type Door, serve } from './serve.ts';
import { settle } from './settle.ts';

/** The addresses that PortOne publishes. They have changed before, so by default a stranger is only counted. */
const iamportsAddresses = new Set(['52.78.100.19', '52.78.48.223', '52.78.5.241']);

/** Only the ids are held to a form. Whatever else Iamport writes, today or one day, is no reason to miss a payment. */
export const body = z.object({
  imp_uid: impUid,
  merchant_uid: optional(merchantUid),
  status: z.optional(z.unknown()),
  /** Only in notifications of something else than the payment's status. */
  event: z.optional(z.unknown()),
  extra: z.optional(z.unknown()),
});
type Body = z.output<typeof body>;

export const webhook: Door = async ({ event, deadline, note }, rooms) => {
  // Of the connection, never of a header: those are the sender's to write.
  const isIamport = iamportsAddresses.has(event.requestContext.http.sourceIp);
  note({ sender: isIamport ? 'iamport' : 'other' });
  if (!isIamport) rooms.count({ WebhookFromStranger: 1 });
  if (!isIamport && rooms.config.webhookSenders === 'iamport-only') {
    throw new Problem('sender_refused', 'This deployment takes notifications from the addresses of Iamport only.');
  }
  const fields = parse(body, bodyFields(event));
  note({ impUid: fields.imp_uid, merchantUid: fields.merchant_uid });
  const named = typeof fields.event === 'string' && fields.event !== '' ? short(fields.event, 64) : undefined;
  if (named) note({ event: named });
  const subject = { impUid: fields.imp_uid, merchantUid: fields.merchant_uid, mustMatch: false };
  const settlement = await settle(rooms, subject, deadline).catch((error: unknown) => {
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
  // Of a payment that Iamport knows, for the order that Iamport says it names: nobody else's stories are kept.
  if (named) await keep(fields, named, outcome.merchantUid, rooms);
  return json(200, { settled: true });
};

/** Half a character, sent so or cut so, is none that a table or a bus takes. */
const short = (text: string, most: number): string => text.slice(0, most).toWellFormed();

/** What no API confirms is kept as it was told, and passed on as such: nothing of ours follows from it. */
async function keep(fields: Body, event: string, merchantUid: string, { notifications, clock }: Rooms): Promise<void> {
  const { imp_uid, status, extra } = fields;
  const told = { status, ...(typeof extra === 'object' && extra) };
  // A few short texts, whoever wrote them.
  const content = Object.entries(told)
    .filter(
      (field): field is [string, string | number] => field[0] !== '' && ['string', 'number'].includes(typeof field[1]),
    )
    .slice(0, 8)
    .map(([field, value]) => [short(field, 64), short(String(value), 200)]);
  const notification = { impUid: imp_uid, merchantUid, event, content: Object.fromEntries(content) };
  await notifications.keep(notification, unixSeconds(clock));
}

export const handler = await serve(webhook, { settles: true });

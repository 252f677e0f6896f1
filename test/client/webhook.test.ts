/** Verification of webhooks that another author's implementation of Standard Webhooks has signed. */

import { runInNewContext } from 'node:vm';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, test, vi } from 'vitest';
import {
  type ConfirmResponse,
  verifyConfirmation,
  verifyWebhook,
  type WebhookBody,
  type WebhookHeaders,
  WebhookVerificationError,
} from '../../client/index.ts';
import { webhookHeaders } from '../../functions/adapters/webhooks/signature.ts';
import { confirmMessage } from '../../functions/events/confirm-json.ts';
import type { Amount } from '../../functions/payment/money.ts';

const secretOf = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const secret = secretOf('a');
const otherSecret = secretOf('b');
const event = {
  type: 'Payment Paid',
  timestamp: '2026-11-28T05:00:00Z',
  data: {
    version: 1,
    id: '주문-1:2',
    merchant_uid: '주문-1',
    imp_uid: 'imp_1',
    amount: 14_000,
    currency: 'KRW',
    status: 'paid',
  },
};
const body = JSON.stringify(event);

/** A request as the API sends it. @param ageSeconds how long ago it was signed */
function signed(text = body, { by = secret, ageSeconds = 0 } = {}) {
  const id = '%EC%A3%BC%EB%AC%B8-1:2';
  const at = new Date(Math.floor(Date.now() / 1000) * 1000 - ageSeconds * 1000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(at.getTime() / 1000),
    'webhook-signature': new Webhook(by).sign(id, at, text),
  };
}

/** The code of the error. */
async function refusalOf(headers: WebhookHeaders, text: WebhookBody = body, secrets: string | string[] = secret) {
  const error: unknown = await verifyWebhook(secrets, headers, text).then(
    () => 'accepted',
    (refused: unknown) => refused,
  );
  expect(error).toBeInstanceOf(WebhookVerificationError);
  return (error as WebhookVerificationError).code;
}

afterEach(() => void vi.useRealTimers());

test('accepts what the function that delivers webhooks signs, with one secret and with two', async () => {
  const content = { id: '주문-1:2', timestamp: Math.floor(Date.now() / 1000), body };
  expect(await verifyWebhook(secret, webhookHeaders([secret], content), body)).toEqual(event);
  for (const known of [secret, otherSecret]) {
    expect(await verifyWebhook(known, webhookHeaders([otherSecret, secret], content), body)).toEqual(event);
  }
});

test('verifies the question before an approval, and refuses an event in its place', async () => {
  const question = { impUid: 'imp_1', merchantUid: '주문-1', amount: 14_000 as Amount, currency: 'KRW' };
  const message = confirmMessage(question, '2026-11-28T05:00:00.000Z');
  const headers = webhookHeaders([secret], { ...message, timestamp: Math.floor(Date.now() / 1000) });
  const { type, data } = await verifyConfirmation(secret, headers, message.body);
  const response: ConfirmResponse = data.amount > 10_000 ? { ok: false, reason: '한도 초과' } : { ok: true };
  expect([type, response]).toEqual(['payment.confirm', { ok: false, reason: '한도 초과' }]);
  await expect(verifyConfirmation(secret, signed(), body)).rejects.toMatchObject({ code: 'body_invalid' });
  await expect(verifyConfirmation(otherSecret, headers, message.body)).rejects.toMatchObject({
    code: 'signature_mismatch',
  });
});

test('accepts a webhook that standardwebhooks has signed, and types it by its name', async () => {
  const verified = await verifyWebhook(secret, signed(), body);
  expect(verified).toEqual(event);
  if (verified.type !== 'Payment Paid') throw new Error(verified.type);
  const impUid: string = verified.data.imp_uid;
  // @ts-expect-error: an account is optional in this event.
  expect(verified.data.virtual_account satisfies object).toBeUndefined();
  expect(impUid).toBe('imp_1');
});

test.each<[string, WebhookBody]>([
  ['a Uint8Array', new TextEncoder().encode(body)],
  ['a Buffer that is a part of a larger one', Buffer.from(`--${body}--`).subarray(2, -2)],
  ['an ArrayBuffer', new TextEncoder().encode(body).buffer],
])('accepts a body with Korean text as %s', async (_kind, bytes) => {
  expect(await verifyWebhook(secret, signed(), bytes)).toEqual(event);
});

test.each<[string, (headers: Record<string, string>) => WebhookHeaders]>([
  ['Headers', (headers) => new Headers(headers)],
  ['an object with names in upper case', (headers) => mapped(headers, (name, value) => [name.toUpperCase(), value])],
  [
    'an object with names in title case and lists',
    (headers) => mapped(headers, (name, value) => [titled(name), [value]]),
  ],
])('reads %s', async (_kind, form) => {
  expect(await verifyWebhook(secret, form(signed()), body)).toEqual(event);
});

const mapped = (
  headers: Record<string, string>,
  change: (name: string, value: string) => readonly [string, string | string[]],
): Record<string, string | string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => change(name, value)));
const titled = (name: string) => name.replace(/\b\w/g, (letter) => letter.toUpperCase());

test('accepts the signature of either secret while the secret is changed', async () => {
  expect(await verifyWebhook([secret, otherSecret], signed(body, { by: otherSecret }), body)).toEqual(event);
  expect(await verifyWebhook([secret, otherSecret], signed(body, { by: secret }), body)).toEqual(event);
});

test('accepts one right signature among several, and ignores those of other versions', async () => {
  const headers = signed();
  const wrong = signed(body, { by: otherSecret })['webhook-signature'];
  const several = { ...headers, 'webhook-signature': `v1a,AAAA ${wrong} v1,?? ${headers['webhook-signature']}` };
  expect(await verifyWebhook(secret, several, body)).toEqual(event);
  const ofOtherVersion = { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v2,') };
  expect(await refusalOf(ofOtherVersion)).toBe('signature_mismatch');
});

test('accepts a secret without its prefix', async () => {
  expect(await verifyWebhook(secret.replace('whsec_', ''), signed(), body)).toEqual(event);
});

test('refuses the signature of another secret', async () => {
  expect(await refusalOf(signed(body, { by: otherSecret }))).toBe('signature_mismatch');
});

test('refuses a changed body, id or timestamp', async () => {
  const headers = signed();
  expect(await refusalOf(headers, body.replace('14000', '14001'))).toBe('signature_mismatch');
  expect(await refusalOf(headers, `${body} `)).toBe('signature_mismatch');
  expect(await refusalOf({ ...headers, 'webhook-id': 'other' })).toBe('signature_mismatch');
  const later = String(Number(headers['webhook-timestamp']) + 1);
  expect(await refusalOf({ ...headers, 'webhook-timestamp': later })).toBe('signature_mismatch');
});

test('refuses a signature without bytes, and one that is cut', async () => {
  const headers = signed();
  expect(await refusalOf({ ...headers, 'webhook-signature': 'v1,' })).toBe('signature_mismatch');
  const cut = headers['webhook-signature'].slice(0, -4);
  expect(await refusalOf({ ...headers, 'webhook-signature': cut })).toBe('signature_mismatch');
});

test('refuses a timestamp of more than five minutes ago or ahead, and accepts one of exactly five', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 28), toFake: ['Date'] });
  expect(await refusalOf(signed(body, { ageSeconds: 301 }))).toBe('timestamp_too_old');
  expect(await refusalOf(signed(body, { ageSeconds: -301 }))).toBe('timestamp_too_new');
  expect(await verifyWebhook(secret, signed(body, { ageSeconds: 300 }), body)).toEqual(event);
  expect(await verifyWebhook(secret, signed(body, { ageSeconds: -300 }), body)).toEqual(event);
});

test('takes another tolerance, and accepts nothing with one that is not a number', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 28), toFake: ['Date'] });
  const hourOld = signed(body, { ageSeconds: 3600 });
  expect(await verifyWebhook(secret, hourOld, body, { toleranceSeconds: 3600 })).toEqual(event);
  const unlimited = verifyWebhook(secret, signed(), body, { toleranceSeconds: Number.NaN });
  await expect(unlimited).rejects.toMatchObject({ code: 'timestamp_too_old' });
});

test.each(['', '-1', '1e9', '12.5', 'today'])('refuses the timestamp "%s"', async (timestamp) => {
  const code = timestamp === '' ? 'header_missing' : 'timestamp_invalid';
  expect(await refusalOf({ ...signed(), 'webhook-timestamp': timestamp })).toBe(code);
});

test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('refuses a request without %s', async (name) => {
  const { [name]: _left, ...headers } = signed() as Record<string, string>;
  expect(await refusalOf(headers)).toBe('header_missing');
  expect(await refusalOf(new Headers(headers))).toBe('header_missing');
  await expect(verifyWebhook(secret, headers, body)).rejects.toThrow(`The header ${name} is missing.`);
});

test.each(['not JSON', 'null', '[]', '{}', '{"type":"Payment Paid"}', '{"type":1,"data":{}}'])(
  'refuses the signed body %s',
  async (text) => {
    expect(await refusalOf(signed(text), text)).toBe('body_invalid');
  },
);

test('passes on an event that this version does not list', async () => {
  const text = JSON.stringify({ ...event, type: 'Payment Imagined' });
  expect(await verifyWebhook(secret, signed(text), text)).toMatchObject({ type: 'Payment Imagined' });
});

test('rejects a parsed body with a TypeError that names the mistake', async () => {
  const mistake = verifyWebhook(secret, signed(), event as unknown as string);
  await expect(mistake).rejects.toBeInstanceOf(TypeError);
  await expect(mistake).rejects.toThrow('not parsed JSON');
});

test.each<[string, string | string[]]>([
  ['no secret', []],
  ['an empty secret', 'whsec_'],
  ['a secret that is not base64', 'whsec_not-base64!'],
])('rejects %s with a TypeError that does not contain it', async (_kind, secrets) => {
  const error: unknown = await verifyWebhook(secrets, signed(), body).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(TypeError);
  expect((error as Error).message).not.toContain('not-base64');
});

// Jest runs tests with globals of their own, and the server with those of Node.js.
test.each(['Uint8Array', 'ArrayBuffer'])('accepts a %s of another realm', async (kind) => {
  const bytes = runInNewContext('Uint8Array.from(bytes)', { bytes: [...Buffer.from(body)] });
  expect(bytes instanceof Uint8Array).toBe(false);
  expect(await verifyWebhook(secret, signed(), kind === 'Uint8Array' ? bytes : bytes.buffer)).toEqual(event);
});

/**
 * Verifies webhooks by Standard Webhooks, version 1: HMAC-SHA256 over id, timestamp and body. Source: the
 * specification, https://www.standardwebhooks.com.
 */

import type { ConfirmRequest } from '../functions/events/confirm-json.ts';
import { WebhookVerificationError } from './errors.ts';
import type { WebhookEvent } from './webhook-types.ts';

/** The body as it was received. A parsed and printed body has other bytes, which no signature is of. */
export type WebhookBody = string | Uint8Array | ArrayBuffer;

/** `Headers` of the web, or an object as Node.js and its frameworks have it. Names in any case. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

export interface VerifyOptions {
  /** How much older or newer than now the timestamp may be. Default: 300. */
  readonly toleranceSeconds?: number;
}

const defaultToleranceSeconds = 300;
const secretPrefix = 'whsec_';
const version = 'v1';

/**
 * @param secrets `whsec_…`; two while the secret is changed
 * @returns the event that was signed
 * @throws WebhookVerificationError (as a rejection) for a request that is not to be trusted
 * @throws TypeError (as a rejection) for a secret or a body that the caller passed wrongly
 */
export async function verifyWebhook(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  body: WebhookBody,
  options: VerifyOptions = {},
): Promise<WebhookEvent> {
  return signedBody(secrets, headers, body, options) as Promise<WebhookEvent>;
}

/** As functions/events/confirm-json.ts has it. The client imports only types. */
const confirmType: ConfirmRequest['type'] = 'payment.confirm';

/**
 * Verifies the question whether a payment may be approved. Answer 200 with a `ConfirmResponse` within 3 seconds.
 * @param secrets `whsec_…` of confirmations, which is not that of webhooks; two while the secret is changed
 * @returns the question that was signed
 * @throws as `verifyWebhook` does, and for a signed body that is no such question
 */
export async function verifyConfirmation(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  body: WebhookBody,
  options: VerifyOptions = {},
): Promise<ConfirmRequest> {
  const request = await signedBody(secrets, headers, body, options);
  if (request.type !== confirmType) throw invalidBody();
  return request as ConfirmRequest;
}

/** @returns the parsed body, with a type and data */
async function signedBody(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  body: WebhookBody,
  { toleranceSeconds = defaultToleranceSeconds }: VerifyOptions,
): Promise<{ readonly type: string }> {
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).map(keyBytes);
  if (keys.length === 0) throw new TypeError('Pass at least one secret (whsec_…) of the webhook.');
  const bytes = bodyBytes(body);
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = signaturesIn(header(headers, 'webhook-signature'));
  checkTime(timestamp, toleranceSeconds);
  const signed = concatenated(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  if (!(await isSigned(signed, keys, signatures))) {
    throw new WebhookVerificationError(
      'signature_mismatch',
      'No signature is of this body: check the secret, and pass the body as it was received.',
    );
  }
  return contentOf(bytes);
}

/** @throws TypeError for a text that is not base64, without the text itself */
function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = base64Bytes(secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret);
  if (!bytes || bytes.length === 0) {
    throw new TypeError('A secret of a webhook must be whsec_ and base64. Pass it as the stack generated it.');
  }
  return bytes;
}

/** @throws TypeError for a parsed body */
function bodyBytes(body: WebhookBody): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  // Not `instanceof`: in Jest a Buffer is of another realm.
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (Object.prototype.toString.call(body) === '[object ArrayBuffer]') return new Uint8Array(body);
  throw new TypeError('Pass the body as it was received: a string, a Uint8Array or an ArrayBuffer, not parsed JSON.');
}

/** @throws WebhookVerificationError when the header is missing or empty */
function header(headers: WebhookHeaders, name: string): string {
  const value = isHeaders(headers) ? headers.get(name) : fieldIn(headers, name);
  const text = typeof value === 'string' ? value : value?.join(' ');
  if (text) return text;
  throw new WebhookVerificationError('header_missing', `The header ${name} is missing.`);
}

const isHeaders = (headers: WebhookHeaders): headers is { get(name: string): string | null } =>
  typeof headers.get === 'function';

function fieldIn(fields: Exclude<WebhookHeaders, { get(name: string): string | null }>, name: string) {
  const found = Object.keys(fields).find((field) => field.toLowerCase() === name);
  return found === undefined ? undefined : fields[found];
}

/** @throws WebhookVerificationError when the timestamp is outside the tolerance */
function checkTime(timestamp: string, toleranceSeconds: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new WebhookVerificationError('timestamp_invalid', 'webhook-timestamp must be a time in Unix seconds.');
  }
  const age = Math.floor(Date.now() / 1000) - Number(timestamp);
  // Written so that a tolerance of NaN accepts nothing.
  if (!(age <= toleranceSeconds)) {
    throw new WebhookVerificationError(
      'timestamp_too_old',
      `The webhook was signed ${age} s ago, and ${toleranceSeconds} s are allowed. Each delivery is signed anew.`,
    );
  }
  if (!(-age <= toleranceSeconds)) {
    throw new WebhookVerificationError(
      'timestamp_too_new',
      `The webhook was signed ${-age} s in the future: check the clock of this server.`,
    );
  }
}

/** The signatures of the known version; those of other versions are ignored. */
function signaturesIn(text: string): readonly Uint8Array<ArrayBuffer>[] {
  return text.split(/[ ]+/).flatMap((part) => {
    const [name, signature = ''] = part.split(',');
    return (name === version && base64Bytes(signature)) || [];
  });
}

/** Compares in constant time: `crypto.subtle.verify` does. */
async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  keys: readonly Uint8Array<ArrayBuffer>[],
  signatures: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true;
    }
  }
  return false;
}

const invalidBody = (cause?: unknown) =>
  new WebhookVerificationError('body_invalid', 'The body is signed, and is not what this function verifies.', {
    cause,
  });

/** @throws WebhookVerificationError when the body is JSON of another form */
function contentOf(bytes: Uint8Array): { readonly type: string } {
  let content: { readonly type?: unknown; readonly data?: unknown } | null;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalidBody(error);
  }
  const { type, data } = content ?? {};
  if (typeof type !== 'string' || typeof data !== 'object' || data === null) throw invalidBody();
  return { ...content, type };
}

/** @returns undefined for a text that is not base64 */
function base64Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

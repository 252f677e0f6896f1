/**
 * Signs webhooks by Standard Webhooks, version 1: HMAC-SHA256 over id, timestamp and body. Any of its verification
 * libraries accepts the result. Source: the specification, https://www.standardwebhooks.com.
 */

import { createHmac } from 'node:crypto';

/** How a written secret begins, so that a secret scanner recognises it. It is no part of the key. */
export const secretPrefix = 'whsec_';

/** The lengths of a key that the specification allows. Bytes. */
const keyBytes = { min: 24, max: 64 };

/** The content that one delivery signs and sends. */
export interface SignedContent {
  /** The same in every delivery of one event: `detail.id`. */
  readonly id: string;
  /** Time of this attempt. Unix seconds. A receiver refuses one that is minutes old. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Signs `id.timestamp.body`. An id may contain a dot, yet no other id, timestamp and body give the same text. The body is a JSON
 * object without spaces. Neither a part of it that begins later nor a text that begins in the id is JSON: a quote is out of place.
 * @param secrets base64, with or without `whsec_`. While a secret is changed there are two, and so two signatures.
 * @throws Error for a secret that is not base64 of 24 to 64 bytes. The message does not contain it.
 */
export function webhookHeaders(secrets: readonly string[], content: SignedContent): Record<string, string> {
  const id = headerText(content.id);
  const signed = `${id}.${content.timestamp}.${content.body}`;
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(signed);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(content.timestamp),
    'webhook-signature': signatures.join(' '),
  };
}

/** @throws Error when the text is no key that the specification allows */
export function keyOf(secret: string): Buffer {
  const key = keyIn(secret);
  if (key) return key;
  throw new Error(
    `A webhook secret must be ${secretPrefix} and base64 of ${keyBytes.min} to ${keyBytes.max} random bytes`,
  );
}

/** @returns undefined when the text is no key that the specification allows */
export function keyIn(secret: string): Buffer | undefined {
  const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret;
  const key = Buffer.from(text, 'base64');
  const isKey = key.toString('base64') === text && key.length >= keyBytes.min && key.length <= keyBytes.max;
  return isKey ? key : undefined;
}

/** An order number may be Korean, and an HTTP header is ASCII: percent-encodes all but visible ASCII, and `%` itself. */
const headerText = (text: string): string =>
  text.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]+/gu, (letters) => encodeURIComponent(letters));

/**
 * Reads and checks a request from API Gateway's event (payload 2.0). An invalid request gets one response that lists
 * every error, and causes no call and no write.
 */

import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { orderNumber } from '../payment/order.ts';
import { jsonIn } from '../shared/json-text.ts';
import type { Language } from '../shared/language.ts';
import { Problem } from './problem.ts';

/** 64 KiB. Iamport's notifications and a storefront's requests have a few hundred bytes. */
const maxBodyBytes = 65_536;

/**
 * `imp_`, or `imps_` for payments by API: at most 32 characters (PortOne's V1 API description). It has no character
 * that is special in a path.
 */
export const impUid = z
  .string('must be a text such as imp_123456789012')
  .check(z.regex(/^(?=.{5,32}$)imps?_[0-9A-Za-z_-]+$/, 'must look like imp_123456789012'));

/**
 * The shop's order number: at most 40 characters (Iamport's limit), of any script. Invisible characters, `.` and `..`
 * are refused.
 */
export const merchantUid = z
  .string('must be a text of 1 to 40 characters')
  .check(z.regex(orderNumber, 'must be 1 to 40 visible characters'));

/**
 * The path of the order routes. API Gateway decodes a path before it routes it. A separator in an order number would
 * then lead to another order or to none, so such numbers are refused at registration.
 */
export const orderPath = z.object({
  merchant_uid: merchantUid.check(
    z.regex(/^[^/\\?#%]*$/, 'must have none of / \\ ? # %, which do not survive in a path'),
  ),
});

/**
 * A new order number also has none of `&`, `+`, `=`, which Iamport's redirect, a form or a query changes. It is none of
 * the texts that mean a missing value. Neither rule applies to orders that exist already.
 */
export const newOrderPath = z.object({
  merchant_uid: orderPath.shape.merchant_uid.check(
    z.regex(/^[^&+=]*$/, 'must have none of & + =, which do not survive in a query'),
    z.regex(/^(?!(?:null|undefined|NaN)$)/, 'must be none of null, undefined, NaN, which stand for a missing value'),
  ),
});

/** Texts that pages and SDKs send for a missing value. No order can be registered under one of them. */
const placeholders: readonly unknown[] = [null, '', 'null', 'undefined', 'NaN'];

/** For a field that may be absent, empty as in forms, or a placeholder. */
export const optional = (schema: z.ZodMiniType<string, string>) =>
  z.pipe(
    z.transform((value: unknown) => (placeholders.includes(value) ? undefined : (value as string | undefined))),
    z.optional(schema),
  );

/**
 * For a `merchant_uid` that only helps to find the payment. A text that no order of ours can have is another shop's
 * order number, and is ignored. Two values for the name stay an error.
 */
export const merchantUidHint = z.pipe(
  z.transform((value: unknown) =>
    typeof value === 'string' && !merchantUid.safeParse(value).success ? undefined : value,
  ),
  optional(merchantUid),
);

/**
 * @param fields the request's fields by name
 * @throws Problem `invalid_request` that lists every invalid field with its error
 */
export function parse<Schema extends z.ZodMiniType>(schema: Schema, fields: unknown): z.output<Schema> {
  const found = schema.safeParse(fields);
  if (found.success) return found.data;
  const errors = found.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')} is an unknown field`
      : `${issue.path.join('.') || 'the body'} ${issue.message}`,
  );
  throw new Problem('invalid_request', `${errors.join('; ')}.`);
}

/** @returns the fields of a body that is JSON or a form */
export function bodyFields(event: APIGatewayProxyEventV2): Readonly<Record<string, unknown>> {
  const type = mediaTypeOf(event);
  if (type === 'application/x-www-form-urlencoded') return formFields(bodyOf(event));
  if (type === 'application/json') return jsonFields(bodyOf(event));
  throw new Problem('unsupported_media_type', 'Send application/json or application/x-www-form-urlencoded, in UTF-8.');
}

/** @returns the fields of a body that must be JSON, since forms have no numbers */
export function jsonBodyFields(event: APIGatewayProxyEventV2): Readonly<Record<string, unknown>> {
  if (mediaTypeOf(event) === 'application/json') return jsonFields(bodyOf(event));
  throw new Problem('unsupported_media_type', 'Send application/json, in UTF-8.');
}

/**
 * The fields of the query. To an address with a query, some PGs append theirs after a second `?` (`?to=app?imp_uid=…`),
 * or separated by `&amp;`. A `?` elsewhere in a value stays.
 */
export const queryFields = (event: APIGatewayProxyEventV2) =>
  formFields(event.rawQueryString.replace(secondQuery, '&'));

const secondQuery = /(?:\?|&amp;)(?=(?:imp_uid|merchant_uid|imp_success|success|error_code|error_msg|to|again)=)/g;

/** @returns the media type without its parameters; empty when the charset is not UTF-8 or the body is compressed */
function mediaTypeOf({ headers }: APIGatewayProxyEventV2): string {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const isUtf8Charset = parameters.every(
    (parameter) => !/^\s*charset\s*=/.test(parameter) || /=\s*"?utf-?8"?\s*$/.test(parameter),
  );
  const isPlain = (headers['content-encoding'] ?? 'identity').toLowerCase() === 'identity';
  return isUtf8Charset && isPlain ? type.trim() : '';
}

/** @throws Problem `payload_too_large`, or `invalid_request` for bytes that are not base64 or not UTF-8 */
function bodyOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): string {
  // Base64 has four characters for three bytes, so the length is checked before the body is decoded.
  if (body.length > (isBase64Encoded ? (maxBodyBytes * 4) / 3 + 4 : maxBodyBytes)) throw tooLarge();
  if (isBase64Encoded && !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) {
    throw new Problem('invalid_request', 'The body is marked as base64 and is not.');
  }
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > maxBodyBytes) throw tooLarge();
  if (!isUtf8(bytes)) throw new Problem('invalid_request', 'The body is not UTF-8.');
  return bytes.toString('utf8');
}

const tooLarge = () => new Problem('payload_too_large', `Send at most ${maxBodyBytes} bytes.`);

function jsonFields(text: string): Readonly<Record<string, unknown>> {
  const value = jsonIn(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Problem('invalid_request', 'The body must be JSON, and an object.');
}

/**
 * A name with two different values becomes a list, which no schema accepts: a proxy before us might read the other
 * value. A repeated value counts once. Names that no schema reads may have any number of values.
 */
function formFields(encoded: string): Readonly<Record<string, string | readonly string[]>> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(encoded)) {
    const before = fields.get(name);
    // The list is appended to, not copied: a body may have 32,000 values, and copies would take seconds.
    if (Array.isArray(before)) before.push(value);
    else fields.set(name, before === undefined || before === value ? value : [before, value]);
  }
  return Object.fromEntries(fields);
}

/** The language that the caller prefers (`accept-language`); Korean by default. */
export function languageOf({ headers }: APIGatewayProxyEventV2): Language {
  const wanted = (headers['accept-language'] ?? '')
    .split(',')
    .map((range) => {
      const [tag = '', quality = 'q=1'] = range
        .toLowerCase()
        .split(';')
        .map((part) => part.trim());
      return { language: tag.split('-')[0] ?? '', quality: Number(quality.slice(2)) || 0 };
    })
    .filter(({ language, quality }) => Object.hasOwn(languages, language) && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return (wanted[0]?.language as Language | undefined) ?? 'ko';
}

/** A record, so that a missing language does not compile. */
const languages: Readonly<Record<Language, true>> = { ko: true, en: true };

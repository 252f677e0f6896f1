/**
 * A request, read from API Gateway's event (payload 2.0) and checked before anything else happens: what is wrong with it
 * is said in one answer, and nothing is asked or written for it.
 */

import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { jsonIn } from '../shared/json-text.ts';
import type { Language } from '../shared/language.ts';
import { Problem } from './problem.ts';

/** 64 KiB. Iamport's notifications and a storefront's calls are a few hundred bytes. */
const largestBodyBytes = 65_536;

/** `imp_` (`imps_` for payments by API) and what follows, at most 32 characters (PortOne's V1 API description): nothing in it can leave its place in a path. */
export const impUid = z
  .string('must be a text such as imp_123456789012')
  .check(z.regex(/^(?=.{5,32}$)imps?_[0-9A-Za-z_-]+$/, 'must look like imp_123456789012'));

/** The shop's order number, at most 40 characters as Iamport has it. Any script, but nothing invisible, and no path of dots. */
export const merchantUid = z
  .string('must be a text of 1 to 40 characters')
  .check(
    z.regex(
      /^(?!\.{1,2}$)(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]{1,40}(?<!\s)$/u,
      'must be 1 to 40 visible characters',
    ),
  );

/**
 * The path of the order routes. API Gateway decodes a path before it routes it, so what separates the parts of an address would
 * lead to another order or to none: such numbers are refused when they are registered.
 */
export const orderPath = z.object({
  merchant_uid: merchantUid.check(
    z.regex(/^[^/\\?#%]*$/, 'must have none of / \\ ? # %, which do not survive in a path'),
  ),
});

/**
 * A new order number: besides, none of what Iamport's redirect, a form or a query turns into something else (`&`, `+`, `=`), and none
 * of the texts that stand for a missing value. Numbers of orders that exist already are not held to this.
 */
export const newOrderPath = z.object({
  merchant_uid: orderPath.shape.merchant_uid.check(
    z.regex(/^[^&+=]*$/, 'must have none of & + =, which do not survive in a query'),
    z.regex(/^(?!(?:null|undefined|NaN)$)/, 'must be none of null, undefined, NaN, which stand for a missing value'),
  ),
});

/** Texts that pages and SDKs send where they have no value. No order may be registered under one of them. */
const placeholders: readonly unknown[] = [null, '', 'null', 'undefined', 'NaN'];

/** For a field that may be left out, left empty as forms do, or filled with the text of a missing value. */
export const optional = (schema: z.ZodMiniType<string, string>) =>
  z.pipe(
    z.transform((value: unknown) => (placeholders.includes(value) ? undefined : (value as string | undefined))),
    z.optional(schema),
  );

/**
 * For a `merchant_uid` that only helps to find the payment. A text that no order of ours can have is another shop's order number, and
 * is passed over. Two values for the name stay an error.
 */
export const merchantUidHint = z.pipe(
  z.transform((value: unknown) =>
    typeof value === 'string' && !merchantUid.safeParse(value).success ? undefined : value,
  ),
  optional(merchantUid),
);

/**
 * @param fields what the caller sent, by name
 * @throws Problem `invalid_request` that names every field and what is wrong with it
 */
export function parse<Schema extends z.ZodMiniType>(schema: Schema, fields: unknown): z.output<Schema> {
  const found = schema.safeParse(fields);
  if (found.success) return found.data;
  const wrong = found.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.join(', ')} is no field of it`
      : `${issue.path.join('.') || 'the body'} ${issue.message}`,
  );
  throw new Problem('invalid_request', `${wrong.join('; ')}.`);
}

/** The fields of a body that is JSON or a form. */
export function bodyFields(event: APIGatewayProxyEventV2): Readonly<Record<string, unknown>> {
  const type = mediaTypeOf(event);
  if (type === 'application/x-www-form-urlencoded') return formFields(bodyOf(event));
  if (type === 'application/json') return jsonFields(bodyOf(event));
  throw new Problem('unsupported_media_type', 'Send application/json or application/x-www-form-urlencoded, in UTF-8.');
}

/** The fields of a body that must be JSON, since forms have no numbers. */
export function jsonBodyFields(event: APIGatewayProxyEventV2): Readonly<Record<string, unknown>> {
  if (mediaTypeOf(event) === 'application/json') return jsonFields(bodyOf(event));
  throw new Problem('unsupported_media_type', 'Send application/json, in UTF-8.');
}

/**
 * The fields of the query. Some PGs add their own behind a second `?`, or with `&` as HTML writes it, to an address that has a query
 * already: `?to=app?imp_uid=…`. A `?` elsewhere in a value stays.
 */
export const queryFields = (event: APIGatewayProxyEventV2) =>
  formFields(event.rawQueryString.replace(secondQuery, '&'));

const secondQuery = /(?:\?|&amp;)(?=(?:imp_uid|merchant_uid|imp_success|success|error_code|error_msg|to|again)=)/g;

/** @returns the media type without its parameters; empty when it, its charset or its coding is none that we read */
function mediaTypeOf({ headers }: APIGatewayProxyEventV2): string {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const saysUtf8 = parameters.every(
    (parameter) => !/^\s*charset\s*=/.test(parameter) || /=\s*"?utf-?8"?\s*$/.test(parameter),
  );
  const isPlain = (headers['content-encoding'] ?? 'identity').toLowerCase() === 'identity';
  return saysUtf8 && isPlain ? type.trim() : '';
}

/** @throws Problem `payload_too_large`, or `invalid_request` for bytes that are not base64 or not UTF-8 */
function bodyOf({ body = '', isBase64Encoded }: APIGatewayProxyEventV2): string {
  // Base64 is four characters for three bytes, so this is decided before anything is decoded.
  if (body.length > (isBase64Encoded ? (largestBodyBytes * 4) / 3 + 4 : largestBodyBytes)) throw tooLarge();
  if (isBase64Encoded && !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) {
    throw new Problem('invalid_request', 'The body is marked as base64 and is not.');
  }
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > largestBodyBytes) throw tooLarge();
  if (!isUtf8(bytes)) throw new Problem('invalid_request', 'The body is not UTF-8.');
  return bytes.toString('utf8');
}

const tooLarge = () => new Problem('payload_too_large', `Send at most ${largestBodyBytes} bytes.`);

function jsonFields(text: string): Readonly<Record<string, unknown>> {
  const value = jsonIn(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Problem('invalid_request', 'The body must be JSON, and an object.');
}

/**
 * A name that comes twice with two values could mean one thing to us and another to somebody before us. It becomes a list, which
 * no field of ours may be; one that nobody reads does no harm, and neither does the same value again.
 */
function formFields(encoded: string): Readonly<Record<string, string | readonly string[]>> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(encoded)) {
    const before = fields.get(name);
    // One list for a name, since a body has room for 32,000 of them and a list made anew each time would take seconds.
    if (Array.isArray(before)) before.push(value);
    else fields.set(name, before === undefined || before === value ? value : [before, value]);
  }
  return Object.fromEntries(fields);
}

/** Korean, unless the caller prefers English. */
export function languageOf({ headers }: APIGatewayProxyEventV2): Language {
  const wanted = (headers['accept-language'] ?? '')
    .split(',')
    .map((range) => {
      const [tag = '', quality = 'q=1'] = range.trim().toLowerCase().split(';');
      return { language: tag.split('-')[0], quality: Number(quality.trim().slice(2)) || 0 };
    })
    .filter(({ language, quality }) => (language === 'ko' || language === 'en') && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return wanted[0]?.language === 'en' ? 'en' : 'ko';
}

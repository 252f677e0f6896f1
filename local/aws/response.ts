/** What a function returned as an HTTP answer, by API Gateway's rules for payload format 2.0. */

import { validateHeaderName, validateHeaderValue } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

const json = { 'content-type': 'application/json' };

/** What the gateway says itself, in its own words. */
export const gatewayAnswer = (status: number, message: string): HttpAnswer => ({
  status,
  headers: json,
  cookies: [],
  body: Buffer.from(JSON.stringify({ message })),
});

export const internalServerError = gatewayAnswer(500, 'Internal Server Error');

/**
 * Without a `statusCode` the whole value is the body, as JSON under 200. A value that is no answer is a fault of the function.
 */
export function answerFrom(returned: unknown): HttpAnswer {
  if (typeof returned !== 'object' || returned === null || !('statusCode' in returned)) {
    if (returned === undefined) return { status: 200, headers: json, cookies: [], body: Buffer.alloc(0) };
    const body = typeof returned === 'string' ? returned : JSON.stringify(returned);
    return { status: 200, headers: json, cookies: [], body: Buffer.from(body) };
  }
  const {
    statusCode,
    headers = {},
    cookies = [],
    body = '',
    isBase64Encoded = false,
  } = returned as Record<string, unknown>;
  const status = Number(statusCode);
  const isAnswer = Number.isInteger(status) && status >= 200 && status <= 599 && typeof body === 'string';
  if (!isAnswer || typeof headers !== 'object' || headers === null || !Array.isArray(cookies))
    return internalServerError;
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  if (![...named, ...cookies.map((cookie) => ['set-cookie', String(cookie)] as const)].every(canBeSent))
    return internalServerError;
  return {
    status,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...Object.fromEntries(named) },
    cookies: cookies.map(String),
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  };
}

function canBeSent([name, value]: readonly [string, string]): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

/** Converts a function's return value into an HTTP response, by API Gateway's rules for payload format 2.0. */

import { validateHeaderName, validateHeaderValue } from 'node:http';

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

const json = { 'content-type': 'application/json' };

/** A response of the gateway itself, in API Gateway's own wording. */
export const gatewayResponse = (status: number, message: string): HttpResponse => ({
  status,
  headers: json,
  cookies: [],
  body: Buffer.from(JSON.stringify({ message })),
});

export const internalServerError = gatewayResponse(500, 'Internal Server Error');

/**
 * Without a `statusCode` the whole value is the body, as JSON with status 200. A malformed response becomes a 500.
 */
export function responseFrom(returned: unknown): HttpResponse {
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
  const isResponse = Number.isInteger(status) && status >= 200 && status <= 599 && typeof body === 'string';
  if (!isResponse || typeof headers !== 'object' || headers === null || !Array.isArray(cookies))
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

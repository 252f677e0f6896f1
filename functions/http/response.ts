/** The HTTP responses of all handlers, with the same security headers. */

import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Language } from '../shared/language.ts';
import { problemMessage } from './messages.ts';
import type { Problem } from './problem.ts';

export type HttpResponse = APIGatewayProxyStructuredResultV2;

/** No caching, no MIME sniffing, no referrer, HTTPS only. */
const securityHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
};

export function json(statusCode: number, body: object, headers: Record<string, string> = {}): HttpResponse {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { statusCode, headers: { ...securityHeaders, ...type, ...headers }, body: JSON.stringify(body) };
}

/** 204, without a body. */
export const noContent = (): HttpResponse => ({ statusCode: 204, headers: securityHeaders });

/** 303: the browser requests `location` with GET. */
export const seeOther = (location: string): HttpResponse => ({
  statusCode: 303,
  headers: { ...securityHeaders, location },
});

/** @param policy the page's content security policy */
export function htmlPage(statusCode: number, page: string, policy: string): HttpResponse {
  const headers = {
    ...securityHeaders,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-frame-options': 'DENY',
  };
  return { statusCode, headers, body: page };
}

/**
 * RFC 9457. `code` is stable; `detail` is for the developer who calls; `message` is for the buyer, in the caller's
 * language.
 */
export function problem(problem: Problem, language: Language): HttpResponse {
  const { status, title, code, message: detail, retryAfter } = problem;
  const headers = {
    'content-type': 'application/problem+json',
    'content-language': language,
    // RFC 9110 requires it of a 401.
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  };
  const message = problemMessage(code, language);
  return json(status, { type: 'about:blank', title, status, code, detail, message }, headers);
}

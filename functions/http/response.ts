/** Answers of every door, all with the same protective headers. */

import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Language } from '../shared/language.ts';
import { problemMessage } from './messages.ts';
import type { Problem } from './problem.ts';

export type Answer = APIGatewayProxyStructuredResultV2;

/** Nothing here may be kept, guessed at, framed, or told to another site. */
const protective = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
};

export function json(statusCode: number, body: object, headers: Record<string, string> = {}): Answer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { statusCode, headers: { ...protective, ...type, ...headers }, body: JSON.stringify(body) };
}

/** 204: done, and nothing to say. */
export const nothing = (): Answer => ({ statusCode: 204, headers: protective });

/** 303: the browser goes on by GET. */
export const seeOther = (location: string): Answer => ({ statusCode: 303, headers: { ...protective, location } });

/** @param policy what the page may run and load, as a content security policy */
export function html(statusCode: number, page: string, policy: string): Answer {
  const headers = {
    ...protective,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-frame-options': 'DENY',
  };
  return { statusCode, headers, body: page };
}

/** RFC 9457. `code` never changes; `detail` says what to do; `message` is for a buyer, in the caller's language. */
export function problem(problem: Problem, language: Language): Answer {
  const { status, title, code, message: detail, retryAfter } = problem;
  const headers = {
    'content-type': 'application/problem+json',
    'content-language': language,
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  };
  const message = problemMessage(code, language);
  return json(status, { type: 'about:blank', title, status, code, detail, message }, headers);
}

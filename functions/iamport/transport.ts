/** HTTP to Iamport by undici: one origin, kept connections, no redirects. Knows nothing of tokens or payments. */

import { errors, Pool } from 'undici';
import { IamportUnavailable, IamportUnexpected } from './errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query, already encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** @throws IamportUnavailable when no whole answer came in time */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

/** A page of the ledger with 1,000 payments is about 2 MB. */
const largestAnswerBytes = 8 * 1024 * 1024;

/** @param apiUrl the origin of the API, such as `https://api.iamport.kr`; a path in it is put before every path */
export function undiciTransport(apiUrl: string): Transport {
  const { origin, pathname } = new URL(apiUrl);
  const base = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, { connections: 8, connect: { timeout: 3_000 }, maxResponseSize: largestAnswerBytes });
  return async ({ method, path, headers, body, timeoutMs }) => {
    try {
      const answer = await pool.request({
        method,
        path: base + path,
        headers,
        body: body ?? null,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: answer.statusCode, body: await answer.body.text() };
    } catch (cause) {
      if (cause instanceof errors.ResponseExceededMaxSizeError) {
        throw new IamportUnexpected('Iamport answered with more than 8 MB', { cause });
      }
      throw new IamportUnavailable(`No answer from Iamport to ${method} ${path.split('?')[0]}`, { cause });
    }
  };
}

/** HTTP to Iamport by undici: one origin, kept connections, no redirects. Knows nothing of tokens or payments. */

import type { Socket } from 'node:net';
import { buildConnector, errors, Pool } from 'undici';
import { IamportTooLarge, IamportUnavailable } from '../../application/faults.ts';

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
  /** The header `retry-after`, as it came. */
  readonly retryAfter?: string;
}

/** @throws IamportUnavailable when no whole answer came in time, with `notSent` when no connection could be opened */
export type Transport = (request: HttpRequest) => Promise<HttpAnswer>;

/** A transport that keeps its connections. */
export interface KeptTransport extends Transport {
  /** Opens the first connection before there is anything to ask. @throws Error when it cannot be opened */
  connect(): Promise<void>;
}

const connectTimeoutMs = 3_000;
/** What undici itself trusts an idle connection for. One that was opened early may have lain frozen for hours. */
const freshForMs = 4_000;

/** A page of the ledger with 1,000 payments is about 2 MB. */
const largestAnswerBytes = 8 * 1024 * 1024;

/**
 * @param apiUrl the origin of the API, such as `https://api.iamport.kr`; a path in it is put before every path
 * @param connections how many calls may be under way at once; more wait for their turn
 * @param connect opens a connection
 */
export function undiciTransport(
  apiUrl: string,
  connections = 8,
  connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false }),
): KeptTransport {
  const url = new URL(apiUrl);
  const base = url.pathname.replace(/\/$/, '');
  /** Errors of connections that could not be opened: undici fails the waiting requests with the very same object. */
  const unconnected = new WeakSet<object>();
  const early = earlyConnection(url, (options, done) =>
    connect(options, (...result) => {
      if (result[0]) unconnected.add(result[0]);
      done(...result);
    }),
  );
  const pool = new Pool(url.origin, { connections, connect: early.connector, maxResponseSize: largestAnswerBytes });
  const transport: Transport = async ({ method, path, headers, body: sent, timeoutMs }) => {
    try {
      const answer = await pool.request({
        method,
        path: base + path,
        headers,
        body: sent ?? null,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const retryAfter = answer.headers['retry-after'];
      const body = await answer.body.text();
      return { status: answer.statusCode, body, ...(typeof retryAfter === 'string' && { retryAfter }) };
    } catch (cause) {
      if (cause instanceof errors.ResponseExceededMaxSizeError) {
        throw new IamportTooLarge('Iamport answered with more than 8 MB', { cause });
      }
      const notSent = cause instanceof Error && unconnected.has(cause);
      throw new IamportUnavailable(`No answer from Iamport to ${method} ${path.split('?')[0]}`, { cause, notSent });
    }
  };
  return Object.assign(transport, { connect: early.open });
}

/** undici opens connections when there is a request; this one is opened before, and given to the first that wants one. */
function earlyConnection({ protocol, hostname, host, port }: URL, connect: buildConnector.connector) {
  let early: { socket: Socket; until: number } | undefined;
  const connector: buildConnector.connector = (options, done) => {
    const kept = early;
    early = undefined;
    if (kept && !kept.socket.destroyed && Date.now() < kept.until) {
      // Never while it is still being asked for: undici takes no answer then.
      queueMicrotask(() => done(null, kept.socket));
      return;
    }
    kept?.socket.destroy();
    connect(options, done);
  };
  const open = () =>
    new Promise<void>((resolve, reject) => {
      connect({ protocol, hostname, host, port }, (error, socket) => {
        if (!socket) return reject(error);
        early = { socket, until: Date.now() + freshForMs };
        resolve();
      });
    });
  return { connector, open };
}

/** HTTP to Iamport with undici: one origin, keep-alive, no redirects. Tokens and payments are in other files. */

import type { Socket } from 'node:net';
import { buildConnector, errors, Pool } from 'undici';
import { IamportTooLarge, IamportUnavailable } from '../../application/faults.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
}

export interface TransportResponse {
  readonly status: number;
  readonly body: string;
  /** The header `retry-after`, unparsed. */
  readonly retryAfter?: string;
}

/**
 * @throws IamportUnavailable without a complete response in time, with `notSent` when no connection could be opened
 * @throws IamportTooLarge for a response of more than 8 MB
 */
export type Transport = (request: HttpRequest) => Promise<TransportResponse>;

/** A transport that can open a connection early. */
export interface ConnectingTransport extends Transport {
  /** Opens the first connection before the first request. @throws Error when it cannot be opened */
  connect(): Promise<void>;
}

const connectTimeoutMs = 3_000;
/**
 * undici's default keep-alive time-out of an idle connection. An early connection may be hours old at the first
 * request, since Lambda may freeze the instance after init.
 */
const maxIdleMs = 4_000;

/** A page of 1,000 payments is about 2 MB. */
const maxResponseBytes = 8 * 1024 * 1024;

/**
 * @param apiUrl the origin of the API, such as `https://api.iamport.kr`; a path in it is prefixed to every path
 * @param connections how many calls may run at once; further calls wait
 * @param connect opens a connection
 */
export function undiciTransport(
  apiUrl: string,
  connections = 8,
  connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false }),
): ConnectingTransport {
  const url = new URL(apiUrl);
  const base = url.pathname.replace(/\/$/, '');
  /** Errors of connections that could not be opened. undici rejects the waiting requests with the same object. */
  const unconnected = new WeakSet<object>();
  const early = earlyConnection(url, (options, done) =>
    connect(options, (...result) => {
      if (result[0]) unconnected.add(result[0]);
      done(...result);
    }),
  );
  const pool = new Pool(url.origin, { connections, connect: early.connector, maxResponseSize: maxResponseBytes });
  const transport: Transport = async ({ method, path, headers, body: requestBody, timeoutMs }) => {
    try {
      const response = await pool.request({
        method,
        path: base + path,
        headers,
        body: requestBody ?? null,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const retryAfter = response.headers['retry-after'];
      const body = await response.body.text();
      return { status: response.statusCode, body, ...(typeof retryAfter === 'string' && { retryAfter }) };
    } catch (cause) {
      if (cause instanceof errors.ResponseExceededMaxSizeError) {
        throw new IamportTooLarge('Iamport returned more than 8 MB', { cause });
      }
      const notSent = cause instanceof Error && unconnected.has(cause);
      throw new IamportUnavailable(`No response from Iamport to ${method} ${path.split('?')[0]}`, { cause, notSent });
    }
  };
  return Object.assign(transport, { connect: early.open });
}

/** undici opens a connection for a request. This one is opened earlier and used for the first request. */
function earlyConnection({ protocol, hostname, host, port }: URL, connect: buildConnector.connector) {
  let early: { socket: Socket; until: number } | undefined;
  const connector: buildConnector.connector = (options, done) => {
    const kept = early;
    early = undefined;
    if (kept && !kept.socket.destroyed && Date.now() < kept.until) {
      // Asynchronously: undici ignores a callback during the call of the connector.
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
        early = { socket, until: Date.now() + maxIdleMs };
        resolve();
      });
    });
  return { connector, open };
}

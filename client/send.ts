/** Sends one call to the API: the key, the time limits, the repeats, and the errors. */

import { type ErrorCode, PaymentsError } from './errors.ts';

export interface PaymentsOptions {
  /** The output `ApiUrl` of the stack, or your own domain. */
  readonly url: string;
  /** A key of the shop's server, `sk_…`. Never in a browser or an app. */
  readonly key: string;
  /** Default: the global `fetch`. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** The limit of one call, with its repeats. Default: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** The limit of one attempt. Default: 15,000; the API itself answers within 12 seconds. */
  readonly attemptTimeoutMs?: number | undefined;
}

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly fields?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The API carries out the same call once, however often it is sent. */
  readonly isRepeatable: boolean;
}

const defaults = { timeoutMs: 30_000, attemptTimeoutMs: 15_000 };
const maxAttempts = 4;
/** The first pause, where the API sends no `retry-after`. Each further pause is twice as long. */
const firstPauseMs = 250;
/** Throttled, or a temporary fault. API Gateway answers 504 when a function returned nothing in time. */
const temporaryStatuses: readonly number[] = [429, 503, 504];

/**
 * @returns a function that resolves with the parsed body, `undefined` for 204, and rejects with a PaymentsError
 * @throws TypeError for a URL or a key that cannot be used
 */
export function sender(options: PaymentsOptions): (call: Call) => Promise<unknown> {
  const { key, timeoutMs = defaults.timeoutMs, attemptTimeoutMs = defaults.attemptTimeoutMs } = options;
  const base = baseOf(options.url);
  checkKey(key);
  const fetchOf = options.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));

  /** One attempt. @param json the body */
  async function attempt({ method, path, headers }: Call, json: string | undefined, limitMs: number): Promise<unknown> {
    const name = `${method} ${path}`;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), limitMs);
    let response: Response;
    let text: string;
    try {
      response = await fetchOf(base + path, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${key}`,
          ...(json && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json && { body: json }),
        // The API redirects nowhere, and the key must go nowhere else.
        redirect: 'manual',
        signal: controller.signal,
      });
      text = await response.text();
    } catch (cause) {
      throw controller.signal.aborted
        ? new PaymentsError(name, { code: 'timeout', detail: `No response within ${limitMs} ms.`, cause })
        : new PaymentsError(name, { code: 'network_error', detail: 'No response: see the cause.', cause });
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw refusal(name, response, text);
    if (response.status === 204) return undefined;
    const body = jsonIn(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
    throw new PaymentsError(name, {
      code: 'invalid_response',
      status: response.status,
      detail: 'The body is not a JSON object: check that url is the address of the API.',
    });
  }

  return async (call) => {
    // Outside of the attempts: an amount of type bigint is a TypeError of the caller, and not a fault of the network.
    const json = call.fields && JSON.stringify(call.fields);
    const end = Date.now() + timeoutMs;
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt(call, json, Math.min(attemptTimeoutMs, Math.max(end - Date.now(), 1)));
      } catch (error) {
        if (!(error instanceof PaymentsError)) throw error;
        const pauseMs = pauseAfter(error, attempts);
        if (!call.isRepeatable || pauseMs === undefined || Date.now() + pauseMs >= end) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
}

/** @returns the milliseconds until the next attempt; undefined when another attempt is of no use */
function pauseAfter({ code, status, retryAfterSeconds }: PaymentsError, attempts: number): number | undefined {
  const isTemporary =
    status === undefined ? code === 'network_error' || code === 'timeout' : temporaryStatuses.includes(status);
  if (!isTemporary || attempts >= maxAttempts) return undefined;
  if (retryAfterSeconds !== undefined) return retryAfterSeconds * 1000;
  // Half of it by chance, so that servers that failed together do not return together.
  return firstPauseMs * 2 ** (attempts - 1) * (0.5 + Math.random() / 2);
}

/** The error of a response with a problem of RFC 9457, or with another body. */
function refusal(name: string, { status, headers }: Response, text: string): PaymentsError {
  const body = jsonIn(text) as { code?: unknown; detail?: unknown; message?: unknown } | null | undefined;
  const { code, detail, message } = body ?? {};
  const hasCode = typeof code === 'string';
  const shown = hasCode ? detail : message;
  return new PaymentsError(name, {
    code: hasCode ? (code as ErrorCode) : 'http_error',
    status,
    detail: typeof shown === 'string' ? shown : 'The response is not one of the API: check url.',
    retryAfterSeconds: secondsIn(headers.get('retry-after')),
  });
}

/** Seconds only: the API sends no dates. */
const secondsIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws TypeError unless it is https, or http to this machine: the key would be readable on the way */
function baseOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError('url must be the address of the API, such as https://pay.my-shop.kr', { cause });
  }
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) {
    throw new TypeError('url must begin with https://, since each call contains the key.');
  }
  if (url.search || url.hash || url.username) throw new TypeError('url must have no user, no query and no fragment.');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** @throws TypeError without the key itself, since error messages are logged */
function checkKey(key: string): void {
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key)) {
    throw new TypeError('key must be a key of the shop (sk_…), without spaces.');
  }
}

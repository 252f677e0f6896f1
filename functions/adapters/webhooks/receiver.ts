/**
 * Sends a webhook over HTTP. Not with undici, which is 150 KB of a bundle: a delivery is one request, and the function
 * needs neither a pool nor a parser of its own.
 */

import { lookup as systemLookup } from 'node:dns';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { WebhookNoResponse } from '../../application/faults.ts';
import type { WebhookResponse } from '../../application/ports/delivery.ts';
import { hostOf, isLoopbackAddress, isPublicAddress, webhookUrlProblem } from './address.ts';

export interface ReceiverOptions {
  readonly url: string;
  /** From the name lookup to the end of the response. */
  readonly timeoutMs: number;
  /** True only in the local system: allows http, and only to this machine's own addresses. */
  readonly allowsLoopback: boolean;
  /** The DNS, for tests. */
  readonly lookup?: typeof systemLookup;
}

/** More than this of a response's body is not received. Bytes. */
const maxBodyBytes = 16 * 1024;

export interface ReceiverResponse extends WebhookResponse {
  /** UTF-8. Undefined when the body was longer than 16 KB, broke off, or did not end in time. */
  readonly body: string | undefined;
}

/**
 * Follows no redirect, since a redirect could lead to a private address.
 * @returns a function that sends a body and resolves with the response
 */
export function webhookSender({ url: text, timeoutMs, allowsLoopback, lookup = systemLookup }: ReceiverOptions) {
  /** @throws WebhookNoResponse without a response in time, or for an address that is not allowed */
  return (headers: Readonly<Record<string, string>>, body: string): Promise<ReceiverResponse> =>
    new Promise((resolve, reject) => {
      const fail = (message: string, cause?: unknown) => reject(new WebhookNoResponse(message, { cause }));
      const problem = webhookUrlProblem(text, allowsLoopback);
      if (problem) return fail(`The URL of the webhook ${problem}`);
      const url = new URL(text);
      const isAllowed = (address: string) => isPublicAddress(address) || (allowsLoopback && isLoopbackAddress(address));
      // Node.js looks up names only. The rule for the URL has checked a written address, and this checks it once more.
      if (isIP(hostOf(url)) && !isAllowed(hostOf(url))) return fail(notAllowed(url, [hostOf(url)]));
      const signal = AbortSignal.timeout(timeoutMs);
      const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
      const request: ClientRequest = send(url, {
        method: 'POST',
        // A connection of its own: an idle one would be closed by the time of the next event.
        agent: false,
        signal,
        lookup: checkedLookup(url, isAllowed, lookup),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'iamport-serverless',
        },
      });
      /** The status is a response, also when the body breaks off after it. */
      let read: (() => ReceiverResponse) | undefined;
      request.on('response', (response) => {
        read = responseOf(response);
      });
      request.on('error', (error) => {
        if (read) resolve(read());
        else if (signal.aborted) fail(`No answer within ${timeoutMs} ms`);
        else fail('The webhook was not answered', error);
      });
      request.on('close', () => (read ? resolve(read()) : fail('The webhook was not answered')));
      request.end(body);
    });
}

/** Receives the body up to its limit. @returns a function that returns the response as received so far */
function responseOf(response: IncomingMessage): () => ReceiverResponse {
  const parts: Buffer[] = [];
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > maxBodyBytes) response.destroy();
    else parts.push(part);
  });
  response.on('error', () => undefined);
  return () => ({
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: response.complete && bytes <= maxBodyBytes ? Buffer.concat(parts).toString() : undefined,
  });
}

/** A lookup that returns only allowed addresses: the check and the connection use the same answer of the DNS. */
function checkedLookup(url: URL, isAllowed: (address: string) => boolean, lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const allowed = found.filter(({ address }) => isAllowed(address));
      const [first] = allowed;
      if (!first)
        return done(
          new Error(
            notAllowed(
              url,
              found.map(({ address }) => address),
            ),
          ),
          [],
        );
      if (options.all) return done(null, allowed);
      done(null, first.address, first.family);
    });
  };
}

const notAllowed = ({ hostname }: URL, addresses: readonly string[]): string =>
  `${hostname} is at ${addresses.join(', ')}: webhooks are sent only to public addresses`;

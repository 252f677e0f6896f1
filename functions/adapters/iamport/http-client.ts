/** Calls of Iamport's V1 REST API: access token, deadline, retries and waiting after a 429. */

import { IamportBusy, IamportRefused, IamportUnavailable, markNotSent, NoTimeLeft } from '../../application/faults.ts';
import type { Clock, Deadline, Random } from '../../shared/clock.ts';
import { createBackoff } from './backoff.ts';
import { type SharedToken, type Token, tokensFrom } from './tokens.ts';
import type { HttpRequest, Transport, TransportResponse } from './transport.ts';
import { type Envelope, envelopeOf, tokenOf } from './wire.ts';

/** The shop's keys at Iamport. Source: the REST API key and secret in Iamport's console. */
export interface Credentials {
  readonly impKey: string;
  readonly impSecret: string;
  /** KG Inicis' own key. Without it KG Inicis revokes no virtual account. */
  readonly pgApiKey?: string;
}

export interface HttpClientOptions {
  readonly transport: Transport;
  /** Called only when a token is needed. @param again the last keys were refused, so they may have been replaced */
  readonly credentials: (again: boolean) => Promise<Credentials>;
  readonly sharedToken: SharedToken;
  readonly clock: Clock;
  readonly random: Random;
}

/** A call of the API. `tier` is a sub-merchant's code, sent as the header `Tier`. */
export type ApiCall = Pick<HttpRequest, 'method' | 'path'> & {
  readonly body?: object;
  readonly tier?: string | undefined;
};

export interface HttpClient {
  /**
   * Sends a call with a token. A token that Iamport refuses is replaced.
   * @throws IamportUnavailable for a 5xx, a redirect or no response; IamportBusy for a 429; NoTimeLeft
   * @throws IamportFault with `notSent` when no token can be obtained
   */
  send(call: ApiCall, deadline: Deadline): Promise<TransportResponse>;
  /** Obtains a token before the first call. @throws as `send` does */
  prepareToken(deadline: Deadline): Promise<void>;
}

/** The functions have 12 s and a request 10 s. One call must leave time for the next one. */
const callTimeoutMs = 4_000;
/** Reads are tried twice. A second failure within seconds means an outage of Iamport, and the caller retries later. */
const readTries = 2;
/** Our own token and the shared one of another instance may both have expired early. */
const maxRefusedTokens = 2;

export function createHttpClient({
  transport,
  credentials,
  sharedToken,
  clock,
  random,
}: HttpClientOptions): HttpClient {
  const backoff = createBackoff(clock);

  const sendOnce = async (
    { method, path, body }: ApiCall,
    headers: Record<string, string>,
    timeoutMs: number,
  ): Promise<TransportResponse> => {
    const json = body && { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const name = `${method} ${path.split('?')[0]}`;
    backoff.check(name);
    const response = await transport({ method, path, headers, timeoutMs, ...json });
    if (response.status === 429) throw backoff.record(name, response.retryAfter);
    // Redirects are never followed. After a 5xx the caller retries later.
    if (response.status >= 500 || (response.status >= 300 && response.status < 400)) {
      throw new IamportUnavailable(`Iamport returned ${response.status} to ${name}`);
    }
    return response;
  };

  /** Sends one call within the deadline. Only reads are repeated: a repeat of a cancel could cancel twice. */
  const sendInTime = async (
    call: ApiCall,
    headers: Record<string, string>,
    deadline: Deadline,
    tries = call.method === 'GET' ? readTries : 1,
  ): Promise<TransportResponse> => {
    for (let left = tries; ; left -= 1) {
      const timeoutMs = Math.min(callTimeoutMs, deadline.leftMs());
      // A change is sent only when its whole time-out is left, so that its response can be awaited.
      if (timeoutMs <= 0 || (tries === 1 && timeoutMs < callTimeoutMs)) {
        throw new NoTimeLeft(`No time left to call Iamport: ${call.method} ${call.path.split('?')[0]}`);
      }
      try {
        return await sendOnce(call, headers, timeoutMs);
      } catch (error) {
        // Another call after a 429 would make Iamport refuse calls for longer.
        if (!(error instanceof IamportUnavailable) || error instanceof IamportBusy || left <= 1) throw error;
        await clock.sleep(50 + random() * 200);
      }
    }
  };

  /** Iamport returns the same token until it expires, so a repeat of this call is harmless. */
  const fetchToken = async (deadline: Deadline): Promise<Token> => {
    const request = async (again: boolean) => {
      const { impKey, impSecret } = await credentials(again);
      const body = { imp_key: impKey, imp_secret: impSecret };
      return sendInTime({ method: 'POST', path: '/users/getToken', body }, {}, deadline, readTries);
    };
    let response = await request(false);
    // The operator may have replaced the keys after this instance read them.
    if (response.status === 401) response = await request(true);
    if (response.status === 401) {
      throw new IamportRefused('Iamport does not accept imp_key and imp_secret: check the values in the secret', {
        status: 401,
      });
    }
    const { value, livesSeconds } = tokenOf(resultOf(response));
    return { value, expiresAt: clock.now() + livesSeconds * 1000 };
  };
  const tokens = tokensFrom(fetchToken, sharedToken, clock, random);

  return {
    async send(call, deadline) {
      const tier = call.tier && { tier: call.tier };
      const fail = (error: unknown) => {
        throw markNotSent(error);
      };
      let token = await tokens.current(deadline).catch(fail);
      for (let refused = 0; ; refused += 1) {
        const response = await sendInTime(call, { ...tier, authorization: token }, deadline);
        if (response.status !== 401 || refused === maxRefusedTokens) return response;
        // Iamport checks the token before it reads the request, so a call with a refused token had no effect.
        token = await tokens.replace(token, deadline).catch(fail);
      }
    },

    async prepareToken(deadline) {
      await tokens.current(deadline);
    },
  };
}

/** A 404 in Iamport's own form. A 404 of a proxy has another form, and `envelopeOf` throws. */
export const isNotFound = ({ status, body }: TransportResponse): boolean =>
  status === 404 && envelopeOf(body).code !== 0;

/**
 * @returns the field `response` of a successful response
 * @throws IamportRefused for a `code` other than 0, whatever the HTTP status; IamportUnexpected for an unknown form
 */
export function resultOf({ status, body }: TransportResponse): unknown {
  if (status === 401)
    throw new IamportRefused('Iamport does not accept a token that it has just issued', { status: 401, notSent: true });
  const { code, message, response }: Envelope = envelopeOf(body);
  if (code !== 0 || status >= 400) throw new IamportRefused(message ?? `Iamport returned code ${code}`, { status });
  return response;
}

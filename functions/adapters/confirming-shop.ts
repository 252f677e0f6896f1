/** Asks the shop's own server or function whether a payment may be approved. One attempt: the buyer waits. */

import { ShopNoResponse } from '../application/faults.ts';
import { type Clock, unixSeconds } from '../shared/clock.ts';
import { jsonIn } from '../shared/json-text.ts';
import { type AwsClient, signedPost } from './signed-call.ts';
import type { webhookSender } from './webhooks/receiver.ts';
import type { WebhookSecrets } from './webhooks/secrets.ts';
import { type SignedContent, webhookHeaders } from './webhooks/signature.ts';

/** `body`: JSON. */
export type ConfirmMessage = Pick<SignedContent, 'id' | 'body'>;

/** @returns the JSON value of the response; undefined for a text that is no JSON. @throws any error without a response */
export type AskShop = (message: ConfirmMessage) => Promise<unknown>;

/** @returns a function that POSTs the message to the shop's server, signed like a webhook */
export function shopServer(secrets: WebhookSecrets, send: ReturnType<typeof webhookSender>, clock: Clock): AskShop {
  return async ({ id, body }) => {
    const timestamp = unixSeconds(clock);
    const response = await send(webhookHeaders(await secrets.read(), { id, timestamp, body }), body);
    // The response of a receiver that has a newer secret.
    if (response.status === 401 || response.status === 403) secrets.doubt();
    if (response.status !== 200) throw new ShopNoResponse(`The server of the shop answered ${response.status}`);
    if (response.body === undefined)
      throw new ShopNoResponse('The answer of the shop is longer than 16 KB, or broke off');
    return jsonIn(response.body);
  };
}

/** Lambda allows 6 MB. A response is one short object. Bytes. */
const maxResponseBytes = 16 * 1024;

/**
 * @param functionArn with or without a version or an alias
 * @param endpoint of Lambda's API, without a path
 * @returns a function that invokes the shop's function with the message's body as its event, and waits for its result
 * Source: "Invoke", Lambda API reference.
 */
export function shopFunction(client: AwsClient, functionArn: string, endpoint: string): AskShop {
  const url = new URL(`/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`, endpoint);
  const headers = { 'content-type': 'application/json', 'x-amz-invocation-type': 'RequestResponse' };
  return async ({ body }) => {
    const response = await signedPost(client, { service: 'lambda', url, headers, body });
    if (response.statusCode !== 200) {
      response.body.destroy();
      throw new ShopNoResponse(`Lambda answered ${response.statusCode} to the invocation of the function of the shop`);
    }
    // The result of a failed invocation is its error message and its stack, which may contain personal data.
    if (response.headers['x-amz-function-error'] !== undefined) {
      response.body.destroy();
      throw new ShopNoResponse('The function of the shop failed: its own log has the error');
    }
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of response.body as AsyncIterable<Buffer>) {
      bytes += part.length;
      // The end of the loop destroys the stream.
      if (bytes > maxResponseBytes) throw new ShopNoResponse('The answer of the shop is longer than 16 KB');
      parts.push(part);
    }
    return jsonIn(Buffer.concat(parts).toString());
  };
}

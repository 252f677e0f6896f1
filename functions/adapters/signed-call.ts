/**
 * One signed POST to an AWS service. The SDK's client of that service would be another dependency. The bundle already
 * contains the signer and the HTTP handler of another client of the SDK.
 */

import type { Readable } from 'node:stream';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignatureV4 } from '@smithy/signature-v4';

/** A client of the SDK: its credentials, region, hash and HTTP handler (with its time-outs) are used. */
export interface AwsClient {
  readonly config: Pick<SecretsManagerClient['config'], 'credentials' | 'region' | 'sha256' | 'requestHandler'>;
}

export interface SignedRequest {
  /** As in the signature: `sqs`, `lambda`. */
  readonly service: string;
  /** Without a query. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SignedResponse {
  readonly statusCode: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** @throws the error of the HTTP handler when there is no response */
export async function signedPost(
  { config }: AwsClient,
  { service, url, headers, body }: SignedRequest,
): Promise<SignedResponse> {
  const { credentials, region, sha256 } = config;
  const signer = new SignatureV4({ service, region: await region(), credentials, sha256 });
  const signed = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port && { port: Number(url.port) }),
    path: url.pathname,
    headers: { host: url.host, ...headers },
    body,
  });
  const { response } = await config.requestHandler.handle(signed as Parameters<typeof config.requestHandler.handle>[0]);
  return response as SignedResponse;
}

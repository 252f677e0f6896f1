/**
 * AWS Signature Version 4 on the IAM-signed routes: AWS's own signer signs the request again, and the signatures are
 * compared.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import { region } from './template.ts';

/**
 * The only IAM caller of the local system. `curl --aws-sigv4 "aws:amz:ap-northeast-2:execute-api" --user local:local`
 */
export const localCaller = { accessKeyId: 'local', secretAccessKey: 'local' };

/** The maximum difference between the time of signing and the local clock. */
const skewMs = 5 * 60 * 1000;

/** SHA-256 and HMAC-SHA-256 of Node, with the interface that the signer takes. */
export const Sha256 = Hash.bind(null, 'sha256');

const signer = new SignatureV4({
  service: 'execute-api',
  region,
  credentials: localCaller,
  sha256: Sha256,
  applyChecksum: false,
});

interface Signable {
  readonly method: string;
  /** The path and the query, encoded as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** @returns the headers of the request and of its signature */
export async function signed(
  { method, url, headers, body }: Signable,
  at = new Date(),
): Promise<Record<string, string>> {
  const [path = '/', query = ''] = url.split('?', 2);
  const names = new Set(Object.keys(headers));
  const request = {
    method,
    protocol: 'http:',
    hostname: headers.host ?? '',
    path,
    query: queryOf(query),
    headers: { ...headers },
    body,
  };
  return (await signer.sign(request, { signingDate: at, signableHeaders: names })).headers;
}

/**
 * @param now milliseconds since 1970
 * @returns the access key of the caller, or undefined when the signature is missing, wrong or too old
 */
export async function callerOf(request: IncomingMessage, body: Buffer, now: number): Promise<string | undefined> {
  const { authorization = '', 'x-amz-date': time } = request.headers;
  const names = /SignedHeaders=([^,\s]+)/.exec(authorization)?.[1]?.split(';');
  if (!names || typeof time !== 'string') return undefined;
  const at = new Date(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  // An unsigned host or time would let an attacker send a signed request to another host, or again later.
  if (!(Math.abs(now - at.getTime()) <= skewMs) || !names.includes('host') || !names.includes('x-amz-date'))
    return undefined;
  // The signer trusts a hash in the headers, so it must be the hash of this body.
  const { 'x-amz-content-sha256': hash } = request.headers;
  if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex')) return undefined;
  const headers = Object.fromEntries(names.map((name) => [name, (request.headersDistinct[name] ?? []).join(',')]));
  const expected = await signed({ method: request.method ?? '', url: request.url ?? '/', headers, body }, at);
  return withoutSpaces(expected.authorization ?? '') === withoutSpaces(authorization)
    ? localCaller.accessKeyId
    : undefined;
}

/** Callers put different blanks between the parts of the header. */
const withoutSpaces = (text: string): string => text.replaceAll(' ', '');

function queryOf(query: string): Record<string, string | string[]> {
  // A map, since a client chooses the names, and an object has inherited ones.
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return Object.fromEntries(parameters);
}

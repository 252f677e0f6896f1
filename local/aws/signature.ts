/** AWS Signature Version 4 on the IAM-signed routes: AWS's own signer signs the request again, and the signatures are compared. */

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { region } from './template.ts';

/** The one caller that the local system knows. `curl --aws-sigv4 "aws:amz:ap-northeast-2:execute-api" --user local:local` */
export const localCaller = { accessKeyId: 'local', secretAccessKey: 'local' };

/** How far the time of signing may be from ours. */
const skewMs = 5 * 60 * 1000;

/** SHA-256 of Node, in the form that the signer takes. */
export class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : bytesOf(secret));
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof chunk === 'string' ? chunk : bytesOf(chunk));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = createHash('sha256');
  }
}

const bytesOf = (view: ArrayBuffer | ArrayBufferView): Buffer =>
  view instanceof ArrayBuffer ? Buffer.from(view) : Buffer.from(view.buffer, view.byteOffset, view.byteLength);

const signer = new SignatureV4({
  service: 'execute-api',
  region,
  credentials: localCaller,
  sha256: Sha256,
  applyChecksum: false,
});

interface Signable {
  readonly method: string;
  /** With its query, encoded as it is sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** @returns the headers of the request with those of its signature */
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
  // An unsigned host or time would let a signed request be sent elsewhere, or again.
  if (!(Math.abs(now - at.getTime()) <= skewMs) || !names.includes('host') || !names.includes('x-amz-date'))
    return undefined;
  // The signer believes a hash that the headers name; it has to be this body's.
  const { 'x-amz-content-sha256': hash } = request.headers;
  if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex')) return undefined;
  const headers = Object.fromEntries(names.map((name) => [name, (request.headersDistinct[name] ?? []).join(',')]));
  const again = await signed({ method: request.method ?? '', url: request.url ?? '/', headers, body }, at);
  return withoutSpaces(again.authorization ?? '') === withoutSpaces(authorization)
    ? localCaller.accessKeyId
    : undefined;
}

/** Callers put different blanks between the parts of the header. */
const withoutSpaces = (text: string): string => text.replaceAll(' ', '');

function queryOf(query: string): Record<string, string | string[]> {
  // A map, since a stranger chooses the names, and every object has some already.
  const parameters = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return Object.fromEntries(parameters);
}

/**
 * Stubs of Iamport, DynamoDB, Secrets Manager and the shop's server behind TLS. Each has a fixed response time and records every call.
 * They respond only to the calls of a payment and have no state: every order is open, every payment is paid.
 */

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { approvalBy, opened } from '../local/iamport/payment.ts';

/** Milliseconds from the end of the request to the response. */
export const responseAfterMs = { iamport: 40, dynamodb: 4, secrets: 4, shop: 40 };
export type Upstream = keyof typeof responseAfterMs;

/** Times in milliseconds of the process's monotonic clock. */
export interface Call {
  readonly to: Upstream;
  /** `GET /payments`, `UpdateItem`. */
  readonly operation: string;
  readonly begin: number;
  readonly end: number;
}

export interface Upstreams {
  readonly urls: Readonly<Record<Upstream, string>>;
  /** In PEM. Clients have to trust it. */
  readonly certificate: string;
  /** @returns the calls since the last call of this function */
  taken(): readonly Call[];
  close(): Promise<void>;
}

export const price = 14_000;
/** A name and no address, so that every contestant looks it up as it looks up the names of AWS and Iamport. */
const host = 'localhost';

/** @param sharedToken whether the table has a valid access token of this project */
export async function startUpstreams(sharedToken: () => boolean): Promise<Upstreams> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: host }] },
    ],
  });
  let calls: Call[] = [];

  const serve = async (to: Upstream): Promise<Server> => {
    const server = createServer({ key, cert }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const begin = performance.now();
        const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
        const operation = target ?? `${request.method} /${request.url?.split('/')[1]}`;
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
        const result = target
          ? aws(target, body as Input, sharedToken())
          : to === 'shop'
            ? { ok: true }
            : iamport(request.url ?? '/');
        setTimeout(() => {
          calls.push({ to, operation, begin, end: performance.now() });
          response.writeHead(200, { 'content-type': target ? 'application/x-amz-json-1.0' : 'application/json' });
          response.end(JSON.stringify(result));
        }, responseAfterMs[to]);
      });
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return server;
  };

  const servers = {
    iamport: await serve('iamport'),
    dynamodb: await serve('dynamodb'),
    secrets: await serve('secrets'),
    shop: await serve('shop'),
  };
  const urlOf = (server: Server) => `https://${host}:${(server.address() as AddressInfo).port}`;
  return {
    urls: {
      iamport: urlOf(servers.iamport),
      dynamodb: urlOf(servers.dynamodb),
      secrets: urlOf(servers.secrets),
      shop: urlOf(servers.shop),
    },
    certificate: cert,
    taken() {
      const taken = calls;
      calls = [];
      return taken;
    },
    async close() {
      for (const server of Object.values(servers)) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

interface Input {
  readonly TableName?: string;
  readonly Key?: Readonly<Record<string, { S?: string }>>;
}

function iamport(path: string): unknown {
  const now = Math.floor(Date.now() / 1000);
  if (path.startsWith('/users/getToken')) {
    return { code: 0, message: null, response: { access_token: 'a'.repeat(40), now, expired_at: now + 1800 } };
  }
  return { code: 0, message: null, response: paidPayment(path.split(/[/?]/)[2] ?? '', now - 60) };
}

/** A payment by card as Iamport returns it. @param startedAt Unix seconds; it was paid a minute later */
export function paidPayment(impUid: string, startedAt: number) {
  const payment = opened({ merchant_uid: orderOf(impUid), amount: price, pay_method: 'card' }, impUid, startedAt);
  return { ...payment, ...approvalBy('card', '23873472'), status: 'paid', paid_at: startedAt + 60 };
}

/** The order of a payment in this bench. */
export const orderOf = (impUid: string): string => impUid.replace('imp_', 'order-');

function aws(target: string, { Key }: Input, sharedToken: boolean): unknown {
  if (target === 'GetSecretValue') {
    // Every secret of a stack in one: the keys at Iamport, and the key that signs requests to the shop.
    return { SecretString: JSON.stringify({ imp_key: 'bench', imp_secret: 'bench', current: 'b'.repeat(44) }) };
  }
  if (target !== 'GetItem') return {};
  const now = Math.floor(Date.now() / 1000);
  const merchantUid = Key?.merchant_uid?.S;
  if (merchantUid) {
    return {
      Item: {
        merchant_uid: { S: merchantUid },
        amount: { N: String(price) },
        currency: { S: 'KRW' },
        name: { S: '장미 한 다발' },
        status: { S: 'ready' },
        revision: { N: '1' },
        created_at: { N: String(now - 120) },
        updated_at: { N: String(now - 120) },
      },
    };
  }
  if (!sharedToken) return {};
  const expires = String((now + 900) * 1000);
  return {
    Item: { id: { S: 'iamport-token' }, access_token: { S: 'a'.repeat(40) }, expires_at_ms: { N: expires } },
  };
}

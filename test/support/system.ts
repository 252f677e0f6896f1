/** Starts the whole local system for a test file, with its own database, and calls it over HTTP. */

import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { localShopKey } from '../../local/aws/secrets.ts';
import type { FakeIamport } from '../../local/iamport/server.ts';
import { type LocalOptions, startLocal } from '../../local/system.ts';

export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export async function startSystem(options: Partial<LocalOptions> = {}) {
  const faults: string[] = [];
  const local = await startLocal({
    assembly: inject('assembly'),
    port: 0,
    dynamodb: inject('dynamodbEndpoint'),
    databaseKey: `test${randomBytes(8).toString('hex')}`,
    schedules: false,
    report: (fault) => faults.push(fault),
    // Tests cause errors in the log on purpose.
    log: (text) => process.env.LOG && process.stderr.write(text),
    ...options,
  });
  const iamport = local.iamport as FakeIamport;
  const send = (path: string, init: RequestInit = {}) =>
    readResponse(fetch(local.url + path, { redirect: 'manual', ...init }));

  return {
    ...local,
    iamport,
    /** The faults that the local system reported of the functions. */
    faults,
    send,
    complete: (body: object, headers: Record<string, string> = {}) =>
      send('/payments/complete', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    webhook: (body: object) =>
      send('/payments/webhook', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    mobile: (query: Record<string, string>, headers: Record<string, string> = {}) =>
      send(`/payments/complete/mobile?${new URLSearchParams(query)}`, { headers }),
    /** Sends a call with the key that has every right, as the server of the shop does. */
    async shop(method: 'GET' | 'PUT' | 'POST' | 'DELETE', order: string, terms?: object, key?: string) {
      // `order` is an order number, or a path below it.
      const path = `/orders/${order.split('/').map(encodeURIComponent).join('/')}`;
      const body = terms ? JSON.stringify(terms) : '';
      const headers = {
        authorization: `Bearer ${localShopKey}`,
        ...(terms && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      };
      return send(path, { method, headers, ...(terms && { body }) });
    },
    /** Registers a new order of 14,000 won. @returns its order number */
    async order(terms: object = {}): Promise<string> {
      const merchantUid = `order-${randomBytes(6).toString('hex')}`;
      const { status } = await this.shop('PUT', merchantUid, { amount: 14_000, ...terms });
      if (status !== 201) throw new Error(`The order was not registered: ${status}`);
      return merchantUid;
    },
  };
}

export type System = Awaited<ReturnType<typeof startSystem>>;

async function readResponse(pending: Promise<Response>): Promise<TestResponse> {
  const response = await pending;
  const { status, headers } = response;
  const text = await response.text();
  const isJson = /json/.test(headers.get('content-type') ?? '');
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
}

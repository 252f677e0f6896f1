/**
 * Priming: during init the handler runs once against in-process fakes of Iamport and DynamoDB. V8 has then compiled the
 * code path before the first request, down to undici and the SDK. Lambda gives init a whole CPU; a request at 512 MB has
 * less than a third of one.
 *
 * The fakes open no network connection. They wait a turn of the event loop before each response, so as not to delay the
 * real connections: those are opened at the same time.
 */

import type { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { undiciTransport } from '../adapters/iamport/transport.ts';
import { inTime } from '../application/in-time.ts';
import type { HttpResponse } from '../http/response.ts';
import { deadlineIn } from '../shared/clock.ts';
import { nextTurn, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { HttpHandler } from './http-handler.ts';
import { collected, dependenciesOn } from './instance.ts';

/** Many times the usual duration. Lambda allows 10 s for all of init. */
const maxMs = 1_000;

const ids = { imp_uid: 'imp_000000000000', merchant_uid: 'priming' };
/** A request that every handler with `primes: true` accepts. */
const event = {
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(ids),
  rawPath: '/',
  rawQueryString: new URLSearchParams(ids).toString(),
  requestContext: { http: { sourceIp: '127.0.0.1' } },
} as unknown as APIGatewayProxyEventV2;

/**
 * Runs the handler once against in-process fakes of Iamport and DynamoDB, so that its code is compiled.
 * @returns the handler's response for a payment that settles its order
 * @throws the handler's errors
 */
export function prime(handler: HttpHandler, config: Config): Promise<HttpResponse> {
  const transport = undiciTransport(
    config.iamportApiUrl,
    1,
    (_options, done) => void nextTurn().then(() => done(null, new FakeIamportSocket() as unknown as Socket)),
  );
  const dynamodb = fakeDynamodb(config.tables);
  const deps = dependenciesOn({ ...config, shopColumns: undefined }, { dynamodb, transport });
  const deadline = deadlineIn(systemClock, maxMs);
  const primed = { ...deps, count: () => undefined, config: { ...config, webhookSenders: 'any' as const } };
  return handler({ event, log: () => undefined }, inTime(primed, deadline));
}

/** A connection to a fake Iamport, which responds with a paid payment to every request. */
class FakeIamportSocket extends Duplex {
  override _read(): void {}

  override _write(_request: Buffer, _encoding: string, done: () => void): void {
    void nextTurn().then(() => this.push(response));
    done();
  }
}

const paid = JSON.stringify({
  code: 0,
  message: null,
  response: {
    ...ids,
    status: 'paid',
    amount: 1000,
    cancel_amount: 0,
    currency: 'KRW',
    pay_method: 'card',
    pg_provider: 'html5_inicis',
    pg_tid: 'priming',
    apply_num: '0',
    receipt_url: 'https://priming.invalid/',
    name: '',
    paid_at: 1,
    failed_at: 0,
    cancelled_at: 0,
    cancel_history: [],
    sandbox: false,
  },
});
const response = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${paid.length}\r\n\r\n${paid}`;

/** In the table `state`: the shared access token, which does not expire. */
const token = { Item: { access_token: { S: 'priming' }, expires_at_ms: { N: '9000000000000000' } } };

/** In the table `orders`: the order of the payment, not paid yet. */
const order = {
  Item: {
    merchant_uid: { S: ids.merchant_uid },
    amount: { N: '1000' },
    currency: { S: 'KRW' },
    status: { S: 'ready' },
    revision: { N: '1' },
    created_at: { N: '1' },
    updated_at: { N: '1' },
  },
};

/** A client whose GetItem finds the token and the order. Every other call succeeds with an empty response. */
const fakeDynamodb = ({ state, orders }: Config['tables']) =>
  new DynamoDBClient({
    region: 'priming',
    credentials: { accessKeyId: 'priming', secretAccessKey: 'priming' },
    streamCollector: collected,
    requestHandler: {
      handle: async ({ headers, body }: { headers: Record<string, string>; body: Uint8Array }) => {
        await nextTurn();
        // A copy: on the SDK's own bytes `toString` logs a warning.
        const { TableName } = JSON.parse(Buffer.concat([body]).toString());
        const found = headers['x-amz-target']?.endsWith('GetItem') && { [state]: token, [orders]: order }[TableName];
        return {
          response: {
            statusCode: 200,
            headers: { 'content-type': 'application/x-amz-json-1.0' },
            body: Readable.from([Buffer.from(JSON.stringify(found || {}))]),
          },
        };
      },
    },
  });

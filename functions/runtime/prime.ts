/**
 * Before the first buyer comes, the door settles a payment on a stage: with the real code down to undici and the SDK, on an Iamport
 * and a table that are a few texts in this process. Node.js compiles code when it first runs, and init has a whole CPU for that
 * where a request at 256 MB has a seventh of one. Nothing here leads to a network; a turn of the event loop passes before each answer,
 * so that the real connections, which are being opened at the same time, are not kept waiting.
 */

import type { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { undiciTransport } from '../adapters/iamport/transport.ts';
import type { Answer } from '../http/response.ts';
import { deadlineIn } from '../shared/clock.ts';
import { nextTurn, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { collected, roomsOver } from './dependencies.ts';
import type { Door } from './lambda-handler.ts';

/** Many times what it takes: init has 10 s for everything. */
const longestMs = 1_000;

const named = { imp_uid: 'imp_000000000000', merchant_uid: 'rehearsal' };
/** What each door that settles takes for its request. */
const event = {
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(named),
  rawPath: '/',
  rawQueryString: new URLSearchParams(named).toString(),
  requestContext: { http: { sourceIp: '127.0.0.1' } },
} as unknown as APIGatewayProxyEventV2;

/** @returns what the door says of a payment that is as it should be */
export function rehearse(door: Door, config: Config): Promise<Answer> {
  const transport = undiciTransport(
    config.iamportApiUrl,
    1,
    (_options, done) => void nextTurn().then(() => done(null, new Stage() as unknown as Socket)),
  );
  const rooms = roomsOver({ ...config, shopColumns: undefined }, { dynamodb: stagedDynamodb(), transport });
  const deadline = deadlineIn(systemClock, longestMs);
  const staged = { ...rooms, count: () => undefined, config: { ...config, webhookSenders: 'any' as const } };
  return door({ event, deadline, note: () => undefined }, staged);
}

/** A connection at whose other end Iamport says of every payment that it is paid. */
class Stage extends Duplex {
  override _read(): void {}

  override _write(_request: Buffer, _encoding: string, done: () => void): void {
    void nextTurn().then(() => this.push(answer));
    done();
  }
}

const paid = JSON.stringify({
  code: 0,
  message: null,
  response: {
    ...named,
    status: 'paid',
    amount: 1000,
    cancel_amount: 0,
    currency: 'KRW',
    pay_method: 'card',
    pg_provider: 'html5_inicis',
    pg_tid: 'rehearsal',
    apply_num: '0',
    receipt_url: 'https://rehearsal.invalid/',
    name: '',
    paid_at: 1,
    failed_at: 0,
    cancelled_at: 0,
    cancel_history: [],
    sandbox: false,
  },
});
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${paid.length}\r\n\r\n${paid}`;

/** The token and the order are one item, which has what both need. */
const item = {
  Item: {
    access_token: { S: 'rehearsal' },
    expires_at_ms: { N: '9000000000000000' },
    merchant_uid: { S: named.merchant_uid },
    amount: { N: '1000' },
    currency: { S: 'KRW' },
    status: { S: 'ready' },
    revision: { N: '1' },
    created_at: { N: '1' },
    updated_at: { N: '1' },
  },
};

const stagedDynamodb = () =>
  new DynamoDBClient({
    region: 'rehearsal',
    credentials: { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' },
    streamCollector: collected,
    requestHandler: {
      handle: async ({ headers }: { headers: Record<string, string> }) => {
        await nextTurn();
        const json = JSON.stringify(headers['x-amz-target']?.endsWith('GetItem') ? item : {});
        return {
          response: {
            statusCode: 200,
            headers: { 'content-type': 'application/x-amz-json-1.0' },
            body: Readable.from([Buffer.from(json)]),
          },
        };
      },
    },
  });

/** The events that functions receive, from requests over a real socket. Expected values are literals, not computed. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo, type RawRequest, send, startGateway } from './fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ routes: ['ANY /echo', 'ANY /echo/{name}', 'ANY /all/{proxy+}'], code: echo });
});
afterAll(() => gateway.close());

interface Event {
  readonly [field: string]: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestContext: { readonly [field: string]: unknown; readonly http: unknown };
}

const eventOf = async (sent: RawRequest) => (await send(gateway.host, sent)).json as Event;
const form = ['content-type', 'application/x-www-form-urlencoded'];

describe('an event', () => {
  it('has every field of payload format 2.0', async () => {
    const event = await eventOf({ path: '/echo?b=2&a=1', headers: ['User-Agent', 'test/1', 'X-One', 'yes'] });
    const { requestId, time, timeEpoch, ...context } = event.requestContext;
    expect({ ...event, requestContext: context }).toEqual({
      version: '2.0',
      routeKey: 'ANY /echo',
      rawPath: '/echo',
      rawQueryString: 'b=2&a=1',
      headers: {
        host: gateway.host,
        'user-agent': 'test/1',
        'x-one': 'yes',
        connection: 'close',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': String(gateway.port),
        'x-forwarded-proto': 'http',
      },
      queryStringParameters: { b: '2', a: '1' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'local',
        domainName: '127.0.0.1',
        domainPrefix: '127',
        http: { method: 'GET', path: '/echo', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test/1' },
        routeKey: 'ANY /echo',
        stage: '$default',
      },
      isBase64Encoded: false,
    });
    expect(requestId).toMatch(/^[0-9A-Za-z+/]{15}=$/);
    expect(time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/20\d\d:\d\d:\d\d:\d\d \+0000$/);
    expect(Math.abs(Number(timeEpoch) - Date.now())).toBeLessThan(60_000);
  });

  it('has the raw query and the parsed parameters', async () => {
    const event = await eventOf({ path: '/echo?name=%EA%B9%80&plus=a+b&empty=&bare&again=1&again=2' });
    expect(event.rawQueryString).toBe('name=%EA%B9%80&plus=a+b&empty=&bare&again=1&again=2');
    expect(event.queryStringParameters).toEqual({ name: '김', plus: 'a b', empty: '', bare: '', again: '1,2' });
  });

  it('omits an empty query', async () => {
    const event = await eventOf({ path: '/echo?' });
    expect(event.rawQueryString).toBe('');
    expect(event).not.toHaveProperty('queryStringParameters');
  });

  it('joins a repeated header', async () => {
    const event = await eventOf({
      path: '/echo',
      headers: ['X-Two', 'one', 'x-two', 'two', 'Accept', 'a', 'accept', 'b'],
    });
    expect(event.headers).toMatchObject({ 'x-two': 'one,two', accept: 'a,b' });
  });

  it('has the cookies separate from the headers', async () => {
    const event = await eventOf({ path: '/echo', headers: ['Cookie', 'a=1; b=x=y', 'cookie', 'c=3'] });
    expect(event.cookies).toEqual(['a=1', 'b=x=y', 'c=3']);
    expect(event.headers).not.toHaveProperty('cookie');
  });

  it('takes the source address from the socket, not from a header', async () => {
    const event = await eventOf({ path: '/echo', headers: ['X-Forwarded-For', '52.78.100.19'] });
    expect(event.requestContext.http).toMatchObject({ sourceIp: '127.0.0.1' });
    expect(event.headers['x-forwarded-for']).toBe('52.78.100.19,127.0.0.1');
  });

  it.each([
    [
      'is decoded',
      '/echo/%EA%B9%80%20x',
      { routeKey: 'ANY /echo/{name}', rawPath: '/echo/김 x', pathParameters: { name: '김 x' } },
    ],
    ['keeps a plus', '/echo/a+b', { rawPath: '/echo/a+b', pathParameters: { name: 'a+b' } }],
    ['is decoded only once', '/echo/%2541', { rawPath: '/echo/%41', pathParameters: { name: '%41' } }],
    [
      'stays encoded when its encoding is malformed',
      '/echo/%zz',
      { rawPath: '/echo/%zz', pathParameters: { name: '%zz' } },
    ],
    [
      'puts several segments into one parameter',
      '/all/a/b%20c',
      { rawPath: '/all/a/b c', pathParameters: { proxy: 'a/b c' } },
    ],
  ])('has a path that %s', async (_fact, path, expected) => {
    expect(await eventOf({ path })).toMatchObject(expected);
  });

  it.each([
    ['JSON', ['content-type', 'application/json'], '{"김":1}', '{"김":1}', false],
    ['JSON with a charset', ['content-type', 'Application/JSON; charset=UTF-8'], '{}', '{}', false],
    ['text', ['content-type', 'text/plain'], 'hello', 'hello', false],
    ['XML', ['content-type', 'application/xml'], '<a/>', '<a/>', false],
    ['a form', form, 'imp_uid=imp_1', 'aW1wX3VpZD1pbXBfMQ==', true],
    ['no content type', [], 'abc', 'YWJj', true],
    ['a picture', ['content-type', 'image/png'], Buffer.from([0x89, 0, 0xff]), 'iQD/', true],
  ])('encodes %s as API Gateway does', async (_what, headers, body, expected, isBase64Encoded) => {
    const event = await eventOf({ method: 'POST', path: '/echo', headers, body });
    expect([event.body, event.isBase64Encoded]).toEqual([expected, isBase64Encoded]);
  });

  it('omits an empty body', async () => {
    const event = await eventOf({ method: 'POST', path: '/echo', headers: form });
    expect(event).not.toHaveProperty('body');
    expect(event.isBase64Encoded).toBe(false);
  });
});

/** HTTP responses from the return values of a function, by the rules of payload format 2.0, over a real socket. */

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { returnBody, send, startGateway } from './fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ routes: ['POST /returnBody'], code: returnBody });
});
afterAll(() => gateway.close());

const json = ['content-type', 'application/json'];
const responseTo = (returned: unknown) =>
  send(gateway.host, { method: 'POST', path: '/returnBody', headers: json, body: JSON.stringify(returned) });

describe('a function that returns', () => {
  it.each([
    ['a response', { statusCode: 201, headers: { 'X-One': 'a' }, body: 'made' }, 201, { 'x-one': 'a' }, 'made'],
    ['no body', { statusCode: 204 }, 204, {}, ''],
    ['a status as text', { statusCode: '404', body: 'x' }, 404, {}, 'x'],
    ['no content type', { statusCode: 200, body: '{}' }, 200, { 'content-type': 'text/plain;charset=UTF-8' }, '{}'],
    ['a header that is a number', { statusCode: 503, headers: { 'Retry-After': 5 } }, 503, { 'retry-after': '5' }, ''],
    ['a value without a status', { hello: 'world' }, 200, { 'content-type': 'application/json' }, '{"hello":"world"}'],
    ['a list', [1, 2], 200, { 'content-type': 'application/json' }, '[1,2]'],
    [
      'a redirect',
      { statusCode: 303, headers: { Location: 'app://x?a=%EA%B9%80' } },
      303,
      { location: 'app://x?a=%EA%B9%80' },
      '',
    ],
    ['Korean', { statusCode: 200, body: '결제 완료' }, 200, { 'content-length': '13' }, '결제 완료'],
  ])('%s', async (_what, returned, status, headers, body) => {
    const response = await responseTo(returned);
    expect([response.status, response.body.toString()]).toEqual([status, body]);
    expect(response.headers).toMatchObject(headers);
  });

  it('a body in base64 responds with its bytes', async () => {
    const response = await responseTo({
      statusCode: 200,
      isBase64Encoded: true,
      body: 'iQD/',
      headers: { 'content-type': 'image/png' },
    });
    expect([...response.body]).toEqual([0x89, 0, 0xff]);
  });

  it('cookies sets each of them', async () => {
    const response = await responseTo({ statusCode: 200, cookies: ['a=1; Secure', 'b=2'] });
    expect(response.headers['set-cookie']).toEqual(['a=1; Secure', 'b=2']);
  });

  it.each([
    ['a status out of range', { statusCode: 99, body: 'x' }],
    ['a status that is not a number', { statusCode: 'ok' }],
    ['a body that is not text', { statusCode: 200, body: { a: 1 } }],
    ['headers that are not an object', { statusCode: 200, headers: 'x' }],
    ['a header that cannot be sent', { statusCode: 200, headers: { 'x-one': 'a\r\nset-cookie: stolen=1' } }],
    ['a header name that cannot be sent', { statusCode: 200, headers: { 'x one': 'a' } }],
    ['a header beyond Latin-1', { statusCode: 303, headers: { location: '/결과' } }],
    ['cookies that are not a list', { statusCode: 200, cookies: 'a=1' }],
  ])('%s responds with a 500 without details', async (_case, returned) => {
    const response = await responseTo(returned);
    expect(response.status).toBe(500);
    expect(response.json).toEqual({ message: 'Internal Server Error' });
    expect(response.headers).not.toHaveProperty('set-cookie');
  });
});

describe('the gateway', () => {
  it('returns 404 for another route, and for another method', async () => {
    for (const sent of [{ path: '/elsewhere' }, { path: '/returnBody' }, { method: 'HEAD', path: '/returnBody' }]) {
      expect((await send(gateway.host, sent)).status).toBe(404);
    }
    expect((await send(gateway.host, { path: '/returnBody' })).json).toEqual({ message: 'Not Found' });
  });

  it('accepts a body of ten megabytes, and rejects one byte more', async () => {
    const filled = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    const sent = { method: 'POST', path: '/returnBody', headers: json };
    const most = await send(gateway.host, { ...sent, body: filled(10 * 1024 * 1024) });
    expect([most.status, most.body.length]).toEqual([200, 10 * 1024 * 1024 - 2]);
    const more = await send(gateway.host, { ...sent, body: filled(10 * 1024 * 1024 + 1) });
    expect([more.status, more.json]).toEqual([413, { message: 'Request Entity Too Large' }]);
  });

  it('survives a client that disconnects in the middle of a request', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(
      'POST /returnBody HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":',
    );
    socket.resume().end();
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await responseTo({ statusCode: 200, body: 'still here' })).body.toString()).toBe('still here');
    expect(gateway.faults).toEqual([]);
  });
});

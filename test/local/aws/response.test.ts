/** What a caller gets for what a function returns, by the rules of payload format 2.0, over a real socket. */

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { say, send, startGateway } from './fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ routes: ['POST /say'], code: say });
});
afterAll(() => gateway.close());

const json = ['content-type', 'application/json'];
const answerTo = (returned: unknown) =>
  send(gateway.host, { method: 'POST', path: '/say', headers: json, body: JSON.stringify(returned) });

describe('a function that returns', () => {
  it.each([
    ['an answer', { statusCode: 201, headers: { 'X-One': 'a' }, body: 'made' }, 201, { 'x-one': 'a' }, 'made'],
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
    const answer = await answerTo(returned);
    expect([answer.status, answer.body.toString()]).toEqual([status, body]);
    expect(answer.headers).toMatchObject(headers);
  });

  it('a body in base64 answers with its bytes', async () => {
    const answer = await answerTo({
      statusCode: 200,
      isBase64Encoded: true,
      body: 'iQD/',
      headers: { 'content-type': 'image/png' },
    });
    expect([...answer.body]).toEqual([0x89, 0, 0xff]);
  });

  it('cookies sets each of them', async () => {
    const answer = await answerTo({ statusCode: 200, cookies: ['a=1; Secure', 'b=2'] });
    expect(answer.headers['set-cookie']).toEqual(['a=1; Secure', 'b=2']);
  });

  it.each([
    ['no status that there is', { statusCode: 99, body: 'x' }],
    ['a status that is no number', { statusCode: 'ok' }],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['headers that are no object', { statusCode: 200, headers: 'x' }],
    ['a header that cannot be sent', { statusCode: 200, headers: { 'x-one': 'a\r\nset-cookie: stolen=1' } }],
    ['a header name that cannot be sent', { statusCode: 200, headers: { 'x one': 'a' } }],
    ['a header beyond Latin-1', { statusCode: 303, headers: { location: '/결과' } }],
    ['cookies that are no list', { statusCode: 200, cookies: 'a=1' }],
  ])('%s is at fault, and the caller learns no more than that', async (_what, returned) => {
    const answer = await answerTo(returned);
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({ message: 'Internal Server Error' });
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
});

describe('the gateway', () => {
  it('knows no other route, and no other method', async () => {
    for (const sent of [{ path: '/elsewhere' }, { path: '/say' }, { method: 'HEAD', path: '/say' }]) {
      expect((await send(gateway.host, sent)).status).toBe(404);
    }
    expect((await send(gateway.host, { path: '/say' })).json).toEqual({ message: 'Not Found' });
  });

  it('takes a body of ten megabytes, and not a byte more', async () => {
    const filled = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    const sent = { method: 'POST', path: '/say', headers: json };
    const most = await send(gateway.host, { ...sent, body: filled(10 * 1024 * 1024) });
    expect([most.status, most.body.length]).toEqual([200, 10 * 1024 * 1024 - 2]);
    const more = await send(gateway.host, { ...sent, body: filled(10 * 1024 * 1024 + 1) });
    expect([more.status, more.json]).toEqual([413, { message: 'Request Entity Too Large' }]);
  });

  it('outlives a caller who leaves in the middle of a request', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(
      'POST /say HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":',
    );
    socket.resume().end();
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await answerTo({ statusCode: 200, body: 'still here' })).body.toString()).toBe('still here');
    expect(gateway.faults).toEqual([]);
  });
});

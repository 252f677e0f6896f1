/** Signed routes accept a valid signature and reject a changed request. With curl, and with AWS's own signer. */

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signed } from '../../../local/aws/signature.ts';
import { echo, send, startGateway } from './fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ routes: ['signed ANY /orders/{merchant_uid}', 'GET /open'], code: echo });
});
afterAll(() => gateway.close());

/** @returns the status and the JSON of the response */
function curl(...parameters: string[]): Promise<{ status: number; json: Record<string, unknown> }> {
  const child = spawn('curl', ['--silent', '--write-out', '\n%{http_code}', ...parameters]);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      const text = Buffer.concat(output).toString();
      const at = text.lastIndexOf('\n');
      resolve({ status: Number(text.slice(at)), json: JSON.parse(text.slice(0, at) || '{}') });
    });
  });
}
const sigv4 = (user = 'local:local', scope = 'aws:amz:ap-northeast-2:execute-api') => [
  '--aws-sigv4',
  scope,
  '--user',
  user,
];
const json = ['--header', 'content-type: application/json'];

describe('curl', () => {
  it('reads an order', async () => {
    const { status, json: event } = await curl(...sigv4(), `${gateway.url}/orders/m_1`);
    expect(status).toBe(200);
    expect(event.requestContext).toMatchObject({
      authorizer: { iam: { accessKey: 'local', accountId: '000000000000' } },
    });
  });

  it('registers an order', async () => {
    const put = ['--request', 'PUT', ...json, '--data', '{"amount":14000,"name":"김치"}'];
    const { status, json: event } = await curl(...sigv4(), ...put, `${gateway.url}/orders/m_1`);
    expect([status, event.body]).toEqual([200, '{"amount":14000,"name":"김치"}']);
  });

  it('may send a query', async () => {
    const { status, json: event } = await curl(...sigv4(), `${gateway.url}/orders/m_1?a=1&b=x%20y`);
    expect([status, event.queryStringParameters]).toEqual([200, { a: '1', b: 'x y' }]);
  });

  it.each([
    ['no signature', []],
    ['a wrong secret', sigv4('local:guessed')],
    ['another access key', sigv4('other:local')],
    ['another region', sigv4('local:local', 'aws:amz:us-east-1:execute-api')],
    ['another service', sigv4('local:local', 'aws:amz:ap-northeast-2:s3')],
    ['a password instead', ['--user', 'local:local']],
  ])('with %s is refused', async (_what, parameters) => {
    expect(await curl(...parameters, `${gateway.url}/orders/m_1`)).toEqual({
      status: 403,
      json: { message: 'Forbidden' },
    });
  });

  it('needs no signature on an open route', async () => {
    const { status, json: event } = await curl(`${gateway.url}/open`);
    expect(status).toBe(200);
    expect(event.requestContext).not.toHaveProperty('authorizer');
  });
});

describe('a signed request', () => {
  const body = '{"amount":14000}';
  const sign = (headers: Record<string, string> = {}, at = new Date(), url = '/orders/m_1') =>
    signed(
      { method: 'PUT', url, headers: { host: gateway.host, 'content-type': 'application/json', ...headers }, body },
      at,
    );
  const put = (headers: Record<string, string>, changed: { body?: string; path?: string; method?: string } = {}) => {
    const { host: _host, ...others } = headers;
    return send(gateway.host, {
      method: 'PUT',
      path: '/orders/m_1',
      body,
      headers: Object.entries(others).flat(),
      ...changed,
    });
  };
  const minutes = (count: number) => new Date(Date.now() + count * 60_000);

  it('is accepted as signed', async () => {
    expect((await put(await sign())).status).toBe(200);
    expect((await put(await sign({}, minutes(-4)))).status).toBe(200);
  });

  it.each([
    ['another body', { body: '{"amount":100}' }],
    ['another order', { path: '/orders/m_2' }],
    ['another method', { method: 'POST' }],
    ['an added query', { path: '/orders/m_1?x=1' }],
  ])('is refused with %s', async (_what, changed) => {
    expect((await put(await sign(), changed)).status).toBe(403);
  });

  it('is refused at a host that it was not signed for', async () => {
    expect((await put(await sign({ host: 'shop.example' }))).status).toBe(403);
  });

  it('is refused with a changed header', async () => {
    expect((await put({ ...(await sign()), 'content-type': 'text/plain' })).status).toBe(403);
  });

  it('is refused with another body, though its hash was signed', async () => {
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(body));
    const headers = await sign({ 'x-amz-content-sha256': Buffer.from(digest).toString('hex') });
    expect((await put(headers)).status).toBe(200);
    expect((await put(headers, { body: '{"amount":100}' })).status).toBe(403);
    const unsigned = await sign({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
    expect((await put(unsigned, { body: '{"amount":100}' })).status).toBe(403);
  });

  it.each([-6, 6])('is refused when signed %i minutes from now', async (count) => {
    expect((await put(await sign({}, minutes(count)))).status).toBe(403);
  });

  it('may name an order that needs encoding', async () => {
    const headers = await sign({}, new Date(), '/orders/%EA%B9%80%20x');
    expect((await put(headers, { path: '/orders/%EA%B9%80%20x' })).status).toBe(200);
  });

  it.each(['', 'nonsense', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date'])(
    'is refused with the authorization "%s"',
    async (authorization) => {
      expect((await put({ ...(await sign()), authorization })).status).toBe(403);
    },
  );
});

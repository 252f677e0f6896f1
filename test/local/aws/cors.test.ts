/** CORS responses by the template's `CorsConfiguration`, without invoking the function. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { returnBody, send, startGateway } from './fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  const CorsConfiguration = {
    AllowOrigins: ['https://shop.example', 'https://m.shop.example'],
    AllowMethods: ['GET', 'POST'],
    AllowHeaders: ['content-type'],
    ExposeHeaders: ['retry-after'],
    MaxAge: 3600,
  };
  gateway = await startGateway({ routes: ['POST /returnBody'], code: returnBody, api: { CorsConfiguration } });
});
afterAll(() => gateway.close());

const preflight = (origin: string, path = '/returnBody') =>
  send(gateway.host, {
    method: 'OPTIONS',
    path,
    headers: [
      'Origin',
      origin,
      'Access-Control-Request-Method',
      'POST',
      'Access-Control-Request-Headers',
      'content-type',
    ],
  });
const corsOf = (headers: object) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
const responseTo = (returned: object, origin: string) =>
  send(gateway.host, {
    method: 'POST',
    path: '/returnBody',
    headers: ['origin', origin, 'content-type', 'application/json'],
    body: JSON.stringify(returned),
  });

describe('a preflight', () => {
  it('from the storefront gets the allowed methods and headers, on any path', async () => {
    for (const path of ['/returnBody', '/elsewhere']) {
      const { status, headers, body } = await preflight('https://m.shop.example', path);
      expect([status, body.length]).toEqual([204, 0]);
      expect(corsOf(headers)).toEqual({
        'access-control-allow-origin': 'https://m.shop.example',
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'content-type',
        'access-control-expose-headers': 'retry-after',
        'access-control-max-age': '3600',
      });
    }
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1:8080'])(
    'from %s, on this machine, is allowed',
    async (origin) => {
      expect((await preflight(origin)).headers['access-control-allow-origin']).toBe(origin);
    },
  );

  it.each([
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'https://evil.example',
    'http://shop.example',
    'https://shop.example.evil.example',
    'null',
  ])('from %s gets no CORS header', async (origin) => {
    const { status, headers } = await preflight(origin);
    expect([status, corsOf(headers)]).toEqual([204, {}]);
  });

  it('starts no function', async () => {
    expect(gateway.lambda.processIds).toEqual([]);
  });

  it('without an Access-Control-Request-Method is an ordinary OPTIONS request', async () => {
    const { status } = await send(gateway.host, {
      method: 'OPTIONS',
      path: '/returnBody',
      headers: ['origin', 'https://shop.example'],
    });
    expect(status).toBe(404);
  });
});

describe('a response', () => {
  it('to the storefront is readable by it, also when it is an error', async () => {
    for (const statusCode of [200, 503]) {
      const { headers } = await responseTo({ statusCode }, 'https://shop.example');
      expect(corsOf(headers)).toEqual({
        'access-control-allow-origin': 'https://shop.example',
        'access-control-expose-headers': 'retry-after',
      });
    }
  });

  it('omits the CORS headers of a function, as API Gateway ignores them', async () => {
    const returned = { statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*', 'x-other': 'kept' } };
    const { headers } = await responseTo(returned, 'https://evil.example');
    expect(corsOf(headers)).toEqual({});
    expect(headers['x-other']).toBe('kept');
  });
});

it('an API without a CorsConfiguration returns 404 for a preflight', async () => {
  const without = await startGateway({ routes: ['POST /returnBody'], code: returnBody });
  const headers = ['Origin', 'https://shop.example', 'Access-Control-Request-Method', 'POST'];
  expect((await send(without.host, { method: 'OPTIONS', path: '/returnBody', headers })).status).toBe(404);
  await without.close();
});

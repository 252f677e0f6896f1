/** The selection of a route for a request, by the order of API Gateway. */

import { describe, expect, it } from 'vitest';
import { matchRoute, type Route } from '../../../local/aws/routes.ts';

const routes: Route[] = [
  '$default',
  'ANY /{proxy+}',
  'ANY /orders/{proxy+}',
  'GET /orders/{merchant_uid}',
  'ANY /orders/{merchant_uid}',
  'GET /orders/{merchant_uid}/refunds',
  'GET /orders/newest/{rest+}',
  'GET /orders/newest',
  'POST /orders/newest',
].map((key) => ({ key, functionId: 'F', signed: false }));

const matched = (method: string, path: string) => {
  const match = matchRoute(routes, method, path);
  return match && [match.route.key, match.pathParameters];
};

describe('a route', () => {
  it.each([
    ['that is exact precedes one with a parameter', 'GET', '/orders/newest', 'GET /orders/newest', {}],
    [
      'with a parameter precedes a greedy one',
      'GET',
      '/orders/m_1',
      'GET /orders/{merchant_uid}',
      { merchant_uid: 'm_1' },
    ],
    ['of the method precedes ANY', 'PUT', '/orders/m_1', 'ANY /orders/{merchant_uid}', { merchant_uid: 'm_1' }],
    [
      'takes a parameter in the middle',
      'GET',
      '/orders/m_1/refunds',
      'GET /orders/{merchant_uid}/refunds',
      { merchant_uid: 'm_1' },
    ],
    ['that is greedy takes several segments', 'GET', '/orders/m_1/a/b', 'ANY /orders/{proxy+}', { proxy: 'm_1/a/b' }],
    [
      'that is greedy and longer precedes a shorter one',
      'GET',
      '/orders/newest/a/b',
      'GET /orders/newest/{rest+}',
      { rest: 'a/b' },
    ],
    [
      'that is greedy takes every path without another route',
      'GET',
      '/elsewhere/x',
      'ANY /{proxy+}',
      { proxy: 'elsewhere/x' },
    ],
    ['$default takes every other request', 'GET', '/', '$default', {}],
    ['with a trailing slash is another one', 'GET', '/orders/m_1/', 'ANY /orders/{proxy+}', { proxy: 'm_1/' }],
    ['has no empty parameter', 'GET', '/orders/', 'ANY /{proxy+}', { proxy: 'orders/' }],
    ['is case-sensitive', 'GET', '/Orders/newest', 'ANY /{proxy+}', { proxy: 'Orders/newest' }],
  ])('%s', (_fact, method, path, key, parameters) => {
    expect(matched(method, path)).toEqual([key, parameters]);
  });

  it('is selected by its key, not by its position in the template', () => {
    const reversed = routes.toReversed();
    expect(matchRoute(reversed, 'GET', '/orders/newest/a')?.route.key).toBe('GET /orders/newest/{rest+}');
    expect(matchRoute(reversed, 'GET', '/elsewhere')?.route.key).toBe('ANY /{proxy+}');
  });

  it('does not match another method', () => {
    const only: Route[] = [{ key: 'POST /payments/complete', functionId: 'F', signed: false }];
    expect(matchRoute(only, 'GET', '/payments/complete')).toBeUndefined();
    expect(matchRoute(only, 'POST', '/payments/complete/x')).toBeUndefined();
    expect(matchRoute(only, 'POST', '/payments/complete')?.route.key).toBe('POST /payments/complete');
  });
});

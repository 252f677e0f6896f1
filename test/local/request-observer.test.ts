/** The ids that are read from a request, well formed or not. */

import { expect, test } from 'vitest';
import { observeRequest } from '../../local/request-observer.ts';

test.each([
  [
    'POST',
    '/payments/complete',
    '{"imp_uid":"imp_1","merchant_uid":"order-1"}',
    { payment: 'imp_1', order: 'order-1' },
  ],
  ['POST', '/payments/complete', 'imp_uid=imp_1&merchant_uid=order-1', { payment: 'imp_1', order: 'order-1' }],
  ['GET', '/payments/complete/mobile?imp_uid=imp_1', '', { payment: 'imp_1' }],
  ['POST', '/checkout', '{"param":{"merchant_uid":"order-1","buyer_tel":"010"}}', { order: 'order-1' }],
  ['GET', 'http://127.0.0.1:3001/payments/imp_1', '', { payment: 'imp_1' }],
  ['PUT', '/orders/%EC%A3%BC%EB%AC%B8', '{}', { order: '주문' }],
  ['GET', '/orders/%E0%A4%A', '', { order: '%E0%A4%A' }],
  ['GET', '//', '', {}],
  ['POST', '/payments/complete', '{"imp_uid":', {}],
  ['POST', '/payments/complete', '{"imp_uid":7,"merchant_uid":null}', {}],
])('%s %s with %o names %o', (method, url, body, ids) => {
  expect(observeRequest(method, url, body).ids).toEqual(ids);
});

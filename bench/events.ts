/** The events that the bench sends to the measured functions. `payment` counts them, so that each is about a new payment. */

import { eventSource } from '../functions/events/event-schema.ts';
import { orderOf, price } from './upstreams.ts';

const impUidOf = (payment: number): string => `imp_${String(payment).padStart(12, '0')}`;

/** API Gateway's event for the completion of a payment. */
export const completion = (payment: number): object => httpEvent('/payments/complete', payment);

/** API Gateway's event for the question before an approval, with the same fields. */
export const confirmation = (payment: number): object => httpEvent('/payments/confirm', payment);

/** SQS's event with an event of a paid order, as EventBridge puts it into the queue of a webhook. */
export function queuedEvent(payment: number): object {
  const detail = { id: `order-${payment}:2`, merchant_uid: orderOf(impUidOf(payment)), amount: price, status: 'paid' };
  const event = { source: eventSource, 'detail-type': 'Payment Paid', time: '2026-11-23T17:57:47Z', detail };
  const attributes = { SentTimestamp: String(Date.now()) };
  return { Records: [{ messageId: String(payment), receiptHandle: 'bench', body: JSON.stringify(event), attributes }] };
}

function httpEvent(path: string, payment: number): object {
  const impUid = impUidOf(payment);
  const route = { method: 'POST', path };
  return {
    version: '2.0',
    routeKey: `${route.method} ${route.path}`,
    rawPath: route.path,
    rawQueryString: '',
    headers: {
      accept: '*/*',
      'accept-language': 'ko-KR,ko;q=0.9',
      'content-type': 'application/json',
      host: 'abcdefghij.execute-api.ap-northeast-2.amazonaws.com',
      origin: 'https://shop.example',
      'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abcdefghij',
      domainName: 'abcdefghij.execute-api.ap-northeast-2.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: { ...route, protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: 'Mozilla/5.0' },
      requestId: `request-${payment}`,
      routeKey: `${route.method} ${route.path}`,
      stage: '$default',
      time: '23/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_000_000_000,
    },
    body: JSON.stringify({ imp_uid: impUid, merchant_uid: orderOf(impUid), amount: price }),
    isBase64Encoded: false,
  };
}

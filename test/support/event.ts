/** The event of API Gateway (payload 2.0) for a request, for tests that call an HTTP handler directly. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly pathParameters?: Record<string, string>;
  readonly sourceIp?: string;
  readonly requestId?: string;
}

export function eventOf(sent: Sent): APIGatewayProxyEventV2 {
  const { method = 'POST', path = '/', query = '', headers = {}, body, isBase64Encoded = false, pathParameters } = sent;
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: query,
    headers,
    isBase64Encoded,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: sent.sourceIp ?? '203.0.113.9', userAgent: 'test' },
      requestId: sent.requestId ?? 'request-1',
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '23/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_000_000_000,
    },
    ...(body !== undefined && { body }),
    ...(pathParameters && { pathParameters }),
  };
}

export const jsonBody = (value: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

export const formBody = (text: string) => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
  body: text,
});

/** Converts an HTTP request into the event that API Gateway sends to a function (HTTP API, payload format 2.0). */

import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { decoded, type Match } from './routes.ts';

export interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly match: Match;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The access key that signed the request, on an IAM-signed route. */
  readonly accessKey?: string | undefined;
}

export function eventFor({ request, body, match, requestId, now, accessKey }: Received): APIGatewayProxyEventV2 {
  const method = request.method ?? 'GET';
  const [rawPath, query] = splitOnce(request.url ?? '/', '?');
  // "Raw" only by name: an HTTP API decodes it, unlike a REST API or a function URL.
  const path = decoded(rawPath);
  const { cookie, ...headers } = headersOf(request);
  const domainName = (headers.host ?? 'localhost').replace(/:\d+$/, '');
  const isText = isTextual(headers['content-type']);
  const parameters = match.pathParameters;
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath: path,
    rawQueryString: query,
    headers,
    ...(cookie && { cookies: cookie.split(/;\s*/) }),
    ...(query && { queryStringParameters: joinedQuery(query) }),
    ...(Object.keys(parameters).length > 0 && { pathParameters: { ...parameters } }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      ...(accessKey && { authorizer: iamAuthorizer(accessKey) }),
      domainName,
      domainPrefix: domainName.split('.')[0] ?? domainName,
      http: {
        method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        // The address of the socket. A client can put any address into a header.
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: match.route.key,
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now,
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  } as APIGatewayProxyEventV2;
}

/** Lower-case names, the values of a repeated header joined with a comma, and the headers that a proxy adds. */
function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values) headers[name] = values.join(name === 'cookie' ? '; ' : ',');
  }
  const { remoteAddress = '', localPort } = request.socket;
  return {
    ...headers,
    'x-forwarded-for': [...(request.headersDistinct['x-forwarded-for'] ?? []), remoteAddress].join(','),
    'x-forwarded-port': String(localPort),
    'x-forwarded-proto': 'http',
  };
}

/** API Gateway passes these on as text. Every other body is base64: a form too, and a body without a content type. */
function isTextual(contentType: string | undefined): boolean {
  return /^(text\/|application\/(json|javascript|xml)\s*(;|$))/i.test(contentType ?? '');
}

/** Joins duplicates with a comma; `rawQueryString` keeps them separate. */
function joinedQuery(query: string): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}

const iamAuthorizer = (accessKey: string) => ({
  iam: {
    accessKey,
    accountId: '000000000000',
    callerId: accessKey,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: `arn:aws:iam::000000000000:user/${accessKey}`,
    userId: accessKey,
  },
});

/** `23/Nov/2026:08:00:00 +0000`, the form of access logs. */
function clfTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

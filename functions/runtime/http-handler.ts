/** The type of an HTTP handler: one API Gateway request in, one response out. The files in `handlers/` implement it. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { InTime } from '../application/ports.ts';
import type { HttpResponse } from '../http/response.ts';
import type { LogLine } from '../shared/log-line.ts';
import type { HandlerDependencies } from './dependencies.ts';

/** One request, with its log line. */
export interface RequestContext {
  /** API Gateway's event, payload 2.0. */
  readonly event: APIGatewayProxyEventV2;
  /** Adds fields to the log line of this request: ids and outcomes, no personal data. */
  readonly log: (facts: LogLine) => void;
}

/** The dependencies within one request, with its deadline. */
export type RequestDependencies = InTime<HandlerDependencies>;

/** @throws any error; `handleRequest` answers it with a problem */
export type HttpHandler = (context: RequestContext, deps: RequestDependencies) => Promise<HttpResponse>;

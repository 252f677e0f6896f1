/** The template's HTTP API on the loopback: routes, CORS, throttling, signatures, function events and responses. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { observeRequest, type RequestObserver } from '../request-observer.ts';
import { Cors } from './cors.ts';
import { eventFor } from './event.ts';
import { FunctionError, type LambdaFunction } from './lambda.ts';
import { gatewayResponse, type HttpResponse, internalServerError, responseFrom } from './response.ts';
import { type Match, matchRoute, type Route } from './routes.ts';
import { callerOf } from './signature.ts';
import { type CloudAssembly, idOfArn } from './template.ts';
import { Throttle } from './throttle.ts';

/** API Gateway's own limits. */
const maxBodyBytes = 10 * 1024 * 1024;
const integrationTimeoutMs = 30_000;

/** As API Gateway makes them for HTTP APIs, such as `JKJaXmPLvHcESHA=`. */
const newRequestId = (): string => randomBytes(11).toString('base64');

export class Gateway {
  readonly routes: readonly Route[];
  /** The origins of the storefront, whose pages may read responses. */
  readonly allowedOrigins: readonly string[];
  readonly #functions: ReadonlyMap<string, LambdaFunction>;
  readonly #throttle: Pick<Throttle, 'allows'>;
  readonly #cors: Cors;
  readonly #report: (problem: string) => void;
  readonly #timeoutMs: number;
  readonly #observe: RequestObserver;

  /**
   * @param functions by logical id
   * @param report called with each failure of a function
   * @param timeoutMs how long to wait for a function before a 503
   * @param isThrottled false turns off throttling, for tests that send more than the template allows
   * @param observe called with every request that reaches a function
   */
  constructor(
    assembly: CloudAssembly,
    functions: ReadonlyMap<string, LambdaFunction>,
    report: (problem: string) => void,
    timeoutMs = integrationTimeoutMs,
    isThrottled = true,
    observe: RequestObserver = () => () => undefined,
  ) {
    this.routes = routesOf(assembly);
    this.#functions = functions;
    const stage = assembly.ofType('AWS::ApiGatewayV2::Stage')[0]?.properties ?? {};
    this.#throttle = isThrottled ? new Throttle(stage) : { allows: () => true };
    this.#cors = new Cors(assembly.ofType('AWS::ApiGatewayV2::Api')[0]?.properties ?? {});
    this.allowedOrigins = this.#cors.allowedOrigins;
    this.#report = report;
    this.#timeoutMs = timeoutMs;
    this.#observe = observe;
  }

  /** @returns true when a route of the template or CORS handles the request */
  answers(request: IncomingMessage): boolean {
    return this.#cors.preflight(request) !== undefined || this.#match(request) !== undefined;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const preflight = this.#cors.preflight(request);
    if (preflight) {
      response.writeHead(204, preflight).end();
      return;
    }
    const { status, headers, cookies, body } = await this.#respond(request);
    response.writeHead(status, {
      ...this.#cors.headersOf(request, headers),
      ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
      'content-length': body.length,
    });
    response.end(body);
  }

  #match(request: IncomingMessage): Match | undefined {
    return matchRoute(this.routes, request.method ?? 'GET', (request.url ?? '/').split('?')[0] ?? '/');
  }

  async #respond(request: IncomingMessage): Promise<HttpResponse> {
    const match = this.#match(request);
    if (!match) return gatewayResponse(404, 'Not Found');
    const now = Date.now();
    if (!this.#throttle.allows(match.route.key, now)) return gatewayResponse(429, 'Too Many Requests');
    const body = await bodyOf(request);
    if (!body) return gatewayResponse(413, 'Request Entity Too Large');
    const accessKey = match.route.signed ? await callerOf(request, body, now) : undefined;
    if (match.route.signed && !accessKey) return gatewayResponse(403, 'Forbidden');
    const event = eventFor({ request, body, match, requestId: newRequestId(), now, accessKey });
    const { method = 'GET', url = '/' } = request;
    const onResponse = this.#observe(observeRequest(method, url, body.toString()));
    const response = await this.#invoke(match.route.functionId, event);
    onResponse(response.status, Date.now() - now);
    return response;
  }

  async #invoke(functionId: string, event: unknown): Promise<HttpResponse> {
    const lambda = this.#functions.get(functionId);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<HttpResponse>((resolve) => {
      timer = setTimeout(() => resolve(gatewayResponse(503, 'Service Unavailable')), this.#timeoutMs);
    });
    try {
      return await Promise.race([lambda?.invoke(event).then(responseFrom) ?? internalServerError, timeout]);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      this.#report(error.message);
      return internalServerError;
    } finally {
      clearTimeout(timer);
    }
  }
}

function routesOf(assembly: CloudAssembly): Route[] {
  const integrations = new Map(
    assembly.ofType('AWS::ApiGatewayV2::Integration').map(({ id, properties }) => {
      const { IntegrationType, PayloadFormatVersion, IntegrationUri } = properties;
      if (IntegrationType !== 'AWS_PROXY' || PayloadFormatVersion !== '2.0')
        throw new Error(`The local system calls functions with payload 2.0 only, not ${id}`);
      return [id, String(IntegrationUri)];
    }),
  );
  return assembly.ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const { RouteKey, Target, AuthorizationType = 'NONE' } = properties;
    // An unknown authorization must not be treated as none: the route would be open to every caller.
    if (AuthorizationType !== 'NONE' && AuthorizationType !== 'AWS_IAM')
      throw new Error(
        `The local system does not support the authorization ${AuthorizationType} of the route ${RouteKey}`,
      );
    const uri = integrations.get(String(Target).replace('integrations/', ''));
    if (!uri) throw new Error(`The route ${RouteKey} has no integration`);
    return { key: String(RouteKey), functionId: idOfArn(uri), signed: AuthorizationType === 'AWS_IAM' };
  });
}

/**
 * @returns undefined for a body over API Gateway's limit, and for an aborted one, whose client reads no response anyway
 */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

/** The HTTP API of the template, on the loopback: routes, CORS, throttling, signatures, events for the functions and their answers. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exchangeOf, type Watch } from '../request-observer.ts';
import { Cors } from './cors.ts';
import { eventFor } from './event.ts';
import { FunctionError, type LambdaFunction } from './lambda.ts';
import { answerFrom, gatewayAnswer, type HttpAnswer, internalServerError } from './response.ts';
import { type Match, matchRoute, type Route } from './routes.ts';
import { callerOf } from './signature.ts';
import { type CloudAssembly, idOfArn } from './template.ts';
import { Throttle } from './throttle.ts';

/** API Gateway's own limits. */
const mostBodyBytes = 10 * 1024 * 1024;
const usualPatienceMs = 30_000;

export class Gateway {
  readonly routes: readonly Route[];
  readonly #functions: ReadonlyMap<string, LambdaFunction>;
  readonly #throttle: Pick<Throttle, 'lets'>;
  readonly #cors: Cors;
  readonly #report: (problem: string) => void;
  readonly #patienceMs: number;
  readonly #watch: Watch;

  /**
   * @param functions by logical id
   * @param report told what a function did wrong
   * @param patienceMs how long a function is waited for
   * @param isThrottled false lets everything through, for tests that send more than the template allows
   * @param watch told of every request that a function answers
   */
  constructor(
    assembly: CloudAssembly,
    functions: ReadonlyMap<string, LambdaFunction>,
    report: (problem: string) => void,
    patienceMs = usualPatienceMs,
    isThrottled = true,
    watch: Watch = () => () => undefined,
  ) {
    this.routes = routesOf(assembly);
    this.#functions = functions;
    const stage = assembly.ofType('AWS::ApiGatewayV2::Stage')[0]?.properties ?? {};
    this.#throttle = isThrottled ? new Throttle(stage) : { lets: () => true };
    this.#cors = new Cors(assembly.ofType('AWS::ApiGatewayV2::Api')[0]?.properties ?? {});
    this.#report = report;
    this.#patienceMs = patienceMs;
    this.#watch = watch;
  }

  /** Does a route of the template answer this request? */
  answers(request: IncomingMessage): boolean {
    return this.#cors.preflight(request) !== undefined || this.#match(request) !== undefined;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const preflight = this.#cors.preflight(request);
    if (preflight) {
      response.writeHead(204, preflight).end();
      return;
    }
    const { status, headers, cookies, body } = await this.#answer(request);
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

  async #answer(request: IncomingMessage): Promise<HttpAnswer> {
    const match = this.#match(request);
    if (!match) return gatewayAnswer(404, 'Not Found');
    const now = Date.now();
    if (!this.#throttle.lets(match.route.key, now)) return gatewayAnswer(429, 'Too Many Requests');
    const body = await bodyOf(request);
    if (!body) return gatewayAnswer(413, 'Request Entity Too Large');
    const accessKey = match.route.signed ? await callerOf(request, body, now) : undefined;
    if (match.route.signed && !accessKey) return gatewayAnswer(403, 'Forbidden');
    const event = eventFor({ request, body, match, requestId: randomUUID(), now, accessKey });
    const { method = 'GET', url = '/' } = request;
    const told = this.#watch(exchangeOf(method, url, body.toString(), match.route.signed));
    const answer = await this.#invoke(match.route.functionId, event);
    told(answer.status, Date.now() - now);
    return answer;
  }

  async #invoke(functionId: string, event: unknown): Promise<HttpAnswer> {
    const lambda = this.#functions.get(functionId);
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<HttpAnswer>((resolve) => {
      timer = setTimeout(() => resolve(gatewayAnswer(503, 'Service Unavailable')), this.#patienceMs);
    });
    try {
      return await Promise.race([lambda?.invoke(event).then(answerFrom) ?? internalServerError, impatience]);
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
    // Taken for open, it would let everybody in.
    if (AuthorizationType !== 'NONE' && AuthorizationType !== 'AWS_IAM')
      throw new Error(`The local system does not know the authorization ${AuthorizationType} of the route ${RouteKey}`);
    const uri = integrations.get(String(Target).replace('integrations/', ''));
    if (!uri) throw new Error(`The route ${RouteKey} leads to no integration`);
    return { key: String(RouteKey), functionId: idOfArn(uri), signed: AuthorizationType === 'AWS_IAM' };
  });
}

/** @returns undefined for a body that API Gateway does not take: too long, or broken off, when nobody is left to answer */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= mostBodyBytes) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return size <= mostBodyBytes ? Buffer.concat(chunks) : undefined;
}

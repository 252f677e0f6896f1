/**
 * Wraps an HTTP handler for Lambda. Creates the dependencies once an instance, sets each request's deadline, writes its
 * log line, and answers errors with problems.
 */

import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { inTime } from '../application/in-time.ts';
import { problemOf } from '../http/problem.ts';
import { languageOf } from '../http/request.ts';
import { type HttpResponse, problem } from '../http/response.ts';
import { deadlineIn } from '../shared/clock.ts';
import { causesOf, type LogLine } from '../shared/log-line.ts';
import type { ShopRight } from '../shared/shop-keys.ts';
import type { Tally } from './calls.ts';
import { configFrom, environmentOfLambda, startsOnDemand } from './config.ts';
import type { HandlerDependencies } from './dependencies.ts';
import type { HttpHandler } from './http-handler.ts';
import { createDependencies, createShopAuth, type DependencyOptions } from './instance.ts';
import { writeLog } from './log.ts';
import { prime } from './prime.ts';
import type { ShopAuth } from './shop-auth.ts';

/** Of the 12 s after which Lambda ends the function; API Gateway waits 30 s. The rest is for the error response. */
const budgetMs = 10_000;

/** The event of the schedule that keeps an instance started. No HTTP request has this field. */
interface Warming {
  readonly warm: true;
}

export interface LambdaHandlerOptions extends Pick<DependencyOptions, 'callsIamport'> {
  /** True for a handler that settles payments while a buyer or Iamport waits: `prime()` runs it once during init. */
  readonly primes?: boolean;
  /** Only the shop's server may call the handler, with a key that has this right, or as API Gateway's IAM caller. */
  readonly right?: ShopRight;
}

/**
 * Makes the Lambda handler of an HTTP handler. In Lambda it creates and warms up the dependencies during init.
 * @returns the handler; outside Lambda it throws when it is called
 * @throws Error during init that lists every invalid environment variable
 */
export async function lambdaHandler(handler: HttpHandler, options: LambdaHandlerOptions = {}) {
  const environment = environmentOfLambda();
  const config = environment && configFrom(environment);
  const deps = config && createDependencies(config, options);
  const auth = config && options.right && createShopAuth(config, options.right);
  // Without priming the first request is slower; nothing else depends on it.
  if (deps) {
    const priming = options.primes && prime(handler, config).catch(() => undefined);
    await Promise.all([deps.warmUp(), auth?.warmUp(), priming]);
  }
  let isFirst = environment !== undefined && startsOnDemand(environment);
  return async (event: APIGatewayProxyEventV2 | Warming, context: Context): Promise<HttpResponse> => {
    const cold = isFirst;
    isFirst = false;
    if ('warm' in event) return { statusCode: 204 };
    if (!deps) throw new Error('Not in Lambda: call the HTTP handler itself');
    if (cold) deps.count({ ColdStarts: 1 });
    // Discard the upstream calls counted during init.
    deps.calls.take();
    const instance = () => ({ cold, ...deps.calls.take() });
    return handleRequest(admitted(handler, auth), deps, event, context.awsRequestId, instance);
  };
}

/** The handler, called only with an admitted event. Without `auth` every event is admitted. */
const admitted = (handler: HttpHandler, auth: ShopAuth | undefined): HttpHandler =>
  auth === undefined
    ? handler
    : async (context, deps) => {
        await auth.admit(context.event);
        return handler(context, deps);
      };

/** Fields of the log line: whether this request started the instance, and the upstream calls of the request. */
type InstanceFacts = Tally & { readonly cold: boolean };

/**
 * Calls the HTTP handler with a deadline, and writes one log line.
 * @returns the handler's response, or a problem (RFC 9457) for what it throws; never rejects
 */
export async function handleRequest(
  handler: HttpHandler,
  deps: HandlerDependencies,
  event: APIGatewayProxyEventV2,
  requestId: string,
  instance?: () => InstanceFacts,
): Promise<HttpResponse> {
  const begin = deps.clock.now();
  const line: LogLine = { requestId, route: event.routeKey };
  const log = (facts: LogLine) => void Object.assign(line, facts);
  let response: HttpResponse;
  try {
    response = await handler({ event, log }, inTime(deps, deadlineIn(deps.clock, budgetMs)));
  } catch (error) {
    const found = problemOf(error);
    log({ code: found.code, causes: causesOf(error) });
    response = problem(found, languageOf(event));
  }
  const status = response.statusCode ?? 200;
  log({ status, durationMs: deps.clock.now() - begin, ...instance?.() });
  writeLog(line, status >= 500);
  return response;
}

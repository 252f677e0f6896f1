/** Around every door: opens the rooms once an instance, gives the request its deadline, turns faults into answers, writes the log line. */

import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { problemOf } from '../http/problem.ts';
import { languageOf } from '../http/request.ts';
import { type Answer, problem } from '../http/response.ts';
import { type Deadline, deadlineIn } from '../shared/clock.ts';
import type { Tally } from './calls.ts';
import { configFrom, environmentOfLambda, startsOnDemand } from './config.ts';
import { openRooms, type Rooms, type Use } from './dependencies.ts';
import { causesOf, type LogLine, writeLog } from './log.ts';
import { rehearse } from './prime.ts';

/** What a door gets besides its rooms. */
export interface Visit {
  readonly event: APIGatewayProxyEventV2;
  readonly deadline: Deadline;
  /** Says something about this request in its log line. Ids and outcomes; nothing personal. */
  readonly note: (facts: LogLine) => void;
}

export type Door = (visit: Visit, rooms: Rooms) => Promise<Answer>;

/** API Gateway gives up after 30 s and Lambda after 12; this leaves time to say so. */
const budgetMs = 10_000;

/** What a schedule sends to keep an instance started; no request has such a field. */
interface Warming {
  readonly warm: true;
}

/**
 * The Lambda handler of a door. In Lambda the rooms are opened and warmed up at init, so a wrong configuration fails there, with every
 * problem named.
 */
export async function serve(door: Door, use: Use = {}) {
  const environment = environmentOfLambda();
  const config = environment && configFrom(environment);
  const rooms = config && openRooms(config, use);
  // A rehearsal that fails costs the first buyer some time, and nothing else.
  if (rooms) await Promise.all([rooms.warmUp(), use.settles && rehearse(door, config).catch(() => undefined)]);
  let isFirst = environment !== undefined && startsOnDemand(environment);
  return async (event: APIGatewayProxyEventV2 | Warming, context: Context): Promise<Answer> => {
    const cold = isFirst;
    isFirst = false;
    if ('warm' in event) return { statusCode: 204 };
    if (!rooms) throw new Error('This handler runs in Lambda; elsewhere call the door itself');
    if (cold) rooms.count({ ColdStarts: 1 });
    // What was asked at init was asked for nobody in particular.
    rooms.calls.take();
    return visit(door, rooms, event, context.awsRequestId, () => ({ cold, ...rooms.calls.take() }));
  };
}

/** What an instance adds to the log line: whether it had to start for this request, and whom it asked. */
type InstanceFacts = Tally & { readonly cold: boolean };

/** One request through a door: never throws, always answers, always leaves a line in the log. */
export async function visit(
  door: Door,
  rooms: Rooms,
  event: APIGatewayProxyEventV2,
  requestId: string,
  instance?: () => InstanceFacts,
): Promise<Answer> {
  const begin = rooms.clock.now();
  const line: LogLine = { requestId, route: event.routeKey };
  const note = (facts: LogLine) => void Object.assign(line, facts);
  let answer: Answer;
  try {
    answer = await door({ event, deadline: deadlineIn(rooms.clock, budgetMs), note }, rooms);
  } catch (error) {
    const found = problemOf(error);
    note({ code: found.code, causes: causesOf(error) });
    answer = problem(found, languageOf(event));
  }
  const status = answer.statusCode ?? 200;
  note({ status, durationMs: rooms.clock.now() - begin, ...instance?.() });
  writeLog(line, status >= 500);
  return answer;
}

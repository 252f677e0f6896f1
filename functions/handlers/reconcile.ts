/**
 * The reconciler, every five minutes: compares Iamport's payment lists with our orders, and processes items whose check
 * is due. Without any notification the orders still agree with Iamport within minutes. Concurrent runs and killed runs
 * do no harm.
 */

import type { Context } from 'aws-lambda';
import { createHeartbeats } from '../adapters/dynamodb/heartbeats.ts';
import { sendHeartbeat } from '../application/heartbeat.ts';
import type { Heartbeats } from '../application/ports/stores.ts';
import { reconcile } from '../application/reconcile/reconcile.ts';
import { emptyReport, type ReconcileReport } from '../application/reconcile/report.ts';
import { configFrom, environmentOfLambda } from '../runtime/config.ts';
import { createDependencies, type InstanceDependencies } from '../runtime/instance.ts';
import { writeLog } from '../runtime/log.ts';
import { deadlineIn } from '../shared/clock.ts';
import { causesOf } from '../shared/log-line.ts';

/** Ends the run before Lambda ends the function. Milliseconds. */
const marginMs = 5_000;

const environment = environmentOfLambda();
const deps = environment && createDependencies(configFrom(environment), { connections: 8 });
const heartbeats = deps && heartbeatsIn(deps);

export async function handler(_event: unknown, context: Context): Promise<ReconcileReport> {
  if (!deps || !heartbeats) throw new Error('Not in Lambda: call reconcile() itself');
  const begin = deps.clock.now();
  deps.calls.take();
  const { awsRequestId: requestId } = context;
  const log: typeof writeLog = (line, isFault) => writeLog({ requestId, route: 'reconcile', ...line }, isFault);
  const report = emptyReport();
  try {
    await sendHeartbeat({ ...deps, heartbeats, log });
    const deadline = deadlineIn(deps.clock, context.getRemainingTimeInMillis() - marginMs);
    await reconcile(deps, deadline, report);
    const line = { ...report, durationMs: deps.clock.now() - begin, ...deps.calls.take() };
    log(line, report.faultCount > 0 || report.unreadable > 0);
    return report;
  } catch (error) {
    log({ ...report, finished: false, causes: causesOf(error) }, true);
    throw error;
  }
}

/** The shop's own table gets no item of ours. */
function heartbeatsIn({ tables: { orders, reversals }, orders: { isShops } }: InstanceDependencies): Heartbeats {
  return createHeartbeats({ reversals, ...(!isShops && { orders }) });
}

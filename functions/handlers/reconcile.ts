/**
 * The reconciler, every five minutes: compares Iamport's payment lists with our orders, and processes items whose check
 * is due. Without any notification the orders still agree with Iamport within minutes. Concurrent runs and killed runs
 * do no harm.
 */

import type { Context } from 'aws-lambda';
import { reconcile } from '../application/reconcile/reconcile.ts';
import type { ReconcileReport } from '../application/reconcile/report.ts';
import { configFrom, environmentOfLambda } from '../runtime/config.ts';
import { createDependencies } from '../runtime/instance.ts';
import { writeLog } from '../runtime/log.ts';
import { deadlineIn } from '../shared/clock.ts';
import { causesOf } from '../shared/log-line.ts';

/** Ends the run before Lambda ends the function. Milliseconds. */
const marginMs = 5_000;

const environment = environmentOfLambda();
const deps = environment && createDependencies(configFrom(environment), { connections: 8 });

export async function handler(_event: unknown, context: Context): Promise<ReconcileReport> {
  if (!deps) throw new Error('Not in Lambda: call reconcile() itself');
  const begin = deps.clock.now();
  deps.calls.take();
  try {
    const deadline = deadlineIn(deps.clock, context.getRemainingTimeInMillis() - marginMs);
    const report = await reconcile(deps, deadline);
    const line = {
      requestId: context.awsRequestId,
      route: 'reconcile',
      ...report,
      durationMs: deps.clock.now() - begin,
      ...deps.calls.take(),
    };
    writeLog(line, report.faultCount > 0 || report.unreadable > 0);
    return report;
  } catch (error) {
    writeLog({ requestId: context.awsRequestId, route: 'reconcile', causes: causesOf(error) }, true);
    throw error;
  }
}

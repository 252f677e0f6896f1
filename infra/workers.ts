/** The triggers of the workers: a schedule for the reconciler, the tables' streams for the publisher. */
import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { HTTP_FUNCTION_ENTRIES } from './function-table.ts';
import type { Functions } from './functions.ts';
import { SHOP_PREFIX } from './shop-orders.ts';
import type { Tables } from './tables.ts';

/** An order whose notification was lost is settled within this time. */
const RECONCILE_EVERY = 'rate(5 minutes)';
/** DynamoDB keeps stream records for a day. Lambda sends a pointer to a record not published by then to the queue. Seconds. */
const STREAM_LIFETIME = 86_400;
/**
 * Lambda retries a batch until its records are too old. An unreadable record does not fail its batch, so Lambda retries only
 * during an outage, and an outage may last for hours.
 */
const UNTIL_TOO_OLD = -1;
/** The schedule invokes again after five minutes, and that run makes up for a missed one, so Lambda need not retry it. */
const RUN_ONCE = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };

/** The event that the HTTP functions ignore; see functions/runtime/lambda-handler.ts. */
const WARM_EVENT = '{"warm":true}';
/** Lambda keeps an idle instance for some minutes longer than this. */
const WARM_EVERY = 'rate(5 minutes)';

export interface WorkersProps {
  functions: Functions;
  tables: Tables;
  /** The queue of changes that could not be published. */
  unpublished: Queue;
  settings: Settings;
}

export class Workers extends Construct {
  constructor(scope: Construct, id: string, { functions, tables, unpublished, settings }: WorkersProps) {
    super(scope, id);
    this.schedule(functions);
    if (settings.keepWarm) this.keepWarm(functions);
    // Of a shop's own table, only items that have or had our attributes: the shop may have overwritten them.
    const ours = { [`${SHOP_PREFIX}revision`]: { N: [{ exists: true }] } };
    const images = tables.shopColumns ? [{ NewImage: ours }, { OldImage: ours }] : [];
    this.follow('Orders', tables.orders.tableStreamArn, functions, unpublished, images);
    this.follow('Reversals', tables.reversals.tableStreamArn, functions, unpublished);
  }

  private schedule({ byName }: Functions): void {
    // EventBridge Scheduler invokes asynchronously, and by default Lambda would retry twice within six hours.
    byName.reconcile.configureAsyncInvoke(RUN_ONCE);
    const role = this.schedulerRole('SchedulerRole', [byName.reconcile]);
    const description = 'Compares the payments at Iamport with the orders.';
    this.every(RECONCILE_EVERY, 'Reconcile', description, byName.reconcile, role);
  }

  /**
   * Sends WARM_EVENT to what the routes call: Lambda starts an instance for it, and the handler ignores it. The routes of a function with
   * provisioned instances do not use the instance that this would start.
   */
  private keepWarm(functions: Functions): void {
    const httpFunctions = HTTP_FUNCTION_ENTRIES.filter(([name]) => !functions.isProvisioned(name)).map(
      ([name]) => [name, functions.routeTarget(name)] as const,
    );
    const role = this.schedulerRole(
      'WarmerRole',
      httpFunctions.map(([, lambda]) => lambda),
    );
    for (const [name, lambda] of httpFunctions) {
      lambda.configureAsyncInvoke(RUN_ONCE);
      this.every(WARM_EVERY, `Warm ${name}`, `Keeps an instance of ${name} started.`, lambda, role, WARM_EVENT);
    }
  }

  private schedulerRole(id: string, functions: IFunction[]): Role {
    const resources = functions.map(({ functionArn }) => functionArn);
    const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources });
    return new Role(this, id, {
      // Otherwise a schedule of another account could name the role (the confused deputy problem).
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: { invoke: new PolicyDocument({ statements: [invoke] }) },
    });
  }

  private every(
    scheduleExpression: string,
    id: string,
    description: string,
    { functionArn: arn }: IFunction,
    { roleArn }: Role,
    input?: string,
  ): void {
    new CfnSchedule(this, id, {
      description,
      scheduleExpression,
      flexibleTimeWindow: { mode: 'OFF' },
      // The next run makes up for a missed one.
      target: { arn, roleArn, ...(input && { input }), retryPolicy: { maximumRetryAttempts: 0 } },
    });
  }

  private follow(
    table: string,
    eventSourceArn: string | undefined,
    { byName }: Functions,
    unpublished: Queue,
    images: readonly object[] = [],
  ): void {
    if (!eventSourceArn) throw new Error(`The table of ${table} has no stream`);
    // Without REMOVE: an item deleted by hand is not a step of an order.
    const written = { eventName: ['INSERT', 'MODIFY'] };
    const patterns = images.length > 0 ? images.map((dynamodb) => ({ ...written, dynamodb })) : [written];
    new CfnEventSourceMapping(this, table, {
      eventSourceArn,
      functionName: byName.publish.functionName,
      startingPosition: 'TRIM_HORIZON',
      batchSize: 100,
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ['ReportBatchItemFailures'],
      maximumRetryAttempts: UNTIL_TOO_OLD,
      maximumRecordAgeInSeconds: STREAM_LIFETIME,
      destinationConfig: { onFailure: { destination: unpublished.queueArn } },
      filterCriteria: { filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })) },
    });
  }
}

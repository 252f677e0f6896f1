/** What calls the workers: the schedule of the reconciler, and the tables' streams for the publisher. */
import { Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { doorEntries } from './function-table.ts';
import type { Functions } from './functions.ts';
import { SHOP_PREFIX } from './shop-orders.ts';
import type { Tables } from './tables.ts';

/** Whatever notification is lost, the books agree again within this time. */
const RECONCILE_EVERY = 'rate(5 minutes)';
/** DynamoDB keeps a stream for a day; a pointer to what cannot be published in that time goes to the queue. Seconds. */
const STREAM_LIFETIME = 86_400;
/**
 * Retried until the record is too old. An unreadable record does not fail its batch, so only an outage is retried, and each of them
 * may last for hours.
 */
const UNTIL_TOO_OLD = -1;
/** The schedule comes again after five minutes and does what a run has missed, so an older invocation has nothing to add. */
const RUN_ONCE = { retryAttempts: 0, maxEventAge: Duration.minutes(5) };

/** What the doors take for no request; see functions/runtime/lambda-handler.ts. */
const WARM_EVENT = '{"warm":true}';
/** Lambda takes away an instance that nobody calls for some minutes more than this. */
const WARM_EVERY = 'rate(5 minutes)';

export interface WorkersProps {
  functions: Functions;
  tables: Tables;
  /** Where changes go that could not be published. */
  unpublished: Queue;
  settings: Settings;
}

export class Workers extends Construct {
  constructor(scope: Construct, id: string, { functions, tables, unpublished, settings }: WorkersProps) {
    super(scope, id);
    this.schedule(functions);
    if (settings.keepWarm) this.keepWarm(functions);
    // Of a shop's own table only the items that have, or had, attributes of ours: the shop may have overwritten them.
    const ours = { [`${SHOP_PREFIX}revision`]: { N: [{ exists: true }] } };
    const images = tables.shopColumns ? [{ NewImage: ours }, { OldImage: ours }] : [];
    this.follow('Orders', tables.orders.tableStreamArn, functions, unpublished, images);
    this.follow('Reversals', tables.reversals.tableStreamArn, functions, unpublished);
  }

  private schedule({ byName }: Functions): void {
    // The scheduler invokes asynchronously, and Lambda itself would try twice more within six hours.
    byName.reconcile.configureAsyncInvoke(RUN_ONCE);
    const role = this.schedulerRole('SchedulerRole', [byName.reconcile]);
    this.every(RECONCILE_EVERY, 'Reconcile', 'Holds the ledger of Iamport against the orders.', byName.reconcile, role);
  }

  /** An event that is no request: the doors do nothing for it, and are started. */
  private keepWarm({ byName }: Functions): void {
    const doors = doorEntries.map(([name]) => [name, byName[name]] as const);
    const role = this.schedulerRole(
      'WarmerRole',
      doors.map(([, lambda]) => lambda),
    );
    for (const [name, lambda] of doors) {
      lambda.configureAsyncInvoke(RUN_ONCE);
      this.every(WARM_EVERY, `Warm ${name}`, `Keeps an instance of ${name} started.`, lambda, role, WARM_EVENT);
    }
  }

  private schedulerRole(id: string, functions: LambdaFunction[]): Role {
    const resources = functions.map(({ functionArn }) => functionArn);
    const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources });
    return new Role(this, id, {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
      inlinePolicies: { invoke: new PolicyDocument({ statements: [invoke] }) },
    });
  }

  private every(
    scheduleExpression: string,
    id: string,
    description: string,
    { functionArn: arn }: LambdaFunction,
    { roleArn }: Role,
    input?: string,
  ): void {
    new CfnSchedule(this, id, {
      description,
      scheduleExpression,
      flexibleTimeWindow: { mode: 'OFF' },
      // The next run does what one has missed.
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
    // What is deleted by hand is no step of an order.
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

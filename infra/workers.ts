/** What calls the workers: the schedule of the reconciler, and the tables' streams for the publisher. */
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { doorEntries } from './doors.ts';
import type { Functions } from './functions.ts';
import { SHOP_PREFIX } from './shop-orders.ts';
import type { Tables } from './tables.ts';

/** Whatever notification is lost, the books agree again within this time. */
const RECONCILE_EVERY = 'rate(5 minutes)';
/** DynamoDB keeps a stream for a day; what cannot be told in that time goes to the queue. Seconds. */
const STREAM_LIFETIME = 86_400;
/** With the mapping's own backoff, hours. A record that nobody can read should not block its item for a day. */
const PUBLISH_RETRIES = 50;

/** What the doors take for no request; see functions/serve.ts. */
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
    // Of the items of a shop's own table only those that we have written into are read.
    const ours = tables.shopColumns && { [`${SHOP_PREFIX}revision`]: { N: [{ exists: true }] } };
    this.follow('Orders', tables.orders.tableStreamArn, functions, unpublished, ours);
    this.follow('Reversals', tables.reversals.tableStreamArn, functions, unpublished);
  }

  private schedule({ byName }: Functions): void {
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
    NewImage?: object,
  ): void {
    if (!eventSourceArn) throw new Error(`The table of ${table} has no stream`);
    // What is deleted by hand is no step of an order.
    const pattern = { eventName: ['INSERT', 'MODIFY'], ...(NewImage && { dynamodb: { NewImage } }) };
    new CfnEventSourceMapping(this, table, {
      eventSourceArn,
      functionName: byName.publish.functionName,
      startingPosition: 'TRIM_HORIZON',
      batchSize: 100,
      bisectBatchOnFunctionError: true,
      functionResponseTypes: ['ReportBatchItemFailures'],
      maximumRetryAttempts: PUBLISH_RETRIES,
      maximumRecordAgeInSeconds: STREAM_LIFETIME,
      destinationConfig: { onFailure: { destination: unpublished.queueArn } },
      filterCriteria: { filters: [{ pattern: JSON.stringify(pattern) }] },
    });
  }
}

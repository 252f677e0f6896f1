/** What calls the workers: the schedule of the reconciler, and the tables' streams for the publisher. */
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Functions } from './functions.ts';
import type { Tables } from './tables.ts';

/** Whatever notification is lost, the books agree again within this time. */
const RECONCILE_EVERY = 'rate(5 minutes)';
/** DynamoDB keeps a stream for a day; what cannot be told in that time goes to the queue. Seconds. */
const STREAM_LIFETIME = 86_400;
/** With the mapping's own backoff, hours. A record that nobody can read should not block its item for a day. */
const PUBLISH_RETRIES = 50;

export class Workers extends Construct {
  constructor(scope: Construct, id: string, functions: Functions, tables: Tables, unpublished: Queue) {
    super(scope, id);
    this.schedule(functions);
    this.follow('Orders', tables.orders.tableStreamArn, functions, unpublished);
    this.follow('Reversals', tables.reversals.tableStreamArn, functions, unpublished);
  }

  private schedule({ byName }: Functions): void {
    const { functionArn } = byName.reconcile;
    const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] });
    const role = new Role(this, 'SchedulerRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
      inlinePolicies: { invoke: new PolicyDocument({ statements: [invoke] }) },
    });
    new CfnSchedule(this, 'Reconcile', {
      description: 'Holds the ledger of Iamport against the orders.',
      scheduleExpression: RECONCILE_EVERY,
      flexibleTimeWindow: { mode: 'OFF' },
      // The next run does what one has missed.
      target: { arn: functionArn, roleArn: role.roleArn, retryPolicy: { maximumRetryAttempts: 0 } },
    });
  }

  private follow(table: string, eventSourceArn: string | undefined, { byName }: Functions, unpublished: Queue): void {
    if (!eventSourceArn) throw new Error(`The table of ${table} has no stream`);
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
      // What is deleted by hand is no step of an order.
      filterCriteria: { filters: [{ pattern: JSON.stringify({ eventName: ['INSERT', 'MODIFY'] }) }] },
    });
  }
}

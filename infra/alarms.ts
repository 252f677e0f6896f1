/**
 * What a person must do something about, and nothing else: each alarm says what happened and where its remedy is described, under
 * its own name in docs/runbook.md.
 */
import { Annotations, Duration, Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { apiMetric, eventsMetric, ownMetric } from './metrics.ts';

export interface AlarmsProps {
  readonly deployment: string;
  readonly api: HttpApi;
  readonly publisher: IFunction;
  /** Where changes are that could not be published. */
  readonly unpublished: IQueue;
  /** Who is told, once each of them has confirmed it to Amazon. */
  readonly emails: readonly string[];
  /** A topic of the shop's own that is told instead of one of ours. CloudWatch must be allowed to publish to it. */
  readonly topic: ITopic | undefined;
}

/** When an alarm rings, as CloudWatch counts: `points` of the last `of` periods at `threshold` or above. */
interface Rule {
  readonly what: string;
  readonly metric: IMetric;
  readonly threshold?: number;
  readonly points?: number;
  readonly of?: number;
  /** What silence means. By default that nothing happened. */
  readonly missing?: TreatMissingData;
}

/** Runs come every five minutes: five of them in a row have not kept up. Seconds. */
const LATE_SECONDS = 1_500;
/** Due items are worked off every five minutes, and money that must go back comes first. Seconds. */
const OVERDUE_SECONDS = 3_600;
/** A stream is kept for a day; a quarter of an hour is past every short failure of the bus. Milliseconds. */
const LATE_EVENTS_MS = 900_000;

const sum = (minutes: number) => ({ statistic: 'Sum', minutes });

export class Alarms extends Construct {
  readonly #props: AlarmsProps;
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    this.#action = new SnsAction(props.topic ?? this.topic(props.emails));
    // No warning: an address is no business of a deployment for tests, which may be `--strict`.
    if (!props.topic && props.emails.length === 0) {
      Annotations.of(this).addInfo(
        'Nobody is told of alarms: put an address into `alarmEmails`, or give `alarmTopic`.',
      );
    }
    this.ofPayments(props.deployment);
    this.ofTheSystem(props);
  }

  /** Payments and money that need a person. */
  private ofPayments(deployment: string): void {
    this.ring('refund-waiting', {
      what: 'Money has to be given back by a person, and has waited for more than a working day.',
      metric: ownMetric('RefundsOverdue', deployment, sum(60)),
      // What waits is looked at again after six hours at the latest.
      of: 8,
    });
    this.ring('money-without-order', {
      what: 'Iamport holds money for an order that was never registered.',
      metric: eventsMetric('Payment Without Order', deployment, sum(5)),
    });
    this.ring('deposit-reversed', {
      what: 'A bank took back a deposit of an order that was paid.',
      metric: eventsMetric('Deposit Reversed', deployment, sum(5)),
    });
    this.ring('payment-unreadable', {
      what: 'Iamport shows a payment in a form that is not known.',
      metric: ownMetric('UnreadablePayments', deployment, sum(5)),
    });
    this.ring('unsettled', {
      what: 'A payment, refund or order could not be settled for three hours.',
      metric: ownMetric('ReconcilerFaults', deployment, sum(60)),
      points: 3,
      of: 3,
    });
    this.ring('items-overdue', {
      what: 'A due refund, reversal or order has waited for an hour.',
      metric: ownMetric('OldestOverdueItem', deployment, { statistic: 'Maximum', minutes: 15 }),
      threshold: OVERDUE_SECONDS,
      points: 2,
      of: 2,
    });
    this.ring('items-skipped', {
      what: 'The reconciler passed over a payment, page, order or reversal that it could not read or write.',
      metric: ownMetric('SkippedItems', deployment, sum(5)),
    });
    this.ring('order-overwritten', {
      what: 'The shop has overwritten what a payment had written into an order, and another payment has settled the order since.',
      metric: ownMetric('UnrestoredItems', deployment, sum(5)),
    });
  }

  private ofTheSystem({ deployment, api, publisher, unpublished }: AlarmsProps): void {
    this.ring('keys-refused', {
      what: 'Iamport does not accept the keys in the secret.',
      metric: ownMetric('KeysRefused', deployment, sum(5)),
    });
    this.ring('reconciler-late', {
      what: 'The ledger of Iamport has not been held against the orders for 25 minutes.',
      metric: ownMetric('LedgerLate', deployment, { statistic: 'Maximum', minutes: 15 }),
      threshold: LATE_SECONDS,
      points: 2,
      of: 2,
      // A run that does not come says nothing.
      missing: TreatMissingData.BREACHING,
    });
    this.ring('server-errors', {
      what: 'For 15 minutes more than a tenth of the requests could not be answered.',
      metric: new MathExpression({
        expression: 'IF(errors >= 5 AND errors / requests > 0.1, 1, 0)',
        usingMetrics: { errors: apiMetric('5xx', api, sum(5)), requests: apiMetric('Count', api, sum(5)) },
        period: Duration.minutes(5),
      }),
      points: 3,
      of: 3,
    });
    this.ring('events-late', {
      what: 'What happened to orders has not been told to the event bus for 15 minutes.',
      metric: publisher.metric('IteratorAge', { statistic: 'Maximum', period: Duration.minutes(5) }),
      threshold: LATE_EVENTS_MS,
      points: 2,
      of: 2,
    });
    this.watchQueue('events-lost', this, 'Changes of which no event was published wait in a queue.', unpublished);
  }

  /** Of a function that subscribes, by its path in the app. */
  watchSubscriber(scope: Construct, path: string, deadLetters: IQueue): void {
    const what = `A function of the shop did not take an event, which waits in a queue (${path}).`;
    this.watchQueue('subscriber-missed', scope, what, deadLetters);
  }

  private watchQueue(name: string, scope: Construct, what: string, queue: IQueue): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({
      statistic: 'Maximum',
      period: Duration.minutes(5),
    });
    // Of a queue that nobody touches SQS says nothing after a while: what was in it still is.
    this.ring(name, { what, metric, missing: TreatMissingData.IGNORE }, scope);
  }

  private ring(name: string, rule: Rule, scope: Construct = this): void {
    const { what, metric, threshold = 1, points = 1, of = 1, missing = TreatMissingData.NOT_BREACHING } = rule;
    const alarm = new Alarm(scope, name, {
      alarmDescription: `${what} What to do: docs/runbook.md#${name} (한국어: docs/runbook.ko.md#${name}) [${this.#props.deployment}]`,
      metric,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold,
      datapointsToAlarm: points,
      evaluationPeriods: of,
      treatMissingData: missing,
    });
    alarm.addAlarmAction(this.#action);
  }

  private topic(emails: readonly string[]): Topic {
    const topic = new Topic(this, 'Topic', { enforceSSL: true });
    const account = Stack.of(this).account;
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    for (const email of emails) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }
}

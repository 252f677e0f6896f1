/**
 * CloudWatch alarms, only for conditions that the operator must act on. Each description names the condition and the section of
 * docs/runbook.md with the remedy, which has the name of the alarm.
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
import type { Webhook } from './webhooks.ts';

export interface AlarmsProps {
  readonly deployment: string;
  readonly api: HttpApi;
  readonly publisher: IFunction;
  /** The queue of changes that could not be published. */
  readonly unpublished: IQueue;
  /** Subscribers of our topic. SNS mails alarms to an address once it has confirmed its subscription. */
  readonly emails: readonly string[];
  /** A topic of the shop in place of ours. Its policy must let CloudWatch publish to it. */
  readonly topic: ITopic | undefined;
}

/** The alarm is in ALARM when `points` of the last `of` periods are at `threshold` or above. */
interface Rule {
  readonly condition: string;
  readonly metric: IMetric;
  readonly threshold?: number;
  readonly points?: number;
  readonly of?: number;
  /** How CloudWatch treats a period without data; by default as not breaching. */
  readonly missing?: TreatMissingData;
  /** The metric counts single events. The alarm ends minutes later, and that does not mean that the matter is over. */
  readonly isEvent?: true;
}

/** The reconciler runs every five minutes, so five runs in a row have not kept up. Seconds. */
const LATE_SECONDS = 1_500;
/** The reconciler processes due items every five minutes, reversals and refunds first. Seconds. */
const OVERDUE_SECONDS = 3_600;
/** DynamoDB keeps stream records for a day. Short failures of the bus last less than a quarter of an hour. Milliseconds. */
const LATE_EVENTS_MS = 900_000;

/** The reconciler sends a heartbeat every five minutes, so three in a row have not come. Seconds. */
const STOPPED_SECONDS = 900;

const sum = (minutes: number) => ({ statistic: 'Sum', minutes });

export class Alarms extends Construct {
  /** The topic of the shop, or ours. */
  readonly topic: ITopic;
  readonly #props: AlarmsProps;
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.#props = props;
    this.topic = props.topic ?? this.createTopic(props.emails);
    this.#action = new SnsAction(this.topic);
    // An info, not a warning: a test deployment needs no address, and may run `cdk synth --strict`.
    if (!props.topic && props.emails.length === 0) {
      Annotations.of(this).addInfo(
        'Alarms have no recipient: add an address to `alarmEmails`, or set `alarmTopicArn`.',
      );
    }
    this.paymentAlarms(props.deployment);
    this.systemAlarms(props);
  }

  /** Payments and refunds that need the operator. */
  private paymentAlarms(deployment: string): void {
    this.addAlarm('refund-waiting', {
      condition: 'A refund that the operator must make by hand has waited for more than a working day.',
      metric: ownMetric('RefundsOverdue', deployment, sum(60)),
      // The reconciler checks, and counts, some waiting refunds only once a day: those that the PG accepted, and those with `needs`.
      of: 26,
    });
    this.addAlarm('money-without-order', {
      condition: 'Iamport has a payment for an order that was never registered.',
      metric: eventsMetric('Payment Without Order', deployment, sum(5)),
      isEvent: true,
    });
    this.addAlarm('deposit-reversed', {
      condition: 'A bank took back a deposit of an order that was paid.',
      metric: eventsMetric('Deposit Reversed', deployment, sum(5)),
      isEvent: true,
    });
    this.addAlarm('payment-unreadable', {
      condition: 'Iamport shows a payment in a form that is not known.',
      metric: ownMetric('UnreadablePayments', deployment, sum(5)),
    });
    this.addAlarm('unsettled', {
      condition: 'A payment, refund or order could not be settled for three hours.',
      metric: ownMetric('ReconcilerFaults', deployment, sum(60)),
      points: 3,
      of: 3,
    });
    this.addAlarm('items-overdue', {
      condition: 'A due refund, reversal or order has waited for an hour.',
      metric: ownMetric('OldestOverdueItem', deployment, { statistic: 'Maximum', minutes: 15 }),
      threshold: OVERDUE_SECONDS,
      points: 2,
      of: 2,
    });
    this.addAlarm('items-skipped', {
      condition: 'The reconciler skipped a payment, page, order or reversal that it could not read or write.',
      metric: ownMetric('SkippedItems', deployment, sum(5)),
    });
    this.addAlarm('order-overwritten', {
      condition:
        'The shop has overwritten what a payment had written into an order, and another payment has settled the order since.',
      metric: ownMetric('UnrestoredItems', deployment, sum(5)),
      isEvent: true,
    });
  }

  private systemAlarms({ deployment, api, publisher, unpublished }: AlarmsProps): void {
    this.addAlarm('keys-refused', {
      condition: 'Iamport does not accept the keys in the secret.',
      metric: ownMetric('KeysRefused', deployment, sum(5)),
    });
    this.addAlarm('reconciler-late', {
      condition: 'The payments at Iamport have not been compared with the orders for 25 minutes.',
      metric: ownMetric('ScanLag', deployment, { statistic: 'Maximum', minutes: 15 }),
      threshold: LATE_SECONDS,
      points: 2,
      of: 2,
      // A run that does not start writes no data.
      missing: TreatMissingData.BREACHING,
    });
    this.addAlarm('server-errors', {
      condition: 'For 15 minutes more than a tenth of the requests could not be answered.',
      metric: new MathExpression({
        expression: 'IF(errors >= 5 AND errors / requests > 0.1, 1, 0)',
        usingMetrics: { errors: apiMetric('5xx', api, sum(5)), requests: apiMetric('Count', api, sum(5)) },
        period: Duration.minutes(5),
      }),
      points: 3,
      of: 3,
    });
    this.addAlarm('requests-failing', {
      condition: 'In an hour at least three requests, and more than half of all, could not be answered.',
      metric: new MathExpression({
        // However many requests there are: they may come within ten minutes, and `server-errors` needs errors for 15.
        expression: 'IF(errors >= 3 AND errors / requests > 0.5, 1, 0)',
        usingMetrics: { errors: apiMetric('5xx', api, sum(60)), requests: apiMetric('Count', api, sum(60)) },
        period: Duration.hours(1),
      }),
    });
    this.addAlarm('requests-throttled', {
      condition: 'At least ten requests in 15 minutes were above the limit of their route, and got 429.',
      metric: ownMetric('ThrottledRequests', deployment, sum(15)),
      threshold: 10,
    });
    this.addAlarm('notifications-missing', {
      condition: 'More than a fifth of the payments of six hours were settled only by the reconciler.',
      metric: new MathExpression({
        expression: 'IF(FILL(late, 0) >= 3 AND FILL(late, 0) > 0.2 * FILL(paid, 0), 1, 0)',
        usingMetrics: {
          late: ownMetric('SettledByReconciler', deployment, sum(360)),
          paid: eventsMetric('Payment Paid', deployment, sum(360)),
        },
        period: Duration.hours(6),
      }),
    });
    this.addAlarm('events-late', {
      condition: 'Changes of orders have not been published to the event bus for 15 minutes.',
      metric: publisher.metric('IteratorAge', { statistic: 'Maximum', period: Duration.minutes(5) }),
      threshold: LATE_EVENTS_MS,
      points: 2,
      of: 2,
    });
    this.addAlarm('events-stopped', {
      condition: 'Changes of the tables have not reached the publisher for 20 minutes.',
      // Counted by the reconciler, and only while the publisher is behind. A run that does not start sets off `reconciler-late`.
      metric: ownMetric('PublishLag', deployment, { statistic: 'Maximum', minutes: 15 }),
      threshold: STOPPED_SECONDS,
    });
    this.watchQueue('events-lost', this, 'Changes of which no event was published wait in a queue.', unpublished);
  }

  /** @param path of the subscribed function in the app */
  watchSubscriber(scope: Construct, path: string, deadLetters: IQueue): void {
    const condition = `A function of the shop did not take an event, which waits in a queue (${path}).`;
    this.watchQueue('subscriber-missed', scope, condition, deadLetters);
  }

  /** @param webhook its URL has the host that the alarms name */
  watchWebhook(webhook: Webhook): void {
    const { host } = new URL(webhook.url);
    const condition = `Events could not be delivered to ${host}, and wait in a queue.`;
    this.watchQueue('webhook-undelivered', webhook, condition, webhook.deadLetters);
    this.addAlarm('webhook-stopped', this.stopped(webhook, host), webhook);
    if (this.node.tryFindChild('webhook-late')) return;
    this.addAlarm('webhook-late', {
      condition: "The server of the shop has not accepted a webhook for an hour. The function's log has the answers.",
      metric: ownMetric('WebhooksLate', this.#props.deployment, sum(60)),
      // The attempts are six hours apart at most.
      of: 8,
    });
  }

  /**
   * A message between two attempts is hidden and not visible, so a visible one waits for the function alone. The age of the oldest
   * message would not do: the attempts take three days by design.
   */
  private stopped({ queue, deliver }: Webhook, host: string): Rule {
    const period = Duration.minutes(5);
    return {
      condition: `For 15 minutes events for ${host} have waited, and the function that sends them did not run or failed each time.`,
      metric: new MathExpression({
        expression: 'IF(waiting > 0 AND FILL(runs, 0) <= FILL(errors, 0), 1, 0)',
        usingMetrics: {
          waiting: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
          runs: deliver.metricInvocations({ period }),
          errors: deliver.metricErrors({ period }),
        },
        period,
      }),
      points: 3,
      of: 3,
    };
  }

  /** For a deployment that asks the shop before an approval. */
  watchConfirms(): void {
    this.addAlarm('confirm-unanswered', {
      condition: 'The shop did not answer whether a payment may be approved.',
      metric: ownMetric('ConfirmsUnanswered', this.#props.deployment, sum(5)),
      isEvent: true,
    });
  }

  private watchQueue(name: string, scope: Construct, condition: string, queue: IQueue): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({
      statistic: 'Maximum',
      period: Duration.minutes(5),
    });
    // SQS stops publishing metrics of an idle queue after a while. Its messages are still there.
    this.addAlarm(name, { condition, metric, missing: TreatMissingData.IGNORE }, scope);
    // An alarm acts only when its state changes, so the first one is silent about messages that join others.
    const more: Rule = {
      condition: `${condition} More have come.`,
      metric: new MathExpression({
        expression: 'IF(DIFF(waiting) > 0 AND waiting > DIFF(waiting), 1, 0)',
        usingMetrics: { waiting: metric },
        period: Duration.minutes(5),
      }),
      isEvent: true,
    };
    this.addAlarm(name, more, new Construct(scope, 'More'));
  }

  private addAlarm(name: string, rule: Rule, scope: Construct = this): void {
    const {
      condition,
      metric,
      threshold = 1,
      points = 1,
      of = 1,
      missing = TreatMissingData.NOT_BREACHING,
      isEvent,
    } = rule;
    const alarm = new Alarm(scope, name, {
      alarmDescription: `${condition} What to do: docs/runbook.md#${name} (한국어: docs/runbook.ko.md#${name}) [${this.#props.deployment}]`,
      metric,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold,
      datapointsToAlarm: points,
      evaluationPeriods: of,
      treatMissingData: missing,
    });
    alarm.addAlarmAction(this.#action);
    if (!isEvent) alarm.addOkAction(this.#action);
  }

  private createTopic(emails: readonly string[]): Topic {
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

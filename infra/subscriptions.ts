/**
 * A shop's own functions as subscribers of events. EventBridge gives up on an event that it cannot deliver to Lambda. Lambda gives
 * up on an event that the function fails on. Both send it to the dead-letter queue of the function.
 */
import { Annotations, Duration, Lazy, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { type IEventBus, type IRuleRef, Rule, type RuleTargetConfig } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSource } from '../functions/events/event-schema.ts';
import type { EventName } from '../functions/payment/events.ts';
import type { NotificationEventName } from '../functions/payment/notification.ts';
import type { Settings } from './config.ts';

/** Lambda's maximum: it retries a failed asynchronous invocation after one minute and after two more. */
const FAILURES = { retryAttempts: 2, maxEventAge: Duration.hours(6) };
const LOST = 'Lambda discards an event after three failed attempts: add an `onFailure` destination';

/** One function of the shop, with all its subscriptions. */
export class Subscriber extends Construct {
  readonly subscriber: IFunction;
  /** The events that could not be delivered, or that the function failed on. */
  readonly deadLetters: Queue;
  /** The ARNs of the rules that may write into the queue. */
  readonly #rules: string[] = [];

  /** @param removal `keep` retains the queue with its messages when the subscription is renamed or removed */
  constructor(scope: Construct, id: string, subscriber: IFunction, removal: Settings['removal']) {
    super(scope, id);
    this.subscriber = subscriber;
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself a dead-letter queue, and no consumer reads it that could fail again.',
    });
    this.grantRules();
    this.addFailureDestination();
  }

  /** @returns the rule's target. EventBridge sends an event that it cannot deliver to the dead-letter queue. */
  target(rule: IRuleRef): RuleTargetConfig {
    this.#rules.push(rule.ruleRef.ruleArn);
    const target = new LambdaFunction(this.subscriber, { maxEventAge: Duration.hours(24), retryAttempts: 185 });
    return { ...target.bind(rule), deadLetterConfig: { arn: this.deadLetters.queueArn } };
  }

  /** One statement for all rules. The CDK writes one for each, and for all events that policy exceeds the limit of SQS. */
  private grantRules(): void {
    this.deadLetters.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.deadLetters.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': Lazy.list({ produce: () => this.#rules }) } },
      }),
    );
  }

  /** A function has one async invoke configuration: one of the shop is not overwritten, nor one of a function from elsewhere. */
  private addFailureDestination(): void {
    const { subscriber } = this;
    const { path, defaultChild } = subscriber.node;
    const own = subscriber.node.tryFindChild('EventInvokeConfig')?.node.defaultChild;
    if (own instanceof CfnEventInvokeConfig && Object(own.destinationConfig).onFailure) {
      Annotations.of(this).addInfo(
        `${path} already has an \`onFailure\` destination: Lambda sends failed events there, and not to this queue.`,
      );
    } else if (own) {
      this.warn(`${path} has an async invoke configuration of its own, which is not changed. ${LOST} there.`);
    } else if (defaultChild) {
      subscriber.configureAsyncInvoke({ ...FAILURES, onFailure: new SqsDestination(this.deadLetters) });
    } else {
      this.warn(`${path} is imported. ${LOST} where it is defined, and grant its role \`sqs:SendMessage\` on that.`);
    }
  }

  private warn(text: string): void {
    Annotations.of(this).addWarningV2('iamport-serverless:subscriberFailures', text);
  }
}

/**
 * A rule invokes functions of its own region and account. A stack without `env` has unknown ones, which are not compared.
 * @throws Error that names both regions or accounts
 */
export function assertSameEnvironment(payments: Construct, { env, node }: IFunction): void {
  const { region, account } = Stack.of(payments);
  for (const [what, its, ours] of [
    ['region', env.region, region],
    ['account', env.account, account],
  ] as const) {
    if (Token.isUnresolved(its) || Token.isUnresolved(ours) || its === ours) continue;
    throw new Error(
      `${node.path} is in the ${what} ${its}, and the events are in ${ours}. Subscribe a function of the same ${what}, or send events to a URL with payments.notify(url).`,
    );
  }
}

/** One event for one function. EventBridge tries for a day to deliver it. */
export class Subscription extends Construct {
  /** The failed events of all subscriptions of the function. */
  readonly deadLetters: Queue;

  constructor(
    scope: Construct,
    id: string,
    eventBus: IEventBus,
    name: EventName | NotificationEventName,
    subscriber: Subscriber,
  ) {
    super(scope, id);
    this.deadLetters = subscriber.deadLetters;
    new Rule(this, 'Rule', {
      eventBus,
      description: `Invokes a function of the shop: ${name}.`,
      eventPattern: { source: [eventSource], detailType: [name] },
      targets: [{ bind: (rule) => subscriber.target(rule) }],
    });
  }
}

/**
 * A shop's own functions as subscribers of events. Two services may give up on an event: EventBridge when it cannot hand it
 * over, and Lambda, which has then taken it, when the function fails. Both put it into the queue of the function.
 */
import { Annotations, Duration, Lazy, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
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

/** The most that Lambda can be told: a function that fails is run again after one minute and after two more. */
const FAILURES = { retryAttempts: 2, maxEventAge: Duration.hours(6) };
const LOST = 'Lambda throws an event away when it fails three times on it: give it an `onFailure` destination';

/** One function of the shop, whatever it subscribes to. */
export class Subscriber extends Construct {
  readonly subscriber: IFunction;
  /** The events that the function did not take. */
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
      reason: 'It is itself where failures go, and nothing reads it by machine that could fail again.',
    });
    this.letRulesWrite();
    this.keepFailures();
  }

  /** EventBridge writes an event into the queue that it cannot hand over. @returns the rule's target with that queue */
  target(rule: IRuleRef): RuleTargetConfig {
    this.#rules.push(rule.ruleRef.ruleArn);
    const target = new LambdaFunction(this.subscriber, { maxEventAge: Duration.hours(24), retryAttempts: 185 });
    return { ...target.bind(rule), deadLetterConfig: { arn: this.deadLetters.queueArn } };
  }

  /** One statement for all rules: with one for each, as the CDK writes them, a policy of all events is longer than SQS takes. */
  private letRulesWrite(): void {
    this.deadLetters.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.deadLetters.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': Lazy.list({ produce: () => this.#rules }) } },
      }),
    );
  }

  /** A function has one such configuration: the shop's own stays, and one that may be elsewhere is not written over. */
  private keepFailures(): void {
    const { subscriber } = this;
    const { path, defaultChild } = subscriber.node;
    const own = subscriber.node.tryFindChild('EventInvokeConfig')?.node.defaultChild;
    if (own instanceof CfnEventInvokeConfig && Object(own.destinationConfig).onFailure) {
      Annotations.of(this).addInfo(
        `${path} has an \`onFailure\` destination already: what it fails on goes there, and not into this queue.`,
      );
    } else if (own) {
      this.warn(`${path} has an async invoke configuration of its own, which is left as it is. ${LOST} there.`);
    } else if (defaultChild && Stack.of(subscriber) === Stack.of(this)) {
      subscriber.configureAsyncInvoke({ ...FAILURES, onFailure: new SqsDestination(this.deadLetters) });
    } else {
      this.warn(
        `${path} is not made in this stack. ${LOST} where it is made, and its role the right \`sqs:SendMessage\` on it.`,
      );
    }
  }

  private warn(text: string): void {
    Annotations.of(this).addWarningV2('iamport-serverless:subscriberFailures', text);
  }
}

/** One event for one function. EventBridge tries for a day to hand it over. */
export class Subscription extends Construct {
  /** The events that the function did not take, of all its subscriptions. */
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
      description: `Tells a function of the shop: ${name}.`,
      eventPattern: { source: [eventSource], detailType: [name] },
      targets: [{ bind: (rule) => subscriber.target(rule) }],
    });
  }
}

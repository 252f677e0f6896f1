/** A shop's own function as the subscriber of an event: tried for a day, and kept in a queue of its own after that. */
import { Duration, Validations } from 'aws-cdk-lib';
import { type IEventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSource } from '../functions/edge/event-schema.ts';
import type { EventName } from '../functions/payment/events.ts';
import type { NotificationEventName } from '../functions/payment/notification.ts';

export class Subscription extends Construct {
  /** The events that the function did not take in a day. */
  readonly deadLetters: Queue;

  constructor(
    scope: Construct,
    id: string,
    eventBus: IEventBus,
    name: EventName | NotificationEventName,
    subscriber: IFunction,
  ) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself where failures go, and nothing reads it by machine that could fail again.',
    });
    const target = new LambdaFunction(subscriber, {
      deadLetterQueue: this.deadLetters,
      maxEventAge: Duration.hours(24),
      retryAttempts: 185,
    });
    new Rule(this, 'Rule', {
      eventBus,
      description: `Tells a function of the shop: ${name}.`,
      eventPattern: { source: [eventSource], detailType: [name] },
      targets: [target],
    });
  }
}

/**
 * Signed webhooks to a URL of the shop's server: rule → queue → function. Each URL has its own, so that a slow or dead server
 * delays no other. The message of the queue is the event itself, and the queue repeats it until the server has accepted it.
 */
import { createHash } from 'node:crypto';
import { CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type IEventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnEventSourceMapping, type IFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSource } from '../functions/events/event-schema.ts';
import type { Settings, WebhookSettings } from './config.ts';
import { DELIVER } from './function-table.ts';
import { createFunction, type Network } from './functions.ts';
import { signingSecret } from './secret.ts';

/** Attempts end after three days (functions/application/deliver.ts). */
const RETENTION = Duration.days(4);
/** SQS's limit. A standard queue counts it from the first delivery to EventBridge's queue on. */
const DEAD_LETTER_RETENTION = Duration.days(14);
/**
 * The maximum of SQS. The function itself moves a message to the dead-letter queue. This count also has the deliveries that Lambda
 * throttled, so a lower one would end the attempts of a shop whose other functions use up the account's concurrency.
 */
const MAX_RECEIVES = 1_000;
/** The queue repeats a message whose function ended without a result after this time. AWS advises six times the function's timeout. */
const VISIBILITY = Duration.seconds(6 * DELIVER.timeoutSeconds);
/**
 * Requests to one server at once, the minimum of SQS. Each uses an execution of the account's quota, which payments need too: a
 * server that returns no response occupies one for 10 seconds.
 */
const CONCURRENCY = 2;
export interface WebhookProps {
  webhook: WebhookSettings;
  bus: IEventBus;
  settings: Settings;
  deployment: string;
  bundles: string;
  network?: Network | undefined;
  encryptionKey?: IKey | undefined;
}

/** One URL that receives events. */
export class Webhook extends Construct {
  readonly url: string;
  /** `{"current", "previous"}`: the signing secrets, base64. */
  readonly secret: ISecret;
  /** Events that are not sent again: no attempt succeeded for three days, or the server answered 410. */
  readonly deadLetters: IQueue;
  /** Events that wait for an attempt. */
  readonly queue: IQueue;
  /** Sends the events. */
  readonly deliver: IFunction;

  constructor(scope: Construct, id: string, props: WebhookProps) {
    super(scope, id);
    const { webhook, bus, settings } = props;
    this.url = webhook.url;
    const removalPolicy =
      settings.removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    const common = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, removalPolicy };
    const deadLetters = new Queue(this, 'DeadLetters', { ...common, retentionPeriod: DEAD_LETTER_RETENTION });
    Validations.of(deadLetters).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself a dead-letter queue, and no consumer reads it that could fail again.',
    });
    const queue = new Queue(this, 'Queue', {
      ...common,
      retentionPeriod: RETENTION,
      visibilityTimeout: VISIBILITY,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    new Rule(this, 'Rule', {
      eventBus: bus,
      description: `Queues events for ${hostIn(webhook.url)}.`,
      eventPattern: { source: [eventSource], ...(webhook.events && { detailType: webhook.events }) },
      targets: [
        new SqsQueue(queue, { deadLetterQueue: deadLetters, maxEventAge: Duration.hours(24), retryAttempts: 185 }),
      ],
    });
    const secret = signingSecret(this, `Signs webhooks to ${hostIn(webhook.url)}`, settings, props.encryptionKey);
    const lambda = this.deliverFunction(props, secret, queue, deadLetters);
    new CfnEventSourceMapping(this, 'Deliveries', {
      eventSourceArn: queue.queueArn,
      functionName: lambda.functionName,
      // A slow answer to one event delays no other.
      batchSize: 1,
      functionResponseTypes: ['ReportBatchItemFailures'],
      scalingConfig: { maximumConcurrency: CONCURRENCY },
    });
    new CfnOutput(this, 'SecretArn', {
      value: secret.secretArn,
      description: `The secret that signs webhooks to ${hostIn(webhook.url)}: whsec_ and the value of "current".`,
    });
    this.secret = secret;
    this.deadLetters = deadLetters;
    this.queue = queue;
    this.deliver = lambda;
  }

  private deliverFunction(
    { webhook, settings, deployment, bundles, network, encryptionKey }: WebhookProps,
    secret: ISecret,
    queue: IQueue,
    deadLetters: IQueue,
  ): LambdaFunction {
    const allow = (actions: string[], resource: string) => new PolicyStatement({ actions, resources: [resource] });
    const statements = [
      allow(
        ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
        queue.queueArn,
      ),
      allow(['sqs:SendMessage'], deadLetters.queueArn),
      allow(['secretsmanager:GetSecretValue'], secret.secretArn),
      ...(encryptionKey ? [allow(['kms:Decrypt'], encryptionKey.keyArn)] : []),
    ];
    const environment = {
      DEPLOYMENT: deployment,
      WEBHOOK_URL: webhook.url,
      // The rule filters events. The operator's command filters by this what it sends again.
      ...(webhook.events && { WEBHOOK_EVENTS: webhook.events.join() }),
      WEBHOOK_SECRET_ARN: secret.secretArn,
      WEBHOOK_QUEUE_URL: queue.queueUrl,
      WEBHOOK_DEAD_LETTERS_URL: deadLetters.queueUrl,
    };
    const scope = new Construct(this, 'Deliver');
    const code = { ...DELIVER, environment, statements, keys: [] };
    return createFunction(scope, code, { settings, bundles, ...(network && { network }) }).lambda;
  }
}

/**
 * The id of the construct, part of the names of its resources: the host, and a hash in place of the path and the query, which may
 * contain a key. Never change it: CloudFormation would create a new queue and a new secret.
 */
export const webhookId = (url: string): string =>
  `Webhook ${hostIn(url)} ${createHash('sha256').update(url).digest('hex').slice(0, 8)}`;

/** Descriptions show no path or query, which may contain a key. */
export const hostIn = (url: string): string => new URL(url).host;

/**
 * The construct: everything that a shop needs to complete its Iamport payments, for this project's own stack or a shop's. It reads
 * no environment variables and looks nothing up in AWS.
 */
import { Duration, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Dashboard as CloudWatchDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSource } from '../functions/events/event-schema.ts';
import type { EventName } from '../functions/payment/events.ts';
import type { NotificationEventName } from '../functions/payment/notification.ts';

import { Alarms } from './alarms.ts';
import { createBudget } from './budget.ts';
import {
  type Configuration,
  ConfigurationError,
  type ConfirmOptions,
  readConfirmOptions,
  readSettings,
  readWebhook,
  type Settings,
  type WebhookOptions,
} from './config.ts';
import { confirmByFunction, confirmByServer } from './confirm.ts';
import { BUNDLES } from './context.ts';
import { Dashboard } from './dashboard.ts';
import type { FunctionName } from './function-table.ts';
import { Functions, type Network, physicalName } from './functions.ts';
import { type OwnDomain, PaymentsApi } from './http-api.ts';
import { iamportSecret, shopKeysSecret } from './secret.ts';
import type { ShopOrdersTable } from './shop-orders.ts';
import { assertSameEnvironment, Subscriber, Subscription } from './subscriptions.ts';
import { Tables } from './tables.ts';
import { Webhook, type WebhookProps, webhookId } from './webhooks.ts';
import { Workers } from './workers.ts';

/**
 * The configuration, which can also be in iamport.json (docs/configuration.md), and CDK objects, which only an app can pass. Only
 * `storefront` is required.
 */
export interface IamportPaymentsProps extends Configuration {
  /** The shop's own table of orders; by default the construct creates one. */
  readonly ordersTable?: ShopOrdersTable;
  /** A domain name of the shop for the API. */
  readonly domain?: OwnDomain;
  /** The bus that events are published to; by default the construct creates one. */
  readonly eventBus?: IEventBus;
  /** The VPC that the functions run in; by default Lambda's own network, which costs nothing and starts sooner. */
  readonly network?: Network;
  /** Encrypts tables, secret and queue; by default AWS-owned keys do, which cost nothing and add no call. */
  readonly encryptionKey?: IKey;
  /** Receives alarms in place of our own topic. Its policy must let `cloudwatch.amazonaws.com` publish. */
  readonly alarmTopic?: ITopic;
  /** A directory with the bundled functions, `<name>/index.mjs`; by default those of the package, or of `npm run bundle`. */
  readonly bundles?: string;
}

export class IamportPayments extends Construct {
  /** The base URL of the API, without a trailing slash. */
  readonly url: string;
  /** The target of the CNAME record of the shop's own name, needed when `domain` has no `hostedZone`. */
  readonly domainTarget: string | undefined;
  /** Every order, by `merchant_uid`. */
  readonly orders: ITable;
  /** Every payment that must be undone, by `imp_uid`. */
  readonly reversals: ITable;
  /** The shared access token, and the checkpoints of the reconciler. */
  readonly state: ITable;
  /** The Iamport keys: `{"imp_key", "imp_secret"}`. */
  readonly secret: ISecret;
  /** The keys of the shop's server, as functions/shared/shop-keys.ts reads them; undefined with `shopAuth: "iam"`. */
  readonly shopKeys: ISecret | undefined;
  /** The bus that every event of an order is published to. */
  readonly events: IEventBus;
  /** Signs the questions to the URL of `confirm`: `{"current", "previous"}`; undefined without a URL. */
  readonly confirmSecret: ISecret | undefined;
  /** The HTTP API of all routes. */
  readonly api: IHttpApi;
  /** The Lambda functions, by the names of their handlers, such as for metrics and alarms of the shop. */
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  /** The topic of the alarms: ours, or that of the shop. */
  readonly alarmTopic: ITopic;
  /** The queue of changes of which no event could be published. */
  readonly deadLetterQueue: IQueue;
  /** The dashboard in CloudWatch; undefined with `dashboard: false`. */
  readonly dashboard: CloudWatchDashboard | undefined;
  readonly #functions: Functions;
  readonly #alarms: Alarms;
  readonly #subscribers = new Map<IFunction, Subscriber>();
  readonly #settings: Settings;
  readonly #forWebhooks: Omit<WebhookProps, 'webhook'>;
  /** Who is asked before an approval, for the error of a second one. */
  #confirmedBy: string | undefined;

  /** @throws ConfigurationError that names every problem of the properties. */
  constructor(scope: Construct, id: string, props: IamportPaymentsProps) {
    super(scope, id);
    const {
      ordersTable,
      domain,
      eventBus,
      network,
      encryptionKey,
      alarmTopic,
      bundles = BUNDLES,
      ...configuration
    } = props;
    const settings = readSettings(configuration);
    const tables = new Tables(this, 'Tables', { settings, shopOrders: ordersTable, encryptionKey });
    const secret = iamportSecret(this, settings, encryptionKey);
    const shopKeys = settings.shopAuth === 'key' ? shopKeysSecret(this, settings, encryptionKey) : undefined;
    const deployment = deploymentOf(this);
    const bus = eventBus ?? this.#createBus(settings.archiveDays, deployment);
    const unpublished = new Queue(this, 'Unpublished', {
      ...(encryptionKey ? { encryptionMasterKey: encryptionKey } : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: settings.removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    Validations.of(unpublished).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself a dead-letter queue, and no consumer reads it that could fail again.',
    });
    const within = {
      settings,
      tables,
      secret,
      shopKeys,
      bus,
      deployment,
      unpublished,
      bundles,
      encryptionKey,
      network,
    };
    const functions = new Functions(this, 'Functions', within);
    new Workers(this, 'Workers', { functions, tables, unpublished, settings });
    const { api, url, domainTarget } = new PaymentsApi(this, 'Http', { settings, functions, deployment, domain });
    const { complete, publish: publisher } = functions.byName;
    const { alarmTopicArn: topicArn } = settings;
    const configuredTopic = topicArn ? Topic.fromTopicArn(this, 'AlarmTopic', topicArn) : undefined;
    const recipients = { emails: settings.alarmEmails, topic: alarmTopic ?? configuredTopic };
    this.#alarms = new Alarms(this, 'Alarms', { deployment, api, publisher, unpublished, ...recipients });
    if (settings.budget > 0) createBudget(this, settings.budget, settings.alarmEmails);
    this.#tag(this, settings);

    this.url = url;
    this.domainTarget = domainTarget;
    this.orders = tables.orders;
    this.reversals = tables.reversals;
    this.state = tables.state;
    this.secret = secret;
    this.shopKeys = shopKeys;
    this.events = bus;
    this.#functions = functions;
    this.api = api;
    this.functions = functions.byName;
    this.alarmTopic = this.#alarms.topic;
    this.deadLetterQueue = unpublished;
    this.dashboard = settings.dashboard
      ? new Dashboard(this, 'Dashboard', { deployment, api, complete }).page
      : undefined;
    this.#settings = settings;
    this.#forWebhooks = { bus, settings, deployment, bundles, network, encryptionKey };
    for (const { url: receiver, ...options } of settings.webhooks) this.notify(receiver, options);
    const { confirm } = settings;
    this.confirmSecret = confirm && confirmByServer(this, functions, confirm, settings, encryptionKey);
    if (confirm) this.#confirmBy(`confirm.url, ${JSON.stringify(confirm.url)}`);
  }

  /**
   * With `shopAuth: "iam"`: lets a function of the shop register orders and read them, `PUT` and `GET /orders/{merchant_uid}`.
   * @throws Error with `shopAuth: "key"`; so do the other two grants
   */
  grantRegisterOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['PUT /orders/*', 'GET /orders/*']);
  }

  /** Lets a function of the shop refund orders: `POST /orders/{merchant_uid}/refunds`. */
  grantRefundOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['POST /orders/*/refunds']);
  }

  /** Lets a function of the shop close unpaid orders: `DELETE /orders/{merchant_uid}`. */
  grantCloseOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['DELETE /orders/*']);
  }

  #grant(grantee: IGrantable, routes: readonly string[]): Grant {
    if (this.shopKeys) {
      throw new Error(
        'The order routes take a key, and no IAM right opens them. Grant reading of the keys (payments.shopKeys.grantRead), or set shopAuth: "iam".',
      );
    }
    const { partition, region, account } = Stack.of(this);
    const api = `arn:${partition}:execute-api:${region}:${account}:${this.api.apiId}/*`;
    const resourceArns = routes.map((route) => `${api}/${route.replace(' ', '')}`);
    return Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns });
  }

  /** An order is paid. The guide's `success_post_process`. An event may be delivered twice: detect repeats by `detail.id`. */
  onPaid(subscriber: IFunction): Subscription {
    return this.on('Payment Paid', subscriber);
  }

  /** An order waits for a deposit. The guide's `vbank_number_assigned`. */
  onVirtualAccountIssued(subscriber: IFunction): Subscription {
    return this.on('Virtual Account Issued', subscriber);
  }

  /** An attempt to pay failed; the order can still be paid. The guide's `fail_post_process`. */
  onFailed(subscriber: IFunction): Subscription {
    return this.on('Payment Failed', subscriber);
  }

  /** A paid order was cancelled in full. */
  onCancelled(subscriber: IFunction): Subscription {
    return this.on('Payment Cancelled', subscriber);
  }

  /** A payment was rejected, and is reversed. */
  onRejected(subscriber: IFunction): Subscription {
    return this.on('Payment Rejected', subscriber);
  }

  /** The operator has to make a refund by hand. */
  onRefundRequired(subscriber: IFunction): Subscription {
    return this.on('Refund Required', subscriber);
  }

  /** A refund that the shop requested was refused, and a second check has confirmed it. */
  onRefundRefused(subscriber: IFunction): Subscription {
    return this.on('Refund Refused', subscriber);
  }

  /**
   * Any event by its name, for a function of the shop. Rule, queue and alarm are in the stack of the function.
   * @throws Error for a function of another region or account
   */
  on(name: EventName | NotificationEventName, subscriber: IFunction): Subscription {
    assertSameEnvironment(this, subscriber);
    // Functions of two constructs may have the same id.
    const id = `${subscriber.node.id} ${subscriber.node.addr.slice(-8)}`;
    const scope = this.#scopeIn(Stack.of(subscriber));
    return new Subscription(scope, `On ${name} ${id}`, this.events, name, this.#subscriber(scope, id, subscriber));
  }

  /**
   * Sends events to a URL of the shop's server as signed webhooks (docs/webhooks.md). The same as an entry of `webhooks` in the
   * configuration.
   * @param url begins with https://, and its host is public
   * @param options `events`: their names; all events by default
   * @throws ConfigurationError for a URL or a name that is not allowed, and for a URL that already receives events
   */
  notify(url: string, options: WebhookOptions = {}): Webhook {
    const webhook = readWebhook({ url, ...options });
    const id = webhookId(url);
    if (this.node.tryFindChild(id)) {
      throw new ConfigurationError([`webhook.url is ${JSON.stringify(url)}: it already receives events`]);
    }
    const created = new Webhook(this, id, { ...this.#forWebhooks, webhook });
    this.#alarms.watchWebhook(created);
    return created;
  }

  /**
   * Asks a function of the shop before Iamport approves a payment, after our own checks (docs/webhooks.md). It is invoked
   * synchronously, and returns `{ok: true}` or `{ok: false, reason}` within 3 seconds. The configuration `confirm` is the same for a
   * URL of the shop's server.
   * @param shop a function of this account and region
   * @param options `otherwise`: the decision without an answer; `approve` by default
   * @throws ConfigurationError when a URL or a function is asked already, and for a wrong option
   */
  onConfirm(shop: IFunction, options: ConfirmOptions = {}): void {
    const { otherwise } = readConfirmOptions(options);
    this.#confirmBy(`payments.onConfirm(${shop.node.path})`);
    confirmByFunction(this.#functions, shop, otherwise);
  }

  #confirmBy(asked: string): void {
    if (this.#confirmedBy) {
      throw new ConfigurationError([
        `${asked} would ask the shop before an approval, and so does ${this.#confirmedBy}: only one can be asked, so remove the other`,
      ]);
    }
    this.#confirmedBy = asked;
    this.#alarms.watchConfirms();
  }

  /**
   * The parent of subscriptions in a stack. A rule here for a function of another stack would make this stack depend on that one,
   * which could then not use `url` or a grant: CloudFormation refuses two stacks that depend on each other.
   */
  #scopeIn(stack: Stack): Construct {
    if (stack === Stack.of(this)) return this;
    const id = `Events of ${this.node.path}`;
    const known = stack.node.tryFindChild(id);
    if (known) return known as Construct;
    const created = new Construct(stack, id);
    this.#tag(created, this.#settings);
    return created;
  }

  #createBus(archiveDays: number, deployment: string): EventBus {
    // EventBridge requires a name. The CDK would derive it from the construct's path, which two stacks may share.
    const bus = new EventBus(this, 'Events', { eventBusName: physicalName(deployment) });
    if (archiveDays > 0) {
      const description = 'Events of orders, for a replay to a subscriber that missed some.';
      const eventPattern = { source: [eventSource] };
      bus.archive('Archive', { description, eventPattern, retention: Duration.days(archiveDays) });
    }
    return bus;
  }

  #tag(scope: Construct, { tags }: Settings): void {
    for (const [name, value] of Object.entries(tags)) Tags.of(scope).add(name, value);
  }

  #subscriber(scope: Construct, id: string, subscriber: IFunction): Subscriber {
    const known = this.#subscribers.get(subscriber);
    if (known) return known;
    const created = new Subscriber(scope, `Subscriber ${id}`, subscriber, this.#settings.removal);
    this.#alarms.watchSubscriber(created, subscriber.node.path, created.deadLetters);
    this.#subscribers.set(subscriber, created);
    return created;
  }
}

/** The names of the stack and of the construct in it: `IamportPayments/Payments`. */
function deploymentOf(construct: IamportPayments): string {
  const stack = Stack.of(construct);
  const below = construct.node.scopes.slice(stack.node.scopes.length).map(({ node }) => node.id);
  return [stack.stackName, ...below].join('/');
}

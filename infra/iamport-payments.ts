/**
 * The construct: everything a shop needs to complete its Iamport payments, for use in this project's own stack or in a
 * shop's. It takes nothing from the environment and looks nothing up in AWS.
 */
import { Duration, RemovalPolicy, Stack, Tags, Validations } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { EventName } from '../functions/payment/events.ts';
import type { NotificationEventName } from '../functions/payment/notification.ts';

import { Alarms } from './alarms.ts';
import { type Configuration, readSettings, type Settings } from './config.ts';
import { BUNDLES } from './context.ts';
import { Dashboard } from './dashboard.ts';
import { Functions, type Network } from './functions.ts';
import { type OwnDomain, PaymentsApi } from './http-api.ts';
import { iamportSecret } from './secret.ts';
import type { ShopOrdersTable } from './shop-orders.ts';
import { Subscriber, Subscription } from './subscriptions.ts';
import { Tables } from './tables.ts';
import { Workers } from './workers.ts';

/**
 * The configuration, which cdk.json can have as well (docs/configuration.md), and what only an app has: objects of its own.
 * Everything but `storefront` may be left out.
 */
export interface IamportPaymentsProps extends Configuration {
  /** The shop's own table of orders, in place of one of ours. */
  readonly ordersTable?: ShopOrdersTable;
  /** A name of the shop's own for the API. */
  readonly domain?: OwnDomain;
  /** The bus that events are put on; by default one of its own. */
  readonly eventBus?: IEventBus;
  /** The network that the functions run in; by default Lambda's own, which costs nothing and starts sooner. */
  readonly network?: Network;
  /** Encrypts tables, secret and queue; by default the keys that AWS owns, which cost nothing and add no call. */
  readonly encryptionKey?: IKey;
  /** Told of alarms in place of a topic of our own. Its policy must let `cloudwatch.amazonaws.com` publish. */
  readonly alarmTopic?: ITopic;
  /** A directory with the bundled functions, `<name>/index.mjs`; by default those of the package, or of `npm run bundle`. */
  readonly bundles?: string;
}

export class IamportPayments extends Construct {
  /** Where the API answers, without a slash at the end. */
  readonly url: string;
  /** What the shop's own name has to point at, as a CNAME, when `domain` has no `hostedZone`. */
  readonly domainTarget: string | undefined;
  /** Every order, by `merchant_uid`. */
  readonly orders: ITable;
  /** Every payment that must be undone, by `imp_uid`. */
  readonly reversals: ITable;
  /** The shared access token, and where the reconciler stands. */
  readonly state: ITable;
  /** The place for the Iamport keys: `{"imp_key", "imp_secret"}`. */
  readonly secret: ISecret;
  /** Where everything that happens to an order is told. */
  readonly events: IEventBus;
  readonly #api: HttpApi;
  readonly #alarms: Alarms;
  readonly #subscribers = new Map<IFunction, Subscriber>();
  readonly #removal: Settings['removal'];

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
    const bus = eventBus ?? new EventBus(this, 'Events');
    const unpublished = new Queue(this, 'Unpublished', {
      ...(encryptionKey ? { encryptionMasterKey: encryptionKey } : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: settings.removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    Validations.of(unpublished).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'It is itself where failures go, and nothing reads it by machine that could fail again.',
    });
    const deployment = deploymentOf(this);
    const within = { settings, tables, secret, bus, deployment, unpublished, bundles, encryptionKey, network };
    const functions = new Functions(this, 'Functions', within);
    new Workers(this, 'Workers', { functions, tables, unpublished, settings });
    const { api, url, domainTarget } = new PaymentsApi(this, 'Http', settings, functions, domain);
    const { complete, publish: publisher } = functions.byName;
    const told = { emails: settings.alarmEmails, topic: alarmTopic };
    this.#alarms = new Alarms(this, 'Alarms', { deployment, api, publisher, unpublished, ...told });
    if (settings.dashboard) new Dashboard(this, 'Dashboard', { deployment, api, complete });
    for (const [name, value] of Object.entries(settings.tags)) Tags.of(this).add(name, value);

    this.url = url;
    this.domainTarget = domainTarget;
    this.orders = tables.orders;
    this.reversals = tables.reversals;
    this.state = tables.state;
    this.secret = secret;
    this.events = bus;
    this.#api = api;
    this.#removal = settings.removal;
  }

  /** Lets a function of the shop register orders and read them: `PUT` and `GET /orders/{merchant_uid}`. */
  grantRegisterOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['PUT /orders/*', 'GET /orders/*']);
  }

  /** Lets a function of the shop give money back: `POST /orders/{merchant_uid}/refunds`. */
  grantRefundOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['POST /orders/*/refunds']);
  }

  /** Lets a function of the shop close unpaid orders: `DELETE /orders/{merchant_uid}`. */
  grantCloseOrders(grantee: IGrantable): Grant {
    return this.#grant(grantee, ['DELETE /orders/*']);
  }

  #grant(grantee: IGrantable, routes: readonly string[]): Grant {
    const { partition, region, account } = Stack.of(this);
    const api = `arn:${partition}:execute-api:${region}:${account}:${this.#api.apiId}/*`;
    const resourceArns = routes.map((route) => `${api}/${route.replace(' ', '')}`);
    return Grant.addToPrincipal({ grantee, actions: ['execute-api:Invoke'], resourceArns });
  }

  /** An order is paid. The guide's `success_post_process`. Events may come twice: tell repeats by `detail.id`. */
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

  /** A payment was not taken, and goes back. */
  onRejected(subscriber: IFunction): Subscription {
    return this.on('Payment Rejected', subscriber);
  }

  /** Money has to be given back by a person. */
  onRefundRequired(subscriber: IFunction): Subscription {
    return this.on('Refund Required', subscriber);
  }

  /** A refund that the shop asked for was refused, and a second look has confirmed it. */
  onRefundRefused(subscriber: IFunction): Subscription {
    return this.on('Refund Refused', subscriber);
  }

  /** Any event by its name, for a function of the shop. */
  on(name: EventName | NotificationEventName, subscriber: IFunction): Subscription {
    // Functions of two constructs may have the same id.
    const id = `${subscriber.node.id} ${subscriber.node.addr.slice(-8)}`;
    return new Subscription(this, `On ${name} ${id}`, this.events, name, this.#subscriber(id, subscriber));
  }

  #subscriber(id: string, subscriber: IFunction): Subscriber {
    const known = this.#subscribers.get(subscriber);
    if (known) return known;
    const made = new Subscriber(this, `Subscriber ${id}`, subscriber, this.#removal);
    this.#alarms.watchSubscriber(made, subscriber.node.path, made.deadLetters);
    this.#subscribers.set(subscriber, made);
    return made;
  }
}

/** The stack and the construct in it, by their names: `IamportPayments/Payments`. */
function deploymentOf(construct: IamportPayments): string {
  const stack = Stack.of(construct);
  const below = construct.node.scopes.slice(stack.node.scopes.length).map(({ node }) => node.id);
  return [stack.stackName, ...below].join('/');
}

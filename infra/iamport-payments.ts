/**
 * The construct: everything a shop needs to complete its Iamport payments, for use in this project's own stack or in a
 * shop's. It takes nothing from the environment and looks nothing up in AWS.
 */
import { Duration } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { EventName } from '../functions/payment/events.ts';

import { type Configuration, readSettings } from './config.ts';
import { BUNDLES } from './context.ts';
import { Functions } from './functions.ts';
import { PaymentsApi } from './http-api.ts';
import { iamportSecret } from './secret.ts';
import { Subscription } from './subscriptions.ts';
import { Tables } from './tables.ts';
import { Workers } from './workers.ts';

export interface IamportPaymentsProps extends Configuration {
  /** A directory with the bundled functions, `<name>/index.mjs`; by default those of `npm run bundle`. */
  readonly bundles?: string;
}

export class IamportPayments extends Construct {
  /** Where the API answers, without a slash at the end. */
  readonly url: string;
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

  /** @throws ConfigurationError that names every problem of the properties. */
  constructor(scope: Construct, id: string, { bundles = BUNDLES, ...configuration }: IamportPaymentsProps) {
    super(scope, id);
    const settings = readSettings(configuration);
    const tables = new Tables(this, 'Tables');
    const secret = iamportSecret(this);
    const bus = new EventBus(this, 'Events');
    const unpublished = new Queue(this, 'Unpublished', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const functions = new Functions(this, 'Functions', { settings, tables, secret, bus, unpublished, bundles });
    new Workers(this, 'Workers', functions, tables, unpublished);
    const { api } = new PaymentsApi(this, 'Http', settings, functions);

    this.url = api.apiEndpoint;
    this.orders = tables.orders;
    this.reversals = tables.reversals;
    this.state = tables.state;
    this.secret = secret;
    this.events = bus;
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

  /** Any event by its name, for a function of the shop. */
  on(name: EventName, subscriber: IFunction): Subscription {
    return new Subscription(this, `On ${name} ${subscriber.node.id}`, this.events, name, subscriber);
  }
}

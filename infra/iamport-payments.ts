/**
 * The construct: everything a shop needs to complete its Iamport payments, for use in this project's own stack or in a
 * shop's. It takes nothing from the environment and looks nothing up in AWS.
 */
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { BUNDLES } from './bundle.ts';
import { type Configuration, readSettings } from './config.ts';
import { Functions } from './functions.ts';
import { PaymentsApi } from './http-api.ts';
import { iamportSecret } from './secret.ts';
import { Tables } from './tables.ts';

export interface IamportPaymentsProps extends Configuration {
  /** A directory with the bundled functions, `<door>/index.mjs`; by default those of `npm run bundle`. */
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

  /** @throws ConfigurationError that names every problem of the properties. */
  constructor(scope: Construct, id: string, { bundles = BUNDLES, ...configuration }: IamportPaymentsProps) {
    super(scope, id);
    const settings = readSettings(configuration);
    const tables = new Tables(this, 'Tables');
    const secret = iamportSecret(this);
    const functions = new Functions(this, 'Functions', { settings, tables, secret, bundles });
    const { api } = new PaymentsApi(this, 'Http', settings, functions);

    this.url = api.apiEndpoint;
    this.orders = tables.orders;
    this.reversals = tables.reversals;
    this.state = tables.state;
    this.secret = secret;
  }
}

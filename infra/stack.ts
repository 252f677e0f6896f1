/** The stack of this project: the construct, and the outputs that an operator needs after a deployment. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DEFAULT_NAME, type StackConfiguration } from './config.ts';
import { STACK_DESCRIPTION } from './context.ts';
import type { OwnDomain } from './http-api.ts';
import { IamportPayments, type IamportPaymentsProps } from './iamport-payments.ts';
import { VERSION } from './version.ts';

export type PaymentsStackConfiguration = StackConfiguration & Pick<IamportPaymentsProps, 'bundles'>;

export class PaymentsStack extends Stack {
  readonly payments: IamportPayments;

  constructor(
    scope: Construct,
    { name = DEFAULT_NAME, domain, ...configuration }: PaymentsStackConfiguration,
    props?: StackProps,
  ) {
    super(scope, name, {
      description: STACK_DESCRIPTION,
      terminationProtection: configuration.removal !== 'destroy',
      ...props,
    });
    const ownDomain = domain && { domain: this.ownDomain(domain) };
    const payments = new IamportPayments(this, 'Payments', { ...configuration, ...ownDomain });
    this.payments = payments;

    this.output('ApiUrl', payments.url, 'Where the storefront and the server of the shop call.');
    this.output('WebhookUrl', `${payments.url}/payments/webhook`, 'Goes into the Iamport console as the webhook URL.');
    this.output(
      'MobileUrl',
      `${payments.url}/payments/complete/mobile`,
      'Goes into IMP.request_pay as m_redirect_url.',
    );
    this.output('SecretArn', payments.secret.secretArn, 'The secret that the Iamport keys go into.');
    if (payments.shopKeys) {
      const description = 'The secret with the keys of the server of the shop: npm run ops -- keys shows them.';
      this.output('ShopKeysArn', payments.shopKeys.secretArn, description);
    }
    this.output('OrdersTable', payments.orders.tableName, 'The table of orders.');
    this.output('ReversalsTable', payments.reversals.tableName, 'The table of payments to be undone.');
    this.output('EventBus', payments.events.eventBusName, 'The bus that every event of an order is published to.');
    this.output('StateTable', payments.state.tableName, 'The table of the shared token and the reconciler.');
    if (domain && !domain.hostedZoneId && payments.domainTarget) {
      this.output('DomainTarget', payments.domainTarget, `The target of the CNAME record of ${domain.name}.`);
    }
    this.output('Version', VERSION, 'The version of iamport-serverless that is deployed.');
  }

  private ownDomain({
    name,
    certificateArn,
    hostedZoneId,
    only,
  }: NonNullable<StackConfiguration['domain']>): OwnDomain {
    return {
      name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      ...(hostedZoneId && { hostedZone: HostedZone.fromHostedZoneId(this, 'HostedZone', hostedZoneId) }),
      ...(only && { only }),
    };
  }

  private output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}

/** The stack of this project: the construct, and the outputs that an operator needs after a deployment. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { IamportPayments, type IamportPaymentsProps } from './iamport-payments.ts';

/** The stack's name in CloudFormation. */
export const STACK_NAME = 'IamportPayments';

export class PaymentsStack extends Stack {
  readonly payments: IamportPayments;

  constructor(scope: Construct, configuration: IamportPaymentsProps, props?: StackProps) {
    super(scope, STACK_NAME, {
      description: 'Payment completion for a shop that sells through Iamport.',
      terminationProtection: configuration.removal !== 'destroy',
      ...props,
    });
    const payments = new IamportPayments(this, 'Payments', configuration);
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
  }

  private output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}

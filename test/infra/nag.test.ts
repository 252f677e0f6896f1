/** The stack under cdk-nag's AwsSolutions rules. A finding is fixed, or acknowledged with a reason beside the resource. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, expect, test } from 'vitest';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { PaymentsStack } from '../../infra/stack.ts';
import { writeEmptyBundles } from './synthesized.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nag-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const bundles = join(scratch, 'bundles');
mkdirSync(bundles);
writeEmptyBundles(bundles);
const configuration = { storefront: { origins: ['https://shop.example'] }, bundles };

/** The ids of the findings in an app, once for each resource, and the acknowledgements of its constructs. */
function checked(outdir: string, fill: (app: App) => void): { found: string[]; acknowledged: [string, string][] } {
  const app = new App({ outdir: join(scratch, outdir), analyticsReporting: false });
  fill(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const acknowledged = app.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries<string>(data));
  return { found: findingsOf(app), acknowledged };
}

function findingsOf(app: App): string[] {
  try {
    app.synth();
    return [];
  } catch (error) {
    const ids = [...String(error).matchAll(/Acknowledge with '(.+)'/g)].flatMap(([, id]) => id ?? []);
    // Without this, an error of another kind would look like a clean report.
    if (ids.length === 0) throw error;
    return ids;
  }
}

test('every finding in the stack is acknowledged with a sentence as its reason', () => {
  const { found, acknowledged } = checked('stack', (app) => new PaymentsStack(app, configuration));
  expect(found).toEqual([]);
  expect(acknowledged.map(([id]) => id).sort()).toEqual([
    ...Array(11).fill('AwsSolutions::AwsSolutions-APIG4'),
    ...Array(9).fill('AwsSolutions::AwsSolutions-IAM5[Resource::*]'),
    'AwsSolutions::AwsSolutions-IAM5[Resource::<PaymentsTablesOrdersD7E07471.Arn>/stream/*]',
    'AwsSolutions::AwsSolutions-IAM5[Resource::<PaymentsTablesReversals16C5CB9E.Arn>/stream/*]',
    ...Array(2).fill('AwsSolutions::AwsSolutions-SMG4'),
    'AwsSolutions::AwsSolutions-SQS3',
  ]);
  for (const [, reason] of acknowledged) expect(reason).toMatch(/^[A-Z].{60,}\.$/);
});

test('gradual deployments have no other findings', () => {
  const { found, acknowledged } = checked(
    'canary',
    (app) => new PaymentsStack(app, { ...configuration, canary: true }),
  );
  expect(found).toEqual([]);
  for (const [, reason] of acknowledged) expect(reason).toMatch(/^[A-Z].{60,}\.$/);
});

test('the resources of a webhook and of a confirmation have no other findings', () => {
  const webhooks = [{ url: 'https://api.shop.example/webhooks' }];
  const confirm = { url: 'https://api.shop.example/confirm' };
  const { found, acknowledged } = checked(
    'webhooks',
    (app) => new PaymentsStack(app, { ...configuration, webhooks, confirm }),
  );
  expect(found).toEqual([]);
  for (const [, reason] of acknowledged) expect(reason).toMatch(/^[A-Z].{60,}\.$/);
});

test('the acknowledgements apply under any name in the app of a shop', () => {
  const { found } = checked('shop', (app) => {
    const shop = new Stack(app, 'Shop');
    const payments = new IamportPayments(shop, 'Checkout', configuration);
    const functionArn = 'arn:aws:lambda:ap-northeast-2:123456789012:function:ship';
    payments.onPaid(LambdaFunction.fromFunctionAttributes(shop, 'Ship', { functionArn, sameEnvironment: true }));
  });
  expect(found).toEqual([]);
});

test('the acknowledgements apply with the shop’s own key, network and table of orders', () => {
  const ordersTable = {
    tableArn: 'arn:aws:dynamodb:ap-northeast-2:123456789012:table/shop-orders',
    tableStreamArn: 'arn:aws:dynamodb:ap-northeast-2:123456789012:table/shop-orders/stream/2026-01-01T00:00:00.000',
  };
  const ofKey = 'arn:aws:kms:ap-northeast-2:123456789012:key/00000000-0000-0000-0000-000000000000';
  const ofVpc = {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['ap-northeast-2a'],
    privateSubnetIds: ['subnet-0123456789abcdef0'],
    privateSubnetRouteTableIds: ['rtb-0123456789abcdef0'],
  };
  const { found, acknowledged } = checked('own', (app) => {
    const shop = new Stack(app, 'Own', { env: { account: '123456789012', region: 'ap-northeast-2' } });
    new IamportPayments(shop, 'Payments', {
      ...configuration,
      ordersTable: { table: TableV2.fromTableAttributes(shop, 'Orders', ordersTable), key: 'no', amount: 'total' },
      encryptionKey: Key.fromKeyArn(shop, 'Key', ofKey),
      network: { vpc: Vpc.fromVpcAttributes(shop, 'Vpc', ofVpc) },
    });
  });
  expect(found).toEqual([]);
  const wildcards = acknowledged.filter(([id]) => id === 'AwsSolutions::AwsSolutions-IAM5[Resource::*]');
  expect(wildcards).toHaveLength(9);
  for (const [, reason] of wildcards) expect(reason).toContain('network interfaces');
  // Every acknowledgement matches a finding.
  expect(acknowledged.filter(([id]) => id.includes('IAM4'))).toEqual([]);
});

test('the acknowledgements do not apply to a shop’s resources beside the construct', () => {
  const { found } = checked('beside', (app) => {
    new Queue(new PaymentsStack(app, configuration), 'OpenToAll');
  });
  expect(found).toEqual(['AwsSolutions::AwsSolutions-SQS3', 'AwsSolutions::AwsSolutions-SQS4']);
});

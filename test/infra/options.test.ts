/** The optional properties of the construct and their effect on the template. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AttributeType, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../infra/config.ts';
import { FUNCTION_NAMES } from '../../infra/function-table.ts';
import { IamportPayments, type IamportPaymentsProps } from '../../infra/iamport-payments.ts';
import { PaymentsStack } from '../../infra/stack.ts';

const bundles = mkdtempSync(join(tmpdir(), 'bundles-'));
for (const name of FUNCTION_NAMES) {
  mkdirSync(join(bundles, name));
  writeFileSync(join(bundles, name, 'index.mjs'), '');
}
afterAll(() => rmSync(bundles, { recursive: true }));

const storefront = { origins: ['https://shop.example'] };
const app = () => new App({ outdir: mkdtempSync(join(bundles, 'cdk-')), analyticsReporting: false });

/** A shop's stack with the construct. @param more creates resources and returns further properties */
function shop(more: (stack: Stack) => Partial<IamportPaymentsProps>) {
  const stack = new Stack(app(), 'Shop', { env: { region: 'ap-northeast-2' } });
  const payments = new IamportPayments(stack, 'Payments', { storefront, bundles, ...more(stack) });
  return { stack, payments, template: () => Template.fromStack(stack) };
}

const orders = { partitionKey: { name: 'id', type: AttributeType.STRING } };
const withStream = { ...orders, dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES };

describe('a table of the shop’s own', () => {
  const { template } = shop((stack) => ({
    ordersTable: { table: new TableV2(stack, 'Orders', withStream), key: 'id', amount: 'total', currency: 'money' },
  }));

  test('replaces ours, and gets the index of due items', () => {
    template().resourceCountIs('AWS::DynamoDB::GlobalTable', 3);
    template().hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'iamport_due',
          KeySchema: [
            { AttributeName: 'iamport_due_shard', KeyType: 'HASH' },
            { AttributeName: 'iamport_due_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  test('lets every function that settles read when the deployment began, and no other', () => {
    const roles = Object.entries(template().findResources('AWS::IAM::Role'));
    const describing = roles.filter(([, role]) => JSON.stringify(role).includes('dynamodb:DescribeTable'));
    const names = describing.map(([name]) => /Functions(\w+?)Role/.exec(name)?.[1]);
    const settling = ['CloseOrder', 'Complete', 'MobileRedirect', 'Reconcile', 'Refunds', 'Webhook'];
    expect(names.toSorted()).toEqual(settling);
  });

  test('is passed to every function, and only its items with our attributes are published', () => {
    const columns = { ORDERS_COLUMNS: '{"key":"id","amount":"total","currency":"money"}' };
    const functions = Object.values(template().findResources('AWS::Lambda::Function'));
    for (const { Properties } of functions) expect(Properties.Environment.Variables).toMatchObject(columns);
    expect(functions).toHaveLength(9);
    template().hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FilterCriteria: {
        Filters: [
          {
            Pattern:
              '{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"iamport_revision":{"N":[{"exists":true}]}}}}',
          },
          {
            Pattern:
              '{"eventName":["INSERT","MODIFY"],"dynamodb":{"OldImage":{"iamport_revision":{"N":[{"exists":true}]}}}}',
          },
        ],
      },
    });
  });

  test('may be written by the publisher, which restores overwritten attributes', () => {
    const [, role] =
      Object.entries(template().findResources('AWS::IAM::Role')).find(([id]) => /Publish/.test(id)) ?? [];
    const [{ PolicyDocument } = { PolicyDocument: { Statement: [] } }] = role?.Properties.Policies ?? [];
    expect(PolicyDocument.Statement).toContainEqual({
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      Resource: { 'Fn::GetAtt': [expect.stringMatching(/^Orders/), 'Arn'] },
    });
  });

  test('may be read and written by the functions, and not deleted from', () => {
    const roles = JSON.stringify(template().findResources('AWS::IAM::Role'));
    expect(roles).toContain('/index/iamport_due');
    expect(roles).not.toMatch(/dynamodb:(Delete|Put|Scan|\*)/);
  });

  test('may be imported with an existing index', () => {
    const { template } = shop((stack) => ({
      ordersTable: {
        table: TableV2.fromTableAttributes(stack, 'Orders', {
          tableArn: 'arn:aws:dynamodb:ap-northeast-2:111111111111:table/orders',
          tableStreamArn: 'arn:aws:dynamodb:ap-northeast-2:111111111111:table/orders/stream/2026-01-01T00:00:00.000',
        }),
        key: 'id',
        amount: 'total',
      },
    }));
    template().resourceCountIs('AWS::DynamoDB::GlobalTable', 2);
  });

  test('that cannot store orders is refused with every reason', () => {
    const refused = (ordersTable: (stack: Stack) => IamportPaymentsProps['ordersTable']) => {
      try {
        shop((stack) => ({ ordersTable: ordersTable(stack) }));
      } catch (error) {
        if (error instanceof ConfigurationError) return error.problems;
        throw error;
      }
      return [];
    };
    const table = (stack: Stack) => new TableV2(stack, 'Orders', withStream);
    const stream = 'it must have one with new and old images, since events are derived from it';
    expect(
      refused((stack) => ({ table: new Table(stack, 'Orders', orders), key: 'imp_uid', amount: 'iamport_amount' })),
    ).toEqual([
      'ordersTable.key is "imp_uid": it must not be "imp_uid"',
      'ordersTable.amount is "iamport_amount": it must not begin with "iamport_", as the attributes that we add do',
      `ordersTable.table has no stream: ${stream}`,
    ]);
    expect(refused((stack) => ({ table: table(stack), key: 'id', amount: 'id' }))).toEqual([
      'ordersTable is {"key":"id","amount":"id"}: it must name different attributes',
    ]);
    const stream2 = { ...orders, stream: StreamViewType.KEYS_ONLY };
    expect(refused((stack) => ({ table: new Table(stack, 'Orders', stream2), key: 'id', amount: 'total' }))).toEqual([
      `ordersTable.table has a stream of KEYS_ONLY: ${stream}`,
    ]);
    const sorted = { ...withStream, sortKey: { name: 'line', type: AttributeType.STRING } };
    expect(refused((stack) => ({ table: new TableV2(stack, 'Orders', sorted), key: 'id', amount: 'total' }))).toEqual([
      'ordersTable.table is keyed by "id" and "line": its key must be "id" alone',
    ]);
    expect(refused((stack) => ({ table: table(stack), key: 'order_id', amount: 'total' }))).toEqual([
      'ordersTable.table is keyed by "id": its key must be "order_id" alone',
    ]);
  });
});

describe('a domain name of the shop', () => {
  test('is the address of the API, with a certificate and the record of its zone', () => {
    const { payments, template, stack } = shop((stack) => ({
      domain: {
        name: 'pay.shop.example',
        certificate: Certificate.fromCertificateArn(
          stack,
          'Certificate',
          'arn:aws:acm:ap-northeast-2:111111111111:certificate/1',
        ),
        hostedZone: new PublicHostedZone(stack, 'Zone', { zoneName: 'shop.example' }),
        only: true,
      },
    }));
    expect(payments.url).toBe('https://pay.shop.example');
    expect(stack.resolve(payments.domainTarget)).toMatchObject({
      'Fn::GetAtt': [expect.any(String), 'RegionalDomainName'],
    });
    template().hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    template().hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'pay.shop.example',
      DomainNameConfigurations: [{ CertificateArn: 'arn:aws:acm:ap-northeast-2:111111111111:certificate/1' }],
    });
    template().hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', { Stage: '$default' });
    // The domain takes IPv4 only, so an AAAA record would resolve to nothing.
    const records = Object.values(template().findResources('AWS::Route53::RecordSet'));
    expect(records.map(({ Properties: { Type, Name } }) => [Type, Name])).toEqual([['A', 'pay.shop.example.']]);
  });

  test('without a zone gets no record, and does not disable API Gateway’s address', () => {
    const { template } = shop((stack) => ({
      domain: {
        name: 'pay.shop.example',
        certificate: Certificate.fromCertificateArn(
          stack,
          'Certificate',
          'arn:aws:acm:ap-northeast-2:111111111111:certificate/1',
        ),
      },
    }));
    template().resourceCountIs('AWS::Route53::RecordSet', 0);
    template().hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: Match.absent() });
    template().hasResourceProperties('AWS::ApiGatewayV2::DomainName', { MutualTlsAuthentication: Match.absent() });
  });

  test('requires a client certificate of the trust store', () => {
    const { template } = shop((stack) => ({
      domain: {
        name: 'origin.shop.example',
        certificate: Certificate.fromCertificateArn(
          stack,
          'Certificate',
          'arn:aws:acm:ap-northeast-2:111111111111:certificate/1',
        ),
        mtls: { bucket: Bucket.fromBucketName(stack, 'Trust', 'shop-trust'), key: 'cloudfront.pem' },
      },
    }));
    template().hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      MutualTlsAuthentication: { TruststoreUri: 's3://shop-trust/cloudfront.pem' },
    });
  });
});

test('events are published to a bus of the shop, and no other is created', () => {
  const { payments, template, stack } = shop((stack) => ({
    eventBus: EventBus.fromEventBusArn(stack, 'Bus', 'arn:aws:events:ap-northeast-2:111111111111:event-bus/shop'),
  }));
  template().resourceCountIs('AWS::Events::EventBus', 0);
  template().resourceCountIs('AWS::Events::Archive', 0);
  expect(stack.resolve(payments.events.eventBusName)).toBe('shop');
  // The whole ARN: PutEvents looks up a name in the function's own account.
  const arn = 'arn:aws:events:ap-northeast-2:111111111111:event-bus/shop';
  template().hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { EVENT_BUS: arn } } });
  expect(JSON.stringify(template().findResources('AWS::IAM::Role'))).toContain(
    `"Action":"events:PutEvents","Effect":"Allow","Resource":"${arn}"`,
  );
});

test('in a VPC of the shop every function is in its private subnets', () => {
  const { template } = shop((stack) => ({ network: { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) } }));
  template().allResourcesProperties('AWS::Lambda::Function', {
    VpcConfig: { SubnetIds: [{ Ref: Match.stringLikeRegexp('Private') }, { Ref: Match.stringLikeRegexp('Private') }] },
  });
  // Lambda creates a function in a VPC only if its role can create network interfaces.
  const interfaces = {
    Effect: 'Allow',
    Action: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    Resource: '*',
  };
  const roles = template().findResources('AWS::IAM::Role');
  const functions = Object.values(template().findResources('AWS::Lambda::Function'));
  expect(functions).toHaveLength(9);
  for (const { Properties } of functions) {
    expect(roles[Properties.Role['Fn::GetAtt'][0]]).toMatchObject({
      Properties: { Policies: [{ PolicyDocument: { Statement: expect.arrayContaining([interfaces]) } }] },
    });
  }
});

test('in Lambda’s own network no function has rights on network interfaces', () => {
  const { template } = shop(() => ({}));
  expect(JSON.stringify(template().findResources('AWS::IAM::Role'))).not.toContain('ec2:');
});

test('a key of the shop encrypts tables, secret and queue, and each function may use it', () => {
  const { template } = shop((stack) => ({ encryptionKey: new Key(stack, 'Key') }));
  const arn = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] };
  template().allResourcesProperties('AWS::DynamoDB::GlobalTable', {
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    Replicas: [Match.objectLike({ SSESpecification: { KMSMasterKeyId: arn } })],
  });
  template().hasResourceProperties('AWS::SecretsManager::Secret', { KmsKeyId: arn });
  template().hasResourceProperties('AWS::SQS::Queue', { KmsMasterKeyId: arn });
  const roles = Object.values(template().findResources('AWS::IAM::Role')).map((role) => JSON.stringify(role));
  const kms = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'];
  expect(roles.filter((role) => role.includes(JSON.stringify(kms)))).toHaveLength(9);
});

test('an object of the CDK under an unknown key is reported, and not serialized', () => {
  const misplaced = (stack: Stack) => ({ vpc: new Vpc(stack, 'Vpc') }) as Partial<IamportPaymentsProps>;
  expect(() => shop(misplaced)).toThrow(/\n {2}vpc is an object: there is no such key$/);
});

describe('the configuration', () => {
  test('sets throttles for a route, and leaves the others', () => {
    const { template } = shop(() => ({ throttles: { 'POST /payments/complete': { perSecond: 200, burst: 400 } } }));
    template().hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      RouteSettings: Match.objectLike({
        'POST /payments/complete': { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
        'POST /payments/webhook': { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      }),
    });
  });

  test('provisions instances of complete and mobile-redirect, and routes to them', () => {
    const { template } = shop(() => ({ provisionedConcurrency: 3 }));
    template().resourceCountIs('AWS::Lambda::Alias', 2);
    template().allResourcesProperties('AWS::Lambda::Alias', {
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 3 },
    });
    const targets = Object.values(template().findResources('AWS::ApiGatewayV2::Integration')).map(({ Properties }) =>
      JSON.stringify(Properties.IntegrationUri),
    );
    expect(targets.filter((target) => target.includes('Started'))).toHaveLength(2);
  });

  test('invokes every HTTP function every five minutes to keep it warm', () => {
    const { template } = shop(() => ({ keepWarm: true }));
    const warm = { ScheduleExpression: 'rate(5 minutes)', Target: Match.objectLike({ Input: '{"warm":true}' }) };
    expect(Object.keys(template().findResources('AWS::Scheduler::Schedule', { Properties: warm }))).toHaveLength(7);
  });

  test('does not warm a function that has provisioned instances', () => {
    const { template } = shop(() => ({ keepWarm: true, provisionedConcurrency: 1 }));
    const warm = { Target: Match.objectLike({ Input: '{"warm":true}' }) };
    const warmed = Object.keys(template().findResources('AWS::Scheduler::Schedule', { Properties: warm }));
    expect(warmed).toHaveLength(5);
    expect(warmed.filter((id) => /Warmcomplete|Warmmobileredirect/.test(id))).toEqual([]);
  });

  test('[T472] moves the routes to a new version by CodeDeploy, and back when calls of that version fail', () => {
    const { template } = shop(() => ({ canary: true, provisionedConcurrency: 1, keepWarm: true }));
    const of = (type: string) => Object.entries(template().findResources(type));
    const aliases = of('AWS::Lambda::Alias');
    expect(aliases.map(([, { Properties }]) => Properties.Name).sort()).toEqual([
      ...Array(5).fill('live'),
      ...Array(2).fill('started'),
    ]);
    const targets = of('AWS::ApiGatewayV2::Integration').map(([, { Properties }]) => Properties.IntegrationUri.Ref);
    expect(targets.sort()).toEqual(aliases.map(([id]) => id).sort());
    const warmed = of('AWS::Scheduler::Schedule').flatMap(([, { Properties }]) => Properties.Target.Arn.Ref ?? []);
    expect(warmed.sort()).toEqual(
      aliases
        .filter(([id]) => /Live/.test(id))
        .map(([id]) => id)
        .sort(),
    );

    const groups = template().findResources('AWS::CodeDeploy::DeploymentGroup');
    const alarms = template().findResources('AWS::CloudWatch::Alarm');
    for (const [, { Properties, UpdatePolicy }] of aliases) {
      const { ApplicationName, DeploymentGroupName } = UpdatePolicy.CodeDeployLambdaAliasUpdate;
      const group = groups[DeploymentGroupName.Ref]?.Properties;
      expect(group).toMatchObject({
        ApplicationName,
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
        AutoRollbackConfiguration: { Enabled: true, Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'] },
        AlarmConfiguration: { Enabled: true, Alarms: [{ Name: { Ref: expect.any(String) } }] },
      });
      expect(alarms[group?.AlarmConfiguration.Alarms[0].Name.Ref]?.Properties).toMatchObject({
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Threshold: 1,
        Period: 60,
        TreatMissingData: 'notBreaching',
        Dimensions: [
          { Name: 'ExecutedVersion', Value: Properties.FunctionVersion },
          { Name: 'FunctionName', Value: Properties.FunctionName },
          { Name: 'Resource', Value: { 'Fn::Join': ['', [Properties.FunctionName, `:${Properties.Name}`]] } },
        ],
      });
    }
    template().hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: Match.objectLike({
        Statement: [Match.objectLike({ Principal: { Service: 'codedeploy.amazonaws.com' } })],
      }),
      ManagedPolicyArns: [
        { 'Fn::Join': ['', Match.arrayWith([':iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited'])] },
      ],
      Policies: Match.absent(),
    });
  });

  test('[T473] a new version has an alarm of its own, which the failures of the version before cannot set off', () => {
    const ids = (shopName: string) => {
      const { template } = shop(() => ({ canary: true, shopName }));
      const versions = Object.keys(template().findResources('AWS::Lambda::Version'));
      const alarms = Object.keys(template().findResources('AWS::CloudWatch::Alarm'));
      expect(alarms.filter((id) => id.endsWith('Fails')).sort()).toEqual(versions.map((id) => `${id}Fails`).sort());
      return versions.filter((id) => id.includes('MobileRedirect'));
    };
    expect(ids('before')).not.toEqual(ids('after'));
  });

  test('reserves executions for the named functions only', () => {
    const { template } = shop(() => ({ reservedConcurrency: { reconcile: 1, publish: 5 } }));
    const reserved = Object.entries(template().findResources('AWS::Lambda::Function')).flatMap(
      ([id, { Properties }]) =>
        Properties.ReservedConcurrentExecutions ? [[id.slice(17, 24), Properties.ReservedConcurrentExecutions]] : [],
    );
    expect(reserved).toEqual([
      ['Reconci', 1],
      ['Publish', 5],
    ]);
  });

  test('archives the events of orders for 30 days, or as long as configured, or not at all', () => {
    const archived = (archiveDays?: number) =>
      Object.values(
        shop(() => (archiveDays === undefined ? {} : { archiveDays }))
          .template()
          .findResources('AWS::Events::Archive'),
      ).map(({ Properties }) => [Properties.RetentionDays, Properties.EventPattern]);
    const ours = { source: ['iamport-serverless'] };
    expect(archived()).toEqual([[30, ours]]);
    expect(archived(365)).toEqual([[365, ours]]);
    expect(archived(0)).toEqual([]);
  });

  test('mails a month above the budget to the recipients of alarms, and makes no budget by default', () => {
    const { template } = shop(() => ({ budget: 20, alarmEmails: ['owner@shop.example'] }));
    const Subscribers = [{ SubscriptionType: 'EMAIL', Address: 'owner@shop.example' }];
    const above = { ComparisonOperator: 'GREATER_THAN', Threshold: 100, ThresholdType: 'PERCENTAGE' };
    template().hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 20, Unit: 'USD' } },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', ...above }, Subscribers },
        { Notification: { NotificationType: 'FORECASTED', ...above }, Subscribers },
      ],
    });
    shop(() => ({}))
      .template()
      .resourceCountIs('AWS::Budgets::Budget', 0);
  });

  test('sets the retention of logs', () => {
    shop(() => ({ logRetentionDays: 365 }))
      .template()
      .allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  });

  test('lets a test deployment be deleted completely, and enables termination protection by default', () => {
    const test = new PaymentsStack(app(), { storefront, bundles, removal: 'destroy' });
    const kinds = ['AWS::DynamoDB::GlobalTable', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup'];
    for (const kind of kinds) Template.fromStack(test).allResources(kind, { DeletionPolicy: 'Delete' });
    Template.fromStack(test).allResourcesProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })],
    });
    expect(test.terminationProtection).toBe(false);
    expect(new PaymentsStack(app(), { storefront, bundles }).terminationProtection).toBe(true);
  });

  test('tags every resource that can have tags', () => {
    const { template } = shop(() => ({ tags: { team: 'payments' } }));
    for (const kind of ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::Logs::LogGroup', 'AWS::IAM::Role']) {
      template().allResourcesProperties(kind, { Tags: Match.arrayWith([{ Key: 'team', Value: 'payments' }]) });
    }
    template().allResourcesProperties('AWS::ApiGatewayV2::Api', { Tags: { team: 'payments' } });
  });
});

test('the construct hands out its parts, such as for alarms of the shop', () => {
  const { payments, stack, template } = shop(() => ({}));
  expect(Object.keys(payments.functions)).toEqual(FUNCTION_NAMES);
  payments.functions.complete.metricErrors().createAlarm(stack, 'Errors', { threshold: 1, evaluationPeriods: 1 });
  template().hasResourceProperties('AWS::CloudWatch::Alarm', {
    MetricName: 'Errors',
    Dimensions: [{ Name: 'FunctionName', Value: { Ref: Match.stringLikeRegexp('FunctionsComplete') } }],
  });
  const logicalIds = [payments.api.apiId, payments.alarmTopic.topicName, payments.deadLetterQueue.queueUrl].map(
    (reference) => JSON.stringify(stack.resolve(reference)),
  );
  expect(logicalIds).toEqual([
    expect.stringMatching(/PaymentsHttpApi/),
    expect.stringMatching(/PaymentsAlarmsTopic/),
    expect.stringMatching(/PaymentsUnpublished/),
  ]);
  expect(payments.dashboard?.node.path).toBe('Shop/Payments/Dashboard/Page');
  expect(shop(() => ({ dashboard: false })).payments.dashboard).toBeUndefined();
});

test.each([
  ['grantRegisterOrders', ['/*/PUT/orders/*', '/*/GET/orders/*']],
  ['grantRefundOrders', ['/*/POST/orders/*/refunds']],
  ['grantCloseOrders', ['/*/DELETE/orders/*']],
] as const)('%s allows these calls and nothing else', (grant, paths) => {
  const { payments, stack, template } = shop(() => ({ shopAuth: 'iam' }));
  payments[grant](new Role(stack, 'Server', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }));
  const [policy] = Object.values(template().findResources('AWS::IAM::Policy'));
  expect(policy?.Properties.PolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Action: 'execute-api:Invoke',
      Resource: paths.length === 1 ? endsIn(paths[0]) : paths.map(endsIn),
    },
  ]);
});

describe('shopAuth', () => {
  const orderRoutes = (template: Template) =>
    Object.values(template.findResources('AWS::ApiGatewayV2::Route'))
      .map(({ Properties: { RouteKey, AuthorizationType } }) => `${RouteKey} ${AuthorizationType}`)
      .filter((route) => route.includes('/orders/'));
  const variablesOf = (template: Template, name: string) =>
    Object.entries(template.findResources('AWS::Lambda::Function')).find(([id]) =>
      id.includes(`Functions${name}F`),
    )?.[1].Properties.Environment.Variables;

  test('"iam" authorizes every order route in API Gateway, and creates no keys', () => {
    const { payments, template } = shop(() => ({ shopAuth: 'iam' }));
    expect(payments.shopKeys).toBeUndefined();
    expect(orderRoutes(template())).toEqual([
      'PUT /orders/{merchant_uid} AWS_IAM',
      'GET /orders/{merchant_uid} AWS_IAM',
      'POST /orders/{merchant_uid}/refunds AWS_IAM',
      'DELETE /orders/{merchant_uid} AWS_IAM',
    ]);
    template().resourceCountIs('AWS::SecretsManager::Secret', 1);
    for (const name of ['Orders', 'Refunds', 'CloseOrder']) {
      expect(variablesOf(template(), name)).toMatchObject({ SHOP_AUTH: 'iam' });
      expect(variablesOf(template(), name)).not.toHaveProperty('SHOP_KEYS_SECRET_ARN');
    }
  });

  test('"key" generates a secret of two keys, which only the functions of the order routes get', () => {
    const { template } = shop(() => ({}));
    template().hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: {
        SecretStringTemplate: '{}',
        GenerateStringKey: 'current',
        PasswordLength: 86,
        ExcludePunctuation: true,
      },
    });
    expect(orderRoutes(template()).every((route) => route.endsWith(' NONE'))).toBe(true);
    for (const name of ['Orders', 'Refunds', 'CloseOrder']) {
      const expected = { SHOP_AUTH: 'key', SHOP_KEYS_SECRET_ARN: expect.anything() };
      expect(variablesOf(template(), name)).toMatchObject(expected);
    }
    for (const name of ['Complete', 'MobileRedirect', 'Webhook', 'Confirm', 'Reconcile', 'Publish']) {
      expect(variablesOf(template(), name)).not.toHaveProperty('SHOP_KEYS_SECRET_ARN');
    }
  });

  test('"key" refuses a grant that would open nothing', () => {
    const { payments, stack } = shop(() => ({}));
    const role = new Role(stack, 'Server', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    expect(() => payments.grantRegisterOrders(role)).toThrow('or set shopAuth: "iam"');
  });

  test('of another value is refused with the allowed ones', () => {
    expect(() => shop(() => ({ shopAuth: 'none' as 'key' }))).toThrow('shopAuth is "none": it must be "key" or "iam"');
  });
});

const endsIn = (path: string) => ({
  'Fn::Join': ['', expect.arrayContaining([expect.stringMatching(/:execute-api:ap-northeast-2:$/), path])],
});

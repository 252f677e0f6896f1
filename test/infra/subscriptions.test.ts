/** A shop's own functions as subscribers: `payments.onPaid(fn)` and the other methods. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Annotations, App, type Environment, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { afterAll, describe, expect, test } from 'vitest';
import { eventNames, notificationNames } from '../../functions/events/event-schema.ts';
import type { Configuration } from '../../infra/config.ts';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { writeEmptyBundles } from './synthesized.ts';

const directory = mkdtempSync(join(tmpdir(), 'shop-'));
writeEmptyBundles(directory);
afterAll(() => rmSync(directory, { recursive: true }));

const env = { account: '123456789012', region: 'ap-northeast-2' };
const anyCode = {
  runtime: Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: Code.fromInline('exports.handler = async () => {};'),
};

/** A shop's stack with the construct, and the annotations that a deployment would print. */
function shop(more: Partial<Configuration> = {}) {
  const app = new App({ outdir: mkdtempSync(join(directory, 'cdk-')), analyticsReporting: false });
  const stack = new Stack(app, 'Shop', { env });
  const alarmEmails = ['owner@shop.example'];
  const props = { storefront: { origins: ['https://shop.example'] }, alarmEmails, bundles: directory, ...more };
  const payments = new IamportPayments(stack, 'Payments', props);
  const annotations = (kind: 'warning' | 'info') =>
    payments.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === `aws:cdk:${kind}`)
      .map(({ data }) => String(data).replace(/ \[ack: .+\]$/, ''));
  return { app, stack, payments, annotations };
}

const { stack, payments, annotations } = shop();
const deliver = new LambdaFunction(stack, 'Deliver', anyCode);
payments.onPaid(deliver);
payments.onVirtualAccountIssued(deliver);
payments.onFailed(deliver);
payments.onCancelled(deliver);
payments.onRejected(deliver);
payments.onRefundRequired(deliver);
payments.onRefundRefused(deliver);
const template = Template.fromStack(stack);
const queue = { 'Fn::GetAtt': [expect.stringMatching(/^PaymentsSubscriberDeliver\w+DeadLetters\w+$/), 'Arn'] };

test.each([
  'Payment Paid',
  'Virtual Account Issued',
  'Payment Failed',
  'Payment Cancelled',
  'Payment Rejected',
  'Refund Required',
  'Refund Refused',
])('delivery of %s is tried for a day, and a failed event is kept', (name) => {
  const [rule, ...others] = Object.values(template.findResources('AWS::Events::Rule'))
    .map(({ Properties }) => Properties)
    .filter(({ EventPattern }) => EventPattern['detail-type'].includes(name));
  expect(others).toEqual([]);
  expect(rule).toMatchObject({
    EventBusName: { Ref: expect.stringMatching(/^PaymentsEvents/) },
    EventPattern: { source: ['iamport-serverless'], 'detail-type': [name] },
    Targets: [
      {
        Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Deliver/), 'Arn'] },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        DeadLetterConfig: { Arn: queue },
      },
    ],
  });
});

/** The async invoke configurations of subscribers, without the reconciler's. */
const invokeConfigs = (of: Template) =>
  Object.values(of.findResources('AWS::Lambda::EventInvokeConfig')).filter(
    ({ Properties }) => !JSON.stringify(Properties.FunctionName).includes('Reconcile'),
  );

test('an event that the function fails on three times is kept in the same queue', () => {
  const [config, ...others] = invokeConfigs(template);
  expect(others).toEqual([]);
  expect(config?.Properties).toEqual({
    FunctionName: { Ref: expect.stringMatching(/^Deliver/) },
    Qualifier: '$LATEST',
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 21_600,
    DestinationConfig: { OnFailure: { Destination: queue } },
  });
});

test('the function’s role may send to that queue, gets no other right, and is complete before Lambda checks it', () => {
  const [[id = '', policy] = [], ...others] = Object.entries(template.findResources('AWS::IAM::Policy'));
  expect(others).toEqual([]);
  expect(policy?.Properties).toMatchObject({
    Roles: [{ Ref: expect.stringMatching(/^DeliverServiceRole/) }],
    PolicyDocument: {
      Statement: [
        { Effect: 'Allow', Action: ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'], Resource: queue },
      ],
    },
  });
  template.hasResource('AWS::Lambda::Function', { DependsOn: Match.arrayWith([id]) });
});

test('the queue denies only requests without TLS, and lets the rules write into it', () => {
  const rules = Object.keys(template.findResources('AWS::Events::Rule'));
  expect(rules).toHaveLength(7);
  const statements = Object.values(template.findResources('AWS::SQS::QueuePolicy'))
    .filter(({ Properties }) => JSON.stringify(Properties.Queues).includes('Subscriber'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  const [refused, ...allowed] = statements;
  expect(refused).toMatchObject({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
  expect(allowed.map(({ Effect, Action, Principal }) => [Effect, Action, Principal.Service])).toEqual([
    ['Allow', 'sqs:SendMessage', 'events.amazonaws.com'],
  ]);
  const sources = allowed[0].Condition.ArnEquals['aws:SourceArn'] as { 'Fn::GetAtt': string[] }[];
  expect(sources.map((source) => source['Fn::GetAtt'][0]).sort()).toEqual(rules.sort());
});

test('the queue is retained with its messages when the subscription is removed, except in a test deployment', () => {
  const queuesOf = (of: Template) =>
    Object.entries(of.findResources('AWS::SQS::Queue')).map(([, { DeletionPolicy }]) => DeletionPolicy);
  expect(queuesOf(template)).toEqual(['RetainExceptOnCreate', 'RetainExceptOnCreate']);
  const { stack, payments } = shop({ removal: 'destroy' });
  payments.onPaid(new LambdaFunction(stack, 'Deliver', anyCode));
  expect(queuesOf(Template.fromStack(stack))).toEqual(['Delete', 'Delete']);
});

test('one alarm reports the first message in the queue, a second one each further one, and both name the function', () => {
  const missed = Object.values(template.findResources('AWS::CloudWatch::Alarm')).filter(({ Properties }) =>
    Properties.AlarmDescription.includes('#subscriber-missed'),
  );
  expect(missed.map(({ Properties }) => Properties)).toEqual([
    expect.objectContaining({
      AlarmDescription: expect.stringContaining('(Shop/Deliver)'),
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue['Fn::GetAtt'][0], 'QueueName'] } }],
    }),
    expect.objectContaining({ AlarmDescription: expect.stringContaining('(Shop/Deliver). More have come.') }),
  ]);
});

test('only the rules may call the function', () => {
  const permissions = Object.values(template.findResources('AWS::Lambda::Permission'))
    .map(({ Properties }) => Properties)
    .filter(({ Principal }) => Principal === 'events.amazonaws.com');
  expect(permissions.map(({ SourceArn }) => SourceArn['Fn::GetAtt'][0]).sort()).toEqual(
    Object.keys(template.findResources('AWS::Events::Rule')).sort(),
  );
});

test('a deployment prints no info or warning about the subscriptions', () => {
  expect([...annotations('warning'), ...annotations('info')]).toEqual([]);
});

test('a queue accepts every event: its policy stays at 2 statements, below 8 KB', () => {
  const { stack, payments } = shop();
  const everything = new LambdaFunction(stack, 'EverythingThatHappensToAnOrder', anyCode);
  for (const name of [...eventNames, ...notificationNames]) payments.on(name, everything);
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::SQS::QueuePolicy'));
  // CloudFormation replaces each reference with an ARN.
  const arn = `arn:aws:sqs:ap-northeast-2:123456789012:${'x'.repeat(80)}`;
  for (const { Properties } of policies) {
    const { Statement } = Properties.PolicyDocument;
    expect(Statement.length).toBeLessThanOrEqual(2);
    const written = JSON.stringify(Statement).replace(/\{"Fn::GetAtt":\[[^\]]+\]\}/g, `"${arn}"`);
    expect(written.length).toBeLessThanOrEqual(8_192);
  }
  expect(Math.max(...policies.map(({ Properties }) => Properties.PolicyDocument.Statement.length))).toBe(2);
});

test('functions of the same id in two constructs can both subscribe, each with a queue of its own', () => {
  const { stack, payments } = shop();
  const [stock, mail] = ['Stock', 'Mail'].map((name) =>
    payments.onPaid(new LambdaFunction(new Construct(stack, name), 'Function', anyCode)),
  );
  expect(stock?.deadLetters).not.toBe(mail?.deadLetters);
  Template.fromStack(stack).resourceCountIs('AWS::Events::Rule', 2);
});

test('an alias has its own failure destination', () => {
  const { stack, payments } = shop();
  payments.onPaid(new LambdaFunction(stack, 'Deliver', anyCode).addAlias('live'));
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    FunctionName: { Ref: Match.stringLikeRegexp('^Deliver') },
    Qualifier: { 'Fn::Select': [7, { 'Fn::Split': [':', { Ref: Match.stringLikeRegexp('^DeliverAliaslive') }] }] },
    DestinationConfig: { OnFailure: Match.anyValue() },
  });
});

test('a function with its own failure destination is not changed, and a deployment reports it', () => {
  const { stack, payments, annotations } = shop();
  const onFailure = new SqsDestination(new Queue(stack, 'Mine'));
  payments.onPaid(new LambdaFunction(stack, 'Deliver', { ...anyCode, onFailure }));
  const configs = invokeConfigs(Template.fromStack(stack));
  expect(JSON.stringify(configs.map(({ Properties }) => Properties.DestinationConfig))).toMatch(
    /^\[\{"OnFailure":\{"Destination":\{"Fn::GetAtt":\["Mine\w+","Arn"\]\}\}\}\]$/,
  );
  expect(annotations('warning')).toEqual([]);
  expect(annotations('info')).toEqual([
    'Shop/Deliver already has an `onFailure` destination: Lambda sends failed events there, and not to this queue.',
  ]);
});

test('a deployment warns of an async invoke configuration that would lose failures', () => {
  const { stack, payments, annotations } = shop();
  const deliver = new LambdaFunction(stack, 'Deliver', { ...anyCode, retryAttempts: 0 });
  payments.onPaid(deliver);
  payments.onCancelled(deliver);
  expect(invokeConfigs(Template.fromStack(stack))).toHaveLength(1);
  expect(annotations('warning')).toEqual([
    'Shop/Deliver has an async invoke configuration of its own, which is not changed. Lambda discards an event after three failed attempts: add an `onFailure` destination there.',
  ]);
});

test('an imported function is subscribed with a warning of its missing configuration', () => {
  const { stack, payments, annotations } = shop();
  const functionArn = 'arn:aws:lambda:ap-northeast-2:123456789012:function:ship';
  payments.onPaid(LambdaFunction.fromFunctionAttributes(stack, 'Ship', { functionArn, sameEnvironment: true }));
  Template.fromStack(stack).resourceCountIs('AWS::Events::Rule', 1);
  expect(invokeConfigs(Template.fromStack(stack))).toEqual([]);
  expect(annotations('warning')).toEqual([
    'Shop/Ship is imported. Lambda discards an event after three failed attempts: add an `onFailure` destination where it is defined, and grant its role `sqs:SendMessage` on that.',
  ]);
  // After the configuration where it is defined, as in docs/construct.md.
  Annotations.of(stack).acknowledgeWarning('iamport-serverless:subscriberFailures');
  expect(annotations('warning')).toEqual([]);
});

describe('a function of another stack', () => {
  /** The payments in one stack, and a function of the shop in another. */
  function twoStacks(more: Partial<Configuration> = {}, shopEnv: Environment = env) {
    const { app, stack: pay, payments } = shop({ shopAuth: 'iam', ...more });
    const warehouse = new Stack(app, 'Warehouse', { env: shopEnv });
    const pack = new LambdaFunction(warehouse, 'Pack', anyCode);
    return { app, pay, payments, warehouse, pack };
  }

  test('has its rule, queue, failure destination and alarm in its own stack [T400]', () => {
    const { pay, payments, warehouse, pack } = twoStacks({ tags: { team: 'payments' } });
    const { deadLetters } = payments.onPaid(pack);
    expect(Stack.of(deadLetters)).toBe(warehouse);
    const template = Template.fromStack(warehouse);
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: { 'Fn::ImportValue': Match.stringLikeRegexp('^Shop:') },
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Pack'), 'Arn'] } })],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: warehouse.resolve(deadLetters.queueArn) } },
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp(String.raw`\(Warehouse/Pack\).*#subscriber-missed`),
      AlarmActions: [{ 'Fn::ImportValue': Match.stringLikeRegexp('AlarmsTopic') }],
    });
    template.hasResource('AWS::SQS::Queue', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { Tags: [{ Key: 'team', Value: 'payments' }] },
    });
    Template.fromStack(pay).resourceCountIs('AWS::Events::Rule', 0);
    expect(warehouse.dependencies).toEqual([pay]);
    expect(pay.dependencies).toEqual([]);
  });

  test.each<[string, (two: ReturnType<typeof twoStacks>) => void]>([
    ['nothing of the payments', () => {}],
    ['their address', ({ payments, pack }) => pack.addEnvironment('PAYMENTS_URL', payments.url)],
    ['a grant', ({ payments, pack }) => payments.grantRegisterOrders(pack)],
    [
      'the address, a grant and a second function',
      ({ payments, warehouse, pack }) => {
        payments.grantRefundOrders(pack);
        payments.onPaid(new LambdaFunction(warehouse, 'Mail', { ...anyCode, environment: { URL: payments.url } }));
      },
    ],
  ])('can subscribe and use %s [T401]', (_what, use) => {
    const two = twoStacks();
    two.payments.onPaid(two.pack);
    use(two);
    two.app.synth();
    expect(two.pay.dependencies).toEqual([]);
  });

  test('can subscribe and read the keys of the shop’s server', () => {
    const { app, pay, payments, pack } = twoStacks({ shopAuth: 'key' });
    payments.onPaid(pack);
    payments.shopKeys?.grantRead(pack);
    app.synth();
    expect(pay.dependencies).toEqual([]);
  });

  test.each([
    [
      { ...env, region: 'us-east-1' },
      'Warehouse/Pack is in the region us-east-1, and the events are in ap-northeast-2. Subscribe a function of the same region, or send events to a URL with payments.notify(url).',
    ],
    [
      { ...env, account: '999999999999' },
      'Warehouse/Pack is in the account 999999999999, and the events are in 123456789012.',
    ],
  ])('of another region or account is refused: %o', (shopEnv, message) => {
    const { payments, pack } = twoStacks({}, shopEnv);
    expect(() => payments.onPaid(pack)).toThrow(message);
  });
});

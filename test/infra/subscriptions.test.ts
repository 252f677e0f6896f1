/** A shop's own functions as subscribers: `payments.onPaid(fn)` and its sisters. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { functionNames } from '../../infra/doors.ts';
import { IamportPayments } from '../../infra/iamport-payments.ts';

let directory: string;
let template: Template;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'shop-'));
  for (const name of functionNames) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'index.mjs'), '');
  }
  const stack = new Stack(new App({ outdir: join(directory, 'cdk.out') }), 'Shop');
  const payments = new IamportPayments(stack, 'Payments', {
    storefront: { origins: ['https://shop.example'] },
    bundles: directory,
  });
  const code = Code.fromInline('exports.handler = async () => {};');
  const deliver = new LambdaFunction(stack, 'Deliver', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code,
  });
  payments.onPaid(deliver);
  payments.onVirtualAccountIssued(deliver);
  payments.onFailed(deliver);
  payments.onCancelled(deliver);
  payments.onRejected(deliver);
  payments.onRefundRequired(deliver);
  template = Template.fromStack(stack);
});
afterAll(() => rmSync(directory, { recursive: true }));

test.each([
  'Payment Paid',
  'Virtual Account Issued',
  'Payment Failed',
  'Payment Cancelled',
  'Payment Rejected',
  'Refund Required',
])('%s reaches the function, is tried for a day, and is kept after that', (name) => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventBusName: Match.objectLike({ Ref: Match.stringLikeRegexp('^PaymentsEvents') }),
    EventPattern: { source: ['iamport-serverless'], 'detail-type': [name] },
    Targets: [
      Match.objectLike({
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
        DeadLetterConfig: Match.anyValue(),
      }),
    ],
  });
});

test('each subscription has a queue of its own, and only its rule may write to it', () => {
  const rules = Object.keys(template.findResources('AWS::Events::Rule'));
  expect(rules).toHaveLength(6);
  expect(Object.keys(template.findResources('AWS::SQS::Queue'))).toHaveLength(6 + 1);
  const writers = Object.values(template.findResources('AWS::SQS::QueuePolicy')).flatMap(({ Properties }) =>
    Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow'),
  );
  expect(writers.map(({ Action, Principal }) => [Action, Principal.Service])).toEqual(
    rules.map(() => ['sqs:SendMessage', 'events.amazonaws.com']),
  );
  expect(writers.map(({ Condition }) => Condition.ArnEquals['aws:SourceArn']['Fn::GetAtt'][0]).sort()).toEqual(
    rules.sort(),
  );
});

test('only the rules may call the function, which gets no right of its own by it', () => {
  const permissions = Object.values(template.findResources('AWS::Lambda::Permission'))
    .map(({ Properties }) => Properties)
    .filter(({ Principal }) => Principal === 'events.amazonaws.com');
  expect(permissions.map(({ SourceArn }) => SourceArn['Fn::GetAtt'][0]).sort()).toEqual(
    Object.keys(template.findResources('AWS::Events::Rule')).sort(),
  );
  expect(Object.keys(template.findResources('AWS::IAM::Policy'))).toEqual([]);
});

test('functions of the same id in two constructs can both subscribe', () => {
  const stack = new Stack(new App({ outdir: join(directory, 'two') }), 'Shop');
  const storefront = { origins: ['https://shop.example'] };
  const payments = new IamportPayments(stack, 'Payments', { storefront, bundles: directory });
  for (const name of ['Stock', 'Mail']) {
    const code = Code.fromInline('exports.handler = async () => {};');
    const props = { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code };
    payments.onPaid(new LambdaFunction(new Construct(stack, name), 'Function', props));
  }
  Template.fromStack(stack).resourceCountIs('AWS::Events::Rule', 2);
});

/** All rights of every function. A right that is not in these tables fails the test. */
import { expect, test } from 'vitest';
import { ofType, referred, synthesized } from './synthesized.ts';

const template = synthesized({ storefront: { origins: ['https://shop.example'] } });
const roles = ofType(template, 'AWS::IAM::Role');

const tracing = ['xray:PutTelemetryRecords *', 'xray:PutTraceSegments *'];
const keys = 'secretsmanager:GetSecretValue ShopKeys';
const settling = (log: string) => [
  'dynamodb:GetItem TablesOrders',
  'dynamodb:GetItem TablesReversals',
  'dynamodb:GetItem TablesState',
  'dynamodb:UpdateItem TablesOrders',
  'dynamodb:UpdateItem TablesReversals',
  'dynamodb:UpdateItem TablesState',
  `logs:CreateLogStream ${log}`,
  `logs:PutLogEvents ${log}`,
  'secretsmanager:GetSecretValue Secret',
  ...tracing,
];

test.each([
  ['FunctionsComplete', settling('FunctionsCompleteLog')],
  ['FunctionsMobileRedirect', settling('FunctionsMobileRedirectLog')],
  ['FunctionsWebhook', settling('FunctionsWebhookLog')],
  [
    'FunctionsOrders',
    [
      'dynamodb:GetItem TablesOrders',
      'dynamodb:GetItem TablesState',
      'dynamodb:Query TablesReversals/index/by-order',
      'dynamodb:UpdateItem TablesOrders',
      'dynamodb:UpdateItem TablesReversals',
      'dynamodb:UpdateItem TablesState',
      'logs:CreateLogStream FunctionsOrdersLog',
      'logs:PutLogEvents FunctionsOrdersLog',
      'secretsmanager:GetSecretValue Secret',
      keys,
      ...tracing,
    ],
  ],
  [
    'FunctionsRefunds',
    [
      ...settling('FunctionsRefundsLog'),
      'dynamodb:BatchGetItem TablesReversals',
      'dynamodb:Query TablesReversals/index/by-order',
      keys,
    ].sort(),
  ],
  [
    'FunctionsCloseOrder',
    [...settling('FunctionsCloseOrderLog'), 'dynamodb:BatchGetItem TablesReversals', keys].sort(),
  ],
  [
    'FunctionsConfirm',
    [
      'dynamodb:GetItem TablesOrders',
      'logs:CreateLogStream FunctionsConfirmLog',
      'logs:PutLogEvents FunctionsConfirmLog',
      ...tracing,
    ],
  ],
  [
    'FunctionsReconcile',
    [
      ...settling('FunctionsReconcileLog'),
      'dynamodb:BatchGetItem TablesOrders',
      'dynamodb:BatchGetItem TablesReversals',
      'dynamodb:Query TablesOrders/index/due',
      'dynamodb:Query TablesReversals/index/by-order',
      'dynamodb:Query TablesReversals/index/due',
      'dynamodb:BatchGetItem TablesState',
      'dynamodb:DescribeTable TablesState',
    ].sort(),
  ],
  [
    'FunctionsPublish',
    [
      ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].flatMap((action) => [
        `dynamodb:${action} TablesOrders/stream/*`,
        `dynamodb:${action} TablesReversals/stream/*`,
      ]),
      'dynamodb:GetItem TablesReversals',
      'dynamodb:UpdateItem TablesReversals',
      'events:PutEvents Events',
      'logs:CreateLogStream FunctionsPublishLog',
      'logs:PutLogEvents FunctionsPublishLog',
      'sqs:SendMessage Unpublished',
      ...tracing,
    ].sort(),
  ],
])('%s has exactly these rights', (name, rights) => {
  expect(rightsOf(`${name}Role`)).toEqual(rights);
  expect(referred(ofType(template, 'AWS::Lambda::Function')[`${name}Function`]?.Properties.Role)).toEqual([
    `${name}Role`,
  ]);
});

test('only schedules of this account may invoke the reconciler, and nothing else', () => {
  expect(rightsOf('WorkersSchedulerRole')).toEqual(['lambda:InvokeFunction FunctionsReconcileFunction']);
  expect(roles.WorkersSchedulerRole?.Properties.AssumeRolePolicyDocument).toMatchObject({
    Statement: [{ Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } }],
  });
});

test('every right is in the role itself, and no managed or separate policy exists', () => {
  expect(Object.keys(roles)).toHaveLength(10);
  for (const [name, { Properties }] of Object.entries(roles)) {
    const Service = name === 'WorkersSchedulerRole' ? 'scheduler.amazonaws.com' : 'lambda.amazonaws.com';
    expect(Properties.ManagedPolicyArns).toBeUndefined();
    expect(Properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [{ Action: 'sts:AssumeRole', Principal: { Service } }],
    });
  }
  expect(ofType(template, 'AWS::IAM::Policy')).toEqual({});
  expect(ofType(template, 'AWS::IAM::ManagedPolicy')).toEqual({});
});

test('only this API may call the functions, each through its own routes', () => {
  const permissions = Object.values(ofType(template, 'AWS::Lambda::Permission')).map(({ Properties }) => {
    const { 'Fn::Join': source } = Properties.SourceArn as { 'Fn::Join': [string, unknown[]] };
    return [Properties.Principal, ...referred(Properties.FunctionName), source[1].at(-1)];
  });
  expect(permissions).toEqual([
    ['apigateway.amazonaws.com', 'FunctionsCompleteFunction', '/*/*/payments/complete'],
    ['apigateway.amazonaws.com', 'FunctionsMobileRedirectFunction', '/*/*/payments/complete/mobile'],
    ['apigateway.amazonaws.com', 'FunctionsMobileRedirectFunction', '/*/*/payments'],
    ['apigateway.amazonaws.com', 'FunctionsMobileRedirectFunction', '/*/*/payments/{proxy+}'],
    ['apigateway.amazonaws.com', 'FunctionsWebhookFunction', '/*/*/payments/webhook'],
    ['apigateway.amazonaws.com', 'FunctionsWebhookFunction', '/*/*/payments/{proxy+}'],
    ['apigateway.amazonaws.com', 'FunctionsOrdersFunction', '/*/*/orders/{merchant_uid}'],
    ['apigateway.amazonaws.com', 'FunctionsOrdersFunction', '/*/*/orders/{merchant_uid}'],
    ['apigateway.amazonaws.com', 'FunctionsRefundsFunction', '/*/*/orders/{merchant_uid}/refunds'],
    ['apigateway.amazonaws.com', 'FunctionsCloseOrderFunction', '/*/*/orders/{merchant_uid}'],
    ['apigateway.amazonaws.com', 'FunctionsConfirmFunction', '/*/*/payments/confirm'],
  ]);
});

test('only the two rights for traces apply to all resources, and no right covers all actions of a service', () => {
  const everything = Object.keys(roles).flatMap((role) =>
    rightsOf(role)
      .filter((right) => !tracing.includes(right))
      .filter((right) => /\* | \*$/.test(right) || (right.includes('*') && !right.endsWith('/stream/*'))),
  );
  expect(everything).toEqual([]);
});

test('the queue of unpublished changes accepts messages over TLS only', () => {
  const policies = Object.values(ofType(template, 'AWS::SQS::QueuePolicy')).map(({ Properties }) => [
    referred(Properties.Queues),
    (Properties.PolicyDocument as { Statement: object[] }).Statement,
  ]);
  expect(policies).toEqual([
    [
      ['Unpublished'],
      [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'sqs:*',
          Resource: { 'Fn::GetAtt': [expect.any(String), 'Arn'] },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    ],
  ]);
});

test('no resource policy grants rights to another account', () => {
  const text = JSON.stringify(Object.values(template.Resources));
  // The principal "*" appears only in statements that deny requests without TLS.
  expect(text).not.toMatch(/"Effect":"Allow","Principal":(?:"\*"|\{"AWS":"\*"\})/);
  const principals = text.match(/"Principal":(\{.*?\}|".*?")/g) ?? [];
  expect([...new Set(principals)].sort()).toEqual([
    '"Principal":"*"',
    '"Principal":"apigateway.amazonaws.com"',
    '"Principal":{"AWS":"*"}',
    '"Principal":{"Service":"cloudwatch.amazonaws.com"}',
    '"Principal":{"Service":"lambda.amazonaws.com"}',
    '"Principal":{"Service":"scheduler.amazonaws.com"}',
  ]);
});

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** One line for each action on each resource, sorted. A statement other than a plain Allow is shown as JSON. */
function rightsOf(role: string): string[] {
  const policies = (roles[role]?.Properties.Policies ?? []) as { PolicyDocument: { Statement: Statement[] } }[];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource, Effect, ...rest }) => {
      if (Effect !== 'Allow' || Object.keys(rest).length > 0) return JSON.stringify({ Effect, Action, ...rest });
      return [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${arn(resource)}`));
    })
    .sort();
}

/** The short name of a table, secret or log group, with the suffix of its ARN. */
function arn(resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::Join': join } = resource as { 'Fn::Join'?: [string, unknown[]] };
  return join ? join[1].map(arn).join('') : referred(resource).join();
}

/** Every template that the construct can produce, against CloudFormation's resource database. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { afterAll, expect, test } from 'vitest';
import { eventNames } from '../../functions/events/event-schema.ts';
import { IamportPayments, type IamportPaymentsProps } from '../../infra/iamport-payments.ts';
import { PaymentsStack } from '../../infra/stack.ts';
import { writeEmptyBundles } from './synthesized.ts';
import { type CheckedTemplate, TemplateChecker } from './template-checker.ts';

const scratch = mkdtempSync(join(tmpdir(), 'checked-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const bundles = join(scratch, 'bundles');
mkdirSync(bundles);
writeEmptyBundles(bundles);

const storefront = { origins: ['https://shop.example'] };
const env = { account: '123456789012', region: 'ap-northeast-2' };
const checker = new TemplateChecker();
const app = () => new App({ outdir: mkdtempSync(join(scratch, 'cdk-')), analyticsReporting: false });
const anyFunction = (stack: Stack, id: string) =>
  new LambdaFunction(stack, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => {};'),
  });

/** A shop's stack with the construct. @param more creates resources and returns further properties */
function shop(more: (stack: Stack) => Partial<IamportPaymentsProps>) {
  const stack = new Stack(app(), 'Shop', { env });
  const payments = new IamportPayments(stack, 'Payments', { storefront, bundles, ...more(stack) });
  return { stack, payments };
}

const templateOf = (stack: Stack) => Template.fromStack(stack).toJSON() as CheckedTemplate;

const everyOption = (stack: Stack): Partial<IamportPaymentsProps> => ({
  results: { web: 'https://shop.example/result', app: 'shopapp://result' },
  webhooks: [
    { url: 'https://api.shop.example/webhooks' },
    { url: 'https://erp.shop.example/', events: ['Payment Paid'] },
  ],
  throttles: { 'POST /payments/complete': { perSecond: 200, burst: 400 } },
  provisionedConcurrency: 2,
  keepWarm: true,
  canary: true,
  reservedConcurrency: { reconcile: 1, publish: 5, webhook: 20 },
  archiveDays: 365,
  budget: 20,
  alarmEmails: ['owner@shop.example'],
  tags: { team: 'payments' },
  encryptionKey: new Key(stack, 'Key'),
  network: { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) },
  domain: {
    name: 'pay.shop.example',
    certificate: Certificate.fromCertificateArn(
      stack,
      'Certificate',
      `arn:aws:acm:${env.region}:${env.account}:certificate/1`,
    ),
    hostedZone: new PublicHostedZone(stack, 'Zone', { zoneName: 'shop.example' }),
    only: true,
  },
});

const VARIANTS: Record<string, () => CheckedTemplate> = {
  'this project': () => templateOf(new PaymentsStack(app(), { storefront, bundles })),
  'a test deployment': () =>
    templateOf(
      new PaymentsStack(app(), {
        storefront,
        bundles,
        removal: 'destroy',
        archiveDays: 0,
        dashboard: false,
        shopAuth: 'iam',
      }),
    ),
  'a shop with every option': () => {
    const { stack, payments } = shop(everyOption);
    const everything = anyFunction(stack, 'Everything');
    for (const name of eventNames) payments.on(name, everything);
    payments.onPaid(anyFunction(stack, 'Deliver').addAlias('live'));
    return templateOf(stack);
  },
  'a shop with its own table of orders': () =>
    templateOf(
      shop((stack) => ({
        ordersTable: {
          table: new TableV2(stack, 'Orders', {
            partitionKey: { name: 'id', type: AttributeType.STRING },
            dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
          }),
          key: 'id',
          amount: 'total',
        },
      })).stack,
    ),
  'a stack of subscribers beside that of the payments': () => {
    const { stack, payments } = shop(() => ({ shopAuth: 'iam' }));
    const other = new Stack(Stack.of(stack).node.root as App, 'Warehouse', { env });
    const pack = anyFunction(other, 'Pack');
    payments.onPaid(pack);
    payments.grantRegisterOrders(pack);
    return templateOf(other);
  },
};

test.each(Object.keys(VARIANTS))('CloudFormation’s database knows everything in the template of %s', (name) => {
  const template = VARIANTS[name]?.() ?? { Resources: {} };
  expect(Object.keys(template.Resources).length).toBeGreaterThan(5);
  expect(checker.problems(template)).toEqual([]);
});

const unchanged: CheckedTemplate = VARIANTS['this project']?.() ?? { Resources: {} };
const idOf = (type: string) => Object.entries(unchanged.Resources).find(([, { Type }]) => Type === type)?.[0] ?? type;
const rule = idOf('AWS::Scheduler::Schedule');
const lambda = idOf('AWS::Lambda::Function');
const queue = idOf('AWS::SQS::Queue');
const alarm = idOf('AWS::CloudWatch::Alarm');

/** Each is a change of one property of a resource, which CloudFormation refuses. */
test.each<[string, string, Record<string, unknown>, string]>([
  ['an unknown property', lambda, { MemorySizes: 256 }, '.MemorySizes: the property is unknown'],
  [
    'an unknown property of a property',
    rule,
    { FlexibleTimeWindow: { Mode: 'OFF', Modus: 1 } },
    '.FlexibleTimeWindow.Modus: the property is unknown',
  ],
  ['a missing property', lambda, { Role: undefined }, ': the property Role is missing'],
  [
    'a missing property of a property',
    rule,
    { FlexibleTimeWindow: {} },
    '.FlexibleTimeWindow: the property Mode is missing',
  ],
  ['a text in place of a number', lambda, { MemorySize: 'much' }, '.MemorySize: "much" is not of the type integer'],
  ['a number in place of a text', lambda, { Handler: 1 }, '.Handler: 1 is not of the type string'],
  ['a text in place of a list', lambda, { Architectures: 'arm64' }, '.Architectures: "arm64" is not of the type array'],
  [
    'a text in place of an object',
    lambda,
    { TracingConfig: 'Active' },
    '.TracingConfig: "Active" is not of the type ref',
  ],
  ['a tag without a name', lambda, { Tags: [{ Value: 'x' }] }, '.Tags.0: {"Value":"x"} is not of the type tag'],
  [
    'a value that is not allowed',
    rule,
    { FlexibleTimeWindow: { Mode: 'SOMETIMES' } },
    '.FlexibleTimeWindow.Mode: SOMETIMES is none of OFF, FLEXIBLE',
  ],
  ['a reference to no resource', lambda, { Role: { Ref: 'Nothing' } }, '.Role: no resource is named Nothing'],
  [
    'a reference to no resource in free JSON',
    queue,
    { RedrivePolicy: { deadLetterTargetArn: { Ref: 'Nothing' } } },
    '.RedrivePolicy.deadLetterTargetArn: no resource is named Nothing',
  ],
  [
    'a reference to no resource in a text',
    lambda,
    { Description: { 'Fn::Sub': `of \${Nothing.Arn} in \${AWS::Region}` } },
    '.Description: no resource is named Nothing',
  ],
  [
    'an unknown attribute',
    lambda,
    { Role: { 'Fn::GetAtt': [queue, 'RoleArn'] } },
    '.Role: AWS::SQS::Queue has no attribute RoleArn',
  ],
  [
    'a reference that returns a text in place of a list',
    alarm,
    { AlarmActions: { Ref: queue } },
    `.AlarmActions: {"Ref":"${queue}"} is not of the type array`,
  ],
])('%s is found', (_name, id, properties, problem) => {
  const changed = structuredClone(unchanged);
  const resource = changed.Resources[id];
  if (!resource) throw new Error(`The template has no ${id}`);
  resource.Properties = { ...resource.Properties, ...properties };
  // As in a template file, where a property is there or not.
  expect(checker.problems(JSON.parse(JSON.stringify(changed)))).toEqual([`${id}${problem}`]);
});

test('an unknown type, and a dependency on no resource, are found', () => {
  const Thing = { Type: 'AWS::Lambda::Thing' };
  const Queue = { Type: 'AWS::SQS::Queue', DependsOn: ['Nothing'] };
  expect(checker.problems({ Resources: { Thing, Queue } })).toEqual([
    'Thing: the type AWS::Lambda::Thing is unknown',
    'Queue.DependsOn: no resource is named Nothing',
  ]);
});

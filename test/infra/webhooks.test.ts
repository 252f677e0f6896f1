/** The resources of a URL that receives webhooks: the configuration `webhooks`, and `payments.notify(url)`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { afterAll, describe, expect, test } from 'vitest';
import { eventNames, notificationNames } from '../../functions/events/event-schema.ts';
import { type Configuration, ConfigurationError, readSettings } from '../../infra/config.ts';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { VERSION } from '../../infra/version.ts';
import { ofType, referred, shortName, synthesized, writeEmptyBundles } from './synthesized.ts';

const directory = mkdtempSync(join(tmpdir(), 'webhooks-'));
writeEmptyBundles(directory);
afterAll(() => rmSync(directory, { recursive: true }));

const storefront = { origins: ['https://shop.example'] };
const webhooks = [
  { url: 'https://api.shop.example/webhooks' },
  {
    url: 'https://erp.shop.example/in?key=1',
    events: ['Payment Paid' as const, 'Escrow Changed' as const],
  },
] satisfies Configuration['webhooks'];
const without = synthesized({ storefront });
const template = synthesized({ storefront, webhooks });
const first = 'Webhookapishopexample4c46ea3f';

/** The properties of the first URL's resource of this type, by the rest of its short name. */
const ofFirst = (type: string, name: string) => ofType(template, type)[`${first}${name}`]?.Properties ?? {};

test('the path and the query of a URL, which may contain a key, are in no name of a resource', () => {
  const ids = [...Object.keys(template.Resources), ...Object.keys(template.Outputs ?? {})];
  expect(ids.filter((id) => /key1|erpshopexamplein/i.test(id))).toEqual([]);
  expect(ids.filter((id) => id.includes('Webhookerpshopexample')).length).toBeGreaterThan(10);
});

test('without a URL the template has nothing of it', () => {
  const ofWebhooks = Object.keys(without.Resources).filter(
    (id) => /webhook/i.test(id) && !/FunctionsWebhook|HttpApi/.test(id),
  );
  expect(ofWebhooks).toEqual([]);
});

test('a URL adds these resources, and changes none of the others', () => {
  const added = Object.entries(template.Resources).filter(([id]) => !Object.hasOwn(without.Resources, id));
  const common = Object.fromEntries(Object.keys(without.Resources).map((id) => [id, template.Resources[id]]));
  expect(common).toEqual(without.Resources);
  const ofUrl = added.map(([id, { Type }]) => `${Type} ${shortName(id)}`).filter((text) => text.includes(first));
  expect(ofUrl.map((text) => text.replace(first, '')).sort()).toEqual([
    'AWS::CloudWatch::Alarm Morewebhookundelivered',
    'AWS::CloudWatch::Alarm webhookstopped',
    'AWS::CloudWatch::Alarm webhookundelivered',
    'AWS::Events::Rule Rule',
    'AWS::IAM::Role DeliverRole',
    'AWS::Lambda::EventSourceMapping Deliveries',
    'AWS::Lambda::Function DeliverFunction',
    'AWS::Logs::LogGroup DeliverLog',
    'AWS::SQS::Queue DeadLetters',
    'AWS::SQS::Queue Queue',
    'AWS::SQS::QueuePolicy DeadLettersPolicy',
    'AWS::SQS::QueuePolicy QueuePolicy',
    'AWS::SecretsManager::Secret Secret',
  ]);
  // Both URLs, and one alarm for all of them.
  expect(added).toHaveLength(2 * 13 + 1);
});

test('the rule puts all events, or the named ones, into the queue of the URL', () => {
  const rules = Object.values(ofType(template, 'AWS::Events::Rule')).map(({ Properties }) => Properties);
  expect(rules.map(({ EventPattern }) => EventPattern)).toEqual([
    { source: ['iamport-serverless'] },
    { source: ['iamport-serverless'], 'detail-type': ['Payment Paid', 'Escrow Changed'] },
  ]);
  expect(ofFirst('AWS::Events::Rule', 'Rule')).toMatchObject({
    EventBusName: { Ref: expect.stringMatching(/^PaymentsEvents/) },
    Targets: [
      {
        Arn: { 'Fn::GetAtt': [expect.stringContaining(`${first}Queue`), 'Arn'] },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringContaining(`${first}DeadLetters`), 'Arn'] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400 },
      },
    ],
  });
});

test('the queue keeps an event for four days, and the dead-letter queue for fourteen', () => {
  expect(ofFirst('AWS::SQS::Queue', 'Queue')).toMatchObject({
    MessageRetentionPeriod: 345_600,
    VisibilityTimeout: 180,
    SqsManagedSseEnabled: true,
    RedrivePolicy: { maxReceiveCount: 1_000 },
  });
  expect(referred(ofFirst('AWS::SQS::Queue', 'Queue').RedrivePolicy)).toEqual([`${first}DeadLetters`]);
  expect(ofFirst('AWS::SQS::Queue', 'DeadLetters')).toMatchObject({
    MessageRetentionPeriod: 1_209_600,
    SqsManagedSseEnabled: true,
  });
});

test('each URL has its own queue and function, which takes one message at a time', () => {
  const mappings = Object.values(ofType(template, 'AWS::Lambda::EventSourceMapping'))
    .map(({ Properties }) => Properties)
    .filter(({ EventSourceArn }) => referred(EventSourceArn).join().includes('Queue'));
  expect(mappings.map(({ EventSourceArn, FunctionName }) => referred([EventSourceArn, FunctionName]))).toEqual([
    [`${first}Queue`, `${first}DeliverFunction`],
    [expect.stringMatching(/^Webhookerp\w+Queue$/), expect.stringMatching(/^Webhookerp\w+DeliverFunction$/)],
  ]);
  for (const mapping of mappings) {
    expect(mapping).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  }
  expect(ofFirst('AWS::Lambda::Function', 'DeliverFunction')).toMatchObject({
    Timeout: 30,
    Environment: {
      Variables: {
        DEPLOYMENT: 'IamportPayments/Payments',
        VERSION,
        WEBHOOK_URL: 'https://api.shop.example/webhooks',
        WEBHOOK_SECRET_ARN: { Ref: expect.stringContaining(`${first}Secret`) },
        WEBHOOK_QUEUE_URL: { Ref: expect.stringContaining(`${first}Queue`) },
        WEBHOOK_DEAD_LETTERS_URL: { Ref: expect.stringContaining(`${first}DeadLetters`) },
      },
    },
  });
});

test('the function of a URL with named events has their names, for the operator’s command', () => {
  const names = Object.values(ofType(template, 'AWS::Lambda::Function'))
    .map(({ Properties }) => (Properties.Environment as { Variables: Record<string, unknown> }).Variables)
    .filter(({ WEBHOOK_URL }) => WEBHOOK_URL !== undefined)
    .map(({ WEBHOOK_EVENTS }) => WEBHOOK_EVENTS);
  expect(names).toEqual([undefined, 'Payment Paid,Escrow Changed']);
});

test('the deployed function allows no loopback and has the time limit of ten seconds', () => {
  for (const { Properties } of Object.values(ofType(template, 'AWS::Lambda::Function'))) {
    const { Variables } = Properties.Environment as { Variables: object };
    expect(Object.keys(Variables)).not.toContain('WEBHOOK_LOOPBACK');
    expect(Object.keys(Variables)).not.toContain('WEBHOOK_TIMEOUT_MS');
  }
});

test('the function has rights on its own queues and secret only', () => {
  const [policy] = ofFirst('AWS::IAM::Role', 'DeliverRole').Policies as {
    PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] };
  }[];
  const rights = policy?.PolicyDocument.Statement.map(({ Action, Resource }) => [
    [Action].flat().join(' '),
    Resource === '*' ? '*' : referred(Resource).join(),
  ]);
  expect(rights).toEqual([
    ['sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage', `${first}Queue`],
    ['sqs:SendMessage', `${first}DeadLetters`],
    ['secretsmanager:GetSecretValue', `${first}Secret`],
    ['logs:CreateLogStream logs:PutLogEvents', `${first}DeliverLog`],
    ['xray:PutTelemetryRecords xray:PutTraceSegments', '*'],
  ]);
});

test('the stack generates the secret, which a later deployment does not replace', () => {
  // A change of these values replaces the secret of every deployment.
  expect(ofFirst('AWS::SecretsManager::Secret', 'Secret').GenerateSecretString).toEqual({
    SecretStringTemplate: '{"previous":""}',
    GenerateStringKey: 'current',
    PasswordLength: 44,
    ExcludePunctuation: true,
  });
  const secret = Object.entries(template.Resources).find(([id]) => shortName(id) === `${first}Secret`)?.[1];
  expect(secret).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
});

test('an output of each URL has the ARN of its secret, without path and query of the URL', () => {
  const outputs = Object.values(template.Outputs).filter(({ Description }) => Description.includes('whsec_'));
  expect(outputs.map(({ Description, Value }) => [Description, ...referred(Value)])).toEqual([
    ['The secret that signs webhooks to api.shop.example: whsec_ and the value of "current".', `${first}Secret`],
    [
      'The secret that signs webhooks to erp.shop.example: whsec_ and the value of "current".',
      expect.stringMatching(/^Webhookerp\w+Secret$/),
    ],
  ]);
  const described = Object.values(template.Resources).map(({ Properties }) => [
    Properties?.Description,
    Properties?.AlarmDescription,
  ]);
  expect(JSON.stringify(described)).not.toContain('key=1');
});

test('alarms watch the dead letters of each URL, and attempts that fail for an hour', () => {
  const alarms = Object.values(ofType(template, 'AWS::CloudWatch::Alarm'))
    .map(({ Properties }) => Properties)
    .filter(({ AlarmDescription }) => /#webhook-/.test(String(AlarmDescription)));
  expect(
    alarms.map(({ MetricName, EvaluationPeriods, Threshold }) => [MetricName, EvaluationPeriods, Threshold]),
  ).toEqual(
    expect.arrayContaining([
      ['ApproximateNumberOfMessagesVisible', 1, 1],
      ['ApproximateNumberOfMessagesVisible', 1, 1],
      ['WebhooksLate', 8, 1],
      // A formula of the queue, the runs and the errors.
      [undefined, 3, 1],
      [undefined, 3, 1],
      // More dead letters.
      [undefined, 1, 1],
      [undefined, 1, 1],
    ]),
  );
  expect(alarms).toHaveLength(7);
});

describe('payments.notify()', () => {
  const shop = (more: Partial<Configuration> = {}) => {
    const app = new App({ outdir: mkdtempSync(join(directory, 'cdk-')), analyticsReporting: false });
    const stack = new Stack(app, 'Shop', { env: { account: '123456789012', region: 'ap-northeast-2' } });
    return { stack, payments: new IamportPayments(stack, 'Payments', { storefront, bundles: directory, ...more }) };
  };

  test('adds the resources that an entry of the configuration adds', () => {
    const configured = shop({ webhooks });
    const called = shop();
    const events = webhooks[1]?.events;
    called.payments.notify('https://api.shop.example/webhooks');
    const { secret, deadLetters, url } = called.payments.notify('https://erp.shop.example/in?key=1', {
      events,
    });
    expect(Template.fromStack(called.stack).toJSON()).toEqual(Template.fromStack(configured.stack).toJSON());
    expect(url).toBe('https://erp.shop.example/in?key=1');
    expect(secret.secretArn).toBeTruthy();
    expect(deadLetters.queueArn).toBeTruthy();
  });

  test('refuses a URL twice', () => {
    const { payments } = shop({ webhooks });
    expect(() => payments.notify('https://api.shop.example/webhooks')).toThrow(
      'webhook.url is "https://api.shop.example/webhooks": it already receives events',
    );
  });

  test.each([
    ['http://shop.example/', 'webhook.url is "http://shop.example/": it must begin with https://'],
    ['https://10.0.0.1/', 'webhook.url is "https://10.0.0.1/": it must be at a public address'],
  ])('refuses %s', (url, message) => {
    const { payments } = shop();
    expect(() => payments.notify(url)).toThrow(ConfigurationError);
    expect(() => payments.notify(url)).toThrow(message);
  });

  test('decrypts the secret with the key of the shop', () => {
    const app = new App({ outdir: mkdtempSync(join(directory, 'cdk-')), analyticsReporting: false });
    const stack = new Stack(app, 'Shop', { env: { account: '123456789012', region: 'ap-northeast-2' } });
    const keyArn = 'arn:aws:kms:ap-northeast-2:123456789012:key/00000000-0000-0000-0000-000000000000';
    const encryptionKey = Key.fromKeyArn(stack, 'Key', keyArn);
    new IamportPayments(stack, 'Payments', { storefront, bundles: directory, webhooks, encryptionKey });
    const roles = Template.fromStack(stack).findResources('AWS::IAM::Role');
    const [role] = Object.entries(roles).find(([id]) => id.includes('DeliverRole'))?.[1].Properties.Policies ?? [];
    expect(role.PolicyDocument.Statement).toContainEqual({ Action: 'kms:Decrypt', Effect: 'Allow', Resource: keyArn });
  });
});

describe('the configuration', () => {
  const problemsOf = (value: unknown) => {
    try {
      readSettings({ storefront, webhooks: value });
      return [];
    } catch (error) {
      return (error as ConfigurationError).problems;
    }
  };

  test('names the URL that is not allowed, and why', () => {
    expect(problemsOf([{ url: 'https://shop.example' }, { url: 'https://localhost/' }, {}])).toEqual([
      'webhooks.1.url is "https://localhost/": it must be at a public address',
      'webhooks.2.url is missing: it must be of type string',
    ]);
  });

  test('lists every event for a name that is not one', () => {
    const [problem, ...others] = problemsOf([{ url: 'https://shop.example', events: ['Payment paid'] }]);
    expect(others).toEqual([]);
    expect(problem).toContain('webhooks.0.events.0 is "Payment paid": it must be "Payment Paid" or ');
    for (const name of [...eventNames, ...notificationNames]) expect(problem).toContain(`"${name}"`);
  });

  test('refuses an empty list of events, a URL twice and too many URLs', () => {
    expect(problemsOf([{ url: 'https://shop.example', events: [] }])[0]).toContain('must name at least one event');
    expect(problemsOf([{ url: 'https://a.example' }, { url: 'https://a.example' }])[0]).toContain(
      'must have each URL once',
    );
    const many = [...Array(11).keys()].map((n) => ({ url: `https://a.example/${n}` }));
    expect(problemsOf(many)[0]).toContain('must have at most 10 URLs');
  });
});

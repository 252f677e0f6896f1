/** The checks of `doctor` that read the stack, with a local server that answers like AWS. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Language } from '../../functions/shared/language.ts';
import { type Resource, stackReader } from '../../ops/aws-stack.ts';
import type { Call } from '../../ops/command.ts';
import type { Check } from '../../ops/doctor-check.ts';
import { STACK_CHECKS, STACK_RIGHTS } from '../../ops/doctor-stack.ts';

type Response = readonly [status: number, body: string | object];
/** The responses of AWS, by action or path. */
const healthy: Readonly<Record<string, Response>> = {
  '/2016-08-19/account-settings': [200, { AccountLimit: { ConcurrentExecutions: 1_000 } }],
  DescribeStacks: [
    200,
    '<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>Shop</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-11-23T00:00:00Z</CreationTime><EnableTerminationProtection>true</EnableTerminationProtection></member></Stacks></DescribeStacksResult></DescribeStacksResponse>',
  ],
  GetStackPolicy: [200, policyResponse('{"Statement":[{"Effect":"Deny","Action":["Update:Replace"]}]}')],
  ListSubscriptionsByTopic: [200, subscriptionsResponse([['owner@shop.example', 'arn:aws:sns:x:1:topic:1']])],
  DescribeAlarms: [200, { MetricAlarms: [] }],
  GetQueueAttributes: [200, { Attributes: { ApproximateNumberOfMessages: '0' } }],
  '/2015-03-31/event-source-mappings/uuid-orders': [200, { State: 'Enabled', LastProcessingResult: 'OK' }],
  '/2015-03-31/event-source-mappings/uuid-webhook': [200, { State: 'Enabled' }],
  '/schedules/shop-reconcile': [200, { State: 'ENABLED' }],
};
let responses: Record<string, Response>;
const requests: string[] = [];

function policyResponse(policy: string): string {
  return `<GetStackPolicyResponse><GetStackPolicyResult>${policy && `<StackPolicyBody>${policy}</StackPolicyBody>`}</GetStackPolicyResult></GetStackPolicyResponse>`;
}

function subscriptionsResponse(subscriptions: readonly (readonly [endpoint: string, arn: string])[]): string {
  const members = subscriptions.map(
    ([endpoint, arn]) =>
      `<member><Endpoint>${endpoint}</Endpoint><SubscriptionArn>${arn}</SubscriptionArn><Protocol>email</Protocol></member>`,
  );
  return `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>${members.join('')}</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`;
}

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
    const path = (request.url ?? '').split('?')[0] ?? '';
    const name = target ?? new URLSearchParams(body).get('Action') ?? path;
    requests.push(`${name} ${body}`);
    const [status, answer] = responses[name] ?? [404, { message: `no response for ${name}` }];
    const isXml = typeof answer === 'string';
    response.writeHead(status, { 'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.0' });
    response.end(isXml ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', url);
  vi.stubEnv('AWS_REGION', 'ap-northeast-2');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
beforeEach(() => {
  responses = { ...healthy };
  requests.length = 0;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The resources of a stack of a shop. The last ones are the shop's own. */
const resources = (): Resource[] => [
  { id: 'PaymentsAlarmsTopicE0E93323', type: 'AWS::SNS::Topic', physicalId: 'arn:aws:sns:ap-northeast-2:1:alarms' },
  { id: 'PaymentsAlarmseventslateAB56BCCA', type: 'AWS::CloudWatch::Alarm', physicalId: 'Shop-events-late' },
  {
    id: 'PaymentsWebhookapishopwebhookundelivered0F1E2D3C',
    type: 'AWS::CloudWatch::Alarm',
    physicalId: 'Shop-undelivered',
  },
  {
    id: 'PaymentsWebhookapishopwebhookstopped0F1E2D3C',
    type: 'AWS::CloudWatch::Alarm',
    physicalId: 'Shop-stopped',
  },
  { id: 'PaymentsUnpublished9AB3DE7B', type: 'AWS::SQS::Queue', physicalId: `${url}/1/unpublished` },
  { id: 'PaymentsWebhookapishopDeadLetters0A1B2C3D', type: 'AWS::SQS::Queue', physicalId: `${url}/1/dead` },
  { id: 'PaymentsWorkersOrders2F093E72', type: 'AWS::Lambda::EventSourceMapping', physicalId: 'uuid-orders' },
  {
    id: 'PaymentsWebhookapishopDeliveries12345678',
    type: 'AWS::Lambda::EventSourceMapping',
    physicalId: 'uuid-webhook',
  },
  { id: 'PaymentsWorkersReconcileEE3C30F0', type: 'AWS::Scheduler::Schedule', physicalId: 'shop-reconcile' },
  { id: 'StockAlarm00000000', type: 'AWS::CloudWatch::Alarm', physicalId: 'stock-low' },
  { id: 'Orders00000000', type: 'AWS::SQS::Queue', physicalId: `${url}/1/stock` },
  { id: 'Nightly00000000', type: 'AWS::Scheduler::Schedule', physicalId: 'nightly' },
];

async function checks(language: Language = 'en', of = resources()): Promise<Check[]> {
  const call = { language, deployment: { aws: stackReader('Shop', of) } } as unknown as Call;
  const results = await Promise.all(STACK_CHECKS.map((run) => run(call)));
  return results.filter((result) => result !== undefined);
}
const named = async (name: string) => (await checks()).find((result) => result.name === name);

test('every check of a healthy stack passes, and only our own resources are read', async () => {
  expect((await checks()).map(({ name, ok, isWarning = false, found }) => [name, ok, isWarning, found])).toEqual([
    ['concurrency', true, false, 'all functions of the account together run 1000 times at once, at most'],
    ['termination protection', true, false, 'on'],
    ['stack policy', true, false, 'set'],
    ['alarm receivers', true, false, '1 confirmed'],
    ['alarms', true, false, 'none in ALARM'],
    ['failure queues', true, false, 'empty'],
    ['event source mappings', true, false, 'all 2 enabled'],
    ['schedules', true, false, 'enabled'],
  ]);
  expect(requests.join('\n')).not.toMatch(/stock|nightly/);
});

test('prints Korean', async () => {
  const [first] = await checks('ko');
  expect(first).toMatchObject({
    name: '동시 실행 한도',
    found: '이 계정의 모든 함수를 합해 동시에 1000개까지 실행됩니다',
  });
});

test('warns of the small quota of a new account, with the command that requests another', async () => {
  responses['/2016-08-19/account-settings'] = [200, { AccountLimit: { ConcurrentExecutions: 10 } }];
  expect(await named('concurrency')).toMatchObject({
    ok: true,
    isWarning: true,
    remedy: expect.stringContaining('aws service-quotas request-service-quota-increase --service-code lambda'),
  });
});

test('warns of a stack without termination protection and without a stack policy', async () => {
  responses.DescribeStacks = [200, String(healthy.DescribeStacks?.[1]).replace('>true<', '>false<')];
  responses.GetStackPolicy = [200, policyResponse('')];
  expect(await named('termination protection')).toMatchObject({ ok: true, isWarning: true, found: 'off' });
  expect(await named('stack policy')).toMatchObject({ ok: true, isWarning: true });
});

test('fails for an e-mail address that is not confirmed, and names it', async () => {
  responses.ListSubscriptionsByTopic = [
    200,
    subscriptionsResponse([
      ['owner@shop.example', 'PendingConfirmation'],
      ['night@shop.example', 'arn:aws:sns:x:1:topic:2'],
    ]),
  ];
  expect(await named('alarm receivers')).toMatchObject({
    ok: false,
    found: '1 confirmed, not confirmed: owner@shop.example',
  });
});

test('warns when alarms have no receiver, and leaves out a topic of the shop', async () => {
  responses.ListSubscriptionsByTopic = [200, subscriptionsResponse([])];
  expect(await named('alarm receivers')).toMatchObject({ ok: true, isWarning: true, found: '0 confirmed' });
  const others = resources().filter(({ type }) => type !== 'AWS::SNS::Topic');
  expect((await checks('en', others)).map(({ name }) => name)).not.toContain('alarm receivers');
});

test('fails for an alarm that is in ALARM', async () => {
  responses.DescribeAlarms = [200, { MetricAlarms: [{ AlarmName: 'Shop-events-late', StateValue: 'ALARM' }] }];
  expect(await named('alarms')).toMatchObject({ ok: false, found: 'Shop-events-late' });
  const request = requests.find((one) => one.startsWith('DescribeAlarms ')) ?? '';
  expect(JSON.parse(request.slice('DescribeAlarms '.length))).toMatchObject({
    AlarmNames: ['Shop-events-late', 'Shop-undelivered', 'Shop-stopped'],
    StateValue: 'ALARM',
  });
});

test('fails for messages in a failure queue, with the number', async () => {
  responses.GetQueueAttributes = [200, { Attributes: { ApproximateNumberOfMessages: '3' } }];
  expect(await named('failure queues')).toMatchObject({
    ok: false,
    found: 'PaymentsUnpublished (3), PaymentsWebhookapishopDeadLetters (3)',
  });
});

test('fails for a mapping that is disabled or whose function fails', async () => {
  responses['/2015-03-31/event-source-mappings/uuid-orders'] = [
    200,
    { State: 'Enabled', LastProcessingResult: 'PROBLEM: Function call failed' },
  ];
  responses['/2015-03-31/event-source-mappings/uuid-webhook'] = [
    200,
    { State: 'Disabled', LastProcessingResult: 'OK' },
  ];
  expect(await named('event source mappings')).toMatchObject({
    ok: false,
    found:
      'PaymentsWorkersOrders: Enabled, PROBLEM: Function call failed, PaymentsWebhookapishopDeliveries: Disabled, OK',
  });
});

test('fails for a schedule that is disabled', async () => {
  responses['/schedules/shop-reconcile'] = [200, { State: 'DISABLED' }];
  expect(await named('schedules')).toMatchObject({ ok: false, found: 'PaymentsWorkersReconcile' });
});

test('[T440] a check without its right is a warning that names the right', async () => {
  const denied = { __type: 'AccessDeniedException', message: 'User is not authorized to perform this' };
  const deniedXml = (code: string) =>
    `<ErrorResponse><Error><Code>${code}</Code><Message>not allowed</Message></Error></ErrorResponse>`;
  responses = Object.fromEntries(
    Object.entries(healthy).map(([name, [, body]]) => {
      const code = name === 'ListSubscriptionsByTopic' ? 'AuthorizationError' : 'AccessDenied';
      return [name, [403, typeof body === 'string' ? deniedXml(code) : denied] as Response];
    }),
  );
  const found = await checks();
  expect(found.map(({ ok, isWarning }) => [ok, isWarning])).toEqual(found.map(() => [true, true]));
  expect(found.map((result) => /Allow (\S+) to the credentials/.exec(result.found)?.[1])).toEqual(STACK_RIGHTS);
});

test('another error of AWS fails the check with its message', async () => {
  responses['/schedules/shop-reconcile'] = [404, { message: 'Schedule shop-reconcile does not exist' }];
  expect(await named('schedules')).toMatchObject({
    ok: false,
    found: expect.stringContaining('Schedule shop-reconcile does not exist'),
  });
});

test('the local system has no stack, so every check is left out', async () => {
  const call = { language: 'en', deployment: {} } as unknown as Call;
  expect(await Promise.all(STACK_CHECKS.map((run) => run(call)))).toEqual(STACK_CHECKS.map(() => undefined));
});

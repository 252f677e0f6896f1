/** The command on a deployment in an AWS account, with fakes of CloudFormation and Lambda, DynamoDB Local and the local API. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type LocalQueue, startQueue } from '../../local/aws/queue.ts';
import { main } from '../../ops/cli.ts';
import { connect } from '../../ops/deployment.ts';
import { messagesIn } from '../../ops/messages.ts';
import { verifyWithin } from '../../ops/verify.ts';
import { fakeBus, startEventRules } from '../support/event-rules.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
let environment: Record<string, string>;
/** The environment of the function `deliver`. */
let webhook: Record<string, string>;
let queue: LocalQueue;
let deadLetters: LocalQueue;
const requests: string[] = [];
/** The origin in the deployed template. */
let origin: string;

const textOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray()).toString();
const resource = (id: string, type: string, physicalId: string) =>
  `<member><LogicalResourceId>${id}</LogicalResourceId><ResourceType>${type}</ResourceType><PhysicalResourceId>${physicalId}</PhysicalResourceId><LastUpdatedTimestamp>2026-11-23T00:00:00Z</LastUpdatedTimestamp><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`;

/** A fake of CloudFormation and Lambda. The resources of the stack `Shop` are on two pages. */
const aws = createServer(async (request, response) => {
  const path = request.url ?? '';
  const body = await textOf(request);
  const action = new URLSearchParams(body).get('Action');
  requests.push(action ?? `${request.method} ${path}`);
  if (action === 'ListStackResources') {
    const query = new URLSearchParams(body);
    response.setHeader('content-type', 'text/xml');
    if (query.get('StackName') !== 'Shop') {
      response.statusCode = 400;
      response.end(
        '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id Elsewhere does not exist</Message></Error></ErrorResponse>',
      );
      return;
    }
    const first = query.get('NextToken') === null;
    const members = first
      ? resource('PaymentsApi1', 'AWS::ApiGatewayV2::Api', 'abcdefghij')
      : resource('PaymentsFunctionsReconcileFunction2', 'AWS::Lambda::Function', 'shop-reconcile') +
        resource('PaymentsFunctionsPublishFunction3', 'AWS::Lambda::Function', 'shop-publish') +
        resource('PaymentsFunctionsRefundsFunction4', 'AWS::Lambda::Function', 'shop-refunds') +
        resource('PaymentsWebhookapishopexampleDeliverFunction5', 'AWS::Lambda::Function', 'shop-deliver');
    const more = first ? '<NextToken>more</NextToken>' : '';
    response.end(
      `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members}</StackResourceSummaries>${more}</ListStackResourcesResult></ListStackResourcesResponse>`,
    );
  } else if (action === 'GetTemplate') {
    response.setHeader('content-type', 'text/xml');
    const Properties = { CorsConfiguration: { AllowOrigins: [origin] } };
    const template = JSON.stringify({ Resources: { PaymentsApi1: { Type: 'AWS::ApiGatewayV2::Api', Properties } } });
    response.end(
      `<GetTemplateResponse><GetTemplateResult><TemplateBody>${template}</TemplateBody></GetTemplateResult></GetTemplateResponse>`,
    );
  } else if (/\/functions\/shop-deliver\/configuration$/.test(path)) {
    response.end(JSON.stringify({ Environment: { Variables: webhook } }));
  } else if (/\/functions\/shop-(reconcile|publish|refunds)\/configuration$/.test(path)) {
    response.end(JSON.stringify({ Environment: { Variables: environment } }));
  } else response.end(JSON.stringify(await system.reconcile()));
});

beforeAll(async () => {
  // The operator's credentials are the same for the tables and the API.
  system = await startSystem({ databaseKey: 'local' });
  system.iamport.settings.webhooks = 'never';
  [queue, deadLetters] = [await startQueue('Webhooks'), await startQueue('DeadLetters')];
  webhook = {
    WEBHOOK_URL: 'https://api.shop.example/webhooks',
    WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:Webhook',
    WEBHOOK_QUEUE_URL: queue.url,
    WEBHOOK_DEAD_LETTERS_URL: deadLetters.url,
  };
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  const response = await fetch(`${system.url}/__local/deployment`);
  const all = ((await response.json()) as { environment: Record<string, string> }).environment;
  [origin = ''] = system.gateway.allowedOrigins;
  environment = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('AWS_')));
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', url);
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', url);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', all.AWS_ENDPOINT_URL_DYNAMODB ?? '');
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', all.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? '');
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', all.AWS_ENDPOINT_URL_EVENTBRIDGE ?? '');
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
});
beforeEach(() => {
  requests.length = 0;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  aws.close();
  await system.close();
  await Promise.all([queue.close(), deadLetters.close()]);
});

async function run(...args: string[]) {
  const output = { stdout: '', stderr: '' };
  const to = (name: keyof typeof output) => ({
    write(text: string) {
      output[name] += text;
    },
  });
  const deployed = ['--stack', 'Shop', '--region', 'ap-northeast-2', '--url', system.url];
  const stdin = Object.assign(Readable.from([]), { isTTY: false });
  const code = await main([...deployed, ...args], { stdout: to('stdout'), stderr: to('stderr'), stdin });
  return { code, ...output };
}

test('a payment is explained, settled and partly refunded through the deployed tables and routes', async () => {
  const order = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'card' });
  system.iamport.ledger.pay(imp_uid);
  expect((await run('why', order)).stdout).toContain(`settle ${imp_uid}`);
  expect(await run('settle', imp_uid)).toMatchObject({ code: 0, stdout: `Order ${order}: paid\n` });
  expect(await run('refund', order, '--amount', '1000', '--reason', '할인', '--yes')).toMatchObject({ code: 0 });
  expect((await run('why', order)).stdout).toMatch(/Refunds:\n {2}imp_\d+ {2}1,000 KRW, "할인", done/);
  expect(system.iamport.ledger.payment(imp_uid).cancel_amount).toBe(1_000);
});

test('the command finds a deployment on any page of its stack’s resources', async () => {
  expect((await run('doctor')).stdout).toContain('✓ order routes: GET /orders/… 404');
  expect(requests.slice(0, 4)).toEqual([
    'ListStackResources',
    'ListStackResources',
    'GET /2015-03-31/functions/shop-reconcile/configuration',
    'GET /2015-03-31/functions/shop-refunds/configuration',
  ]);
});

test('reconcile invokes the reconciler like the schedule', async () => {
  expect(await run('reconcile')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ +\d+ {2}payments compared\n/),
  });
  expect(requests.at(-1)).toBe('POST /2015-03-31/functions/shop-reconcile/invocations');
});

test('republish uses the bus and the queue of the deployed publisher', async () => {
  const order = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'card' });
  system.iamport.ledger.pay(imp_uid);
  await run('settle', imp_uid);
  expect(await run('republish', order)).toMatchObject({ code: 0, stdout: `Published: Payment Paid ${order}:2\n` });
  expect(requests).toContain('GET /2015-03-31/functions/shop-publish/configuration');
  expect(await run('republish', '--queue')).toMatchObject({ code: 0, stdout: 'No event to publish\n' });
});

test('attention and redeliver use the queues of the deployed webhooks', async () => {
  const event = {
    source: 'iamport-serverless',
    'detail-type': 'Payment Paid',
    time: '2026-11-18T10:26:40Z',
    detail: { id: 'order-1:2', merchant_uid: 'order-1' },
  };
  deadLetters.send(JSON.stringify(event));
  expect(await run('attention')).toMatchObject({ code: 5, stdout: expect.stringContaining('api.shop.example (1)') });
  const stdout = 'Sent again: api.shop.example: Payment Paid order-1:2\n';
  expect(await run('redeliver', '--queue')).toMatchObject({ code: 0, stdout });
  expect([queue.bodies, deadLetters.bodies]).toEqual([[JSON.stringify(event)], []]);
  webhook = {};
  expect(await run('redeliver', 'order-1')).toMatchObject({
    code: 3,
    stdout: 'No URL receives webhooks: add one to webhooks in the configuration\n',
  });
});

/** Puts a fake with rules and queues in the place of EventBridge and SQS. */
async function withEventRules() {
  const rules = await startEventRules(() => system.bus.events);
  const before = environment;
  environment = { ...before, EVENT_BUS: fakeBus, UNPUBLISHED_QUEUE_URL: `${rules.endpoint}/000000000000/Unpublished` };
  const { AWS_ENDPOINT_URL_EVENTBRIDGE: bus = '' } = process.env;
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', rules.endpoint);
  return {
    ...rules,
    async [Symbol.asyncDispose]() {
      environment = before;
      vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', bus);
      await rules.close();
    },
  };
}

test('verify reads the origin from the deployed template, and sees the event on the bus of the publisher', async () => {
  await using rules = await withEventRules();
  const verified = async () => {
    let stdout = '';
    const terminal = { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin };
    const code = await verifyWithin({ slowMs: 30_000, timeoutMs: 35_000, ruleMs: 0, eventTimeoutMs: 120_000 })({
      ...{ subject: '', target: '', options: { queue: false, 'dry-run': false }, language: 'en', terminal },
      deployment: await connect({ local: false, stack: 'Shop', region: 'ap-northeast-2', url: system.url }),
      messageFor: messagesIn('en'),
      print: (text) => {
        stdout = text;
      },
      progress: () => undefined,
      confirm: async () => false,
    });
    return { code, stdout };
  };
  const { code, stdout } = await verified();
  expect(stdout.split('\n').filter((line) => /^[✗-]/.test(line))).toEqual([]);
  expect(stdout).toContain(' OPTIONS /payments/complete, preflight of the storefront: 204 (');
  expect(stdout).toMatch(/^✓ events, event Order Closed: Order Closed \(\d+ ms\)$/m);
  expect(code).toBe(0);
  expect(requests).toContain('GET /2015-03-31/functions/shop-publish/configuration');
  expect([rules.called.includes('events:PutRule'), rules.left()]).toEqual([true, []]);
  origin = 'https://another.example';
  expect((await verified()).stdout).toContain('got 204 with no access-control-allow-origin');
});

test.each(['SIGINT', 'SIGTERM'] as const)('[T479] verify removes its rule and queue at %s', async (signal) => {
  await using rules = await withEventRules();
  const args = ['verify', '--stack', 'Shop', '--region', 'ap-northeast-2', '--url', system.url];
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../ops/cli.ts'), ...args], { env: process.env });
  const stderr = child.stderr.toArray();
  const ended = once(child, 'close');
  // npm passes on a Ctrl-C that the terminal has sent to the command already.
  rules.hooks.before = (action) => {
    if (action === 'events:RemoveTargets') child.kill(signal);
  };
  // Long before the order is closed.
  await vi.waitUntil(() => rules.called.includes('events:PutTargets'), { timeout: 60_000 });
  child.kill(signal);
  const [code] = await ended;
  expect([code, rules.left()]).toEqual([1, []]);
  expect(Buffer.concat(await stderr).toString()).toMatch(new RegExp(`^Interrupted by ${signal}$`, 'm'));
});

test.each(['http://pay.shop.example', 'pay.shop.example', 'https://pay.shop.example/payments'])(
  '[T508] a key is never sent to --url %s',
  async (url) => {
    expect(await run('close', 'order-1', '--yes', '--url', url)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`--url ${url} must be https:// and a host`),
    });
    expect(requests).toEqual([]);
  },
);

test('[T509] without --stack the command calls the domain of a configuration with domain.only', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shop-'));
  const domain = { name: 'pay.shop.invalid', certificateArn: 'arn:aws:acm:ap-northeast-2:1:certificate/1', only: true };
  await writeFile(join(directory, 'iamport.json'), JSON.stringify({ name: 'Shop', domain }));
  const cli = join(import.meta.dirname, '../../ops/cli.ts');
  const closing = spawn(process.execPath, [cli, 'close', 'order-1', '--yes', '--region', 'ap-northeast-2'], {
    cwd: directory,
  });
  const [stderr] = await Promise.all([closing.stderr.toArray(), once(closing, 'close')]);
  expect(Buffer.concat(stderr).toString()).toMatch(/^No response from https:\/\/pay\.shop\.invalid \(/m);
  await rm(directory, { recursive: true });
});

test('an unknown stack is reported by its name', async () => {
  const { code, stderr } = await run('attention', '--stack', 'Elsewhere');
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /^The stack Elsewhere cannot be read: Stack with id Elsewhere does not exist\. Check --stack, --region/,
    ),
  ]);
});

/** `npm run deploy` on each state of an AWS account, by the real clients of AWS over HTTP. Only the CDK is a fake. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { deployAccount } from '../../infra/account.ts';
import { STACK_DESCRIPTION } from '../../infra/context.ts';
import { deploy } from '../../infra/deploy.ts';

interface Stack {
  status: string;
  description?: string;
  outputs?: Record<string, string>;
}

/** What the fake account answers. A function throws no error: it returns an error of AWS, `<code> <message>`. */
interface Account {
  stacks: Record<string, Stack>;
  resources: { type: string; id: string; status: string; reason?: string }[];
  concurrency: number;
  buses: string[];
  plan: object | undefined;
  /** The code of the error that an action gets. */
  refused: Record<string, string>;
  statusAfterDeletion: string;
}

let account: Account;
let calls: string[];
const ID = 'arn:aws:cloudformation:ap-northeast-2:123456789012:stack/IamportPayments/0a1b';
const iamport = { storefront: { origins: ['https://shop.kr'] } };

beforeEach(() => {
  calls = [];
  account = {
    stacks: { CDKToolkit: { status: 'UPDATE_COMPLETE', outputs: { BootstrapVersion: '28' } } },
    resources: [],
    concurrency: 1_000,
    buses: [],
    plan: { accountPlanType: 'PAID', accountPlanStatus: 'ACTIVE' },
    refused: {},
    statusAfterDeletion: 'DELETE_COMPLETE',
  };
});

const member = (fields: Record<string, string | undefined>) =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('');

function stackXml(name: string, { status, description, outputs = {} }: Stack): string {
  const members = Object.entries(outputs).map(
    ([OutputKey, OutputValue]) => `<member>${member({ OutputKey, OutputValue })}</member>`,
  );
  const id = ID.replace('IamportPayments', name);
  return `<member>${member({ StackId: id, StackName: name, StackStatus: status, Description: description, CreationTime: '2026-11-28T00:00:00Z' })}<Outputs>${members.join('')}</Outputs></member>`;
}

/** @returns the body of an answer of CloudFormation, or the code and message of an error */
function cloudFormation(query: URLSearchParams): string | { code: string; message: string } {
  const action = query.get('Action') ?? '';
  const name = (query.get('StackName') ?? '').replace(/^arn:.*:stack\/([^/]+)\/.*$/, '$1');
  if (action === 'DescribeStacks') {
    const stack = account.stacks[name];
    if (!stack) return { code: 'ValidationError', message: `Stack with id ${name} does not exist` };
    return `<Stacks>${stackXml(name, stack)}</Stacks>`;
  }
  if (action === 'DeleteStack') account.stacks[name] = { status: account.statusAfterDeletion };
  if (action !== 'ListStackResources') return '';
  const found = account.resources.map(
    ({ type, id, status, reason }) =>
      `<member>${member({ LogicalResourceId: id, ResourceType: type, PhysicalResourceId: id, ResourceStatus: status, ResourceStatusReason: reason, LastUpdatedTimestamp: '2026-11-28T00:00:00Z' })}</member>`,
  );
  return `<StackResourceSummaries>${found.join('')}</StackResourceSummaries>`;
}

const aws = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  const query = new URLSearchParams(body);
  const target = request.headers['x-amz-target']?.toString().split('.')[1];
  const action =
    target ?? query.get('Action') ?? (request.url?.includes('account-settings') ? 'GetAccountSettings' : '');
  const subject = query.get('StackName') ?? '';
  calls.push([action, subject.startsWith('arn:') ? 'id' : subject].filter(Boolean).join(' '));
  const fail = (code: string, message: string, status = 400) => {
    response.statusCode = status;
    response.setHeader('x-amzn-errortype', code);
    const isQuery = query.has('Action');
    response.setHeader('content-type', isQuery ? 'text/xml' : 'application/json');
    response.end(
      isQuery
        ? `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
        : JSON.stringify({ __type: code, message }),
    );
  };
  const refused = account.refused[action];
  if (refused) return fail(refused, `${action} is refused`, 403);
  if (query.has('Action')) {
    const result = cloudFormation(query);
    if (typeof result !== 'string') return fail(result.code, result.message);
    response.setHeader('content-type', 'text/xml');
    response.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
  } else if (action === 'GetAccountSettings') {
    response.end(JSON.stringify({ AccountLimit: { ConcurrentExecutions: account.concurrency } }));
  } else if (action === 'DescribeEventBus') {
    const { Name } = JSON.parse(body);
    if (account.buses.includes(Name)) response.end(JSON.stringify({ Name }));
    else fail('ResourceNotFoundException', 'no such bus');
  } else if (action === 'GetAccountPlanState' && account.plan) response.end(JSON.stringify(account.plan));
  else fail('UnknownOperationException', action);
});

beforeAll(async () => {
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  vi.stubEnv('AWS_PROFILE', undefined);
  for (const service of ['CLOUDFORMATION', 'LAMBDA', 'EVENTBRIDGE', 'FREETIER']) {
    vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url);
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  aws.closeAllConnections();
  aws.close();
});

/** @returns the exit code, what was printed, and whether the CDK ran */
async function run(configuration: object = iamport, exitCode = 0) {
  const printed: string[] = [];
  const errors: string[] = [];
  let deployments = 0;
  const outputs = { ApiUrl: 'https://a', WebhookUrl: 'https://a/w', MobileUrl: 'https://a/m', SecretArn: 'arn:secret' };
  const { name = 'IamportPayments' } = configuration as { name?: string };
  const code = await deploy([], {
    environment: { AWS_ACCESS_KEY_ID: 'local', AWS_REGION: 'ap-northeast-2', HOME: '/nowhere' },
    account: deployAccount,
    configuration: () => ({ file: 'iamport.json', iamport: configuration }),
    async cdk() {
      calls.push('cdk');
      deployments += 1;
      return exitCode;
    },
    outputs: async () => ({ [name]: outputs }),
    print: (text) => void printed.push(text),
    printError: (text) => void errors.push(text),
    sleep: async () => undefined,
  });
  return { code, printed: printed.join('\n'), errors: errors.join('\n'), deployed: deployments > 0 };
}

test('a new account is checked, then deployed, then protected', async () => {
  const { code, printed, errors } = await run();
  expect([code, errors]).toEqual([0, '']);
  expect(calls.at(0)).toBe('DescribeStacks IamportPayments');
  expect(calls.slice(-3)).toEqual(['DescribeEventBus', 'cdk', 'SetStackPolicy IamportPayments']);
  expect(printed).toContain('Deploying IamportPayments to ap-northeast-2 of account 123456789012.');
  expect(printed).toContain('The API answers at https://a.');
  expect(printed).toContain('The stack policy is set');
});

test('the stack of another name is checked, deployed and protected', async () => {
  expect(await run({ ...iamport, name: 'ShopStaging' })).toMatchObject({ code: 0 });
  expect(calls[0]).toBe('DescribeStacks ShopStaging');
  expect(calls.at(-1)).toBe('SetStackPolicy ShopStaging');
});

test('a test deployment, which is thrown away, gets no stack policy', async () => {
  expect(await run({ ...iamport, removal: 'destroy' })).toMatchObject({ code: 0 });
  expect(calls.at(-1)).toBe('cdk');
});

test('a deployment that fails keeps the exit code of the CDK, and sets no stack policy', async () => {
  expect(await run(iamport, 3)).toMatchObject({ code: 3 });
  expect(calls.at(-1)).toBe('cdk');
});

test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED', 'REVIEW_IN_PROGRESS'])(
  'a stack that was never created (%s) is deleted first',
  async (status) => {
    account.stacks.IamportPayments = {
      status,
      ...(status !== 'REVIEW_IN_PROGRESS' && { description: STACK_DESCRIPTION }),
    };
    account.resources = [
      { type: 'AWS::DynamoDB::GlobalTable', id: 'IamportPayments-Orders-1', status: 'DELETE_SKIPPED' },
      { type: 'AWS::Lambda::Function', id: 'complete', status: 'DELETE_COMPLETE' },
    ];
    const { code, printed } = await run();
    expect(code).toBe(0);
    expect(calls.slice(-6)).toEqual([
      'UpdateTerminationProtection id',
      'DeleteStack id',
      'DescribeStacks id',
      'ListStackResources id',
      'cdk',
      'SetStackPolicy IamportPayments',
    ]);
    expect(printed).toContain(`The last try to create IamportPayments failed (${status}), so it was never in use.`);
    expect(printed).toContain(
      [
        'These resources of the failed try stay behind. They are empty, and the new stack does not use them:',
        '  AWS::DynamoDB::GlobalTable IamportPayments-Orders-1',
        'The tables are protected. To delete them:',
        '  aws dynamodb update-table --table-name IamportPayments-Orders-1 --no-deletion-protection-enabled --region ap-northeast-2',
        '  aws dynamodb delete-table --table-name IamportPayments-Orders-1 --region ap-northeast-2',
      ].join('\n'),
    );
  },
);

test('a failed stack that cannot be deleted stops the deployment with the resource and the command', async () => {
  account.stacks.IamportPayments = { status: 'ROLLBACK_FAILED', description: STACK_DESCRIPTION };
  account.statusAfterDeletion = 'DELETE_FAILED';
  account.resources = [{ type: 'AWS::SNS::Topic', id: 'alarms', status: 'DELETE_FAILED', reason: 'in use' }];
  const { code, errors, deployed } = await run();
  expect([code, deployed]).toEqual([1, false]);
  expect(errors).toContain('- AWS::SNS::Topic alarms: in use\n');
  expect(errors).toContain('aws cloudformation delete-stack --stack-name IamportPayments --region ap-northeast-2');
});

test('credentials that may not delete the failed stack get the commands for others', async () => {
  account.stacks.IamportPayments = { status: 'ROLLBACK_COMPLETE', description: STACK_DESCRIPTION };
  account.refused = { UpdateTerminationProtection: 'AccessDenied' };
  const { code, errors, deployed } = await run();
  expect([code, deployed]).toEqual([1, false]);
  expect(errors).toContain(
    'aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name IamportPayments --region',
  );
});

test.each([
  ['UPDATE_IN_PROGRESS', 'is being changed (UPDATE_IN_PROGRESS). Wait until that has ended'],
  ['UPDATE_ROLLBACK_FAILED', 'aws cloudformation continue-update-rollback --stack-name IamportPayments --region'],
  ['DELETE_FAILED', 'aws cloudformation delete-stack --stack-name IamportPayments --region'],
])('a stack in %s is not touched', async (status, remedy) => {
  account.stacks.IamportPayments = { status, description: STACK_DESCRIPTION };
  const { code, errors, deployed } = await run();
  expect([code, deployed]).toEqual([1, false]);
  expect(errors).toContain('Not deployed, and nothing is changed:\n');
  expect(errors).toContain(remedy);
});

test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'])(
  'a stack in %s is updated',
  async (status) => {
    account.stacks.IamportPayments = { status, description: STACK_DESCRIPTION };
    expect(await run()).toMatchObject({ code: 0, deployed: true });
    expect(calls).not.toContain('DeleteStack id');
  },
);

test.each(['CREATE_COMPLETE', 'ROLLBACK_COMPLETE'])(
  'a stack of another project in %s is neither changed nor deleted',
  async (status) => {
    account.stacks.IamportPayments = { status, description: 'A blog' };
    const { code, errors, deployed } = await run();
    expect([code, deployed]).toEqual([1, false]);
    expect(errors).toContain('The stack IamportPayments exists in ap-northeast-2, and is not one of this project.');
    expect(calls.join()).not.toMatch(/Delete|Update/);
  },
);

test('an event bus that has the name already stops a new deployment', async () => {
  account.buses = ['IamportPayments-Payments'];
  const { code, errors } = await run();
  expect(code).toBe(1);
  expect(errors).toContain('aws events delete-event-bus --name IamportPayments-Payments --region ap-northeast-2');
});

test('all problems of the account are reported at once', async () => {
  account.stacks = {};
  account.concurrency = 10;
  const { code, errors, deployed } = await run({ ...iamport, provisionedConcurrency: 1 });
  expect([code, deployed]).toEqual([1, false]);
  expect(errors).toContain('there is no stack CDKToolkit. Run once: npx cdk bootstrap');
  expect(errors).toContain(
    'provisionedConcurrency and reservedConcurrency need 2 of the 10 concurrent Lambda executions of this account, and 10 must stay free.',
  );
});

test('an old setup of the CDK stops the deployment', async () => {
  account.stacks.CDKToolkit = { status: 'CREATE_COMPLETE', outputs: { BootstrapVersion: '5' } };
  expect((await run()).errors).toContain('has version 5, and 6 is needed. Update it: npx cdk bootstrap');
});

test.each([
  [10, 0, 'warning'],
  [99, 0, 'warning'],
  [100, 0, 'nothing'],
  [1_000, 100, 'nothing'],
  [299, 100, 'error'],
  [300, 100, 'nothing'],
])('a quota of %i with provisionedConcurrency %i: %s', async (quota, provisionedConcurrency, expected) => {
  account.concurrency = quota;
  const { code, printed, errors } = await run({ ...iamport, provisionedConcurrency });
  const request =
    'aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000 --region ap-northeast-2';
  expect(printed.includes(request)).toBe(expected === 'warning');
  expect(errors.includes(request)).toBe(expected === 'error');
  expect(code).toBe(expected === 'error' ? 1 : 0);
});

test.each([
  [10, { reconcile: 1 }, 0, 1],
  [1_000, { reconcile: 1, webhook: 899 }, 0, 0],
  [1_000, { reconcile: 1, webhook: 900 }, 0, 1],
  // Provisioned instances are a part of the reservation of their function.
  [1_000, { complete: 400, 'mobile-redirect': 400 }, 100, 0],
  [1_000, { complete: 800 }, 100, 0],
  [1_000, { complete: 801 }, 100, 1],
])(
  'a quota of %i with reservedConcurrency %j and provisionedConcurrency %i exits with %i',
  async (quota, reservedConcurrency, provisionedConcurrency, exitCode) => {
    account.concurrency = quota;
    const { code, errors, deployed } = await run({ ...iamport, reservedConcurrency, provisionedConcurrency });
    expect([code, deployed]).toEqual([exitCode, exitCode === 0]);
    if (exitCode === 1) expect(errors).toContain('Lower them, or request a higher quota first: aws service-quotas');
  },
);

test('a free plan is a warning with its end, and one that cannot be read a sentence', async () => {
  account.plan = { accountPlanType: 'FREE', accountPlanExpirationDate: 1_795_824_000 };
  expect((await run()).printed).toMatch(/Warning: The account has AWS's free plan, .+ on 2026-11-28 at the latest/);
  account.plan = undefined;
  expect(await run()).toMatchObject({
    code: 0,
    printed: expect.stringContaining('Not checked: the plan of the account.'),
  });
});

test('a pipeline whose role may read nothing deploys, and the right of each skipped check is named', async () => {
  account.refused = { DescribeStacks: 'AccessDenied', GetAccountSettings: 'AccessDeniedException' };
  const { code, printed } = await run();
  expect(code).toBe(0);
  expect(printed).toContain(
    'Not checked: the state of the stack. The credentials lack the right cloudformation:DescribeStacks.',
  );
  expect(printed).toContain(
    'Not checked: the quota of Lambda. The credentials lack the right lambda:GetAccountSettings.',
  );
});

test('expired credentials are one error with the command to log in', async () => {
  account.refused = { DescribeStacks: 'ExpiredToken' };
  const { code, errors } = await run();
  expect(code).toBe(1);
  expect(errors.split('\n')).toHaveLength(2);
  expect(errors).toContain('Log in again ("aws sso login")');
});

test('a stack policy that cannot be set fails the command with the right and the command', async () => {
  account.refused = { SetStackPolicy: 'AccessDenied' };
  const { code, errors } = await run();
  expect(code).toBe(1);
  expect(errors).toContain('Deployed, but the stack policy could not be set');
  expect(errors).toContain(
    'aws cloudformation set-stack-policy --stack-name IamportPayments --stack-policy-body file://docs/stack-policy.json --region ap-northeast-2',
  );
});

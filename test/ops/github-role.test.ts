/** The role of the deployment workflow: its rights are those of the AWS calls in `npm run deploy`, `verify` and `ops -- doctor`. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WATCH_RIGHTS } from '../../ops/event-watch.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** The prefixes of rights, by the packages of the AWS SDK. */
const services: Readonly<Record<string, string>> = {
  cloudformation: 'cloudformation',
  cloudwatch: 'cloudwatch',
  dynamodb: 'dynamodb',
  eventbridge: 'events',
  lambda: 'lambda',
  scheduler: 'scheduler',
  'secrets-manager': 'secretsmanager',
  sns: 'sns',
};

/** The rights of the commands and paginators of the AWS SDK that a file calls. */
function rightsIn(file: string): string[] {
  const source = read(file);
  return [...source.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(
    ([, names = '', client = '']) =>
      [...names.matchAll(/\b(?:paginate(\w+)|(\w+)Command)\b/g)]
        .filter(([name]) => new RegExp(`(?:new )?\\b${name}\\(`).test(source))
        .map(([, pages, command]) => `${services[client]}:${pages ?? command}`),
  );
}

/** The files with the calls. */
const files = [
  'infra/account.ts',
  'ops/aws-stack.ts',
  'ops/deployment.ts',
  'ops/event-watch.ts',
  'ops/secret-store.ts',
  'functions/adapters/dynamodb/table.ts',
  'functions/adapters/iamport/credentials.ts',
];
/** Calls that are not commands of the SDK. */
const otherCalls: Readonly<Record<string, string>> = {
  'sqs:CreateQueue': 'functions/adapters/sqs.ts',
  'sqs:DeleteQueue': 'functions/adapters/sqs.ts',
  'sqs:GetQueueAttributes': 'functions/adapters/sqs.ts',
  'sqs:ReceiveMessage': 'functions/adapters/sqs.ts',
  'sts:AssumeRole': '.github/workflows/deploy.yml',
};
/** Calls in the same files that the workflow does not make, or can do without. */
const withheld: Readonly<Record<string, string>> = {
  'cloudformation:DeleteStack': 'only a stack whose creation failed: the operator deletes it',
  'cloudformation:UpdateTerminationProtection': 'as above',
  'dynamodb:DescribeTable': 'the first run of the reconciler',
  'lambda:Invoke': 'ops -- reconcile',
  'secretsmanager:PutSecretValue': 'ops -- keys and ops -- webhooks',
};

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
const { Resources } = JSON.parse(read('docs/github-role.json'));
const statements: readonly Statement[] = Resources.Deployer.Properties.Policies.flatMap(
  ({ PolicyDocument }: { PolicyDocument: { Statement: readonly Statement[] } }) => PolicyDocument.Statement,
);

test('[T493] the role of the workflow has the rights of the calls that its commands make, and no others', () => {
  const called = new Set([...files.flatMap(rightsIn), ...Object.keys(otherCalls)]);
  for (const right of Object.keys(withheld)) expect(called.delete(right), right).toBe(true);
  const granted = new Set(statements.flatMap(({ Action }) => Action));
  expect([...granted].sort()).toEqual([...called].sort());
  for (const [right, file] of Object.entries(otherCalls)) {
    if (file.startsWith('functions/')) expect(read(file)).toContain(`'${right.split(':')[1]}'`);
  }
});

test('the role reads any resource only where AWS knows no narrower one', () => {
  const onAll = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect([...new Set(onAll)].sort()).toEqual([
    // The stack of the CDK bootstrap has a name of the account's own.
    'cloudformation:DescribeStacks',
    'cloudwatch:DescribeAlarms',
    'events:DescribeEventBus',
    'lambda:GetAccountSettings',
    'lambda:GetEventSourceMapping',
  ]);
});

test('the role changes only rules and queues of verify, by their names', () => {
  const changing = statements.filter(({ Action }) =>
    JSON.stringify(Action).match(/"(?:events|sqs):(?!Get|Describe|Receive)/),
  );
  expect(changing.flatMap(({ Action }) => Action).sort()).toEqual(WATCH_RIGHTS.toSorted());
  for (const { Resource } of changing) {
    for (const pattern of [Resource].flat()) {
      expect((pattern as { 'Fn::Sub': string })['Fn::Sub']).toMatch(/[:/]\$\{Stack\}-verify-\*$/);
    }
  }
});

test('no other file of the commands calls AWS', () => {
  const callers = ['infra', 'ops'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((file) => file.endsWith('.ts') && rightsIn(file).length > 0),
  );
  expect(callers.sort()).toEqual(files.filter((file) => !file.startsWith('functions/')).sort());
});

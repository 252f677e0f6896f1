/** The output of `npm run deploy` without access to AWS, and its parts. deploy-account.test.ts has fakes of AWS. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { missingAwsAccess } from '../../infra/aws-access.ts';
import { readStackSettings } from '../../infra/config.ts';
import { deployArguments, missingConfiguration, nextSteps, regionProblems } from '../../infra/deploy.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const scratch = await mkdtemp(join(tmpdir(), 'deploy-'));
afterAll(() => rm(scratch, { recursive: true }));

const noCredentials = (profile: string) =>
  `AWS credentials: none in the environment, none in the profile "${profile}". Run "aws configure sso" or "aws configure", or set AWS_PROFILE to a profile that has them.`;
const NO_REGION = 'AWS region: not chosen. Set AWS_REGION, for Seoul to ap-northeast-2.';

test('all missing settings are listed at once, and nothing is deployed', async () => {
  const env = { PATH: process.env.PATH, HOME: scratch };
  const command = run(process.execPath, ['infra/deploy.ts', '--profile=shop'], { cwd: root, env });
  await expect(command).rejects.toMatchObject({
    code: 1,
    stdout: '',
    // A shop's own configuration decides which settings are missing.
    stderr: expect.stringMatching(
      [
        /^Not deployed\. Missing:\n(?: {2}- (?:cdk|iamport)\.json: .+\n)*/,
        / {2}- AWS credentials: none in the environment, none in the profile "shop"\. .+\n/,
        / {2}- AWS region: not chosen\. .+\n/,
        /An account and region that never saw the CDK also need, once: npx cdk bootstrap\n$/,
      ]
        .map(({ source }) => source)
        .join(''),
    ),
  });
});

test('a deployment that broadens rights needs approval, unless the command line sets --require-approval', () => {
  expect(deployArguments(['--profile', 'shop'])).toEqual([
    'deploy',
    ...['--require-approval', 'broadening'],
    ...['--outputs-file', join(root, 'dist/outputs.json')],
    ...['--profile', 'shop'],
  ]);
  for (const approval of [['--require-approval', 'never'], ['--require-approval=never']]) {
    expect(deployArguments(approval)).toEqual([
      'deploy',
      '--outputs-file',
      join(root, 'dist/outputs.json'),
      ...approval,
    ]);
  }
});

describe('credentials and region', async () => {
  const config = join(scratch, 'config');
  const credentials = join(scratch, 'credentials');
  const files = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials };
  await writeFile(
    config,
    [
      '# accounts',
      '[default]',
      'region = ap-northeast-2',
      '[profile shop]',
      '  sso_session = office',
      'region=ap-northeast-2',
      '[profile empty]',
      '# sso_session = office',
      '[sso-session office]',
      'sso_start_url = https://office.example/start',
    ].join('\n'),
  );
  await writeFile(credentials, '[keys]\r\naws_access_key_id = AKIA\r\naws_secret_access_key = secret\r\n');

  const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };
  test.each([
    ['keys and region in the environment', { ...KEYS, AWS_REGION: 'ap-northeast-2' }, undefined, []],
    ['keys in the environment, region in the default profile', { ...KEYS, ...files }, undefined, []],
    ['the role of a pipeline', { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_DEFAULT_REGION: 'x' }, undefined, []],
    ['a profile with single sign-on, by name', files, 'shop', []],
    ['the same by AWS_PROFILE', { ...files, AWS_PROFILE: 'shop' }, undefined, []],
    ['a profile with keys and no region', files, 'keys', [NO_REGION]],
    ['the default profile without keys', files, undefined, [noCredentials('default')]],
    ['a profile whose settings are commented out', files, 'empty', [noCredentials('empty'), NO_REGION]],
    ['a profile that is not there, in spite of keys', { ...KEYS, ...files }, 'x', [noCredentials('x'), NO_REGION]],
    ['nothing at all', {}, undefined, [noCredentials('default'), NO_REGION]],
  ])('%s', async (_, environment, profile, missing) => {
    expect(await missingAwsAccess({ HOME: join(scratch, 'empty-home'), ...environment }, profile)).toEqual(missing);
  });
});

test('a region is known, and that of the certificate', () => {
  expect(regionProblems('ap-northeast-2')).toEqual([]);
  expect(regionProblems('seoul')).toEqual([
    'AWS region: "seoul" is not known. Set AWS_REGION, for Seoul to ap-northeast-2.',
  ]);
  expect(regionProblems('cn-north-1')).toEqual([
    'AWS region: cn-north-1 is not supported, since its addresses do not end in amazonaws.com.',
  ]);
  const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b';
  expect(regionProblems('ap-northeast-2', { name: 'pay.shop.kr', certificateArn, only: false })).toEqual([
    'domain.certificateArn is of us-east-1, and the deployment of ap-northeast-2. Request a certificate in ap-northeast-2.',
  ]);
});

describe('the configuration', () => {
  const missingIn = (iamport: unknown) => missingConfiguration({ file: 'iamport.json', iamport });

  test('with real addresses is complete', () => {
    expect(missingIn({ storefront: { origins: ['https://shop.kr'] }, results: { app: 'shop://r' } })).toEqual([]);
  });

  test('must not name example addresses', () => {
    const iamport = {
      storefront: { origins: ['https://shop.kr', 'https://m.shop.example'] },
      results: { web: 'https://shop.example/r' },
    };
    expect(missingIn(iamport)).toEqual([
      'iamport.json: https://m.shop.example is only an example. Put in the address of your shop.',
      'iamport.json: https://shop.example/r is only an example. Put in the address of your shop.',
    ]);
    expect(
      missingConfiguration({ file: 'cdk.json', iamport: { storefront: { origins: ['https://x.example'] } } }),
    ).toEqual([
      'cdk.json: https://x.example is only an example. Put in the address of your shop, in a file of your own: iamport.json (docs/configuration.md).',
    ]);
  });

  test('with errors is reported with every problem', () => {
    expect(missingIn({ storefront: { origins: [] }, testPayments: 'maybe' })).toEqual([
      'iamport.json: storefront.origins is []: it must name at least one origin, like ["https://shop.example"]',
      'iamport.json: testPayments is "maybe": it must be "refuse" or "accept"',
    ]);
  });
});

test('the next steps contain the commands to copy', () => {
  const SecretArn = 'arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:Secret-abc';
  const outputs = {
    ApiUrl: 'https://x',
    WebhookUrl: 'https://x/payments/webhook',
    MobileUrl: 'https://x/m',
    SecretArn,
  };
  const target = {
    settings: readStackSettings({ storefront: { origins: ['https://shop.kr'] } }),
    region: 'ap-northeast-2',
    toolkitStack: 'CDKToolkit',
  };
  expect(nextSteps(outputs, { ...target, profile: 'shop' })).toContain(
    `aws secretsmanager put-secret-value --region ap-northeast-2 --profile shop \\
     --secret-id ${SecretArn} \\
     --secret-string '{"imp_key":"YOUR REST API KEY","imp_secret":"YOUR REST API SECRET"}'`,
  );
  expect(nextSteps(outputs, target)).toContain('\n   https://x/payments/webhook\n');
  expect(nextSteps(outputs, target)).not.toContain('--profile');
  expect(nextSteps({ ...outputs, DomainTarget: 'd-1.execute-api' }, target)).toContain(
    'CNAME record to:\n\n   d-1.execute-api\n',
  );
});

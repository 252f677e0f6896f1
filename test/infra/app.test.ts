/** The CDK app run directly, by the CDK's command line, and with an invalid configuration. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, expect, inject, test } from 'vitest';
import { synthesize } from '../../infra/app.ts';
import { shippedContext } from './shipped.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const scratch = await mkdtemp(join(tmpdir(), 'synth-'));
afterAll(() => rm(scratch, { recursive: true }));

/** Without account, region and home directory, and without calls to servers of AWS or npm. */
const environment = {
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  HOME: scratch,
  AWS_EC2_METADATA_DISABLED: 'true',
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  CDK_DISABLE_VERSION_CHECK: '1',
};

test('the template is the same in every synthesis, with and without the CDK’s command line', {
  timeout: 300_000,
}, async () => {
  const [alone, cli] = ['alone', 'cli'].map((name) => join(scratch, name));
  await run(process.execPath, ['infra/app.ts'], { cwd: root, env: { ...environment, CDK_OUTDIR: alone } });
  const commandLine = ['synth', '--quiet', '--no-notices', '--output', `${cli}`];
  await run(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...commandLine], { cwd: root, env: environment });

  const template = await readFile(`${alone}/IamportPayments.template.json`, 'utf8');
  expect(JSON.parse(template).Resources).toHaveProperty('PaymentsTablesOrdersD7E07471');
  expect(await readFile(`${cli}/IamportPayments.template.json`, 'utf8')).toBe(template);
});

test('additions of a shop in infra/shop.ts are in the deployed stack, and not in that of the tests', async () => {
  const code = Code.fromInline('exports.handler = async () => {};');
  const props = { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code };
  const directory = await synthesize(shippedContext, join(scratch, 'shop'), (stack, payments) => {
    payments.onPaid(new LambdaFunction(stack, 'Deliver', props));
  });
  const added = async (from: string) => {
    const { Resources } = JSON.parse(await readFile(join(from, 'IamportPayments.template.json'), 'utf8'));
    return Object.values<{ Type: string }>(Resources).filter(({ Type }) => Type === 'AWS::Events::Rule').length;
  };
  expect([await added(directory), await added(inject('assembly'))]).toEqual([1, 0]);
});

test('an invalid configuration prints every problem and nothing else', async () => {
  const iamport = { storefront: { origins: ['*'] }, reversals: 'never' };
  const env = { ...environment, CDK_OUTDIR: join(scratch, 'bad'), CDK_CONTEXT_JSON: JSON.stringify({ iamport }) };
  await expect(run(process.execPath, ['infra/app.ts'], { cwd: root, env })).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: [
      'The configuration has 2 problems:',
      '  iamport.storefront.origins.0 is "*": it must be an exact origin, https:// and a host without path or wildcard, like "https://shop.example"',
      '  iamport.reversals is "never": it must be "automatic" or "manual"',
      '',
    ].join('\n'),
  });
});

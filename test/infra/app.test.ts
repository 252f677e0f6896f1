/** The CDK app run directly, by the CDK's command line, and with an invalid configuration. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

let files = 0;

/** Writes a configuration file. @returns the value of `-c` for it */
async function configuration(content: object | string): Promise<string> {
  files += 1;
  const file = join(scratch, `shop-${files}.json`);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return `config=${file}`;
}

test('-c config=<file> chooses the configuration, with and without the CDK’s command line', {
  timeout: 300_000,
}, async () => {
  const [alone, cli] = ['alone', 'cli'].map((name) => join(scratch, name));
  const config = await configuration({ ...shippedContext.iamport, name: 'ShopStaging' });
  await run(process.execPath, ['infra/app.ts', '-c', config], {
    cwd: root,
    env: { ...environment, CDK_OUTDIR: alone },
  });
  const { pluginReports } = JSON.parse(await readFile(`${alone}/validation-report.json`, 'utf8'));
  expect(pluginReports, 'findings of the CDK’s validation').toEqual([]);
  const commandLine = ['synth', '--quiet', '--no-notices', '--no-validation', '--output', `${cli}`, '-c', config];
  await run(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...commandLine], { cwd: root, env: environment });

  const template = await readFile(`${alone}/ShopStaging.template.json`, 'utf8');
  expect(JSON.parse(template).Resources).toHaveProperty('PaymentsTablesOrdersD7E07471');
  expect(await readFile(`${cli}/ShopStaging.template.json`, 'utf8'), 'every synthesis is the same').toBe(template);
});

test('additions of a shop in infra/shop.ts are in the deployed stack, and not in that of the tests', async () => {
  const code = Code.fromInline('exports.handler = async () => {};');
  const props = { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code };
  const directory = await synthesize(shippedContext, join(scratch, 'shop'), {
    add: (stack, payments) => payments.onPaid(new LambdaFunction(stack, 'Deliver', props)),
  });
  const added = async (from: string) => {
    const { Resources } = JSON.parse(await readFile(join(from, 'IamportPayments.template.json'), 'utf8'));
    return Object.values<{ Type: string }>(Resources).filter(({ Type }) => Type === 'AWS::Events::Rule').length;
  };
  expect([await added(directory), await added(inject('assembly'))]).toEqual([1, 0]);
});

test('an invalid configuration prints every problem and nothing else', async () => {
  const config = await configuration({ storefront: { origins: ['*'] }, reversals: 'never' });
  const env = { ...environment, CDK_OUTDIR: join(scratch, 'bad') };
  await expect(run(process.execPath, ['infra/app.ts', '-c', config], { cwd: root, env })).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: [
      'The configuration has 2 problems:',
      '  storefront.origins.0 is "*": it must be an exact origin, https:// and a host without path or wildcard, like "https://shop.example"',
      '  reversals is "never": it must be "automatic" or "manual"',
      '',
    ].join('\n'),
  });
});

test('broken JSON prints the file, the line and the column, and no stack trace', async () => {
  const config = await configuration('{\n  "storefront": { "origins": ["https://shop.example"], },\n}\n');
  await expect(
    run(process.execPath, ['infra/app.ts', '-c', config], { cwd: root, env: environment }),
  ).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `The configuration has a problem:\n  ${config.slice(7)}, line 2, column 56: expected a name in double quotes, found "}"\n`,
  });
});

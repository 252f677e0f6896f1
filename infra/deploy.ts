/**
 * `npm run deploy`: lists all missing configuration and stops, or runs `cdk deploy` with its own arguments and then prints the next
 * steps for the operator. It changes nothing in AWS itself.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { missingAwsAccess } from './aws-access.ts';
import { ConfigurationError, readSettings } from './config.ts';
import { cdkContext, PROJECT_ROOT } from './context.ts';

const CDK = join(PROJECT_ROOT, 'node_modules/aws-cdk/bin/cdk');
const OUTPUTS = join(PROJECT_ROOT, 'dist/outputs.json');

/** The outputs of stack.ts that the next steps need. */
const outputsFile = z.object({
  IamportPayments: z.object({
    ApiUrl: z.string(),
    WebhookUrl: z.string(),
    MobileUrl: z.string(),
    SecretArn: z.string(),
  }),
});
export type Outputs = z.output<typeof outputsFile>['IamportPayments'];

/** @returns one sentence for each error or example address in the configuration */
export function missingConfiguration(iamport: unknown): string[] {
  try {
    const { storefront, results } = readSettings(iamport);
    return [...storefront.origins, ...Object.values(results)]
      .filter((url) => new URL(url).hostname.endsWith('.example'))
      .map((url) => `cdk.json: ${url} is only an example. Put in the address of your shop.`);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((problem) => `cdk.json: ${problem}`);
    throw error;
  }
}

/** The steps after a deployment, with the commands to copy. */
export function nextSteps({ ApiUrl, WebhookUrl, MobileUrl, SecretArn }: Outputs, profile?: string): string {
  const region = SecretArn.split(':')[3];
  const account = [`--region ${region}`, ...(profile ? [`--profile ${profile}`] : [])].join(' ');
  return `
The API answers at ${ApiUrl}. What is left to do, once:

1. Put the REST API keys of the Iamport console into the secret:

   aws secretsmanager put-secret-value ${account} \\
     --secret-id ${SecretArn} \\
     --secret-string '{"imp_key":"YOUR REST API KEY","imp_secret":"YOUR REST API SECRET"}'

2. Paste the webhook URL into the Iamport console:

   ${WebhookUrl}

3. Give IMP.request_pay this m_redirect_url:

   ${MobileUrl}
`;
}

/** Arguments for the CDK's command line. By default it asks for approval before a deployment broadens rights. */
export function deployArguments(commandLine: readonly string[]): string[] {
  const hasApproval = commandLine.some((argument) => /^--require-approval(=|$)/.test(argument));
  const approval = hasApproval ? [] : ['--require-approval', 'broadening'];
  return ['deploy', ...approval, '--outputs-file', OUTPUTS, ...commandLine];
}

async function main(commandLine: string[]): Promise<number> {
  const { values } = parseArgs({ args: commandLine, options: { profile: { type: 'string' } }, strict: false });
  const profile = typeof values.profile === 'string' ? values.profile : undefined;
  const missing = [...missingConfiguration(cdkContext().iamport), ...(await missingAwsAccess(process.env, profile))];
  if (missing.length > 0) {
    console.error(`Not deployed. Missing:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
    console.error('An account and region that never saw the CDK also need, once: npx cdk bootstrap');
    return 1;
  }
  const exitCode = await cdk(deployArguments(commandLine));
  if (exitCode !== 0) return exitCode;
  const { IamportPayments } = outputsFile.parse(JSON.parse(await readFile(OUTPUTS, 'utf8')));
  console.log(nextSteps(IamportPayments, profile));
  return 0;
}

/** Runs the CDK's command line with this Node first in PATH, since the CDK starts the app as plain `node`. */
function cdk(commandLine: string[]): Promise<number> {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const child = spawn(process.execPath, [CDK, ...commandLine], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, PATH },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

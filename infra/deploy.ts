/**
 * `npm run deploy`: lists all missing configuration and stops; checks the AWS account; deletes a stack whose creation failed; runs
 * `cdk deploy` with its own arguments; then protects the stack from replacements and prints the next steps for the operator.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import * as z from 'zod';
import { type DeployAccount, deployAccount, type StackState } from './account.ts';
import { missingAwsAccess, regionOf } from './aws-access.ts';
import { ConfigurationError, readStackSettings, type StackSettings } from './config.ts';
import { type ConfigurationSource, configOf, configurationSource, PROJECT_ROOT } from './context.ts';
import { aws, preflight, type Target } from './preflight.ts';

const CDK = join(PROJECT_ROOT, 'node_modules/aws-cdk/bin/cdk');
const OUTPUTS = join(PROJECT_ROOT, 'dist/outputs.json');
const STACK_POLICY = 'docs/stack-policy.json';
const DELETION_POLL_MS = 5_000;
/** The deletion of a stack that was never created takes minutes. */
const MAX_DELETION_POLLS = 240;

/** The outputs of stack.ts that the next steps need, by the name of the stack. */
const outputsFile = z.record(
  z.string(),
  z.object({
    ApiUrl: z.string(),
    WebhookUrl: z.string(),
    MobileUrl: z.string(),
    SecretArn: z.string(),
    DomainTarget: z.string().optional(),
  }),
);
export type Outputs = z.output<typeof outputsFile>[string];

/** The environment, processes and AWS calls that a deployment uses. */
export interface DeployDependencies {
  readonly environment: NodeJS.ProcessEnv;
  account(region: string, profile?: string): DeployAccount;
  configuration(config?: string): ConfigurationSource;
  /** Runs the CDK's command line. @returns its exit code */
  cdk(commandLine: readonly string[]): Promise<number>;
  /** The file that the CDK has written. */
  outputs(): Promise<unknown>;
  print(text: string): void;
  printError(text: string): void;
  sleep(milliseconds: number): Promise<unknown>;
}

/** @returns one sentence for each error or example address in the configuration */
export function missingConfiguration({ file, iamport }: ConfigurationSource): string[] {
  try {
    const { storefront, results } = readStackSettings(iamport);
    return [...storefront.origins, ...Object.values(results)]
      .filter((url) => new URL(url).hostname.endsWith('.example'))
      .map((url) => `${file}: ${url} is only an example. Put in the address of your shop${ownFile(file)}.`);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((problem) => `${file}: ${problem}`);
    throw error;
  }
}

/** A change of cdk.json would conflict with the next update of this repository. */
const ownFile = (file: string): string =>
  file === 'cdk.json' ? ', in a file of your own: iamport.json (docs/configuration.md)' : '';

/** @returns one sentence for a region where the stack cannot be deployed */
export function regionProblems(region: string | undefined, domain?: StackSettings['domain']): string[] {
  if (!region) return [];
  if (!RegionInfo.regions.some(({ name }) => name === region)) {
    return [`AWS region: "${region}" is not known. Set AWS_REGION, for Seoul to ap-northeast-2.`];
  }
  if (RegionInfo.get(region).domainSuffix !== 'amazonaws.com') {
    return [`AWS region: ${region} is not supported, since its addresses do not end in amazonaws.com.`];
  }
  const certificateRegion = domain?.certificateArn.split(':')[3];
  if (!certificateRegion || certificateRegion === region) return [];
  return [
    `domain.certificateArn is of ${certificateRegion}, and the deployment of ${region}. Request a certificate in ${region}.`,
  ];
}

/** The steps after a deployment, with the commands to copy. */
export function nextSteps(outputs: Outputs, { settings, ...target }: Target): string {
  const { ApiUrl, WebhookUrl, MobileUrl, SecretArn, DomainTarget } = outputs;
  const account = [`--region ${target.region}`, ...(target.profile ? [`--profile ${target.profile}`] : [])].join(' ');
  const steps = [
    ...(DomainTarget
      ? [`Point ${settings.domain?.name} at the API, with a CNAME record to:\n\n   ${DomainTarget}`]
      : []),
    `Put the REST API keys of the Iamport console into the secret:

   aws secretsmanager put-secret-value ${account} \\
     --secret-id ${SecretArn} \\
     --secret-string '{"imp_key":"YOUR REST API KEY","imp_secret":"YOUR REST API SECRET"}'`,
    `Paste the webhook URL into the Iamport console:\n\n   ${WebhookUrl}`,
    `Give IMP.request_pay this m_redirect_url:\n\n   ${MobileUrl}`,
  ];
  const numbered = steps.map((step, index) => `${index + 1}. ${step}\n`);
  return `\nThe API answers at ${ApiUrl}. What is left to do, once:\n\n${numbered.join('\n')}`;
}

/** Arguments for the CDK's command line. By default it asks for approval before a deployment broadens rights. */
export function deployArguments(commandLine: readonly string[]): string[] {
  const hasApproval = commandLine.some((argument) => /^--require-approval(=|$)/.test(argument));
  const approval = hasApproval ? [] : ['--require-approval', 'broadening'];
  return ['deploy', ...approval, '--outputs-file', OUTPUTS, ...commandLine];
}

/** @returns the exit code */
export async function deploy(commandLine: readonly string[], deps: DeployDependencies): Promise<number> {
  const { profile, toolkitStack } = optionsOf(commandLine);
  const source = sourceOf(commandLine, deps);
  const missing = Array.isArray(source) ? source : missingConfiguration(source);
  const settings = missing.length === 0 && !Array.isArray(source) ? readStackSettings(source.iamport) : undefined;
  const region = await regionOf(deps.environment, profile);
  missing.push(...(await missingAwsAccess(deps.environment, profile)), ...regionProblems(region, settings?.domain));
  if (missing.length > 0 || !settings || !region) {
    deps.printError(`Not deployed. Missing:\n${listed(missing)}`);
    deps.printError('An account and region that never saw the CDK also need, once: npx cdk bootstrap');
    return 1;
  }
  const target: Target = { settings, region, profile, toolkitStack };
  const account = deps.account(region, profile);
  const found = await preflight(account, target);
  deps.print([...found.skipped, ...found.warnings.map((warning) => `Warning: ${warning}`)].join('\n'));
  if (found.errors.length > 0) {
    deps.printError(`Not deployed, and nothing is changed:\n${listed(found.errors)}`);
    return 1;
  }
  const inAccount = found.account ? ` of account ${found.account}` : '';
  deps.print(`Deploying ${settings.name} to ${region}${inAccount}.`);
  if (found.neverCreated && !(await deleteNeverCreated(account, found.neverCreated, target, deps))) return 1;
  const exitCode = await deps.cdk(deployArguments(commandLine));
  if (exitCode !== 0) return exitCode;
  const outputs = outputsFile.parse(await deps.outputs())[settings.name];
  if (outputs) deps.print(nextSteps(outputs, target));
  return settings.removal === 'destroy' ? 0 : protect(account, target, deps);
}

const listed = (lines: readonly string[]): string => lines.map((line) => `  - ${line}`).join('\n');

function optionsOf(commandLine: readonly string[]) {
  const options = { profile: { type: 'string' }, 'toolkit-stack-name': { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...commandLine], options, strict: false });
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { profile: text(values.profile), toolkitStack: text(values['toolkit-stack-name']) ?? 'CDKToolkit' };
}

/** @returns the configuration, or the problems of a file that cannot be read */
function sourceOf(commandLine: readonly string[], deps: DeployDependencies): ConfigurationSource | string[] {
  try {
    return deps.configuration(configOf(commandLine));
  } catch (error) {
    if (error instanceof ConfigurationError) return [...error.problems];
    throw error;
  }
}

/**
 * Deletes a stack whose creation failed: CloudFormation cannot update it, and the CDK cannot delete it while it is protected.
 * @returns whether it is deleted
 */
async function deleteNeverCreated(
  account: DeployAccount,
  { id, status }: StackState,
  target: Target,
  deps: DeployDependencies,
): Promise<boolean> {
  const { name } = target.settings;
  deps.print(
    `The last try to create ${name} failed (${status}), so it was never in use. Deleting what is left of it …`,
  );
  try {
    await account.deleteStack(id);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const protection = `cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${name}`;
    deps.printError(
      `Not deployed. These credentials could not delete the stack: ${message}\nRun with others, then run this command again:\n  ${aws(target, protection)}\n  ${aws(target, `cloudformation delete-stack --stack-name ${name}`)}`,
    );
    return false;
  }
  let current = await account.stack(id);
  for (let polls = 0; current?.status === 'DELETE_IN_PROGRESS' && polls < MAX_DELETION_POLLS; polls += 1) {
    await deps.sleep(DELETION_POLL_MS);
    current = await account.stack(id);
  }
  const resources = await account.resources(id);
  if (current && current.status !== 'DELETE_COMPLETE') {
    const reasons = resources
      .filter(({ status: of }) => of === 'DELETE_FAILED')
      .map(({ type, physicalId, reason }) => `${type} ${physicalId}: ${reason ?? 'no reason given'}`);
    deps.printError(
      `Not deployed. The stack ${name} could not be deleted (${current.status}):\n${listed(reasons)}\nRemove the causes, then run the command again after:\n  ${aws(target, `cloudformation delete-stack --stack-name ${name}`)}`,
    );
    return false;
  }
  const kept = resources.filter(({ status: of }) => of === 'DELETE_SKIPPED');
  if (kept.length > 0) deps.print(leftBehind(kept, target));
  return true;
}

/** Retained resources of a failed creation. They are empty, and the new stack has others. */
function leftBehind(kept: readonly { type: string; physicalId: string }[], target: Target): string {
  const lines = kept.map(({ type, physicalId }) => `  ${type} ${physicalId}`);
  const tables = kept.filter(({ type }) => /^AWS::DynamoDB::/.test(type)).map(({ physicalId }) => physicalId);
  const commands = tables.flatMap((table) => [
    `  ${aws(target, `dynamodb update-table --table-name ${table} --no-deletion-protection-enabled`)}`,
    `  ${aws(target, `dynamodb delete-table --table-name ${table}`)}`,
  ]);
  const how = commands.length > 0 ? `\nThe tables are protected. To delete them:\n${commands.join('\n')}` : '';
  return `These resources of the failed try stay behind. They are empty, and the new stack does not use them:\n${lines.join('\n')}${how}\n`;
}

/**
 * Sets the stack policy: no update may replace tables, secrets, the API or the bus, or delete any but a secret. A setting that is
 * removed takes its secret out of the stack, and the secret itself is retained. @returns the exit code
 */
async function protect(account: DeployAccount, target: Target, deps: DeployDependencies): Promise<number> {
  const { name } = target.settings;
  try {
    await account.setStackPolicy(name, await readFile(join(PROJECT_ROOT, STACK_POLICY), 'utf8'));
    deps.print(
      `The stack policy is set: no update can replace tables, secrets, the API or the event bus, or delete any of them but a secret.`,
    );
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    deps.printError(
      `Deployed, but the stack policy could not be set: ${message}\nGrant cloudformation:SetStackPolicy to these credentials, or run:\n  ${aws(target, `cloudformation set-stack-policy --stack-name ${name} --stack-policy-body file://${STACK_POLICY}`)}`,
    );
    return 1;
  }
}

/** Runs the CDK's command line with this Node first in PATH, since the CDK starts the app as plain `node`. */
function cdk(commandLine: readonly string[]): Promise<number> {
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

if (import.meta.main) {
  process.exitCode = await deploy(process.argv.slice(2), {
    environment: process.env,
    account: deployAccount,
    configuration: configurationSource,
    cdk,
    outputs: async () => JSON.parse(await readFile(OUTPUTS, 'utf8')),
    print: (text) => text && console.log(text),
    printError: (text) => console.error(text),
    sleep,
  });
}

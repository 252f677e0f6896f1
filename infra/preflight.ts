/** The checks of `npm run deploy` on an AWS account, before anything is changed. */
import type { DeployAccount, StackState } from './account.ts';
import type { StackSettings } from './config.ts';
import { STACK_DESCRIPTION } from './context.ts';
import { FUNCTION_NAMES, type FunctionName } from './function-table.ts';

export interface Target {
  readonly settings: Pick<StackSettings, 'name' | 'provisionedConcurrency' | 'reservedConcurrency' | 'domain'>;
  readonly region: string;
  readonly profile?: string | undefined;
  /** The stack of `cdk bootstrap`. */
  readonly toolkitStack: string;
}

export interface Preflight {
  /** Each stops the deployment, and contains the operator's action. */
  readonly errors: readonly string[];
  /** Shown before the deployment. */
  readonly warnings: readonly string[];
  /** Checks that the credentials may not make. */
  readonly skipped: readonly string[];
  /** A stack whose creation failed. It has never served, and has to be deleted first. */
  readonly neverCreated: StackState | undefined;
  /** Known from the id of a stack. */
  readonly account: string | undefined;
}

/** A creation that did not end. No version of the stack was ever in use. */
const NEVER_CREATED = ['REVIEW_IN_PROGRESS', 'CREATE_FAILED', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'];
/** Below this a day with some traffic meets the quota. A new account has 10; the default of an account is 1,000. */
const LOW_CONCURRENCY = 100;
/** Lambda keeps this part of the quota for functions without a reservation, or the whole of a smaller quota. */
const UNRESERVED = 100;
/** The functions that have provisioned instances. */
const PROVISIONED_FUNCTIONS: readonly FunctionName[] = ['complete', 'mobile-redirect'];
/** The version that the CDK's default synthesizer requires. Source: aws-cdk-lib, DefaultStackSynthesizer. */
const BOOTSTRAP_VERSION = 6;

interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
  readonly skipped: string[];
}

/** Checks everything, and reports all at once. It only reads. */
export async function preflight(account: DeployAccount, target: Target): Promise<Preflight> {
  const findings: Findings = { errors: [], warnings: [], skipped: [] };
  const read = reader(findings, target);
  // The first call shows whether AWS accepts the credentials at all. The others would repeat its error.
  const stack = await read('the state of the stack', 'cloudformation:DescribeStacks', () =>
    account.stack(target.settings.name),
  );
  if (findings.errors.length > 0) return { ...findings, neverCreated: undefined, account: undefined };
  const [toolkit, concurrency, plan] = await Promise.all([
    read('the CDK bootstrap', 'cloudformation:DescribeStacks', () => account.stack(target.toolkitStack)),
    read('the quota of Lambda', 'lambda:GetAccountSettings', () => account.concurrency()),
    account.plan().catch(() => undefined),
  ]);
  if (stack) checkStack(stack.found, target, findings);
  if (toolkit) checkBootstrap(toolkit.found, target, findings);
  if (concurrency) checkConcurrency(concurrency.found, target, findings);
  checkPlan(plan, findings);
  if (stack && !stack.found) await checkBus(account, target, findings, read);
  const neverCreated = stack?.found && NEVER_CREATED.includes(stack.found.status) ? stack.found : undefined;
  const id = toolkit?.found?.id ?? stack?.found?.id;
  return { ...findings, neverCreated, account: id?.split(':')[4] };
}

type Read = <T>(what: string, right: string, call: () => Promise<T>) => Promise<{ found: T } | undefined>;

/** Calls that the credentials may not make are skipped: a pipeline may have fewer rights. Other failures are errors. */
function reader({ errors, skipped }: Findings, { profile }: Target): Read {
  return async (what, right, call) => {
    try {
      return { found: await call() };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      if (/AccessDenied|UnauthorizedOperation/.test(`${name} ${message}`)) {
        skipped.push(`Not checked: ${what}. The credentials lack the right ${right}.`);
      } else {
        errors.push(`AWS: ${what} cannot be read: ${message} (${name}). ${remedyOf(name, profile)}`);
      }
      return undefined;
    }
  };
}

function remedyOf(name: string, profile: string | undefined): string {
  const login = profile ? `aws sso login --profile ${profile}` : 'aws sso login';
  if (/Credentials|Token|Signature|AuthFailure/i.test(name))
    return `The credentials are not valid, or have expired. Log in again ("${login}"), and check them with "aws sts get-caller-identity".`;
  return 'Check the network, the region and the status of AWS, and run the command again.';
}

function checkStack(stack: StackState | undefined, { settings: { name }, ...target }: Target, { errors }: Findings) {
  if (!stack) return;
  const { status, description } = stack;
  // A stack that was only planned has no description yet.
  if (description !== STACK_DESCRIPTION && status !== 'REVIEW_IN_PROGRESS') {
    errors.push(`The stack ${name} exists in ${target.region}, and is not one of this project. Choose another "name".`);
  } else if (NEVER_CREATED.includes(status)) {
    return;
  } else if (status.endsWith('_IN_PROGRESS')) {
    errors.push(
      `The stack ${name} is being changed (${status}). Wait until that has ended, and run the command again.`,
    );
  } else if (status === 'UPDATE_ROLLBACK_FAILED') {
    errors.push(
      `The last update of the stack ${name} could not be rolled back. Its events in the console name the cause. Remove it, then: ${aws(target, `cloudformation continue-update-rollback --stack-name ${name}`)}`,
    );
  } else if (status === 'DELETE_FAILED') {
    errors.push(
      `The stack ${name} could not be deleted. Its events in the console name the cause. Remove it, then: ${aws(target, `cloudformation delete-stack --stack-name ${name}`)}`,
    );
  }
}

function checkBootstrap(toolkit: StackState | undefined, { toolkitStack, ...target }: Target, { errors }: Findings) {
  const command = `npx cdk bootstrap${target.profile ? ` --profile ${target.profile}` : ''}`;
  if (!toolkit) {
    errors.push(
      `The CDK was never set up in ${target.region}: there is no stack ${toolkitStack}. Run once: ${command}`,
    );
    return;
  }
  const version = Number(toolkit.outputs.BootstrapVersion);
  if (!(version >= BOOTSTRAP_VERSION)) {
    const found = toolkit.outputs.BootstrapVersion ?? 'none';
    errors.push(
      `The setup of the CDK in ${target.region} has version ${found}, and ${BOOTSTRAP_VERSION} is needed. Update it: ${command}`,
    );
  }
}

/** The executions that other functions cannot use. Provisioned ones are a part of the reservation of their function. */
function heldExecutions({ provisionedConcurrency, reservedConcurrency }: Target['settings']): number {
  const held = FUNCTION_NAMES.map(
    (name) => reservedConcurrency[name] ?? (PROVISIONED_FUNCTIONS.includes(name) ? provisionedConcurrency : 0),
  );
  return held.reduce((sum, of) => sum + of, 0);
}

function checkConcurrency(quota: number, target: Target, { errors, warnings }: Findings): void {
  const request = aws(
    target,
    'service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000',
  );
  const wanted = heldExecutions(target.settings);
  if (wanted > quota - Math.min(UNRESERVED, quota)) {
    errors.push(
      `provisionedConcurrency and reservedConcurrency need ${wanted} of the ${quota} concurrent Lambda executions of this account, and ${Math.min(UNRESERVED, quota)} must stay free. Lower them, or request a higher quota first: ${request}`,
    );
  } else if (quota < LOW_CONCURRENCY) {
    warnings.push(
      `Lambda runs at most ${quota} executions at once in this account, for all functions together; more requests get 503. Request 1,000 before you sell, which AWS answers within hours to days: ${request}`,
    );
  }
}

function checkPlan(plan: Awaited<ReturnType<DeployAccount['plan']>> | undefined, findings: Findings): void {
  if (!plan) {
    findings.skipped.push(
      'Not checked: the plan of the account. On a free plan AWS closes the account when it ends: see Billing in the console.',
    );
  } else if (plan.type === 'FREE') {
    const end = plan.expires ? `, on ${plan.expires} at the latest` : '';
    findings.warnings.push(
      `The account has AWS's free plan, which ends after six months or with its credits${end}. AWS then closes the account. Upgrade to the paid plan (console: Billing) before you sell.`,
    );
  }
}

async function checkBus(account: DeployAccount, target: Target, { errors }: Findings, read: Read): Promise<void> {
  const bus = `${target.settings.name}-Payments`;
  const result = await read('the event bus', 'events:DescribeEventBus', () => account.hasEventBus(bus));
  if (!result?.found) return;
  errors.push(
    `An event bus ${bus} exists in ${target.region} without the stack ${target.settings.name}. Choose another "name", or delete it: ${aws(target, `events delete-event-bus --name ${bus}`)}`,
  );
}

/** A command with the region, and the profile of the command line. */
export function aws({ region, profile }: Pick<Target, 'region' | 'profile'>, command: string): string {
  return `aws ${command} --region ${region}${profile ? ` --profile ${profile}` : ''}`;
}

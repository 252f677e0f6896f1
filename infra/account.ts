/** Reads and changes of the AWS account that `npm run deploy` makes itself. The CDK deploys all else. */

import { text } from 'node:stream/consumers';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateListStackResources,
  SetStackPolicyCommand,
  type StackResourceSummary,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { signedPost } from '../functions/adapters/signed-call.ts';

export interface StackState {
  /** `arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`. It names a deleted stack too. */
  readonly id: string;
  readonly status: string;
  readonly description: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface StackResource {
  readonly type: string;
  readonly physicalId: string;
  readonly status: string;
  readonly reason: string | undefined;
}

export interface DeployAccount {
  /** @param name or id of a stack. @returns undefined when there is none */
  stack(name: string): Promise<StackState | undefined>;
  resources(stack: string): Promise<StackResource[]>;
  /** Ends the protection of a stack, and starts its deletion. */
  deleteStack(stack: string): Promise<void>;
  setStackPolicy(stack: string, policy: string): Promise<void>;
  /** The quota of concurrent Lambda executions in the region. */
  concurrency(): Promise<number>;
  hasEventBus(name: string): Promise<boolean>;
  /** The plan of the account, and the end of a free one as a date. */
  plan(): Promise<{ readonly type: string; readonly expires: string | undefined }>;
}

/** Each call ends after at most three attempts of ten seconds each. */
const UPSTREAM = { requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true } };
/** The Free Tier API has this endpoint only. Source: AWS General Reference. */
const FREE_TIER = { url: 'https://freetier.us-east-1.api.aws/', region: 'us-east-1' };

/** @param profile overrides credentials in the environment */
export function deployAccount(region: string, profile?: string): DeployAccount {
  const options = { region, ...UPSTREAM, ...(profile && { profile }) };
  const cloudFormation = new CloudFormationClient(options);
  return {
    async stack(StackName) {
      try {
        const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
        if (!stack) return undefined;
        const outputs = (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
        return {
          id: stack.StackId ?? StackName,
          status: stack.StackStatus ?? '',
          description: stack.Description,
          outputs: Object.fromEntries(outputs),
        };
      } catch (error) {
        if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
        throw error;
      }
    },
    async resources(StackName) {
      const found: StackResourceSummary[] = [];
      const pages = paginateListStackResources({ client: cloudFormation }, { StackName });
      for await (const { StackResourceSummaries = [] } of pages) found.push(...StackResourceSummaries);
      return found.map(({ ResourceType, PhysicalResourceId, ResourceStatus, ResourceStatusReason }) => ({
        type: ResourceType ?? '',
        physicalId: PhysicalResourceId ?? '',
        status: ResourceStatus ?? '',
        reason: ResourceStatusReason,
      }));
    },
    async deleteStack(StackName) {
      const protection = { StackName, EnableTerminationProtection: false };
      await cloudFormation.send(new UpdateTerminationProtectionCommand(protection));
      await cloudFormation.send(new DeleteStackCommand({ StackName }));
    },
    async setStackPolicy(StackName, StackPolicyBody) {
      await cloudFormation.send(new SetStackPolicyCommand({ StackName, StackPolicyBody }));
    },
    async concurrency() {
      const { AccountLimit } = await new LambdaClient(options).send(new GetAccountSettingsCommand({}));
      if (AccountLimit?.ConcurrentExecutions === undefined) throw new Error('Lambda returned no quota');
      return AccountLimit.ConcurrentExecutions;
    },
    async hasEventBus(Name) {
      try {
        await new EventBridgeClient(options).send(new DescribeEventBusCommand({ Name }));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
        throw error;
      }
    },
    plan: () => accountPlan(cloudFormation),
  };
}

const planResponse = z.object({ accountPlanType: z.string(), accountPlanExpirationDate: z.unknown() });

/** There is no client of this API among the dependencies, and it is one signed request. */
async function accountPlan({ config }: CloudFormationClient): ReturnType<DeployAccount['plan']> {
  const { credentials, sha256, requestHandler } = config;
  const region = async () => FREE_TIER.region;
  const { statusCode, body } = await signedPost(
    { config: { credentials, sha256, requestHandler, region } },
    {
      service: 'freetier',
      url: new URL(process.env.AWS_ENDPOINT_URL_FREETIER ?? FREE_TIER.url),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AWSFreeTierService.GetAccountPlanState',
      },
      body: '{}',
    },
  );
  const response = await text(body);
  if (statusCode !== 200) throw new Error(`The Free Tier API returned ${statusCode}`);
  const { accountPlanType: type, accountPlanExpirationDate: date } = planResponse.parse(JSON.parse(response));
  // The protocol writes times as seconds.
  const time = typeof date === 'number' ? new Date(date * 1000) : new Date(String(date));
  return { type, expires: Number.isNaN(time.getTime()) ? undefined : time.toISOString().slice(0, 10) };
}

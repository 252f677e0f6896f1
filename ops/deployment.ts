/**
 * Connects to a deployment: a stack in an AWS account, or the local system. The functions' own code reads, with the operator's
 * credentials. All changes go through the deployed routes and functions, so that only one code path settles.
 */

import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity } from '@smithy/types';
import { eventBridge } from '../functions/adapters/eventbridge.ts';
import { type MessageQueue, messageQueue } from '../functions/adapters/sqs.ts';
import type { Bus } from '../functions/application/ports.ts';
import { eventSource } from '../functions/events/event-schema.ts';
import { type Config, configFrom, publisherConfigFrom } from '../functions/runtime/config.ts';
import type { HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { createDependencies } from '../functions/runtime/instance.ts';
import { localCaller, Sha256 } from '../local/aws/signature.ts';

export interface Deployment {
  /** Shown to the operator: the stack and its region, or the address of the local system. */
  readonly name: string;
  /** The base URL of the API, without a trailing slash. */
  readonly apiUrl: string;
  readonly config: Config;
  readonly deps: HandlerDependencies;
  /** Sends a signed request to a route of the API. */
  send(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Sent>;
  /** Runs the reconciler once. @returns its report */
  reconcile(): Promise<unknown>;
  /** The publisher's event bus, and its queue of records that it cannot read. */
  publishing(): Promise<Publishing>;
}

export interface Publishing {
  readonly bus: Bus;
  readonly queue: MessageQueue;
}

export interface Sent {
  readonly status: number;
  readonly body: unknown;
}

/** The deployment cannot be found or read. The message is for the operator. */
export class NotFound extends Error {}

export interface Target {
  readonly local: boolean;
  /** The address of the local system, or of an API with a domain of the shop's own. */
  readonly url?: string | undefined;
  readonly stack: string;
  readonly region?: string | undefined;
}

export const connect = (target: Target): Promise<Deployment> =>
  target.local ? connectLocal(target) : connectStack(target);

async function connectLocal({ url = 'http://127.0.0.1:3000' }: Target): Promise<Deployment> {
  const found = await fetch(`${url}/__local/deployment`).catch(() => undefined);
  if (!found?.ok) throw new NotFound(`No local system answers at ${url}: start it with npm start, or name it by --url`);
  const { environment } = (await found.json()) as { environment: Record<string, string> };
  Object.assign(process.env, environment);
  const config = configFrom(environment);
  const region = environment.AWS_REGION ?? '';
  return {
    name: url,
    apiUrl: url,
    config,
    deps: createDependencies(config, { connections: 4 }),
    send: sender(url, region, async () => localCaller),
    reconcile: async () => (await fetch(`${url}/__local/reconcile`, { method: 'POST' })).json(),
    publishing: async () => publishingBy(environment),
  };
}

async function connectStack({ stack, region, url }: Target): Promise<Deployment> {
  if (region) process.env.AWS_REGION = region;
  const resources = await resourcesOf(stack);
  const functionNamed = (name: string) =>
    resources.find(({ id, type }) => type === 'AWS::Lambda::Function' && id.includes(`Functions${name}Function`));
  const [reconciler, publisher] = [functionNamed('Reconcile'), functionNamed('Publish')];
  const api = resources.find(({ type }) => type === 'AWS::ApiGatewayV2::Api');
  if (!reconciler || !api)
    throw new NotFound(`The stack ${stack} has no payments in it: name the right one by --stack`);
  const lambda = new LambdaClient({});
  const variablesOf = async ({ physicalId: FunctionName }: Resource) => {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    return Environment?.Variables ?? {};
  };
  const config = configFrom(await variablesOf(reconciler));
  const inRegion = await lambda.config.region();
  const apiUrl = url?.replace(/\/$/, '') ?? `https://${api.physicalId}.execute-api.${inRegion}.amazonaws.com`;
  const { credentials } = new DynamoDBClient({}).config;
  return {
    name: `${stack} (${inRegion})`,
    apiUrl,
    config,
    deps: createDependencies(config, { connections: 4 }),
    send: sender(apiUrl, inRegion, () => credentials()),
    async reconcile() {
      const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: reconciler.physicalId }));
      const text = Buffer.from(Payload ?? []).toString();
      if (FunctionError) throw new Error(`The reconciler failed: ${text}`);
      return JSON.parse(text);
    },
    async publishing() {
      if (!publisher) throw new NotFound(`The stack ${stack} has no function that publishes events`);
      return publishingBy(await variablesOf(publisher));
    },
  };
}

/** @param variables the environment of the publisher */
function publishingBy(variables: Readonly<Record<string, string>>): Publishing {
  const { eventBus, unpublishedQueueUrl } = publisherConfigFrom(variables);
  const client = new EventBridgeClient({});
  return { bus: eventBridge(client, eventBus, eventSource), queue: messageQueue(client, unpublishedQueueUrl) };
}

interface Resource {
  readonly id: string;
  readonly type: string;
  readonly physicalId: string;
}

async function resourcesOf(stack: string): Promise<Resource[]> {
  const client = new CloudFormationClient({});
  const found: Resource[] = [];
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: stack })) {
      for (const { LogicalResourceId = '', ResourceType = '', PhysicalResourceId = '' } of StackResourceSummaries) {
        found.push({ id: LogicalResourceId, type: ResourceType, physicalId: PhysicalResourceId });
      }
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NotFound(`The stack ${stack} cannot be read: ${why}`, { cause });
  }
  return found;
}

/** Signs requests like the shop's own server. */
function sender(apiUrl: string, region: string, credentials: () => Promise<AwsCredentialIdentity>): Deployment['send'] {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  return async (method, path, body, headers = {}) => {
    const url = new URL(apiUrl + path);
    const text = body ? JSON.stringify(body) : '';
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host, ...(body && { 'content-type': 'application/json' }) },
      body: text,
    });
    const { host: _, ...sent } = signed.headers;
    const response = await fetch(url, { method, headers: sent, ...(body && { body: text }), redirect: 'error' });
    const received = await response.text();
    return { status: response.status, body: received.startsWith('{') ? JSON.parse(received) : received };
  };
}

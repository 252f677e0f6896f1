/**
 * The deployment that the command works on: in an AWS account, found by its stack, or the local system. Reading is done by the
 * functions' own code with the operator's credentials; whatever changes something goes through the routes and functions that are
 * deployed, so that there is no second way to settle.
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
import { type Config, configFrom, publisherConfigFrom } from '../functions/runtime/config.ts';
import { openRooms, type Rooms } from '../functions/runtime/dependencies.ts';
import { localCaller, Sha256 } from '../local/aws/signature.ts';

export interface Deployment {
  /** For a person: where it is. */
  readonly name: string;
  /** Of the API, without a slash at its end. */
  readonly apiUrl: string;
  readonly config: Config;
  readonly rooms: Rooms;
  /** A request to a route of the API, signed. */
  send(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Sent>;
  /** Runs the reconciler once. @returns its report */
  reconcile(): Promise<unknown>;
  /** Where the publisher puts events, and the records that it cannot read. */
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

/** The deployment cannot be found, or not be read: said to the operator as it is. */
export class NotFound extends Error {}

export interface Where {
  readonly local: boolean;
  /** Of the local system, or of an API behind a domain of the shop's own. */
  readonly url?: string | undefined;
  readonly stack: string;
  readonly region?: string | undefined;
}

export const connect = (where: Where): Promise<Deployment> => (where.local ? toLocal(where) : toStack(where));

async function toLocal({ url = 'http://127.0.0.1:3000' }: Where): Promise<Deployment> {
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
    rooms: openRooms(config, { connections: 4 }),
    send: sender(url, region, async () => localCaller),
    reconcile: async () => (await fetch(`${url}/__local/reconcile`, { method: 'POST' })).json(),
    publishing: async () => publishingBy(environment),
  };
}

async function toStack({ stack, region, url }: Where): Promise<Deployment> {
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
    rooms: openRooms(config, { connections: 4 }),
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
  return { bus: eventBridge(client, eventBus), queue: messageQueue(client, unpublishedQueueUrl) };
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

/** Requests as the shop's own server signs them. */
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
    const answer = await fetch(url, { method, headers: sent, ...(body && { body: text }), redirect: 'error' });
    const said = await answer.text();
    return { status: answer.status, body: said.startsWith('{') ? JSON.parse(said) : said };
  };
}

/**
 * Connects to a deployment: a stack in an AWS account, or the local system. The functions' own code reads, with the operator's
 * credentials. All changes go through the deployed routes and functions, so that only one code path settles.
 */

import { CloudFormationClient, GetTemplateCommand, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity } from '@smithy/types';
import { eventBridge } from '../functions/adapters/eventbridge.ts';
import { shopKeySecretIn } from '../functions/adapters/shop-keys.ts';
import { type MessageQueue, messageCount, messageQueue } from '../functions/adapters/sqs.ts';
import type { Bus } from '../functions/application/ports/delivery.ts';
import { eventSource } from '../functions/events/event-schema.ts';
import { type Config, configFrom, publisherConfigFrom } from '../functions/runtime/config.ts';
import type { HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { createDependencies } from '../functions/runtime/instance.ts';
import { jsonIn } from '../functions/shared/json-text.ts';
import { shopKeysOf } from '../functions/shared/shop-keys.ts';
import type { LocalEvent } from '../local/aws/bus.ts';
import { localCaller, Sha256 } from '../local/aws/signature.ts';
import { localPort } from '../local/environment.ts';
import { type Resource, type StackReader, stackReader } from './aws-stack.ts';
import { confirmUrl, type SignedUrl, type WebhookDestination, webhookDestination } from './destinations.ts';
import { type EventWatch, watchBus } from './event-watch.ts';
import { type SecretStore, secretStore } from './secret-store.ts';
import { Misuse, messageOf, OperatorError } from './terminal.ts';

export interface Deployment {
  /** Shown to the operator: the stack and its region, or the address of the local system. */
  readonly name: string;
  /** The base URL of the API, without a trailing slash. */
  readonly apiUrl: string;
  readonly config: Config;
  /** The version that is deployed; undefined for a deployment of before versions were stamped. */
  readonly version: string | undefined;
  readonly deps: HandlerDependencies;
  /** The secret with the keys of the shop's server; undefined with `shopAuth: "iam"`. */
  readonly shopKeys: SecretStore | undefined;
  /** Sends a request to a route of the API, with the key that has every right or with a signature. */
  send(method: string, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Sent>;
  /** Runs the reconciler once. @returns its report */
  reconcile(): Promise<unknown>;
  /** The publisher's event bus, and its queue of records that it cannot read. */
  publishing(): Promise<Publishing>;
  /** The URLs that receive webhooks. */
  webhooks(): Promise<readonly WebhookDestination[]>;
  /** The URL that is asked before an approval; undefined when none is, or a function. */
  confirmUrl(): Promise<SignedUrl | undefined>;
  /** The origins of the storefront, whose pages may read responses. */
  origins(): Promise<readonly string[]>;
  /**
   * Watches the bus for `Order Closed` of an order. In an AWS account this creates a rule and a queue, which the caller has to remove.
   * @throws RightMissing, or the error of AWS
   */
  watchClosing(merchantUid: string): Promise<EventWatch>;
  /** The resources of the stack in the AWS account; undefined for the local system. */
  readonly aws?: StackReader;
}

export interface Publishing {
  readonly bus: Bus;
  readonly queue: MessageQueue;
  /** @returns about how many messages are in the queue, hidden ones included */
  waiting(): Promise<number>;
}

export interface Sent {
  readonly status: number;
  readonly body: unknown;
}

/** The deployment cannot be found or read. */
export class NotFound extends OperatorError {}

/** A request was sent, and its result is unknown. */
export class NoResponse extends OperatorError {
  constructor(apiUrl: string, options: { readonly cause: unknown }) {
    const why = messageOf(options.cause);
    super(
      {
        ko: `${apiUrl}의 응답을 받지 못했습니다(${why}). 네트워크와 --url을 확인하세요`,
        en: `No response from ${apiUrl} (${why}). Check the network and --url`,
      },
      options,
    );
  }
}

export interface Target {
  readonly local: boolean;
  /** The address of the local system, or of an API with a domain of the shop's own. */
  readonly url?: string | undefined;
  readonly stack: string;
  readonly region?: string | undefined;
}

/** @throws Misuse for a URL that is not an address of an API */
export async function connect(target: Target): Promise<Deployment> {
  const url = target.url === undefined ? undefined : addressIn(target.url, target.local);
  return target.local ? connectLocal({ ...target, url }) : connectStack({ ...target, url });
}

/** The command sends a key to this address. Without TLS it does so only to this machine. */
function addressIn(text: string, local: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOpen = url?.protocol === 'http:' && (local || /^(?:localhost|127\..*|\[::1\])$/.test(url.hostname));
  if (url && (url.protocol === 'https:' || isOpen) && url.pathname === '/' && url.search + url.hash === '')
    return url.origin;
  throw new Misuse({
    ko: `--url ${text}: https://와 호스트만 쓰세요. 예: https://pay.shop.example`,
    en: `--url ${text} must be https:// and a host, such as https://pay.shop.example`,
  });
}

async function connectLocal({ url = `http://127.0.0.1:${localPort(process.env)}` }: Target): Promise<Deployment> {
  const found = await fetch(`${url}/__local/deployment`).catch(() => undefined);
  if (found?.status === 503)
    throw new NotFound({
      ko: `${url}의 로컬 시스템이 아직 시작하는 중입니다. ready가 출력된 뒤 다시 실행하세요`,
      en: `The local system at ${url} is still starting. Run this again after it has printed ready`,
    });
  if (!found?.ok)
    throw new NotFound({
      ko: `${url}에 로컬 시스템이 없습니다. npm start로 시작하거나 --url로 주소를 지정하세요`,
      en: `No local system responds at ${url}. Start it with npm start, or set its address with --url`,
    });
  const { environment, confirm, webhooks, origins } = (await found.json()) as {
    environment: Record<string, string>;
    confirm: Record<string, string>;
    webhooks: Record<string, string>[];
    origins: string[];
  };
  Object.assign(process.env, environment);
  const config = configFrom(environment);
  const region = environment.AWS_REGION ?? '';
  const shopKeys = shopKeysOfDeployment(environment);
  return {
    name: url,
    apiUrl: url,
    config,
    version: environment.VERSION,
    deps: createDependencies(config, { connections: 4 }),
    shopKeys,
    send: shopKeys ? senderWithKey(url, shopKeys) : sender(url, region, async () => localCaller),
    reconcile: async () => (await fetch(`${url}/__local/reconcile`, { method: 'POST' })).json(),
    publishing: async () => publishingBy(environment),
    webhooks: async () => webhooks.map(webhookDestination),
    confirmUrl: async () => confirmUrl(confirm),
    origins: async () => origins,
    watchClosing: async () => ({
      async receive() {
        const response = await fetch(`${url}/__local/events`);
        return ((await response.json()) as { events: LocalEvent[] }).events;
      },
      remove: async () => undefined,
    }),
  };
}

async function connectStack({ stack, region, url }: Target): Promise<Deployment> {
  if (region) process.env.AWS_REGION = region;
  const resources = await resourcesOf(stack);
  const functionNamed = (name: string) =>
    resources.find(({ id, type }) => type === 'AWS::Lambda::Function' && id.includes(`Functions${name}Function`));
  const [reconciler, publisher, refunds] = [
    functionNamed('Reconcile'),
    functionNamed('Publish'),
    functionNamed('Refunds'),
  ];
  const api = resources.find(({ type }) => type === 'AWS::ApiGatewayV2::Api');
  if (!reconciler || !refunds || !api)
    throw new NotFound({
      ko: `스택 ${stack}에는 이 시스템의 함수가 없습니다. --stack으로 올바른 스택을 지정하세요`,
      en: `The stack ${stack} has no functions of this system. Set the right stack with --stack`,
    });
  const lambda = new LambdaClient({});
  const variablesOf = async ({ physicalId: FunctionName }: Resource) => {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    return Environment?.Variables ?? {};
  };
  const publisherVariables = async () => {
    if (publisher) return variablesOf(publisher);
    throw new NotFound({
      ko: `스택 ${stack}에 이벤트를 발행하는 함수가 없습니다. 이 버전으로 다시 배포하세요`,
      en: `The stack ${stack} has no function that publishes events. Deploy this version`,
    });
  };
  const variables = await variablesOf(reconciler);
  const config = configFrom(variables);
  const inRegion = await lambda.config.region();
  const apiUrl = url ?? `https://${api.physicalId}.execute-api.${inRegion}.amazonaws.com`;
  const { credentials } = new DynamoDBClient({}).config;
  const shopKeys = shopKeysOfDeployment(await variablesOf(refunds));
  return {
    name: `${stack} (${inRegion})`,
    apiUrl,
    config,
    version: variables.VERSION,
    deps: createDependencies(config, { connections: 4 }),
    shopKeys,
    send: shopKeys ? senderWithKey(apiUrl, shopKeys) : sender(apiUrl, inRegion, () => credentials()),
    async reconcile() {
      const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: reconciler.physicalId }));
      const text = Buffer.from(Payload ?? []).toString();
      if (FunctionError)
        throw new OperatorError({
          ko: `대사 함수가 실패했습니다. ${reconciler.physicalId}의 로그를 확인하세요: ${text}`,
          en: `The reconciler failed. See the log of ${reconciler.physicalId}: ${text}`,
        });
      return JSON.parse(text);
    },
    publishing: async () => publishingBy(await publisherVariables()),
    async watchClosing(merchantUid) {
      const { eventBus, unpublishedQueueUrl } = publisherConfigFrom(await publisherVariables());
      return watchBus({ stack, eventBus, sqs: unpublishedQueueUrl }, merchantUid);
    },
    async webhooks() {
      const functions = resources.filter(
        ({ id, type }) => type === 'AWS::Lambda::Function' && /Webhook.*DeliverFunction/.test(id),
      );
      const variables = await Promise.all(functions.map(variablesOf));
      // A function of the shop's own may have such an id.
      return variables.filter(({ WEBHOOK_URL }) => WEBHOOK_URL).map(webhookDestination);
    },
    async confirmUrl() {
      const confirm = functionNamed('Confirm');
      return confirm && confirmUrl(await variablesOf(confirm));
    },
    origins: () => originsIn(stack, api.id),
    aws: stackReader(stack, resources),
  };
}

/** @param variables the environment of the publisher */
function publishingBy(variables: Readonly<Record<string, string>>): Publishing {
  const { eventBus, unpublishedQueueUrl } = publisherConfigFrom(variables);
  const client = new EventBridgeClient({});
  return {
    bus: eventBridge(client, eventBus, eventSource),
    queue: messageQueue(client, unpublishedQueueUrl),
    waiting: () => messageCount(client, unpublishedQueueUrl),
  };
}

/** @param apiId the logical id of the API in the template of the stack */
async function originsIn(stack: string, apiId: string): Promise<readonly string[]> {
  const { TemplateBody = '' } = await new CloudFormationClient({}).send(new GetTemplateCommand({ StackName: stack }));
  const { Resources } = Object(jsonIn(TemplateBody)) as { Resources?: Record<string, { Properties?: object }> };
  const { CorsConfiguration } = Object(Resources?.[apiId]?.Properties) as {
    CorsConfiguration?: { AllowOrigins?: string[] };
  };
  return CorsConfiguration?.AllowOrigins ?? [];
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
    throw new NotFound(
      {
        ko: `스택 ${stack}을 읽을 수 없습니다: ${why}. --stack, --region, AWS 자격 증명을 확인하거나, 로컬 시스템이면 --local을 붙이세요`,
        en: `The stack ${stack} cannot be read: ${why}. Check --stack, --region and your AWS credentials; for the local system add --local`,
      },
      { cause },
    );
  }
  return found;
}

/** @param variables the environment of a function that takes keys */
function shopKeysOfDeployment(variables: Readonly<Record<string, string>>): SecretStore | undefined {
  const { SHOP_KEYS_SECRET_ARN: SecretId } = variables;
  if (!SecretId) return undefined;
  return secretStore(SecretId, shopKeySecretIn, {
    ko: '{"current": "영문과 숫자 86자"}를 넣으세요',
    en: 'Put {"current": "<86 letters and digits>"} into it',
  });
}

/** API Gateway answers within 30 s. */
const inTime = (): AbortSignal => AbortSignal.timeout(35_000);

/** Sends requests with the key that has every right. The key is read when the first request needs it. */
function senderWithKey(apiUrl: string, shopKeys: SecretStore): Deployment['send'] {
  return async (method, path, body, headers = {}) => {
    const [key] = shopKeysOf(await shopKeys.read()).money;
    const sent = { ...headers, authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
    const init = {
      method,
      headers: sent,
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error' as const,
      signal: inTime(),
    };
    return answerOf(apiUrl, fetch(apiUrl + path, init));
  };
}

/** Signs requests like the shop's own server with `shopAuth: "iam"`. */
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
    const init = {
      method,
      headers: sent,
      ...(body && { body: text }),
      redirect: 'error' as const,
      signal: inTime(),
    };
    return answerOf(apiUrl, fetch(url, init));
  };
}

/** @throws NoResponse when the response does not come, or breaks off */
async function answerOf(apiUrl: string, request: Promise<Response>): Promise<Sent> {
  try {
    const response = await request;
    const received = await response.text();
    return { status: response.status, body: received.startsWith('{') ? JSON.parse(received) : received };
  } catch (cause) {
    throw new NoResponse(apiUrl, { cause });
  }
}

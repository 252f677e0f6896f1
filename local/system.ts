/**
 * The whole system on a laptop: the synthesized template and the deployed bundles, with a database, the fake Iamport
 * and a demo shop. Listens on the loopback only. `close()` ends every process and server that it starts.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { DynamoDBRecord } from 'aws-lambda';
import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { type LocalBus, type LocalEvent, startBus } from './aws/bus.ts';
import { localConfirm } from './aws/confirm.ts';
import { createTables, type Database, startDatabase } from './aws/dynamodb.ts';
import { Gateway } from './aws/gateway.ts';
import { type FunctionDefinition, LambdaFunction } from './aws/lambda.ts';
import { type LocalQueue, startQueue } from './aws/queue.ts';
import { localShopKeyText, startSecrets } from './aws/secrets.ts';
import { localCaller } from './aws/signature.ts';
import { CloudAssembly, idOfArn, region } from './aws/template.ts';
import { type LocalWebhooks, startWebhooks, type WebhookReceiver } from './aws/webhooks.ts';
import { followStreams, runSchedules } from './aws/workers.ts';
import { type FakeIamport, startIamport } from './iamport/server.ts';
import {
  type Fact,
  Live,
  observeIamport,
  observeLog,
  observeRequests,
  observeWebhooks,
  recordEvent,
  recordWrite,
} from './live/live.ts';
import { demoShop } from './shop/demo-shop.ts';

export interface LocalOptions {
  /**
   * The cloud assembly, usually `cdk.out`. A promise is awaited only after the servers and the database have started.
   */
  readonly assembly: string | Promise<string>;
  /** 0 for any free port. The fake Iamport listens on the next one. */
  readonly port: number;
  /** An Iamport-compatible server to use instead of the fake Iamport. */
  readonly iamportApiUrl?: string | undefined;
  /** The API keys of that server. */
  readonly keys?: { readonly impKey: string; readonly impSecret: string };
  readonly dynamodb?: string | undefined;
  /** The shop's server on this machine, which receives the events in place of every URL of the template. By default none does. */
  readonly webhooks?: WebhookReceiver | undefined;
  /** The shop's server on this machine that is asked before an approval, in place of the URL of the template. By default none is. */
  readonly confirm?: WebhookReceiver | undefined;
  /**
   * The access key for the database. DynamoDB Local keeps one database per access key, so that several systems can
   * share it.
   */
  readonly databaseKey?: string;
  /** Overrides of the functions' environment, for tests: another policy, result targets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** False: the reconciler runs only when `reconcile()` is called. */
  readonly schedules?: boolean;
  /** False turns off the throttling of the template. */
  readonly throttles?: boolean;
  /** Replaces the timeout of every function, for tests that start many processes at once. Seconds. */
  readonly timeoutSeconds?: number;
  /** Called with each failure of a function. */
  readonly report?: (problem: string) => void;
  /** Receives the log output of the functions. By default prints stderr, and stdout too with LOG=1. */
  readonly log?: FunctionDefinition['log'];
}

export interface LocalSystem {
  /** Origin of the shop and of the API. */
  readonly url: string;
  readonly gateway: Gateway;
  readonly iamport: FakeIamport | undefined;
  readonly database: Database;
  readonly tables: readonly string[];
  /** The events published so far. */
  readonly bus: Pick<LocalBus, 'events'>;
  /** The queue of the records that could not be published. */
  readonly unpublished: Pick<LocalQueue, 'bodies'>;
  /** The queues of webhooks. */
  readonly webhooks: Pick<LocalWebhooks, 'destinations'>;
  /** Runs the reconciler now. @returns its report */
  reconcile(): Promise<unknown>;
  /** The ids of the function processes that run now. */
  processIds(): number[];
  close(): Promise<void>;
}

/**
 * Closes resources in reverse order of `add`. Not an `AsyncDisposableStack`: Node prints its `SuppressedError` without
 * the errors in it, and prints every error of an `AggregateError`.
 */
class Resources {
  readonly #closers: (() => Promise<void>)[] = [];
  isClosing = false;

  add<Resource extends { close(): Promise<void> }>(resource: Resource): Resource {
    this.#closers.unshift(() => resource.close());
    return resource;
  }

  /** Closes the others too when one fails. @throws AggregateError with every failure */
  async close(): Promise<void> {
    this.isClosing = true;
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0)) await close().catch((failure: unknown) => failures.push(failure));
    if (failures.length > 0) throw new AggregateError(failures, 'Some resources of the local system failed to close');
  }
}

/** @throws Error that names the missing tool or the port in use, after everything already started is closed */
export async function startLocal(options: LocalOptions): Promise<LocalSystem> {
  const resources = new Resources();
  try {
    return await start(options, resources);
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function start(options: LocalOptions, resources: Resources): Promise<LocalSystem> {
  const server = resources.add(await listening(options.port));
  const live = new Live(Date.now);
  const iamport = options.iamportApiUrl
    ? undefined
    : resources.add(await startFakeIamport(server.url, options.port, live));
  const database = resources.add(await startDatabase(options.dynamodb));
  const assembly = CloudAssembly.read(await options.assembly);
  const accessKeyId = options.databaseKey ?? localCaller.accessKeyId;
  const tables = await createTables(assembly, database, accessKeyId);
  const webhooks = resources.add(await startWebhooks(assembly, options.webhooks, observeWebhooks(live)));
  const confirm = localConfirm(assembly, options.confirm);
  const values = new Map([...secretsOf(assembly, options), ...webhooks.secrets, ...confirm.secrets]);
  const secrets = resources.add(await startSecrets(values));
  const onEvent = (event: LocalEvent) => {
    recordEvent(live, event);
    webhooks.put(event);
  };
  const bus = resources.add(await startBus(onEvent));
  const unpublished = resources.add(await startQueue());
  const baseEnvironment = {
    UNPUBLISHED_QUEUE_URL: unpublished.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCaller.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
    IAMPORT_API_URL: options.iamportApiUrl ?? iamport?.url ?? '',
    ...options.environment,
  };
  const environmentOf = (id: string, variables: Readonly<Record<string, string>>) => ({
    ...variables,
    ...resultPageOf(server.url, variables),
    ...webhooks.environmentOf(id),
    ...confirm.environmentOf(id),
    ...baseEnvironment,
  });
  const functions = functionsOf(assembly, environmentOf, options, live);
  for (const lambda of functions.values()) resources.add(lambda);
  const reportProblem = options.report ?? console.error;
  // `close()` kills functions in the middle of an invocation, such as a run of the reconciler: no failure to report.
  const report = (problem: string) => void (resources.isClosing || reportProblem(problem));
  const onChange = (table: string, record: DynamoDBRecord) => recordWrite(live, table, record);
  const workers = { functions, database, accessKeyId, report, onChange };
  resources.add(followStreams(assembly, workers));
  resources.add(webhooks.follow(functions, report));
  if (options.schedules ?? true) resources.add(runSchedules(assembly, workers));
  const gateway = new Gateway(assembly, functions, report, undefined, options.throttles, observeRequests(live));
  const reconcile = () => scheduledIn(assembly, functions).invoke({});
  const site = new Hono();
  site.post('/__local/reconcile', async (c) => c.json(await reconcile()));
  // The operator's command reads this where it would call CloudFormation and Lambda.
  const environment = {
    ...refunderIn(functions).variables,
    ...publisherIn(assembly, functions).variables,
    ...scheduledIn(assembly, functions).variables,
    AWS_REGION: region,
  };
  const { destinations } = webhooks;
  site.get('/__local/deployment', (c) =>
    c.json({
      pid: process.pid,
      environment,
      confirm: confirmerIn(functions).variables,
      webhooks: destinations.map(({ environment }) => environment),
      origins: gateway.allowedOrigins,
    }),
  );
  site.get('/__local/events', (c) => c.json({ events: bus.events }));
  site.get('/__local/live', (c) => streamSSE(c, (stream) => sendFacts(stream, live)));
  site.route(
    '/',
    demoShop({ apiUrl: () => server.url, iamportUrl: iamport?.url, asksShop: options.confirm !== undefined }),
  );
  server.serve(gateway, site.fetch);
  const processIds = () => [...functions.values()].flatMap((lambda) => lambda.processIds);
  const { url } = server;
  return {
    url,
    gateway,
    iamport,
    database,
    tables,
    bus,
    unpublished,
    webhooks,
    reconcile,
    processIds,
    close: () => resources.close(),
  };
}

/** The fake Iamport, on the next port. */
async function startFakeIamport(url: string, port: number, live: Live): Promise<FakeIamport> {
  const paymentOf = (impUid: string) =>
    iamport.ledger.entries().find(({ payment: { imp_uid } }) => imp_uid === impUid)?.payment;
  const iamport: FakeIamport = await startIamport({
    port: port && port + 1,
    webhookUrl: `${url}/payments/webhook`,
    shopUrl: url,
    observe: observeIamport(live, paymentOf),
  });
  return iamport;
}

/** Sends the facts so far, then each new one, until the client disconnects. */
async function sendFacts(stream: SSEStreamingApi, live: Live): Promise<void> {
  const send = (fact: Fact) => void stream.writeSSE({ data: JSON.stringify(fact), id: String(fact.id) });
  live.facts.forEach(send);
  const stop = live.listen(send);
  await new Promise<void>((resolve) => stream.onAbort(resolve));
  stop();
}

/** The reconciler: the only scheduled function. */
function scheduledIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [schedule] = assembly.ofType('AWS::Scheduler::Schedule');
  const lambda = functions.get(idOfArn(String((schedule?.properties.Target as { Arn?: string } | undefined)?.Arn)));
  if (!lambda) throw new Error('The template schedules nothing');
  return lambda;
}

/** The function that refunds. Its variables name the secret with the keys of the shop's server. */
function refunderIn(functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [, lambda] = [...functions].find(([id]) => id.includes('FunctionsRefundsFunction')) ?? [];
  if (!lambda) throw new Error('The template has no function that refunds');
  return lambda;
}

/** The function that answers Iamport before an approval. Its variables name the URL of the shop that it asks. */
function confirmerIn(functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [, lambda] = [...functions].find(([id]) => id.includes('FunctionsConfirmFunction')) ?? [];
  if (!lambda) throw new Error('The template has no function that confirms');
  return lambda;
}

/** The publisher: the only function that follows tables. */
function publisherIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const mapping = assembly
    .ofType('AWS::Lambda::EventSourceMapping')
    .find(({ properties }) => String(properties.EventSourceArn).startsWith('arn:aws:dynamodb:'));
  const lambda = functions.get(String(mapping?.properties.FunctionName));
  if (!lambda) throw new Error('The template publishes nothing');
  return lambda;
}

function functionsOf(
  assembly: CloudAssembly,
  environmentOf: (id: string, variables: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  { log = showErrors, timeoutSeconds }: Pick<LocalOptions, 'log' | 'timeoutSeconds'>,
  live: Live,
): Map<string, LambdaFunction> {
  return new Map(
    assembly.ofType('AWS::Lambda::Function').map(({ id, properties }) => {
      const { Code, Environment, Handler, Timeout = 3, MemorySize = 128 } = properties;
      const observe = observeLog(live);
      const { LogFormat } = (properties.LoggingConfig ?? {}) as { LogFormat?: string };
      const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, string> };
      const lambda = new LambdaFunction({
        name: id,
        codeDirectory: assembly.codeDirectory((Code as { S3Key: string }).S3Key),
        handler: String(Handler),
        timeoutSeconds: timeoutSeconds ?? Number(Timeout),
        memoryMb: Number(MemorySize),
        environment: { ...environmentOf(id, Variables), ...(LogFormat && { AWS_LAMBDA_LOG_FORMAT: LogFormat }) },
        log(text, isError) {
          observe(text);
          log(text, isError);
        },
      });
      return [id, lambda];
    }),
  );
}

/** The links of the built-in result page lead to the demo shop: the configured ones belong to the real shop. */
function resultPageOf(url: string, { RESULT_PAGE }: Readonly<Record<string, string>>): Record<string, string> {
  if (RESULT_PAGE === undefined) return {};
  const links = { shop: `${url}/`, orders: `${url}/`, checkout: `${url}/` };
  return { RESULT_PAGE: JSON.stringify({ ...JSON.parse(RESULT_PAGE), ...links }) };
}

function showErrors(text: string, isError: boolean): void {
  if (isError) process.stderr.write(text);
  else if (process.env.LOG) process.stdout.write(text);
}

/** The keys at Iamport, which an operator writes after the first deployment, and those that the stack generates for the shop. */
function secretsOf(assembly: CloudAssembly, { keys }: LocalOptions): Map<string, string> {
  const { impKey, impSecret } = keys ?? { impKey: 'local', impSecret: 'local' };
  const value = JSON.stringify({ imp_key: impKey, imp_secret: impSecret, ...(!keys && { pg_api_key: 'local' }) });
  return new Map(
    assembly.ofType('AWS::SecretsManager::Secret').map(({ id, properties }) => {
      const isGenerated = properties.GenerateSecretString !== undefined;
      return [assembly.arnOfSecret(id), isGenerated ? JSON.stringify({ current: localShopKeyText }) : value];
    }),
  );
}

/** Listens at once, so that a port in use fails before anything else starts. */
async function listening(port: number) {
  const server: Server = createServer(answerStarting);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    serve(gateway: Gateway, shop: (request: Request) => Response | Promise<Response>) {
      const serveShop = getRequestListener(shop, { overrideGlobalObjects: false });
      server.removeListener('request', answerStarting);
      server.on('request', (request, response) => {
        const isOfShop = isShopPath(request.url ?? '/', request.method);
        if (gateway.answers(request) || !(isOfShop || isNavigation(request))) void gateway.serve(request, response);
        else if (isOfShop) void serveShop(request, response);
        else response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(unknownPage);
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers until the system is ready, so that a client that waits for it asks again, and a browser reloads the page. */
/** For a second `npm start` on this port: who listens. */
const ofStart = (url = '/') => url === '/__local/deployment' && { pid: process.pid, isStarting: true };

function answerStarting({ method, url }: IncomingMessage, response: ServerResponse): void {
  const isPage = method === 'GET' && isShopPath(url ?? '/') && !url?.startsWith('/__');
  const [type, body] = isPage
    ? ['text/html; charset=utf-8', startingPage]
    : [
        'application/json',
        JSON.stringify({ message: 'The local system is starting. Ask again in a second.', ...ofStart(url) }),
      ];
  response.writeHead(503, { 'content-type': type, 'retry-after': '1', connection: 'close' }).end(body);
}

const startingPage = `<!doctype html>
<html lang="ko" style="color-scheme: light dark"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>시작하는 중 · Starting</title>
<body style="font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center">
<p>시작하는 중입니다…</p><p lang="en">Starting…</p>
`;

/** A browser that opens an address. API Gateway has no page for an unknown one, so the local system adds a way to the shop. */
const isNavigation = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && /\btext\/html\b/.test(headers.accept ?? '');

const unknownPage = `<!doctype html>
<html lang="ko" style="color-scheme: light dark"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>없는 주소 · Not found</title>
<body style="font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center; word-break: keep-all">
<p>이 주소에는 아무것도 없습니다. <a href="/">데모 상점으로</a></p><p lang="en">Nothing is at this address. <a href="/">To the demo shop</a></p>
`;

/** Pages and the shop's own server. The gateway answers every other path, unknown ones with a 404. */
const isShopPath = (url: string, method = 'GET'): boolean =>
  /^\/__(shop|local)\//.test(url) || (method === 'GET' && /^\/([\w.-]+\.\w+)?(\?|$)/.test(url));

/**
 * The whole system on a laptop: the synthesized template and the bundles that deploy, with a database, a stand-in Iamport and a
 * demo shop around them. Only the loopback can reach it. Everything it starts ends with `close()`.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { DynamoDBRecord } from 'aws-lambda';
import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { type LocalBus, startBus } from './aws/bus.ts';
import { createTables, type Database, startDatabase } from './aws/dynamodb.ts';
import { Gateway } from './aws/gateway.ts';
import { type FunctionDefinition, LambdaFunction } from './aws/lambda.ts';
import { type LocalQueue, startQueue } from './aws/queue.ts';
import { startSecrets } from './aws/secrets.ts';
import { localCaller } from './aws/signature.ts';
import { CloudAssembly, idOfArn, region } from './aws/template.ts';
import { followStreams, runSchedules } from './aws/workers.ts';
import { type SandboxIamport, startIamport } from './iamport/server.ts';
import { type Fact, Live, tellEvent, tellWrite, watchIamport, watchLog, watchRequests } from './live/live.ts';
import { demoShop } from './shop/demo-shop.ts';

export interface LocalOptions {
  /** The cloud assembly, usually `cdk.out`. It may still be under way while the rest starts. */
  readonly assembly: string | Promise<string>;
  /** 0 for any free one. The sandbox gets the next one. */
  readonly port: number;
  /** An Iamport-compatible server to use instead of the sandbox. */
  readonly iamportApiUrl?: string | undefined;
  /** The keys at that server. */
  readonly keys?: { readonly impKey: string; readonly impSecret: string };
  readonly dynamodb?: string | undefined;
  /** The access key for the database. In DynamoDB Local each has a database of its own, so that several systems can share one. */
  readonly databaseKey?: string;
  /** Overrides of the functions' environment, for tests: another policy, result targets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** False leaves the reconciler to whoever runs it by hand. */
  readonly schedules?: boolean;
  /** False lets through more requests than the template allows. */
  readonly throttles?: boolean;
  /** Told what functions did wrong. */
  readonly report?: (problem: string) => void;
  /** Gets what functions write to their logs. By default errors are shown, and everything with LOG=1. */
  readonly log?: FunctionDefinition['log'];
}

export interface LocalSystem {
  /** Origin of the shop and of the API. */
  readonly url: string;
  readonly gateway: Gateway;
  readonly iamport: SandboxIamport | undefined;
  readonly database: Database;
  readonly tables: readonly string[];
  /** What was published so far. */
  readonly bus: Pick<LocalBus, 'events'>;
  /** Takes the records that could not be published. */
  readonly unpublished: Pick<LocalQueue, 'bodies'>;
  /** Runs the reconciler now. @returns its report */
  reconcile(): Promise<unknown>;
  /** The processes of the functions that run now. */
  processIds(): number[];
  close(): Promise<void>;
}

/** Ends what was started, the last one first. */
class Started {
  readonly #ends: (() => Promise<void>)[] = [];
  isEnding = false;

  add<Thing extends { close(): Promise<void> }>(thing: Thing): Thing {
    this.#ends.unshift(() => thing.close());
    return thing;
  }

  async close(): Promise<void> {
    this.isEnding = true;
    const faults: unknown[] = [];
    for (const end of this.#ends.splice(0)) await end().catch((fault: unknown) => faults.push(fault));
    if (faults.length > 0) throw new AggregateError(faults, 'Not everything ended as it should');
  }
}

/** @throws Error that says what is missing or in the way; nothing stays behind then */
export async function startLocal(options: LocalOptions): Promise<LocalSystem> {
  const started = new Started();
  try {
    return await start(options, started);
  } catch (error) {
    await started.close();
    throw error;
  }
}

async function start(options: LocalOptions, started: Started): Promise<LocalSystem> {
  const server = started.add(await listening(options.port));
  const live = new Live(Date.now);
  const iamport = options.iamportApiUrl ? undefined : started.add(await sandboxBeside(server.url, options.port, live));
  const database = started.add(await startDatabase(options.dynamodb));
  const assembly = CloudAssembly.read(await options.assembly);
  const accessKeyId = options.databaseKey ?? localCaller.accessKeyId;
  const tables = await createTables(assembly, database, accessKeyId);
  const secrets = started.add(await startSecrets(secretsOf(assembly, options)));
  const bus = started.add(await startBus((event) => tellEvent(live, event)));
  const unpublished = started.add(await startQueue());
  const surroundings = {
    UNPUBLISHED_QUEUE_URL: unpublished.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCaller.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
    IAMPORT_API_URL: options.iamportApiUrl ?? iamport?.url ?? '',
    ...options.environment,
  };
  const functions = functionsOf(assembly, surroundings, options.log ?? showErrors, live);
  for (const lambda of functions.values()) started.add(lambda);
  const tell = options.report ?? console.error;
  // What the end cuts off, such as a run of the reconciler, is no problem to tell a person of.
  const report = (problem: string) => void (started.isEnding || tell(problem));
  const watch = (table: string, record: DynamoDBRecord) => tellWrite(live, table, record);
  const workers = { functions, database, accessKeyId, report, watch };
  started.add(followStreams(assembly, workers));
  if (options.schedules ?? true) started.add(runSchedules(assembly, workers));
  const gateway = new Gateway(assembly, functions, report, undefined, options.throttles, watchRequests(live));
  const reconcile = () => scheduledIn(assembly, functions).invoke({});
  const site = new Hono();
  site.post('/__local/reconcile', async (c) => c.json(await reconcile()));
  // What the operator's command asks for where CloudFormation and Lambda would tell it.
  const environment = {
    ...publisherIn(assembly, functions).variables,
    ...scheduledIn(assembly, functions).variables,
    AWS_REGION: region,
  };
  site.get('/__local/deployment', (c) => c.json({ environment }));
  site.get('/__local/events', (c) => c.json({ events: bus.events }));
  site.get('/__local/live', (c) => streamSSE(c, (stream) => sendFacts(stream, live)));
  site.route('/', demoShop({ apiUrl: () => server.url, iamportUrl: iamport?.url }));
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
    reconcile,
    processIds,
    close: () => started.close(),
  };
}

/** The stand-in Iamport, on the next port. */
async function sandboxBeside(url: string, port: number, live: Live): Promise<SandboxIamport> {
  const paymentOf = (impUid: string) =>
    iamport.ledger.entries().find(({ payment: { imp_uid } }) => imp_uid === impUid)?.payment;
  const iamport: SandboxIamport = await startIamport({
    port: port && port + 1,
    webhookUrl: `${url}/payments/webhook`,
    watch: watchIamport(live, paymentOf),
  });
  return iamport;
}

/** What has happened, and then what happens, until nobody listens any more. */
async function sendFacts(stream: SSEStreamingApi, live: Live): Promise<void> {
  const send = (fact: Fact) => void stream.writeSSE({ data: JSON.stringify(fact), id: String(fact.id) });
  live.facts.forEach(send);
  const stop = live.listen(send);
  await new Promise<void>((resolve) => stream.onAbort(resolve));
  stop();
}

/** The reconciler: the one function that is on a schedule. */
function scheduledIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [schedule] = assembly.ofType('AWS::Scheduler::Schedule');
  const lambda = functions.get(idOfArn(String((schedule?.properties.Target as { Arn?: string } | undefined)?.Arn)));
  if (!lambda) throw new Error('The template schedules nothing');
  return lambda;
}

/** The one function that reads streams. */
function publisherIn(assembly: CloudAssembly, functions: ReadonlyMap<string, LambdaFunction>): LambdaFunction {
  const [mapping] = assembly.ofType('AWS::Lambda::EventSourceMapping');
  const lambda = functions.get(String(mapping?.properties.FunctionName));
  if (!lambda) throw new Error('The template publishes nothing');
  return lambda;
}

function functionsOf(
  assembly: CloudAssembly,
  surroundings: Readonly<Record<string, string>>,
  log: FunctionDefinition['log'],
  live: Live,
): Map<string, LambdaFunction> {
  return new Map(
    assembly.ofType('AWS::Lambda::Function').map(({ id, properties }) => {
      const { Code, Environment, Handler, Timeout = 3, MemorySize = 128 } = properties;
      const watch = watchLog(live);
      const { LogFormat } = (properties.LoggingConfig ?? {}) as { LogFormat?: string };
      const { Variables = {} } = (Environment ?? {}) as { Variables?: Record<string, string> };
      const lambda = new LambdaFunction({
        name: id,
        codeDirectory: assembly.codeDirectory((Code as { S3Key: string }).S3Key),
        handler: String(Handler),
        timeoutSeconds: Number(Timeout),
        memoryMb: Number(MemorySize),
        environment: { ...Variables, ...surroundings, ...(LogFormat && { AWS_LAMBDA_LOG_FORMAT: LogFormat }) },
        log(text, isError) {
          watch(text);
          log(text, isError);
        },
      });
      return [id, lambda];
    }),
  );
}

function showErrors(text: string, isError: boolean): void {
  if (isError) process.stderr.write(text);
  else if (process.env.LOG) process.stdout.write(text);
}

/** The keys that a shop puts into the secret after its first deployment. */
function secretsOf(assembly: CloudAssembly, { keys }: LocalOptions): Map<string, string> {
  const { impKey, impSecret } = keys ?? { impKey: 'local', impSecret: 'local' };
  const value = JSON.stringify({ imp_key: impKey, imp_secret: impSecret, ...(!keys && { pg_api_key: 'local' }) });
  return new Map(assembly.ofType('AWS::SecretsManager::Secret').map(({ id }) => [assembly.arnOfSecret(id), value]));
}

/** The server takes its port at once, so that a port that is taken is known before anything else starts. */
async function listening(port: number) {
  const server: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    serve(gateway: Gateway, shop: (request: Request) => Response | Promise<Response>) {
      const showShop = getRequestListener(shop, { overrideGlobalObjects: false });
      server.on('request', (request, response) => {
        const answers = gateway.answers(request) || !isShops(request.url ?? '/', request.method);
        void (answers ? gateway.serve(request, response) : showShop(request, response));
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Pages and the shop's own server; everything else is the gateway's, which knows what to say of it. */
const isShops = (url: string, method = 'GET'): boolean =>
  /^\/__(shop|local)\//.test(url) || (method === 'GET' && /^\/([\w.-]+\.\w+)?(\?|$)/.test(url));

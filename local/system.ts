/**
 * The whole system on a laptop: the synthesized template and the deployed bundles, with a database, the fake Iamport
 * and a demo shop. Listens on the loopback only. `close()` ends every process and server that it starts.
 */

import type { DynamoDBRecord } from 'aws-lambda';
import { Activity } from './aws/activity.ts';
import { type LocalBus, type LocalEvent, startBus } from './aws/bus.ts';
import { localConfirm } from './aws/confirm.ts';
import { createTables, type Database, startDatabase } from './aws/dynamodb.ts';
import { Gateway } from './aws/gateway.ts';
import { type LocalQueue, startQueue } from './aws/queue.ts';
import { localShopKeyText, startSecrets } from './aws/secrets.ts';
import { localCaller } from './aws/signature.ts';
import { CloudAssembly } from './aws/template.ts';
import { type LocalWebhooks, startWebhooks, type WebhookReceiver } from './aws/webhooks.ts';
import { followStreams, runSchedules } from './aws/workers.ts';
import { type FunctionOptions, functionsOf, scheduledIn } from './functions.ts';
import { listening } from './http-server.ts';
import { type FakeIamport, startIamport } from './iamport/server.ts';
import { Live, observeIamport, observeRequests, observeWebhooks, recordEvent, recordWrite } from './live/live.ts';
import { siteOf } from './site.ts';

export interface LocalOptions extends FunctionOptions {
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
  /** Called with each failure of a function. */
  readonly report?: (problem: string) => void;
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
  const activity = new Activity();
  const functions = functionsOf(assembly, environmentOf, options, live, activity);
  for (const lambda of functions.values()) resources.add(lambda);
  const reportProblem = options.report ?? console.error;
  // `close()` kills functions in the middle of an invocation, such as a run of the reconciler: no failure to report.
  const report = (problem: string) => void (resources.isClosing || reportProblem(problem));
  const onChange = (table: string, record: DynamoDBRecord) => recordWrite(live, table, record);
  const workers = { functions, activity, database, accessKeyId, report, onChange };
  resources.add(followStreams(assembly, workers));
  resources.add(webhooks.follow(functions, report));
  if (options.schedules ?? true) resources.add(runSchedules(assembly, workers));
  const gateway = new Gateway(assembly, functions, report, undefined, options.throttles, observeRequests(live));
  const reconcile = () => scheduledIn(assembly, functions).invoke({});
  const shop = { apiUrl: () => server.url, iamportUrl: iamport?.url, asksShop: options.confirm !== undefined };
  server.serve(gateway, siteOf({ assembly, functions, gateway, webhooks, bus, live, shop, reconcile }).fetch);
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

/** The links of the built-in result page lead to the demo shop: the configured ones belong to the real shop. */
function resultPageOf(url: string, { RESULT_PAGE }: Readonly<Record<string, string>>): Record<string, string> {
  if (RESULT_PAGE === undefined) return {};
  const links = { shop: `${url}/`, orders: `${url}/`, checkout: `${url}/` };
  return { RESULT_PAGE: JSON.stringify({ ...JSON.parse(RESULT_PAGE), ...links }) };
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

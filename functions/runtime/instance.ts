/** The dependencies of a Lambda instance: creates the clients that open connections. */

import type { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { table } from '../adapters/dynamodb/table.ts';
import { ownTable, shopTable } from '../adapters/dynamodb/table-mapping.ts';
import { createCredentials } from '../adapters/iamport/credentials.ts';
import { type Transport, undiciTransport } from '../adapters/iamport/transport.ts';
import { createShopKeys } from '../adapters/shop-keys.ts';
import { deadlineIn } from '../shared/clock.ts';
import { embedded } from '../shared/metrics.ts';
import type { ShopRight } from '../shared/shop-keys.ts';
import { type Calls, callsTimedBy } from './calls.ts';
import { systemClock, systemRandom } from './clock.ts';
import type { Config } from './config.ts';
import { dependenciesFrom, type HandlerDependencies, type Parts } from './dependencies.ts';
import { writeCounts } from './log.ts';
import { iamAuth, type ShopAuth, shopAuth } from './shop-auth.ts';

/** The dependencies of one Lambda instance. */
export interface InstanceDependencies extends HandlerDependencies {
  /** For adapters that only one handler has, so that the bundles of the others do not contain them. */
  readonly tables: Parts['tables'];
  /** Counts the calls to Iamport and DynamoDB. */
  readonly calls: Calls;
  /**
   * Opens connections, reads the access token and runs the SDK once, during init: Lambda gives init a whole CPU.
   * Ends within 2 s and never rejects. The first request does what was not done.
   */
  warmUp(): Promise<void>;
}

/** Lambda allows 10 s for init. This is a fifth of it, and about 100 times the usual duration. */
const warmUpMs = 2_000;

/**
 * DynamoDB answers within milliseconds or not at all. Calls to Iamport end 10 s after the request began. Two attempts
 * of this length then still end before Lambda ends the function, after 12 s.
 */
const storeTimeouts = { connectionTimeout: 500, requestTimeout: 900, throwOnRequestTimeout: true };
/**
 * Reads a response body of a few KB from a Node.js stream. The SDK's own collector loads all of Node.js's web streams.
 */
export const collected = async (stream: Readable): Promise<Uint8Array> => Buffer.concat(await stream.toArray());
/** The secret is read only for a new token. Its time counts against the same 10 s. */
const secretTimeouts = { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true };

export interface DependencyOptions {
  /** False for a function that never calls Iamport: `warmUp` opens no connection to it. Default true. */
  readonly callsIamport?: boolean;
  /**
   * The most calls to Iamport at once. Default 1: a request makes one after the other, and a second connection costs a
   * handshake.
   */
  readonly connections?: number;
}

export function createDependencies(
  config: Config,
  { callsIamport = true, connections = 1 }: DependencyOptions = {},
): InstanceDependencies {
  const transport = undiciTransport(config.iamportApiUrl, connections);
  const calls = callsTimedBy(systemClock);
  const dynamodb = createDynamodbClient();
  dynamodb.middlewareStack.add(calls.around('table'), { step: 'initialize' });
  const deps = dependenciesOn(config, { dynamodb, transport: calls.around('iamport')(transport) });
  return {
    ...deps,
    tables: tablesOn(config, dynamodb),
    calls,
    async warmUp() {
      const deadline = deadlineIn(systemClock, warmUpMs);
      const work = callsIamport ? [transport.connect(), deps.iamport.prepareToken(deadline)] : [deps.orders.read('-')];
      await Promise.race([Promise.allSettled(work), systemClock.sleep(warmUpMs)]);
    },
  };
}

/**
 * Steps of the SDK that a call of DynamoDB does not need: a logger that discards its lines, the user agent, and the trace header against
 * loops of invocations, which DynamoDB does not read.
 */
const unneededMiddlewares = ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'];

/**
 * A client that does less for each call. `cacheMiddleware` builds the steps of a command once and not for each call, so later changes of
 * `middlewareStack` have no effect after the first call. Together they save about a tenth of the CPU of a warm request.
 */
export function createDynamodbClient(): DynamoDBClient {
  const client = new DynamoDBClient({
    maxAttempts: 2,
    requestHandler: storeTimeouts,
    streamCollector: collected,
    cacheMiddleware: true,
  });
  for (const name of unneededMiddlewares) client.middlewareStack.remove(name);
  return client;
}

/** @throws Error without the secret's ARN: no key could be checked */
export function createShopAuth(config: Config, right: ShopRight): ShopAuth {
  if (config.shopAuth === 'iam') return iamAuth;
  if (!config.shopKeysSecretArn) throw new Error('Invalid environment variables: SHOP_KEYS_SECRET_ARN is missing');
  return shopAuth(createShopKeys(secretsManager, config.shopKeysSecretArn), systemClock, right);
}

/** A function, so that the client is created only when it is used: for Iamport's keys on most instances never. */
const secretsManager = () => new SecretsManagerClient({ maxAttempts: 2, requestHandler: secretTimeouts });

/** The clients that open network connections. */
export interface Clients {
  readonly dynamodb: DynamoDBClient;
  readonly transport: Transport;
}

/** The dependencies on any clients: the real ones, or the fakes of `prime()`. */
export function dependenciesOn(config: Config, { dynamodb, transport }: Clients) {
  const { policy } = config;
  return dependenciesFrom({
    tables: tablesOn(config, dynamodb),
    mapping: mappingOf(config),
    transport,
    credentials: createCredentials(secretsManager, config.iamportSecretArn, systemClock),
    clock: systemClock,
    random: systemRandom,
    count: (counts) => writeCounts(embedded(counts, {}, config.deployment, systemClock.now())),
    policy,
    config,
  });
}

const mappingOf = ({ shopColumns }: Config) => (shopColumns ? shopTable(shopColumns) : ownTable);

const tablesOn = (config: Config, dynamodb: DynamoDBClient): Parts['tables'] => ({
  orders: table(dynamodb, config.tables.orders, mappingOf(config).prefix),
  reversals: table(dynamodb, config.tables.reversals),
  state: table(dynamodb, config.tables.state),
});

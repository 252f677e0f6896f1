/** What the doors work with, each behind an interface, and the one place where the real ones are put together. */

import type { Readable } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { checkpointsIn } from '../adapters/dynamodb/checkpoints.ts';
import { notificationsIn } from '../adapters/dynamodb/notifications.ts';
import { ordersIn } from '../adapters/dynamodb/orders.ts';
import { refundsIn } from '../adapters/dynamodb/refunds.ts';
import { reversalsIn } from '../adapters/dynamodb/reversals.ts';
import { sharedTokenIn } from '../adapters/dynamodb/state.ts';
import { table } from '../adapters/dynamodb/table.ts';
import { ownTable, shopTable } from '../adapters/dynamodb/table-mapping.ts';
import { type IamportClient, iamportClient } from '../adapters/iamport/client.ts';
import { credentialsIn } from '../adapters/iamport/credentials.ts';
import { type Transport, undiciTransport } from '../adapters/iamport/transport.ts';
import type {
  Checkpoints,
  Iamport,
  Notifications,
  Orders,
  Refunds,
  Reversals,
  UnknownPayments,
} from '../application/ports.ts';
import { unknownPaymentsBy } from '../application/unknown-payments.ts';
import type { Policy } from '../payment/decide.ts';
import { type PageSizes, pageSizes } from '../payment/scan-cursor.ts';
import { type Clock, deadlineIn } from '../shared/clock.ts';
import { type Calls, callsTimedBy } from './calls.ts';
import { systemClock, systemRandom } from './clock.ts';
import type { Config } from './config.ts';
import { writeCounts } from './log.ts';
import { type Counts, embedded } from './metrics.ts';

export interface Rooms {
  readonly iamport: Iamport;
  readonly orders: Orders;
  readonly reversals: Reversals;
  readonly refunds: Refunds;
  readonly notifications: Notifications;
  readonly checkpoints: Checkpoints;
  readonly unknownPayments: UnknownPayments;
  readonly clock: Clock;
  /** Adds to metrics, by name. */
  readonly count: (counts: Counts) => void;
  readonly policy: Policy;
  /** How many payments a page of Iamport's lists has, the largest size first. */
  readonly pageSizes: PageSizes;
  readonly config: Pick<Config, 'resultTargets' | 'shopName' | 'resultPage' | 'webhookSenders' | 'orderPrefix'>;
}

/** The rooms of an instance. */
export interface InstanceRooms extends Rooms {
  /** The calls of the rooms to their upstreams. */
  readonly calls: Calls;
  /**
   * Does at init, where Lambda gives the whole CPU and nobody waits yet, what the first request would wait for: connections, the
   * token, the first run of the SDK. Ends within 2 s and never throws, since the request itself does whatever was not done.
   */
  warmUp(): Promise<void>;
}

/** A tenth of what Lambda allows for init; two orders of magnitude more than it takes. */
const warmUpMs = 2_000;

/**
 * DynamoDB answers in milliseconds or not at all. What Iamport is asked ends 10 s after the request began, so two tries of this
 * length still end before Lambda does, after 12 s.
 */
const storeTimeouts = { connectionTimeout: 500, requestTimeout: 900, throwOnRequestTimeout: true };
/** Answers of a few KB as they come from Node.js. The SDK's own collector asks for web streams first, and so loads all of them. */
export const collected = async (stream: Readable): Promise<Uint8Array> => Buffer.concat(await stream.toArray());
/** Only a new token needs the secret, and its time counts against the same 10 s. */
const secretTimeouts = { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true };

export interface Use {
  /** False for a function that never calls Iamport: then no connection to it is warmed up. */
  readonly asksIamport?: boolean;
  /** True for a door that settles payments, with a buyer or Iamport waiting: it settles one in a rehearsal first. */
  readonly settles?: boolean;
  /** Calls to Iamport at once. A request makes one after the other, and a second connection would only cost a handshake. */
  readonly connections?: number;
}

export function openRooms(config: Config, { asksIamport = true, connections = 1 }: Use = {}): InstanceRooms {
  const transport = undiciTransport(config.iamportApiUrl, connections);
  const calls = callsTimedBy(systemClock);
  const dynamodb = new DynamoDBClient({ maxAttempts: 2, requestHandler: storeTimeouts, streamCollector: collected });
  dynamodb.middlewareStack.add(calls.around('table'), { step: 'initialize' });
  const rooms = roomsOver(config, { dynamodb, transport: calls.around('iamport')(transport) });
  return {
    ...rooms,
    calls,
    async warmUp() {
      const deadline = deadlineIn(systemClock, warmUpMs);
      const work = asksIamport ? [transport.connect(), rooms.iamport.prepareToken(deadline)] : [rooms.orders.read('-')];
      await Promise.race([Promise.allSettled(work), systemClock.sleep(warmUpMs)]);
    },
  };
}

/** What leads out of the process. */
export interface Wires {
  readonly dynamodb: DynamoDBClient;
  readonly transport: Transport;
}

/** The rooms on any wires: the real ones, or those of a rehearsal. */
export function roomsOver(config: Config, { dynamodb, transport }: Wires): Rooms & { readonly iamport: IamportClient } {
  const iamport = iamportClient({
    transport,
    // Made when it is needed, which on most instances it never is.
    credentials: credentialsIn(
      () => new SecretsManagerClient({ maxAttempts: 2, requestHandler: secretTimeouts }),
      config.iamportSecretArn,
    ),
    sharedToken: sharedTokenIn(table(dynamodb, config.tables.state)),
    clock: systemClock,
    random: systemRandom,
  });
  const layout = config.shopColumns ? shopTable(config.shopColumns) : ownTable;
  const orders = ordersIn(table(dynamodb, config.tables.orders, layout.prefix), layout);
  return {
    iamport,
    orders,
    reversals: reversalsIn(table(dynamodb, config.tables.reversals)),
    refunds: refundsIn(table(dynamodb, config.tables.reversals)),
    notifications: notificationsIn(table(dynamodb, config.tables.reversals)),
    checkpoints: checkpointsIn(table(dynamodb, config.tables.state)),
    unknownPayments: unknownPaymentsBy(systemClock),
    clock: systemClock,
    count: (counts) => writeCounts(embedded(counts, {}, config.deployment, systemClock.now())),
    policy: config.policy,
    pageSizes,
    config,
  };
}

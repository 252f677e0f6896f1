/** What the doors work with, each behind an interface, and the one place where the real ones are put together. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Clock, systemClock, systemRandom } from './edge/clock.ts';
import type { Config } from './edge/config.ts';
import { writeCounts } from './edge/log.ts';
import { type Iamport, iamportClient } from './iamport/client.ts';
import { credentialsIn } from './iamport/credentials.ts';
import { undiciTransport } from './iamport/transport.ts';
import type { Policy } from './payment/decide.ts';
import { ownTable, shopTable } from './store/layout.ts';
import { type Notifications, notificationsIn } from './store/notifications.ts';
import { type Orders, ordersIn } from './store/orders.ts';
import { type Refunds, refundsIn } from './store/refunds.ts';
import { type Reversals, reversalsIn } from './store/reversals.ts';
import { sharedTokenIn, type Walks, walksIn } from './store/state.ts';
import { table } from './store/table.ts';

export interface Rooms {
  readonly iamport: Iamport;
  readonly orders: Orders;
  readonly reversals: Reversals;
  readonly refunds: Refunds;
  readonly notifications: Notifications;
  readonly walks: Walks;
  readonly clock: Clock;
  /** Adds to metrics, by name. */
  readonly count: (counts: Readonly<Record<string, number>>) => void;
  readonly policy: Policy;
  readonly config: Pick<Config, 'resultTargets' | 'shopName' | 'webhookSenders'>;
}

/**
 * DynamoDB answers in milliseconds or not at all. What Iamport is asked ends 10 s after the request began, so two tries of this
 * length still end before Lambda does, after 12 s.
 */
const storeTimeouts = { connectionTimeout: 500, requestTimeout: 900, throwOnRequestTimeout: true };
/** Only a new token needs the secret, and its time counts against the same 10 s. */
const secretTimeouts = { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true };

export function openRooms(config: Config): Rooms {
  const dynamodb = new DynamoDBClient({ maxAttempts: 2, requestHandler: storeTimeouts });
  const secrets = new SecretsManagerClient({ maxAttempts: 2, requestHandler: secretTimeouts });
  const layout = config.shopColumns ? shopTable(config.shopColumns) : ownTable;
  return {
    iamport: iamportClient({
      transport: undiciTransport(config.iamportApiUrl),
      credentials: credentialsIn(secrets, config.iamportSecretArn),
      sharedToken: sharedTokenIn(table(dynamodb, config.tables.state)),
      clock: systemClock,
      random: systemRandom,
    }),
    orders: ordersIn(table(dynamodb, config.tables.orders, layout.prefix), layout),
    reversals: reversalsIn(table(dynamodb, config.tables.reversals)),
    refunds: refundsIn(table(dynamodb, config.tables.reversals)),
    notifications: notificationsIn(table(dynamodb, config.tables.reversals)),
    walks: walksIn(table(dynamodb, config.tables.state)),
    clock: systemClock,
    count: (counts) => writeCounts(counts, systemClock.now()),
    policy: config.policy,
    config,
  };
}

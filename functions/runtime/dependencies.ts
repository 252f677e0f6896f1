/**
 * The composition root: creates the adapters of all ports. It opens no connection: each caller passes its own tables,
 * transport and clock. instance.ts passes those of Lambda; prime.ts, the tests and the simulation pass fakes. The
 * publisher has its own, publisher-dependencies.ts.
 */

import { createCheckpoints } from '../adapters/dynamodb/checkpoints.ts';
import { createNotifications } from '../adapters/dynamodb/notifications.ts';
import { createOrders } from '../adapters/dynamodb/orders.ts';
import { createRefunds } from '../adapters/dynamodb/refunds.ts';
import { createReversals } from '../adapters/dynamodb/reversals.ts';
import { createSharedToken } from '../adapters/dynamodb/state.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { ownTable, type TableMapping } from '../adapters/dynamodb/table-mapping.ts';
import { type IamportClient, iamportClient } from '../adapters/iamport/client.ts';
import type { HttpClientOptions } from '../adapters/iamport/http-client.ts';
import type { Ports } from '../application/ports.ts';
import { createUnknownPayments } from '../application/unknown-payments.ts';
import { pageSizes } from '../payment/scan-cursor.ts';
import type { Config } from './config.ts';

/** The ports of the use cases, and the configuration that HTTP handlers read. */
export interface HandlerDependencies extends Ports {
  readonly config: Pick<
    Config,
    'iamportApiUrl' | 'resultTargets' | 'shopName' | 'resultPage' | 'webhookSenders' | 'orderPrefix' | 'tiers'
  >;
}

/** The parts that Lambda, priming, the tests and the simulation pass to the composition. */
export interface Parts extends Pick<HttpClientOptions, 'transport' | 'credentials' | 'clock' | 'random'> {
  readonly tables: Readonly<Record<'orders' | 'reversals' | 'state', Table>>;
  /** Maps orders to the items of their table; a table of our own by default. */
  readonly mapping?: TableMapping;
  readonly count: Ports['count'];
  readonly policy: Ports['policy'];
  /** Those of production by default. */
  readonly pageSizes?: Ports['pageSizes'];
  readonly config: HandlerDependencies['config'];
}

/** The composition root: creates the adapters of all ports on tables and a transport. */
export function dependenciesFrom({
  tables: { orders, reversals, state },
  mapping = ownTable,
  transport,
  credentials,
  random,
  pageSizes: sizes = pageSizes,
  ...settings
}: Parts): HandlerDependencies & { readonly iamport: IamportClient } {
  const { clock } = settings;
  return {
    ...settings,
    iamport: iamportClient({ transport, credentials, sharedToken: createSharedToken(state), clock, random }),
    orders: createOrders(orders, mapping),
    reversals: createReversals(reversals),
    refunds: createRefunds(reversals),
    notifications: createNotifications(reversals),
    checkpoints: createCheckpoints(state),
    unknownPayments: createUnknownPayments(clock),
    pageSizes: sizes,
  };
}

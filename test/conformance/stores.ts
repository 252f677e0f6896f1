/** The whole store on new tables of one engine. */

import { createCheckpoints } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { createHeartbeats } from '../../functions/adapters/dynamodb/heartbeats.ts';
import { createNotifications } from '../../functions/adapters/dynamodb/notifications.ts';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { createRefunds } from '../../functions/adapters/dynamodb/refunds.ts';
import { createReversals } from '../../functions/adapters/dynamodb/reversals.ts';
import { createSharedToken } from '../../functions/adapters/dynamodb/state.ts';
import type { Table } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { Refund } from '../../functions/payment/refund.ts';
import type { ReversalRequest } from '../../functions/payment/reversal.ts';
import { won } from '../functions/payment/cases.ts';
import type { Fixture } from './engines.ts';

/** Unix seconds. */
export const now = 1_795_000_000;
export const terms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW' };
/** The reversal of a payment with a wrong amount. */
export const reversalRequest: ReversalRequest = {
  impUid: 'imp_1',
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(13_999),
  currency: 'KRW',
};
/** A refund request of a shop. */
export const refundRequest: Refund = {
  impUid: 'imp_1',
  key: 'return-1',
  merchantUid: 'order-1',
  amount: won(4_000),
  currency: 'KRW',
  checksum: won(14_000),
  cancelKey: '4fzyo82mvyr0',
  cancelsBefore: 0,
  reason: '반품',
  state: 'requested',
  revision: 1,
  attempts: 1,
  sentAt: now,
  createdAt: now,
  updatedAt: now,
  nextCheckAt: now,
};

const columns = { key: 'order_no', amount: 'total', currency: 'money' };

/** @param observed wraps every table */
export const storesIn = ({ tables }: Pick<Fixture, 'tables'>, observed = (table: Table): Table => table) => ({
  orders: createOrders(observed(tables.orders)),
  shopOrders: createOrders(observed(tables.shop), shopTable(columns)),
  reversals: createReversals(observed(tables.reversals)),
  refunds: createRefunds(observed(tables.reversals)),
  notifications: createNotifications(observed(tables.reversals)),
  heartbeats: createHeartbeats({ orders: observed(tables.orders), reversals: observed(tables.reversals) }),
  token: createSharedToken(observed(tables.state)),
  checkpoints: createCheckpoints(observed(tables.state)),
});

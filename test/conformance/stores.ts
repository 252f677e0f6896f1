/** The whole store on fresh tables of one engine. */

import { checkpointsIn } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { notificationsIn } from '../../functions/adapters/dynamodb/notifications.ts';
import { ordersIn } from '../../functions/adapters/dynamodb/orders.ts';
import { refundsIn } from '../../functions/adapters/dynamodb/refunds.ts';
import { reversalsIn } from '../../functions/adapters/dynamodb/reversals.ts';
import { sharedTokenIn } from '../../functions/adapters/dynamodb/state.ts';
import type { Table } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { Refund } from '../../functions/payment/refund.ts';
import type { ReversalRequest } from '../../functions/payment/reversal.ts';
import { won } from '../functions/payment/cases.ts';
import type { Opened } from './engines.ts';

/** Unix seconds. */
export const now = 1_795_000_000;
export const terms = { merchantUid: 'order-1', amount: won(14_000), currency: 'KRW' };
/** A payment that must be undone. */
export const wrong: ReversalRequest = {
  impUid: 'imp_1',
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(13_999),
  currency: 'KRW',
};
/** What a shop asks to give back. */
export const asked: Refund = {
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
  dueAt: now,
};

const columns = { key: 'order_no', amount: 'total', currency: 'money' };

/** @param observed is put around every table */
export const storesIn = ({ tables }: Pick<Opened, 'tables'>, observed = (table: Table): Table => table) => ({
  orders: ordersIn(observed(tables.orders)),
  shopOrders: ordersIn(observed(tables.shop), shopTable(columns)),
  reversals: reversalsIn(observed(tables.reversals)),
  refunds: refundsIn(observed(tables.reversals)),
  notifications: notificationsIn(observed(tables.reversals)),
  token: sharedTokenIn(observed(tables.state)),
  checkpoints: checkpointsIn(observed(tables.state)),
});

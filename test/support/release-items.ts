/** Items in every form that this version writes, through its own adapters. A fixture keeps those of each release. */

import { createCheckpoints } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { createNotifications } from '../../functions/adapters/dynamodb/notifications.ts';
import { createOrders } from '../../functions/adapters/dynamodb/orders.ts';
import { createRefunds } from '../../functions/adapters/dynamodb/refunds.ts';
import { createReversals } from '../../functions/adapters/dynamodb/reversals.ts';
import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import { shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { escrowChanged } from '../../functions/payment/notification.ts';
import type { Order } from '../../functions/payment/order.ts';
import type { PgRefusal, Refund, RefundNeed } from '../../functions/payment/refund.ts';
import {
  accepted,
  checked,
  failed,
  type Reversal,
  type ReversalReason,
  type ReversalRequest,
} from '../../functions/payment/reversal.ts';
import { states, won } from '../functions/payment/cases.ts';
import { portOf, SimulatedTable } from '../simulation/table.ts';

/** The columns of the shop's own table. */
export const columns = { key: 'order_no', amount: 'total', currency: 'money' };
/** Names of checkpoints; the last one is of a sub-merchant. */
export const checkpointNames = ['recent', 'week', 'quarter', 'recent/tier-1'];

export type ReleaseTable = 'orders' | 'shop' | 'reversals' | 'state';
const keys: Record<ReleaseTable, string> = {
  orders: 'merchant_uid',
  shop: 'order_no',
  reversals: 'imp_uid',
  state: 'id',
};
export const releaseTables = Object.keys(keys) as ReleaseTable[];

export const byTable = (itemsOf: (table: ReleaseTable) => readonly Item[]): ReleaseItems['items'] => ({
  orders: itemsOf('orders'),
  shop: itemsOf('shop'),
  reversals: itemsOf('reversals'),
  state: itemsOf('state'),
});

/** The items of each table, and what the adapters read from them. */
export interface ReleaseItems {
  readonly items: Record<ReleaseTable, readonly Item[]>;
  readonly values: Awaited<ReturnType<typeof valuesOf>>;
}

type Tables = Record<ReleaseTable, SimulatedTable>;

const emptyTables = (): Tables => ({
  orders: new SimulatedTable(keys.orders),
  shop: new SimulatedTable(keys.shop, 'iamport_'),
  reversals: new SimulatedTable(keys.reversals),
  state: new SimulatedTable(keys.state, '', 1_000_000),
});

export function tablesWith(items: ReleaseItems['items']): Tables {
  const tables = emptyTables();
  for (const table of releaseTables) for (const item of items[table]) tables[table].put(item);
  return tables;
}

/** Everything in the tables, by the key of its item, and the keys of the items that this version cannot read. */
export async function valuesOf(tables: Tables) {
  const idsIn = (table: ReleaseTable) => [...tables[table].items()].map((item) => item[keys[table]]?.S ?? '');
  const orders = await createOrders(portOf(tables.orders)).readMany(idsIn('orders'));
  const shop = await createOrders(portOf(tables.shop), shopTable(columns)).readMany(idsIn('shop'));
  const ofOrders = new Set([...tables.reversals.items()].map((item) => item.merchant_uid?.S ?? ''));
  const reversals = createReversals(portOf(tables.reversals));
  const undone = await Promise.all([...ofOrders].map((merchantUid) => reversals.ofOrder(merchantUid)));
  const progress = await createCheckpoints(portOf(tables.state)).read(checkpointNames);
  return {
    orders: orders.orders,
    shop: shop.orders,
    reversals: undone.flatMap((of) => of.reversals),
    refunds: undone.flatMap((of) => of.refunds),
    beginning: progress.beginning(),
    checkpoints: checkpointNames.map((name) => progress.checkpoint(name)),
    unreadable: [...orders.unreadable, ...shop.unreadable, ...undone.flatMap((of) => of.unreadable)],
  };
}

/** Unix seconds. */
const now = 1_795_000_000;
const terms = { amount: won(14_000), currency: 'KRW' };

/** Writes every form of every item with the adapters of this version. */
export async function itemsOfThisVersion(): Promise<ReleaseItems> {
  const tables = emptyTables();
  await writeOrders(tables);
  await writeReversals(tables);
  await writeRefunds(tables);
  await createNotifications(portOf(tables.reversals)).store(
    { impUid: 'imp_1', merchantUid: 'order-1', event: escrowChanged, content: { status: 'delivered' } },
    now,
  );
  await writeState(tables);
  const items = byTable((table) => [...tables[table].items()]);
  return { items, values: await valuesOf(tables) };
}

async function writeOrders(tables: Tables): Promise<void> {
  const own = createOrders(portOf(tables.orders));
  const shop = createOrders(portOf(tables.shop), shopTable(columns));
  let index = 0;
  for (const state of Object.values(states)) {
    index += 1;
    const merchantUid = `order-${String(index).padStart(2, '0')}`;
    const { value: order } = (await own.register({ ...terms, merchantUid }, now)) as { value: Order };
    if (state.status !== 'ready' || 'account' in state) await own.change(order, state, now + 1);
    tables.shop.put({ order_no: { S: merchantUid }, total: { N: '14000' }, money: { S: 'KRW' }, memo: { S: '선물' } });
    const read = (await shop.read(merchantUid)) as Order;
    await shop.change(read, state, now + 1);
  }
  const whole = { taxFree: won(4_000), vatAmount: won(900), name: '커피', expiresAt: now + 3_600, tier: 'tier-1' };
  const { value: order } = (await own.register({ ...terms, ...whole, merchantUid: 'order-whole' }, now)) as {
    value: Order;
  };
  const announced = (await own.announceCancel(order)) as { value: Order };
  await own.updateSchedule(announced.value, { isUnprepared: true, nextCheckAt: now + 60, preparedAmount: won(13_000) });
}

/** Records, so that a new word does not compile until it is in the fixture. */
const reasons: Record<ReversalReason, true> = {
  test_payment: true,
  payment_predates_order: true,
  currency_mismatch: true,
  amount_mismatch: true,
  deposit_mismatch: true,
  deposit_excess: true,
  duplicate_payment: true,
  order_closed: true,
  account_superseded: true,
  order_expired: true,
  order_not_found: true,
};
const needs: Record<RefundNeed, true> = { account: true, repeat: true, operator: true };
const refusals: Record<PgRefusal, true> = { refused_by_pg: true };
const wordsOf = <Word extends string>(words: Record<Word, true>) => Object.keys(words) as Word[];

async function writeReversals(tables: Tables): Promise<void> {
  const reversals = createReversals(portOf(tables.reversals));
  const request = (impUid: string, more: Partial<ReversalRequest> = {}) => {
    const wanted = { impUid, merchantUid: 'order-01', kind: 'cancel', reason: 'amount_mismatch', ...more } as const;
    return reversals.request({ amount: won(13_000), currency: 'KRW', ...wanted }, now, 0);
  };
  await request('imp_requested');
  await request('imp_of_sub_merchant', { tier: 'T001' });
  for (const reason of wordsOf(reasons)) await request(`imp_${reason}`, { reason });
  await request('imp_account', { kind: 'revoke', reason: 'account_superseded', amount: won(0) });
  await request('imp_manual', { kind: 'manual', reason: 'deposit_mismatch' });
  const byHand = { kind: 'manual', reason: 'duplicate_payment' } as const;
  const { value: inParts } = (await request('imp_returned_in_part', byHand)) as { value: Reversal };
  await reversals.move(inParts, checked(inParts, won(9_000), now + 3_600));
  const excess = { kind: 'manual', reason: 'deposit_excess' } as const;
  await request('imp_returned_before', excess);
  await reversals.finish('imp_returned_before', now + 60);
  await request('imp_returned_before', { ...excess, amount: won(15_000) });
  const orphan = { kind: 'orphan', reason: 'order_not_found' } as const;
  await request('imp_unmatched', orphan);
  const { value: unmatched } = (await request('imp_unmatched_later', orphan)) as { value: Reversal };
  await reversals.move(unmatched, checked(unmatched, unmatched.amount, now + 3_600));
  await request('imp_done', { reason: 'duplicate_payment' });
  await reversals.finish('imp_done', now + 60);
  const { value: refused } = (await request('imp_refused', { reason: 'order_closed' })) as { value: Reversal };
  const claimed = await reversals.claim(refused, now + 60);
  await reversals.move(claimed ?? refused, failed(claimed ?? refused, '이미 취소된 거래', now + 61));
  const { value: taken } = (await request('imp_accepted', { reason: 'test_payment' })) as { value: Reversal };
  await reversals.move(taken, accepted(taken, now + 60));
}

async function writeRefunds(tables: Tables): Promise<void> {
  const refunds = createRefunds(portOf(tables.reversals));
  const refund = (key: string, more: Partial<Refund> = {}): Refund => ({
    ...{
      impUid: 'imp_1',
      key,
      cancelKey: '4fzyo82mvyr0',
      merchantUid: 'order-01',
      amount: won(4_000),
      currency: 'KRW',
    },
    ...{ checksum: won(14_000), cancelsBefore: 0, reason: '반품', state: 'requested', revision: 1, attempts: 1 },
    ...{ sentAt: now, createdAt: now, updatedAt: now, ...more },
  });
  await refunds.request(refund('requested', { nextCheckAt: now + 60, requester: 'customer', taxFree: won(1_000) }));
  await refunds.request(refund('of_sub_merchant', { tier: 'T001' }));
  await refunds.request(refund('accepted', { acceptedAt: now, nextCheckAt: now + 60, vatAmount: won(300) }));
  for (const need of wordsOf(needs))
    await refunds.request(refund(need, { needs: need, nextCheckAt: now + 60, message: '계좌 필요' }));
  for (const refusal of wordsOf(refusals))
    await refunds.request(refund(refusal, { state: 'refused', refusal, refusedAt: now }));
  const first = refund('done', { requester: 'admin' });
  await refunds.request(first);
  await refunds.change(first, { ...first, state: 'done', updatedAt: now + 5 });
}

async function writeState(tables: Tables): Promise<void> {
  const checkpoints = createCheckpoints(portOf(tables.state));
  await checkpoints.begin();
  const unresolved = [{ impUid: 'imp_9', merchantUid: 'order-9', since: now, nextAt: now + 300 }];
  const cursor = { from: now - 900, to: now, status: 'paid', offset: 100, size: 100, failures: 1, total: 250 } as const;
  for (const [index, name] of checkpointNames.entries()) {
    const scan = index % 2 === 0 ? { unresolved: [] } : { unresolved, cursor };
    await checkpoints.write(name, { completedUntil: now - 60, revision: index, ...scan });
  }
}

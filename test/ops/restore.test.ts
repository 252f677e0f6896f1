/** `restore` on the whole local system: the tables are emptied after payments, and copied back from tables of an earlier time. */

import { randomBytes } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { copyItem, copyRules } from '../../functions/adapters/dynamodb/restore.ts';
import { type Item, type Table, table } from '../../functions/adapters/dynamodb/table.ts';
import { ownTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { StoreUnavailable } from '../../functions/application/faults.ts';
import { type CopyReport, copyPages, restore } from '../../ops/restore.ts';
import { freshTables } from '../support/dynamodb.ts';
import { runOperator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
let client: DynamoDBClient;
/** The names of the tables of the deployment. */
let live: Record<'orders' | 'reversals' | 'state', string>;

beforeAll(async () => {
  const databaseKey = `test${randomBytes(8).toString('hex')}`;
  system = await startSystem({ databaseKey });
  // The clients of the command read the environment.
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', system.database.endpoint);
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  client = new DynamoDBClient({ endpoint: system.database.endpoint, region: 'ap-northeast-2', credentials });
  const response = await fetch(`${system.url}/__local/deployment`);
  const { environment } = (await response.json()) as { environment: Record<string, string> };
  const { ORDERS_TABLE: orders = '', REVERSALS_TABLE: reversals = '', STATE_TABLE: state = '' } = environment;
  live = { orders, reversals, state };
});
afterAll(async () => {
  vi.unstubAllEnvs();
  client.destroy();
  await system.close();
});

const run = (...args: string[]) => runOperator([...args, '--local', '--url', system.url]);

const itemsIn = async (TableName: string): Promise<Item[]> =>
  (await client.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items ?? [];

/** Copies a table as it is now into a new one, as a restoration to this point in time does. */
async function copyOf(name: string): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
  const [key] = Table?.KeySchema ?? [];
  const TableName = `${name}-${randomBytes(3).toString('hex')}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: key?.AttributeName, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: key?.AttributeName, AttributeType: 'S' }],
    }),
  );
  for (const Item of await itemsIn(name)) await client.send(new PutItemCommand({ TableName, Item }));
  return TableName;
}

async function empty(TableName: string, key: string): Promise<void> {
  for (const { [key]: id } of await itemsIn(TableName))
    if (id) await client.send(new DeleteItemCommand({ TableName, Key: { [key]: id } }));
}

/** A paid payment of 14,000 won at the fake Iamport. */
function payFor(merchantUid: string): string {
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
  return system.iamport.ledger.pay(imp_uid).imp_uid;
}

/** An order with a payment that the storefront has completed. */
async function paidOrder() {
  const merchantUid = await system.order();
  const impUid = payFor(merchantUid);
  await system.complete({ imp_uid: impUid, merchant_uid: merchantUid });
  return { merchantUid, impUid };
}

interface Shown {
  readonly status: string;
  readonly imp_uid?: string;
  readonly amount: number;
  readonly cancelled_amount?: number;
  readonly reversals: { readonly imp_uid: string; readonly state: string }[];
}
const shown = async (order: string) => (await system.shop('GET', order)).json as Shown;

/** The payments that keep money without an order or an open reversal of exactly that money. */
async function unbalanced(): Promise<string[]> {
  const wrong: string[] = [];
  for (const { payment } of system.iamport.ledger.entries()) {
    // A payment of which a part is cancelled has the status `cancelled` too.
    const kept = payment.paid_at > 0 ? payment.amount - payment.cancel_amount : 0;
    const order = await shown(payment.merchant_uid);
    const isOfOrder = order.imp_uid === payment.imp_uid && order.amount - (order.cancelled_amount ?? 0) === kept;
    const isOpen = order.reversals.some(({ imp_uid, state }) => imp_uid === payment.imp_uid && state !== 'done');
    if (kept > 0 ? !isOfOrder && !isOpen : order.imp_uid === payment.imp_uid && order.status !== 'cancelled')
      wrong.push(`${payment.imp_uid}: ${kept} kept, order ${order.status}`);
  }
  return wrong;
}

const events = () =>
  system.bus.events.map((event) => ({ name: event['detail-type'], detail: event.detail as Record<string, unknown> }));

/** Events of one step that were published under more than one id. */
function publishedAnew(): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { name, detail } of events()) {
    const step = `${name} ${detail.imp_uid} ${detail.status ?? ''} ${detail.cancelled_amount ?? ''} ${detail.amount}`;
    ids.set(step, (ids.get(step) ?? new Set()).add(String(detail.id)));
  }
  return [...ids].filter(([, of]) => of.size > 1).map(([step, of]) => `${step}: ${[...of].join(', ')}`);
}

test('the books equal those of Iamport after the emptied tables are restored, and no refund is sent twice [T450]', async () => {
  const { iamport } = system;
  iamport.settings.webhooks = 'never';
  const refund = (order: string, amount: number, key: string) =>
    system.shop('POST', `${order}/refunds`, { amount, reason: '반품' }, key);

  // Before the point in time: paid, refunded, and a second payment whose reversal has not succeeded.
  const [untouched, refunded, twice, later] = [
    await paidOrder(),
    await paidOrder(),
    await paidOrder(),
    await paidOrder(),
  ];
  const unpaid = await system.order();
  expect((await refund(refunded.merchantUid, 1_000, 'before')).status).toBe(200);
  iamport.faults.add({ path: '/payments/cancel', status: 500, times: 10 });
  const second = payFor(twice.merchantUid);
  await system.complete({ imp_uid: second, merchant_uid: twice.merchantUid });
  iamport.faults.clear();
  expect((await shown(twice.merchantUid)).reversals).toMatchObject([{ imp_uid: second, state: 'requested' }]);
  await system.reconcile();
  const copies = {
    orders: await copyOf(live.orders),
    reversals: await copyOf(live.reversals),
    state: await copyOf(live.state),
  };

  // After it: more payments, refunds and reversals, which the copies lack.
  const paidLater = payFor(unpaid);
  await system.complete({ imp_uid: paidLater, merchant_uid: unpaid });
  expect((await refund(later.merchantUid, 2_000, 'after')).status).toBe(200);
  iamport.ledger.cancelInConsole(second);
  const third = payFor(untouched.merchantUid);
  await system.complete({ imp_uid: third, merchant_uid: untouched.merchantUid });
  const lost = await paidOrder();
  const published = (name: string, impUid: string) =>
    events().some((event) => event.name === name && event.detail.imp_uid === impUid);
  await vi.waitFor(() => {
    expect(published('Payment Paid', lost.impUid)).toBe(true);
    expect(published('Refund Completed', third)).toBe(true);
    expect(published('Refund Completed', later.impUid)).toBe(true);
  }, 20_000);

  await empty(live.orders, 'merchant_uid');
  await empty(live.reversals, 'imp_uid');
  await empty(live.state, 'id');
  const cancelsOf = () =>
    iamport.ledger.entries().map(({ payment }) => [payment.imp_uid, payment.cancel_history.length]);
  const cancels = cancelsOf();

  for (const name of ['reversals', 'state', 'orders'] as const) {
    const { code, stdout } = await run('restore', '--from', copies[name], '--yes');
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${name}: ${copies[name]} → `))]);
  }
  // The shop repeats what it has no record of: the lost order, and a refund with the key of the first time.
  await system.shop('PUT', lost.merchantUid, { amount: 14_000 });
  expect(await system.reconcile()).toMatchObject({ finished: true });
  expect((await refund(later.merchantUid, 2_000, 'after')).json).toMatchObject({ refund: { state: 'done' } });

  expect(await unbalanced()).toEqual([]);
  expect(cancelsOf()).toEqual(cancels);
  expect(await shown(lost.merchantUid)).toMatchObject({ status: 'paid', imp_uid: lost.impUid });
  expect(await shown(unpaid)).toMatchObject({ status: 'paid', imp_uid: paidLater });
  expect(await shown(later.merchantUid)).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 2_000 });
  expect(publishedAnew()).toEqual([]);
  expect(system.faults).toEqual([]);
});

test('a payment that was reported without an order during the outage is settled after the restoration', async () => {
  const order = await paidOrder();
  const copies = { orders: await copyOf(live.orders), state: await copyOf(live.state) };
  await empty(live.orders, 'merchant_uid');
  await empty(live.state, 'id');
  await system.reconcile();
  const openOf = async () => (await itemsIn(live.reversals)).find(({ imp_uid }) => imp_uid?.S === order.impUid);
  expect(await openOf()).toMatchObject({ kind: { S: 'orphan' } });
  expect(await run('restore', '--from', copies.state, '--yes')).toMatchObject({ code: 0 });
  expect(await run('restore', '--from', copies.orders, '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /\n {2}payments without an order that has one now, checked again in the next run: [1-9]\d*\n$/,
    ),
  });
  await system.reconcile();
  expect(await unbalanced()).toEqual([]);
  expect(await openOf()).toMatchObject({ state: { S: 'done' } });
});

test('a dry run counts, and the copy names what it cannot read and copies the rest', async () => {
  const [newer, deleted, damaged] = [await paidOrder(), await paidOrder(), await paidOrder()];
  // The reconciler writes a heartbeat into the table, which is never copied.
  await system.reconcile();
  const copy = await copyOf(live.orders);
  const Key = (id: string) => ({ merchant_uid: { S: id } });
  await client.send(new DeleteItemCommand({ TableName: live.orders, Key: Key(deleted.merchantUid) }));
  const [item] = (await itemsIn(copy)).filter(({ merchant_uid }) => merchant_uid?.S === damaged.merchantUid);
  await client.send(new PutItemCommand({ TableName: copy, Item: { ...item, status: { S: 'on_hold' } } }));
  const refunded = await system.shop('POST', `${newer.merchantUid}/refunds`, { amount: 500, reason: '반품' }, 'newer');
  expect(refunded.json).toMatchObject({ order: { status: 'partial_cancelled' } });
  const before = await itemsIn(live.orders);
  const all = before.length + 1;

  const counted = await run('restore', '--from', copy, '--dry-run', '--json');
  const unreadable = [
    { item: damaged.merchantUid, reason: `The status of order ${damaged.merchantUid} is missing or invalid` },
  ];
  const numbers = { copied: 1, unchanged: all - 3, skipped: 1, missing: [], unreadable };
  expect(counted.code).toBe(5);
  expect(JSON.parse(counted.stdout)).toMatchObject({
    to: 'orders',
    from: copy,
    name: live.orders,
    dryRun: true,
    ...numbers,
  });
  expect(await itemsIn(live.orders)).toEqual(before);

  expect(await run('restore', '--from', copy)).toMatchObject({ code: 4 });
  expect(await itemsIn(live.orders)).toEqual(before);

  const { code, stdout } = await run('restore', '--from', copy, '--yes');
  expect([code, stdout]).toEqual([
    5,
    [
      `orders: ${copy} → ${live.orders}`,
      '  copied: 1',
      `  unchanged, as new or newer in the deployment: ${all - 3}`,
      '  skipped, never copied: 1',
      '  unreadable by this version, not copied: 1',
      `    ${damaged.merchantUid}: The status of order ${damaged.merchantUid} is missing or invalid`,
      '',
    ].join('\n'),
  ]);
  expect(await shown(deleted.merchantUid)).toMatchObject({ status: 'paid' });
  expect(await shown(newer.merchantUid)).toMatchObject({ status: 'partial_cancelled', cancelled_amount: 500 });
  const again = JSON.parse((await run('restore', '--from', copy, '--yes', '--json')).stdout);
  expect(again).toMatchObject({ copied: 0, unchanged: all - 2, skipped: 1 });
});

test('the access token of an earlier time is not copied, and scans continue from the earlier checkpoint', async () => {
  await system.reconcile();
  const copy = await copyOf(live.state);
  const itemOf = async (table: string, id: string) => (await itemsIn(table)).find((item) => item.id?.S === id);
  const old = { id: { S: 'iamport-token' }, access_token: { S: 'old' }, expires_at_ms: { N: '99999999999999' } };
  await client.send(new PutItemCommand({ TableName: copy, Item: old }));
  const recent = (await itemOf(copy, 'scan-recent')) as Item;
  const completed_until = { N: String(Number(recent.completed_until?.N) - 60) };
  await client.send(new PutItemCommand({ TableName: copy, Item: { ...recent, completed_until } }));
  const beginning = (await itemOf(copy, 'scan-beginning')) as Item;
  const begun_at = { N: String(Number(beginning.begun_at?.N) - 60) };
  await client.send(new PutItemCommand({ TableName: copy, Item: { ...beginning, begun_at } }));
  const token = await itemOf(live.state, 'iamport-token');

  const { stdout } = await run('restore', '--from', copy, '--yes', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ to: 'state', copied: 2, skipped: 1, unreadable: [] });
  expect(await itemOf(live.state, 'iamport-token')).toEqual(token);
  expect(await itemOf(live.state, 'scan-beginning')).toMatchObject({ begun_at });
  const revision = { N: String(Number(recent.revision?.N) + 1) };
  expect(await itemOf(live.state, 'scan-recent')).toMatchObject({ completed_until, revision });
});

test('the command names the wrong option, and writes nothing', async () => {
  const copy = await copyOf(live.state);
  expect(await run('restore')).toMatchObject({ code: 2, stderr: expect.stringContaining('--from is missing') });
  expect(await run('restore', '--from', 'nowhere', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The table nowhere does not exist'),
  });
  expect(await run('restore', '--from', live.orders, '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is the table of the deployment itself'),
  });
  expect(await run('restore', '--from', copy, '--to', 'orders', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`The key of ${copy} is id`),
  });
});

/** Pages of orders that were registered and paid, three items in all. */
const page = (...ids: string[]): Item[] =>
  ids.map((id) => ({
    merchant_uid: { S: id },
    amount: { N: '14000' },
    currency: { S: 'KRW' },
    status: { S: 'ready' },
    revision: { N: '1' },
    created_at: { N: '1' },
    updated_at: { N: '1' },
  }));

test('a copy that DynamoDB interrupts continues behind the last page', async () => {
  const { client: own, names } = await freshTables();
  const orders = table(own, names.orders);
  const rules = copyRules(ownTable, '1').orders;
  const report = (): CopyReport => ({
    counts: { copied: 0, unchanged: 0, skipped: 0, missing: 0 },
    missing: [],
    unreadable: [],
  });
  async function* pages() {
    yield page('a', 'b');
    yield page('c');
  }
  const interrupted: Table = {
    ...orders,
    write: (write) =>
      write.key.merchant_uid?.S === 'c'
        ? Promise.reject(new StoreUnavailable('DynamoDB returned no response'))
        : orders.write(write),
  };
  const progress = () => undefined;
  const first = report();
  await expect(copyPages(pages(), { live: interrupted, rules, report: first, progress })).rejects.toThrow(
    'The copy stopped: DynamoDB returned no response. Run the same command again; to continue behind the finished part add --after "b"',
  );
  expect(first.counts.copied).toBe(2);
  const second = report();
  await copyPages(pages(), { live: orders, rules, report: second, progress });
  expect(second.counts).toEqual({ copied: 1, unchanged: 2, skipped: 0, missing: 0 });
  own.destroy();
});

test('an item that changes while it is copied is compared again', async () => {
  const { client: own, names } = await freshTables();
  const orders = table(own, names.orders);
  const rules = copyRules(ownTable, '1').orders;
  const [lower, higher] = page('lower', 'higher');
  const revision = (item: Item | undefined, N: string): Item => ({ ...item, revision: { N } });
  await own.send(new PutItemCommand({ TableName: names.orders, Item: revision(lower, '2') }));
  await own.send(new PutItemCommand({ TableName: names.orders, Item: revision(higher, '9') }));
  // The page was read when neither item was there.
  expect(await copyItem(orders, rules, revision(lower, '3'), undefined)).toBe('copied');
  expect(await copyItem(orders, rules, revision(higher, '3'), undefined)).toBe('unchanged');
  const { Items = [] } = await own.send(new ScanCommand({ TableName: names.orders }));
  expect(Items.map((item) => item.revision?.N).sort()).toEqual(['3', '9']);
  own.destroy();
});

test('in the table of a shop only our attributes are copied, and only into its own items', async () => {
  const { client: own, endpoint, credentials } = await freshTables();
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', endpoint);
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  for (const TableName of ['shop', 'shop-restored'])
    await own.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'order_no', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'order_no', AttributeType: 'S' }],
      }),
    );
  const paid = {
    iamport_status: { S: 'paid' },
    iamport_revision: { N: '3' },
    iamport_imp_uid: { S: 'imp_1' },
    iamport_payment: { M: {} },
    iamport_amount: { N: '14000' },
    iamport_currency: { S: 'KRW' },
    iamport_created_at: { N: '1' },
    iamport_updated_at: { N: '2' },
  };
  const put = (TableName: string, Item: Item) => own.send(new PutItemCommand({ TableName, Item }));
  for (const id of ['lower', 'deleted', 'same'])
    await put('shop-restored', { order_no: { S: id }, total: { N: '14000' }, memo: { S: 'old' }, ...paid });
  await put('shop-restored', { order_no: { S: 'unpaid' }, total: { N: '14000' } });
  const failed = { iamport_revision: { N: '2' }, iamport_status: { S: 'failed' }, iamport_failure: { M: {} } };
  await put('shop', { order_no: { S: 'lower' }, total: { N: '14000' }, memo: { S: 'new' }, ...failed });
  await put('shop', { order_no: { S: 'same' }, total: { N: '14000' }, ...paid });
  const print = vi.fn();
  const code = await restore({
    subject: '',
    target: '',
    options: { from: 'shop-restored', queue: false, 'dry-run': false },
    deployment: {
      ...({} as Parameters<typeof restore>[0]['deployment']),
      config: {
        tables: { orders: 'shop', reversals: 'reversals', state: 'state' },
        shopColumns: { key: 'order_no', amount: 'total' },
      } as never,
      deps: { clock: { now: () => 1_795_000_000_000 }, reversals: { due: async () => [] } } as never,
    },
    language: 'en',
    messageFor: (key) => key,
    print,
    progress: () => undefined,
    confirm: async () => true,
    terminal: process,
  });
  expect(code).toBe(5);
  expect(print.mock.lastCall?.[1]).toMatchObject({
    copied: 1,
    unchanged: 1,
    skipped: 1,
    missing: ['deleted'],
    unreadable: [],
  });
  const { Items = [] } = await own.send(new ScanCommand({ TableName: 'shop' }));
  expect(Items.find(({ order_no }) => order_no?.S === 'lower')).toEqual({
    order_no: { S: 'lower' },
    total: { N: '14000' },
    memo: { S: 'new' },
    ...paid,
    iamport_restored_by: { S: '1795000000000' },
  });
  expect(Items.map(({ order_no }) => order_no?.S).sort()).toEqual(['lower', 'same']);
  own.destroy();
});

/**
 * What a run of the reconciler costs: 10,000 payments in the ledger, 1 % of them unsettled. `npm run bench:reconcile`
 * Counts the calls to Iamport, and watches the memory. The sandbox Iamport is a process of its own, so that the memory is ours.
 */

import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { deadlineIn, systemClock } from '../functions/edge/clock.ts';
import { iamportClient } from '../functions/iamport/client.ts';
import { undiciTransport } from '../functions/iamport/transport.ts';
import { reconcile } from '../functions/reconcile.ts';
import type { Rooms } from '../functions/rooms.ts';
import { notificationsIn } from '../functions/store/notifications.ts';
import { ordersIn } from '../functions/store/orders.ts';
import { refundsIn } from '../functions/store/refunds.ts';
import { reversalsIn } from '../functions/store/reversals.ts';
import { sharedTokenIn, walksIn } from '../functions/store/state.ts';
import { table } from '../functions/store/table.ts';
import { unknownPaymentsBy } from '../functions/unknown-payments.ts';
import { startIamport } from '../sandbox/iamport/server.ts';
import { tableOf } from '../sandbox/local/dynamodb.ts';
import { startDynamodbLocal } from '../sandbox/local/dynamodb-local.ts';
import { CloudAssembly } from '../sandbox/local/template.ts';

/** Of 10,000: how many the ledger has of each kind, and that one in a hundred is not settled. */
const counts = { paid: 8_600, cancelled: 400, failed: 500, ready: 500 };
const unsettledEvery = 100;

/** The sandbox, in a child: fills its ledger, then says where it is. */
async function sandbox(): Promise<void> {
  const iamport = await startIamport({ port: 0 });
  const { ledger } = iamport;
  const payments: { merchantUid: string; impUid: string; kind: keyof typeof counts }[] = [];
  for (const [kind, many] of Object.entries(counts) as [keyof typeof counts, number][]) {
    for (let index = 0; index < many; index += 1) {
      const merchantUid = `${kind}-${index}`;
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
      if (kind === 'failed') ledger.fail(imp_uid, '한도 초과');
      if (kind === 'paid' || kind === 'cancelled') ledger.pay(imp_uid);
      if (kind === 'cancelled') ledger.cancelInConsole(imp_uid);
      payments.push({ merchantUid, impUid: imp_uid, kind });
    }
  }
  process.on('message', () => process.send?.({ calls: iamport.faults.counts() }));
  process.send?.({
    url: iamport.url,
    payments,
    failedAt: ledger
      .entries()
      .map(({ payment }) => payment.failed_at)
      .find(Boolean),
  });
}

interface Filled {
  readonly url: string;
  readonly payments: readonly { merchantUid: string; impUid: string; kind: keyof typeof counts }[];
}

async function main(): Promise<void> {
  const child = fork(import.meta.filename, ['sandbox']);
  const dynamodb = await startDynamodbLocal();
  try {
    const { url, payments } = await new Promise<Filled>((resolve) =>
      child.once('message', (filled) => resolve(filled as Filled)),
    );
    const rooms = await roomsAt(url, dynamodb.endpoint);
    // It has last looked an hour ago.
    const now = Math.floor(Date.now() / 1000);
    for (const name of ['recent', 'week', 'quarter']) {
      await rooms.rooms.walks.write(name, {
        doneUntil: name === 'recent' ? now - 3_600 : now,
        openQuestions: [],
        revision: 0,
      });
    }
    const unsettled = await fill(rooms.client, payments);
    await run(rooms.rooms, child, unsettled);
  } finally {
    child.kill();
    await dynamodb.close();
  }
}

async function run(rooms: Rooms, child: ReturnType<typeof fork>, unsettled: number): Promise<void> {
  // What is alive after each page, garbage taken out: flat, however long the ledger is.
  const alive: number[] = [];
  const ledger: Rooms['iamport']['ledger'] = async (query, deadline) => {
    const page = await rooms.iamport.ledger(query, deadline);
    globalThis.gc?.();
    alive.push(process.memoryUsage().heapUsed);
    return page;
  };
  // The token is shared in the table, as in a deployment that has run before.
  await rooms.iamport.payment('imp_0', deadlineIn(systemClock, 10_000));
  const before = await callsOf(child);
  const begin = performance.now();
  const report = await reconcile({ ...rooms, iamport: { ...rooms.iamport, ledger } }, deadlineIn(systemClock, 115_000));
  const took = performance.now() - begin;
  const calls = Object.entries(await callsOf(child)).map(
    ([call, times]) => [call, times - (before[call] ?? 0)] as const,
  );
  const sum = (of: typeof calls) => of.reduce((total, [, times]) => total + times, 0);
  const own = sum(calls.filter(([call]) => /^GET \/payments\/imp_|^POST \/payments\/cancel/.test(call)));
  const walk = sum(calls) - own;
  console.log(`payments in the ledger   ${report.payments}`);
  console.log(`unsettled                ${unsettled}, settled by this run ${report.settled}`);
  console.log(`calls to Iamport         ${walk} for the walk, ${own} for the unsettled ones`);
  console.log(`time                     ${(took / 1000).toFixed(1)} s`);
  console.log(
    `alive after a page       ${megabytes(Math.min(...alive))} to ${megabytes(Math.max(...alive))} MB, ${alive.length} pages`,
  );
  if (walk > 12 || report.settled !== unsettled || !report.finished) process.exitCode = 1;
}

function callsOf(child: ReturnType<typeof fork>): Promise<Record<string, number>> {
  child.send('calls?');
  return new Promise((resolve) =>
    child.once('message', (told) => resolve((told as { calls: Record<string, number> }).calls)),
  );
}

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

async function roomsAt(url: string, endpoint: string) {
  const credentials = { accessKeyId: `bench${randomBytes(4).toString('hex')}`, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'ap-northeast-2', credentials });
  const assembly = CloudAssembly.read('cdk.out');
  for (const { id, properties } of assembly.ofType('AWS::DynamoDB::GlobalTable')) {
    const name = ['orders', 'reversals', 'state'].find((word) => id.toLowerCase().includes(`tables${word}`));
    await client.send(new CreateTableCommand(tableOf(name ?? id, properties)));
  }
  const clock = systemClock;
  const shop = async () => ({ impKey: 'local', impSecret: 'local' });
  const sharedToken = sharedTokenIn(table(client, 'state'));
  const rooms: Rooms = {
    iamport: iamportClient({
      transport: undiciTransport(url),
      credentials: shop,
      sharedToken,
      clock,
      random: Math.random,
    }),
    orders: ordersIn(table(client, 'orders')),
    reversals: reversalsIn(table(client, 'reversals')),
    refunds: refundsIn(table(client, 'reversals')),
    notifications: notificationsIn(table(client, 'reversals')),
    // The deployment is a day old.
    walks: walksIn({ ...table(client, 'state'), madeAt: async () => Math.floor(Date.now() / 1000) - 86_400 }),
    unknownPayments: unknownPaymentsBy(clock),
    clock,
    count: () => undefined,
    policy: { acceptTestPayments: false, reversals: 'automatic' },
    config: { resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any' },
  };
  return { client, rooms };
}

/** Orders as they stand after their payments, but for one in a hundred paid ones. @returns how many of them do not agree */
async function fill(client: DynamoDBClient, payments: Filled['payments']): Promise<number> {
  let unsettled = 0;
  const items = payments.map(({ merchantUid, impUid, kind }, index) => {
    const isOpen = index % unsettledEvery === 0;
    // A window that was left, or money that came and went before anybody looked, leaves an order as it is.
    if (isOpen && (kind === 'paid' || kind === 'failed')) unsettled += 1;
    const status = kind === 'ready' || isOpen ? 'ready' : kind;
    const failure = { M: { imp_uid: { S: impUid }, failed_at: { N: String(2 ** 33) } } };
    return {
      merchant_uid: { S: merchantUid },
      amount: { N: '14000' },
      currency: { S: 'KRW' },
      status: { S: status },
      revision: { N: '1' },
      created_at: { N: '1' },
      updated_at: { N: '1' },
      ...(status === 'failed' && { failure }),
      ...((status === 'paid' || status === 'cancelled') && { imp_uid: { S: impUid }, payment: { M: {} } }),
      ...(status === 'cancelled' && { cancelled_amount: { N: '14000' } }),
    };
  });
  for (let from = 0; from < items.length; from += 25) {
    const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { orders: puts } }));
  }
  return unsettled;
}

await (process.argv[2] === 'sandbox' ? sandbox() : main());

/** The real rooms for a test: a real database, the real client, a sandbox Iamport, and a clock that the test sets. */

import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { checkpointsIn } from '../../functions/adapters/dynamodb/checkpoints.ts';
import { notificationsIn } from '../../functions/adapters/dynamodb/notifications.ts';
import { ordersIn } from '../../functions/adapters/dynamodb/orders.ts';
import { refundsIn } from '../../functions/adapters/dynamodb/refunds.ts';
import { reversalsIn } from '../../functions/adapters/dynamodb/reversals.ts';
import { sharedTokenIn } from '../../functions/adapters/dynamodb/state.ts';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { iamportClient } from '../../functions/adapters/iamport/client.ts';
import { undiciTransport } from '../../functions/adapters/iamport/transport.ts';
import type { Report } from '../../functions/application/reconcile/report.ts';
import { unknownPaymentsBy } from '../../functions/application/unknown-payments.ts';
import { closeOrder } from '../../functions/handlers/close-order.ts';
import { complete } from '../../functions/handlers/complete.ts';
import { confirm } from '../../functions/handlers/confirm.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { reconcile } from '../../functions/handlers/reconcile.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import { pageSizes } from '../../functions/payment/scan-cursor.ts';
import type { Rooms } from '../../functions/runtime/dependencies.ts';
import { type Door, visit } from '../../functions/runtime/lambda-handler.ts';
import type { Counts } from '../../functions/runtime/metrics.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import { startIamport } from '../../local/iamport/server.ts';
import { freshTables } from './dynamodb.ts';
import { eventOf, jsonBody, type Sent } from './event.ts';

/** Seconds; when these tests begin. */
export const beginning = 1_795_000_000;

/** @param deployedAt Unix seconds; by the clock of the test, since its tables are made by another one */
export async function openRooms(deployedAt = beginning - 3600) {
  const { client, names } = await freshTables();
  let ms = beginning * 1000;
  const clock = {
    now: () => ms,
    sleep: async (waited: number) => {
      ms += waited;
    },
  };
  const iamport = await startIamport({ port: 0, clock });
  onTestFinished(() => iamport.close());
  const counted: Counts[] = [];
  const credentials = async () => ({ impKey: 'local', impSecret: 'local', pgApiKey: 'local' });
  const sharedToken = sharedTokenIn(table(client, names.state));
  const rooms: Rooms = {
    iamport: iamportClient({
      transport: undiciTransport(iamport.url),
      credentials,
      sharedToken,
      clock,
      random: () => 0.5,
    }),
    orders: ordersIn(table(client, names.orders)),
    reversals: reversalsIn(table(client, names.reversals)),
    refunds: refundsIn(table(client, names.reversals)),
    notifications: notificationsIn(table(client, names.reversals)),
    checkpoints: checkpointsIn({ ...table(client, names.state), madeAt: async () => deployedAt }),
    unknownPayments: unknownPaymentsBy(clock),
    clock,
    count: (added) => counted.push(added),
    policy: { acceptTestPayments: false, reversals: 'automatic' },
    pageSizes,
    config: { resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any', orderPrefix: '' },
  };
  const { ledger } = iamport;

  const send = async (door: Door, sent: Sent, to: Rooms = rooms) => {
    const requestId = randomUUID();
    const { statusCode, body } = await visit(door, to, eventOf({ ...sent, requestId }), requestId);
    return { status: statusCode, json: body ? (JSON.parse(body) as unknown) : undefined };
  };
  const ofOrder = (merchantUid: string) => ({ pathParameters: { merchant_uid: merchantUid } });

  return {
    rooms,
    iamport,
    ledger,
    client,
    names,
    /** The metrics, as they were added to. */
    counted,
    /** Lets time pass. */
    pass(seconds: number) {
      ms += seconds * 1000;
    },
    now: () => ms / 1000,
    reconcile: (to: Rooms = rooms): Promise<Report> => reconcile(to, deadlineIn(clock, 115_000)),
    /** Registers an order of 14,000 won. */
    async order(merchantUid = 'order-1', terms: object = {}) {
      const { status } = await send(orders, {
        method: 'PUT',
        ...ofOrder(merchantUid),
        ...jsonBody({ amount: 14_000, ...terms }),
      });
      if (status !== 201) throw new Error(`The order was not registered: ${status}`);
      return merchantUid;
    },
    put: (merchantUid: string, terms: object) =>
      send(orders, { method: 'PUT', ...ofOrder(merchantUid), ...jsonBody({ amount: 14_000, ...terms }) }),
    show: async (merchantUid = 'order-1') =>
      (await send(orders, { method: 'GET', ...ofOrder(merchantUid) })).json as Record<string, unknown> & {
        status: string;
        revision: number;
        reversals: Record<string, unknown>[];
        refunds: Record<string, unknown>[];
      },
    complete: (impUid: string, to?: Rooms) => send(complete, jsonBody({ imp_uid: impUid }), to),
    webhook: (impUid: string, to?: Rooms) => send(webhook, jsonBody({ imp_uid: impUid }), to),
    /** A notification with whatever is in it. */
    notify: (fields: object, sourceIp?: string) =>
      send(webhook, { ...jsonBody(fields), ...(sourceIp && { sourceIp }) }),
    /** @param sourceIp one of PortOne's addresses by default */
    confirm: (fields: object, sourceIp = '52.78.100.19') => send(confirm, { ...jsonBody(fields), sourceIp }),
    close: (merchantUid = 'order-1', to?: Rooms) => send(closeOrder, { method: 'DELETE', ...ofOrder(merchantUid) }, to),
    refund: (fields: object, key?: string, merchantUid = 'order-1', to?: Rooms) => {
      const { headers, body } = jsonBody({ reason: '단순 변심', ...fields });
      const keyed = { ...headers, ...(key && { 'idempotency-key': key }) };
      return send(refunds, { method: 'POST', ...ofOrder(merchantUid), headers: keyed, body }, to);
    },
    /** A paid payment. */
    paid(amount = 14_000, merchantUid = 'order-1'): string {
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
      return ledger.pay(imp_uid, { amount }).imp_uid;
    },
    /** A payment with a virtual account. */
    account(lastsSeconds = 3_600, merchantUid = 'order-1'): string {
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'vbank' });
      return ledger.issueAccount(imp_uid, { lastsSeconds }).imp_uid;
    },
  };
}

export type Opened = Awaited<ReturnType<typeof openRooms>>;

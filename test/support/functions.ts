/** The real dependencies for a test: DynamoDB Local, the real client, the fake Iamport, and a clock that the test sets. */

import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { table } from '../../functions/adapters/dynamodb/table.ts';
import { undiciTransport } from '../../functions/adapters/iamport/transport.ts';
import { reconcile } from '../../functions/application/reconcile/reconcile.ts';
import type { ReconcileReport } from '../../functions/application/reconcile/report.ts';
import { closeOrder } from '../../functions/handlers/close-order.ts';
import { complete } from '../../functions/handlers/complete.ts';
import { confirm } from '../../functions/handlers/confirm.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import { dependenciesFrom, type HandlerDependencies } from '../../functions/runtime/dependencies.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { handleRequest } from '../../functions/runtime/lambda-handler.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import type { Counts } from '../../functions/shared/metrics.ts';
import { startIamport } from '../../local/iamport/server.ts';
import { freshTables } from './dynamodb.ts';
import { eventOf, jsonBody, type Sent } from './event.ts';

/** The time at which these tests begin, in Unix seconds. */
export const beginning = 1_795_000_000;

/** @param deployedAt Unix seconds by the clock of the test; its tables are created by the real clock */
export async function startFixture(deployedAt = beginning - 3600) {
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
  const deps: HandlerDependencies = dependenciesFrom({
    tables: {
      orders: table(client, names.orders),
      reversals: table(client, names.reversals),
      state: { ...table(client, names.state), madeAt: async () => deployedAt },
    },
    transport: undiciTransport(iamport.url),
    credentials: async () => ({ impKey: 'local', impSecret: 'local', pgApiKey: 'local' }),
    clock,
    random: () => 0.5,
    count: (added) => counted.push(added),
    policy: { acceptTestPayments: false, reversals: 'automatic' },
    config: {
      iamportApiUrl: iamport.url,
      ...{ resultTargets: {}, shopName: '', resultPage: {}, webhookSenders: 'any', orderPrefix: '', tiers: [] },
    },
  });
  const { ledger } = iamport;

  const send = async (handler: HttpHandler, sent: Sent, to: HandlerDependencies = deps) => {
    const requestId = randomUUID();
    const { statusCode, body } = await handleRequest(handler, to, eventOf({ ...sent, requestId }), requestId);
    return { status: statusCode, json: body ? (JSON.parse(body) as unknown) : undefined };
  };
  const ofOrder = (merchantUid: string) => ({ pathParameters: { merchant_uid: merchantUid } });

  return {
    deps,
    iamport,
    ledger,
    client,
    names,
    /** The counts in the order of the calls of `deps.count`. */
    counted,
    /** Advances the clock. */
    pass(seconds: number) {
      ms += seconds * 1000;
    },
    now: () => ms / 1000,
    reconcile: (to: HandlerDependencies = deps): Promise<ReconcileReport> => reconcile(to, deadlineIn(clock, 115_000)),
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
    put: (merchantUid: string, terms: object, to?: HandlerDependencies) =>
      send(orders, { method: 'PUT', ...ofOrder(merchantUid), ...jsonBody({ amount: 14_000, ...terms }) }, to),
    show: async (merchantUid = 'order-1') =>
      (await send(orders, { method: 'GET', ...ofOrder(merchantUid) })).json as Record<string, unknown> & {
        status: string;
        revision: number;
        reversals: Record<string, unknown>[];
        refunds: Record<string, unknown>[];
      },
    complete: (impUid: string, to?: HandlerDependencies) => send(complete, jsonBody({ imp_uid: impUid }), to),
    webhook: (impUid: string, to?: HandlerDependencies) => send(webhook, jsonBody({ imp_uid: impUid }), to),
    /** Sends a notification with any fields. */
    notify: (fields: object, sourceIp?: string) =>
      send(webhook, { ...jsonBody(fields), ...(sourceIp && { sourceIp }) }),
    /** @param sourceIp one of PortOne's addresses by default */
    confirm: (fields: object, sourceIp = '52.78.100.19') => send(confirm, { ...jsonBody(fields), sourceIp }),
    close: (merchantUid = 'order-1', to?: HandlerDependencies) =>
      send(closeOrder, { method: 'DELETE', ...ofOrder(merchantUid) }, to),
    refund: (fields: object, key?: string, merchantUid = 'order-1', to?: HandlerDependencies) => {
      const { headers, body } = jsonBody({ reason: '단순 변심', ...fields });
      const keyed = { ...headers, ...(key && { 'idempotency-key': key }) };
      return send(refunds, { method: 'POST', ...ofOrder(merchantUid), headers: keyed, body }, to);
    },
    /** Pays at the fake Iamport. @returns the imp_uid of a paid payment */
    paid(amount = 14_000, merchantUid = 'order-1'): string {
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
      return ledger.pay(imp_uid, { amount }).imp_uid;
    },
    /** Issues a virtual account at the fake Iamport. @returns the imp_uid of its payment */
    account(lastsSeconds = 3_600, merchantUid = 'order-1'): string {
      const { imp_uid } = ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'vbank' });
      return ledger.issueAccount(imp_uid, { lastsSeconds }).imp_uid;
    },
  };
}

export type Fixture = Awaited<ReturnType<typeof startFixture>>;

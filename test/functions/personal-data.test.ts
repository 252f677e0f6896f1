/** No personal or secret value is stored, logged, published or returned: canaries enter at Iamport, and must not leave. */

import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { webhookOf } from '../../functions/events/webhook-json.ts';
import { VERSION } from '../../infra/version.ts';
import { type System, startSystem } from '../support/system.ts';

const canaries = {
  buyer_name: 'CANARY-name',
  buyer_email: 'canary@example.com',
  buyer_tel: '010-0000-CANARY',
  buyer_addr: 'CANARY-address',
  buyer_postcode: 'CANARY',
  custom_data: '{"note":"CANARY-note"}',
};
const databaseKey = 'personaltest';
const logged: string[] = [];
const returned: string[] = [];
let system: System;

beforeAll(async () => {
  system = await startSystem({ databaseKey, log: (text) => logged.push(text) });
  system.iamport.settings.webhooks = 'never';
});
afterAll(() => system.close());

test('stores, logs, publishes and returns no personal data of paid, rejected, unreadable and unavailable payments [T27]', async () => {
  const pay = async (amount: number) => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
    const payment = system.iamport.ledger.pay(imp_uid, { amount });
    Object.assign(payment, canaries, { card_number: '1111-CANARY-2222', user_agent: 'CANARY-agent' });
    return { imp_uid, merchant_uid: merchantUid };
  };
  /** A failure whose PG message has an account number and a name. The buyer gets the message with both masked. */
  const failedFor = async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'trans' });
    system.iamport.ledger.fail(imp_uid, '계좌 110-9876-5432101 (예금주: CANARY김) 오류');
    return { imp_uid, merchant_uid: merchantUid };
  };
  /** A virtual account whose holder is the buyer. Only the buyer's page and GET /orders return the holder. */
  const accountOf = async () => {
    const merchantUid = await system.order();
    const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'vbank' });
    Object.assign(system.iamport.ledger.issueAccount(imp_uid), { vbank_holder: 'HOLDER-name' });
    return { imp_uid, merchant_uid: merchantUid };
  };
  const [failed, account] = [await failedFor(), await accountOf()];
  const [paid, forged, garbled, unreached] = [await pay(14_000), await pay(100), await pay(14_000), await pay(14_000)];
  const sendToAll = async (body: { imp_uid: string; merchant_uid: string }) => {
    for (const { text } of [await system.complete(body), await system.webhook(body), await system.mobile(body)])
      returned.push(text);
  };
  await sendToAll(paid);
  await sendToAll(forged);
  await sendToAll(failed);
  expect((await system.complete(account)).text).toContain('HOLDER-name');
  Object.assign(system.iamport.ledger.payment(garbled.imp_uid), { merchant_uid: { CANARY: 'CANARY-object' } });
  await sendToAll(garbled);
  system.iamport.faults.add({ path: '/payments', status: 500, times: 6 });
  await sendToAll(unreached);
  returned.push((await system.complete({ imp_uid: 'CANARY-id' } as never)).text.replaceAll('CANARY-id', ''));
  for (const { merchant_uid } of [paid, forged]) returned.push((await system.shop('GET', merchant_uid)).text);
  await vi.waitFor(() => expect(system.bus.events.length).toBeGreaterThanOrEqual(5), 30_000);

  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: system.database.endpoint, region: 'ap-northeast-2', credentials });
  const items = await Promise.all(system.tables.map((TableName) => client.send(new ScanCommand({ TableName }))));
  client.destroy();
  const stored = JSON.stringify(items.map(({ Items }) => Items));
  expect(stored).toContain(paid.imp_uid);
  expect(logged.join('')).toContain(paid.imp_uid);
  for (const [where, text] of Object.entries({
    stored,
    logged: logged.join(''),
    published: JSON.stringify(system.bus.events),
    returned: returned.join(''),
  })) {
    expect(text.match(/.{0,40}(?:canary|110-9876).{0,20}/gi), where).toBeNull();
    // Stored for the buyer's page and for GET /orders; neither logged nor published.
    if (where !== 'stored') expect(text, where).not.toContain('HOLDER-name');
  }
});

test('sends no personal data in a webhook, from any place of a payment, a notification or a refund [T340]', async () => {
  const merchant_uid = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid, amount: 14_000, pay_method: 'card' });
  const payment = system.iamport.ledger.pay(imp_uid) as unknown as Record<string, unknown>;
  // The fields that decide; every other text of the payment becomes personal data.
  const used = ['imp_uid', 'merchant_uid', 'status', 'pay_method', 'currency', 'channel', 'pg_provider', 'pg_tid'];
  const replaced = Object.keys(payment).filter((name) => !used.includes(name) && typeof payment[name] !== 'number');
  for (const name of replaced.filter((one) => typeof payment[one] === 'string' || payment[one] === null)) {
    payment[name] = 'CANARY 010-9876-5432';
  }
  Object.assign(payment, canaries);
  expect((await system.complete({ imp_uid, merchant_uid })).status).toBe(200);
  const event = 'Other.Event 010-9876-5432';
  const extra = { state: '010-9876-5432', phone: 'CANARY', buyer_name: 'CANARY', note: 'canary@example.com' };
  await system.webhook({ imp_uid, merchant_uid, event, extra } as never);
  const reason = '010-9876-5432, canary@example.com';
  expect(
    (await system.shop('POST', `${merchant_uid}/refunds`, { reason, amount: 1_000 }, 'key-1')).status,
  ).toBeLessThan(300);
  const bodies = () =>
    system.bus.events
      .filter(({ detail }) => JSON.stringify(detail).includes(merchant_uid))
      .flatMap((one) => webhookOf(JSON.stringify(one))?.body ?? []);
  await vi.waitFor(() => {
    for (const name of ['Payment Paid', 'Unrecognised Notification', 'Refund Completed']) {
      expect(bodies().join()).toContain(name);
    }
  }, 20_000);
  expect(
    bodies()
      .join()
      .match(/.{0,40}(?:canary|010-9876|5432).{0,20}/gi),
  ).toBeNull();
});

test('logs one line for each request, with its ids, outcome, duration and calls', async () => {
  const linesOf = (merchantUid: string) =>
    logged
      .join('')
      .split('\n')
      .flatMap((text) => /\{.*\}/.exec(text)?.[0] ?? [])
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .filter((line) => JSON.stringify(line).includes(merchantUid));
  const merchant_uid = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid, amount: 14_000, pay_method: 'card' });
  system.iamport.ledger.pay(imp_uid, { amount: 14_000 });
  await system.complete({ imp_uid });
  await vi.waitFor(() => expect(linesOf(merchant_uid)).toHaveLength(2), 30_000);
  const [, line] = linesOf(merchant_uid);
  const message = (line?.message ?? line) as Record<string, unknown>;
  expect(message).toEqual({
    requestId: expect.any(String),
    version: VERSION,
    route: 'POST /payments/complete',
    impUid: imp_uid,
    merchantUid: merchant_uid,
    outcome: 'paid',
    status: 200,
    durationMs: expect.any(Number),
    cold: expect.any(Boolean),
    iamportCalls: 1,
    iamportMs: expect.any(Number),
    // The read of the order, and the write. The token is cached.
    tableCalls: 2,
    tableMs: expect.any(Number),
  });
});

test('writes metrics in the embedded metric format, without a prefix and under the name of the deployment', async () => {
  const counted = () =>
    logged
      .join('')
      .split('\n')
      .flatMap((text) => /\{"_aws".*\}/.exec(text)?.[0] ?? [])
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  await vi.waitFor(() => expect(counted().filter(({ Money }) => Money)).not.toEqual([]), 30_000);
  const deployment = { Deployment: 'IamportPayments/Payments' };
  expect(counted()).toContainEqual(expect.objectContaining({ ...deployment, ColdStarts: 1 }));
  expect(counted()).toContainEqual(expect.objectContaining({ ...deployment, Event: 'Payment Paid' }));
  const rejected = { Event: 'Payment Rejected', Currency: 'KRW', Money: 100 };
  expect(counted()).toContainEqual(expect.objectContaining({ ...deployment, ...rejected }));
});

test('stores the access token in its table, and neither logs, returns nor publishes it [T29]', async () => {
  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: system.database.endpoint, region: 'ap-northeast-2', credentials });
  const TableName = system.tables.find((name) => name.includes('State'));
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  client.destroy();
  const token =
    Items.find(({ id }) => id?.S === 'iamport-token')?.access_token?.S ?? expect.unreachable('no token was shared');
  expect(token.length).toBeGreaterThan(16);
  expect(`${logged.join('')}${returned.join('')}${JSON.stringify(system.bus.events)}`).not.toContain(token);
});

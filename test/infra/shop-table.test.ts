/** The whole system on a shop's own table: synthesized, bundled and run locally, with orders that only the shop wrote. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { App, Stack } from 'aws-cdk-lib';
import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { IamportPayments } from '../../infra/iamport-payments.ts';
import { LambdaFunction } from '../../local/aws/lambda.ts';
import { CloudAssembly } from '../../local/aws/template.ts';
import { type System, startSystem } from '../support/system.ts';
import { shippedContext } from './shipped.ts';
import { verified } from './verified.ts';

const databaseKey = 'shoptabletest';
let directory: string;
let system: System;
let client: DynamoDBClient;
let TableName: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shop-table-'));
  const app = new App({ outdir: directory, analyticsReporting: false });
  const stack = new Stack(app, 'Shop');
  const table = new TableV2(stack, 'Baskets', {
    partitionKey: { name: 'basket', type: AttributeType.STRING },
    dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
  });
  const ordersTable = { table, key: 'basket', amount: 'total', currency: 'money' };
  const { storefront } = shippedContext.iamport;
  // With keepWarm, provisionedConcurrency and canary, none of which may change a response or an event.
  new IamportPayments(stack, 'Payments', {
    storefront,
    ordersTable,
    keepWarm: true,
    provisionedConcurrency: 1,
    canary: true,
  });
  app.synth();
  system = await startSystem({ assembly: directory, databaseKey });
  system.iamport.settings.webhooks = 'never';
  TableName = system.tables.find((name) => name.startsWith('Baskets')) ?? '';
  const credentials = { accessKeyId: databaseKey, secretAccessKey: 'local' };
  client = new DynamoDBClient({ endpoint: inject('dynamodbEndpoint'), region: 'ap-northeast-2', credentials });
});
afterAll(async () => {
  await system.close();
  client.destroy();
  await rm(directory, { recursive: true });
});

/** Writes the shop's item of a basket at checkout. */
const basket = (name: string, total = 14_000) =>
  client.send(
    new PutItemCommand({
      TableName,
      Item: { basket: { S: name }, total: { N: String(total) }, money: { S: 'KRW' }, status: { S: 'at the till' } },
    }),
  );
const stored = async (name: string) =>
  (await client.send(new GetItemCommand({ TableName, Key: { basket: { S: name } }, ConsistentRead: true }))).Item;
const pay = (merchant_uid: string, amount = 14_000) => {
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid, amount: 14_000, pay_method: 'card' });
  return system.iamport.ledger.pay(imp_uid, { amount }).imp_uid;
};
const eventsOf = (merchantUid: string) =>
  system.bus.events
    .filter(({ detail }) => (detail as { merchant_uid?: string }).merchant_uid === merchantUid)
    .map((event) => event['detail-type']);

test('a basket is paid, published and refunded, and keeps the shop’s attributes', async () => {
  await basket('basket-1');
  const imp_uid = pay('basket-1');
  const { json } = await system.complete({ imp_uid, merchant_uid: 'basket-1' });
  expect(json).toMatchObject({ status: 'paid', amount: 14_000 });
  expect(await stored('basket-1')).toMatchObject({
    total: { N: '14000' },
    status: { S: 'at the till' },
    iamport_status: { S: 'paid' },
    iamport_imp_uid: { S: imp_uid },
  });
  await vi.waitFor(() => expect(eventsOf('basket-1')).toEqual(['Payment Paid']), 30_000);

  const refunded = await system.shop('POST', 'basket-1/refunds', { reason: '단순 변심' });
  expect(refunded.status).toBe(200);
  expect((await system.shop('GET', 'basket-1')).json).toMatchObject({ status: 'cancelled', cancelled_amount: 14_000 });
  await vi.waitFor(() => expect(eventsOf('basket-1')).toContain('Payment Cancelled'), 30_000);
});

test('a basket that the shop writes back whole keeps its payment, and its events are published once', async () => {
  await basket('basket-5');
  const imp_uid = pay('basket-5');
  await system.complete({ imp_uid, merchant_uid: 'basket-5' });
  await vi.waitFor(() => expect(eventsOf('basket-5')).toEqual(['Payment Paid']), 30_000);
  await basket('basket-5');
  await vi.waitFor(
    async () => expect(await stored('basket-5')).toMatchObject({ iamport_imp_uid: { S: imp_uid } }),
    10_000,
  );
  const second = pay('basket-5');
  expect((await system.complete({ imp_uid: second, merchant_uid: 'basket-5' })).json).toMatchObject({
    status: 'rejected',
    reason: 'duplicate_payment',
  });
  await vi.waitFor(() => expect(eventsOf('basket-5')).toContain('Payment Rejected'), 30_000);
  expect(eventsOf('basket-5').filter((name) => name === 'Payment Paid')).toHaveLength(1);
});

test('a payment of another amount is rejected and reversed', async () => {
  await basket('basket-2', 20_000);
  const imp_uid = pay('basket-2');
  expect((await system.complete({ imp_uid, merchant_uid: 'basket-2' })).json).toMatchObject({
    status: 'rejected',
    reason: 'amount_mismatch',
    reversal: { state: 'done' },
  });
  expect(await stored('basket-2')).not.toHaveProperty('iamport_status');
  expect((await system.shop('GET', 'basket-2')).json).toMatchObject({ status: 'ready', amount: 20_000, revision: 0 });
});

test('registering sends the amount to Iamport and publishes no event; without the basket it is refused', async () => {
  await basket('basket-3');
  expect((await system.shop('PUT', 'basket-3', { amount: 9 })).json).toMatchObject({ code: 'order_exists' });
  const registered = await system.shop('PUT', 'basket-3', { amount: 14_000 });
  expect(registered).toMatchObject({ status: 201, json: { merchant_uid: 'basket-3', prepared: true } });
  expect((await system.shop('PUT', 'basket-none', { amount: 14_000 })).json).toMatchObject({ code: 'order_not_found' });
  expect(await stored('basket-none')).toBeUndefined();
});

test('a warming call does nothing and logs nothing', async () => {
  const assembly = CloudAssembly.read(directory);
  const [schedule] = assembly.ofType('AWS::Scheduler::Schedule').filter(({ id }) => /Warmconfirm/.test(id));
  const [confirm] = assembly.ofType('AWS::Lambda::Function').filter(({ id }) => /Confirm/.test(id));
  if (!schedule || !confirm) throw new Error('The template has no warming schedule for confirm');
  const { Code, Environment } = confirm.properties as {
    Code: { S3Key: string };
    Environment: { Variables: Record<string, string> };
  };
  const lines: string[] = [];
  const credentials = { AWS_ACCESS_KEY_ID: databaseKey, AWS_SECRET_ACCESS_KEY: 'local' };
  const lambda = new LambdaFunction({
    name: 'Confirm',
    codeDirectory: assembly.codeDirectory(Code.S3Key),
    handler: 'index.handler',
    timeoutSeconds: 12,
    memoryMb: 256,
    environment: { ...Environment.Variables, AWS_ENDPOINT_URL_DYNAMODB: inject('dynamodbEndpoint'), ...credentials },
    log: (text) => lines.push(text),
  });
  const { Input } = schedule.properties.Target as { Input: string };
  expect(await lambda.invoke(JSON.parse(Input))).toEqual({ statusCode: 204 });
  await lambda.close();
  expect(lines).toEqual([]);
});

test('the reconciler finds a payment without a notification', async () => {
  await basket('basket-4');
  const imp_uid = pay('basket-4');
  await system.reconcile();
  expect(await stored('basket-4')).toMatchObject({ iamport_status: { S: 'paid' }, iamport_imp_uid: { S: imp_uid } });
  await vi.waitFor(() => expect(eventsOf('basket-4')).toEqual(['Payment Paid']), 30_000);
  // Its registration came earlier in the stream, so an event of it would have been published by now.
  expect(eventsOf('basket-3')).toEqual([]);
  expect(system.faults).toEqual([]);
});

test('verify expects no order in the table of the shop, and registers none', async () => {
  const { code, lines } = await verified(system.url);
  expect([code, lines.filter((line) => line.startsWith('✗'))]).toEqual([0, []]);
  expect(lines.filter((line) => line.includes('404 order_not_found')).length).toBeGreaterThan(4);
  expect(lines).toContain('Left behind: nothing');
});

/** The operator's command on the whole local system: the output and the exit code of each subcommand. */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { storedValue } from '../../functions/application/ports/stores.ts';
import { parseAmount } from '../../functions/payment/money.ts';
import { failed } from '../../functions/payment/reversal.ts';
import { HELP } from '../../ops/cli.ts';
import { connect } from '../../ops/deployment.ts';
import { withProgress } from '../../ops/terminal.ts';
import { type Ended, runOperator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';

const cli = join(import.meta.dirname, '../../ops/cli.ts');
let system: System;
beforeAll(async () => {
  system = await startSystem();
  // Without webhooks, only the command settles.
  system.iamport.settings.webhooks = 'never';
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
});
afterAll(() => {
  vi.unstubAllEnvs();
  return system.close();
});

/** Runs the command in its own process. */
function started(args: readonly string[], cwd?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, LANG: 'ko_KR.UTF-8' };
    const child = spawn(process.execPath, [cli, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
      output.stdout += text;
    });
    child.stderr.on('data', (text) => {
      output.stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}

const here = () => ['--local', '--url', system.url];
const local = (...args: string[]) => runOperator([...args, ...here()]);

test('--local takes the port of the environment', async () => {
  vi.stubEnv('PORT', new URL(system.url).port);
  const order = await system.order();
  const { code, stdout } = await runOperator(['why', order, '--local']);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`Order ${order}: 14,000 KRW`)]);
});

/** The local system behind a server that passes each request on, and closes the connection in place of some responses. */
async function withoutResponseTo(lost: RegExp) {
  const server = createServer(async (request, response) => {
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const body = Buffer.concat(await request.toArray());
    const { method = 'GET', url = '' } = request;
    const init = { method, headers: headers as Record<string, string>, ...(body.length > 0 && { body }) };
    const answer = await fetch(system.url + url, init);
    const text = await answer.text();
    if (lost.test(url)) response.destroy();
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('--local takes the address as npm start prints it, and reads no configuration', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'broken-'));
  await writeFile(join(directory, 'iamport.json'), '{"name": }');
  const ended = await started(['why', 'unknown', '--local', '--url', `${system.url}/`], directory);
  expect([ended.code, ended.stderr]).toEqual([3, '']);
  await rm(directory, { recursive: true });
});

async function paid(amount = 14_000, order?: string) {
  const merchantUid = order ?? (await system.order());
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000, pay_method: 'card' });
  system.iamport.ledger.pay(imp_uid, { amount });
  return { merchantUid, imp_uid };
}
const statusOf = async (order: string) => ((await system.shop('GET', order)).json as { status: string }).status;

describe('why', () => {
  test('prints an unsettled payment, and the command that settles it', async () => {
    const { merchantUid, imp_uid } = await paid();
    const { code, stdout } = await local('why', merchantUid);
    expect(code).toBe(0);
    expect(stdout).toContain(`Order ${merchantUid}: 14,000 KRW, not paid yet`);
    expect(stdout).toContain('→ not applied to the order yet. Settling it changes the order to: paid');
    expect(stdout).toContain(`What to do:\n  settle ${imp_uid}`);
    expect(await statusOf(merchantUid)).toBe('ready');
  });

  test('prints a second payment that was reversed, in Korean', async () => {
    const first = await paid();
    await system.complete({ imp_uid: first.imp_uid, merchant_uid: first.merchantUid });
    const second = await paid(14_000, first.merchantUid);
    await system.complete({ imp_uid: second.imp_uid, merchant_uid: first.merchantUid });
    const { code, stdout } = await local('why', first.merchantUid, '--lang', 'ko');
    expect(code).toBe(0);
    expect(stdout).toContain(`주문 ${first.merchantUid}: 14,000 KRW, 결제 완료`);
    expect(stdout).toContain('→ 이 결제로 주문이 결제 완료되었습니다');
    expect(stdout).toContain('이미 다른 결제로 결제 완료된 주문: 결제 취소, 완료');
    expect(stdout).toContain('할 일:\n  없음');
  });

  test('is refused for an unknown order, with what to check', async () => {
    const { code, stdout } = await local('why', 'unknown');
    expect([code, stdout]).toEqual([3, expect.stringContaining('This order is not registered: unknown')]);
    expect(stdout).toContain('What to do:\n  Check the merchant_uid.');
  });

  test('reports a failed call to Iamport, and prints the data of the table', async () => {
    const { merchantUid } = await paid();
    system.iamport.faults.add({ path: '/payments/findAll', status: 500, times: 2 });
    const { code, stdout } = await local('why', merchantUid);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Iamport could not be queried')]);
  });

  test('prints JSON with --json', async () => {
    const { merchantUid, imp_uid } = await paid();
    const { code, stdout } = await local('why', merchantUid, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      order: { merchant_uid: merchantUid, status: 'ready', amount: 14_000 },
      payments: [{ imp_uid, amount: 14_000, state: 'kept', decision: { kind: 'change' } }],
      reversals: [],
      refunds: [],
    });
  });
});

describe('settle', () => {
  test('settles a missed payment through the deployed route', async () => {
    const { merchantUid, imp_uid } = await paid();
    const { code, stdout, stderr } = await local('settle', imp_uid);
    expect([code, stdout]).toEqual([0, `Order ${merchantUid}: paid\n`]);
    expect(stderr).toContain('Settling it changes the order to: paid');
    expect(await statusOf(merchantUid)).toBe('paid');
  });

  test('reverses no payment without a confirmation', async () => {
    const { imp_uid, merchantUid } = await paid(100);
    const unconfirmed = await local('settle', imp_uid);
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([
      4,
      expect.stringContaining('rejected: amount differs from the order → cancel the payment'),
    ]);
    expect(system.iamport.ledger.payment(imp_uid).cancel_amount).toBe(0);
    const { code, stdout } = await local('settle', imp_uid, '--yes');
    expect([code, stdout]).toEqual([0, `${imp_uid}: rejected, amount differs from the order. reversal: done\n`]);
    expect(system.iamport.ledger.payment(imp_uid).cancel_amount).toBe(100);
    expect(await statusOf(merchantUid)).toBe('ready');
  });

  test('is refused for a payment unknown to Iamport', async () => {
    expect(await local('settle', 'imp_000000000000')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('Payment not found at Iamport. Check the imp_uid'),
    });
  });
});

describe('refund', () => {
  test('refunds a part once for repeated requests with the same key', async () => {
    const { merchantUid, imp_uid } = await paid();
    await system.complete({ imp_uid, merchant_uid: merchantUid });
    const args = ['refund', merchantUid, '--amount', '4000', '--reason', '색상 변경', '--key', 'colour-1'];
    const unconfirmed = await local(...args);
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([
      4,
      expect.stringContaining(`This refunds: ${merchantUid}, 4,000 KRW, "색상 변경"`),
    ]);
    const stdout = `${merchantUid} (${imp_uid}): refunded 4,000 KRW, and 10,000 KRW of the payment is left\n`;
    for (let time = 0; time < 2; time += 1) expect(await local(...args, '--yes')).toMatchObject({ code: 0, stdout });
    const inKorean = await local(...args, '--yes', '--lang', 'ko');
    expect(inKorean.stdout).toContain('4,000 KRW을 환불했습니다. 남은 금액은 10,000 KRW입니다');
    expect(JSON.parse((await local(...args, '--yes', '--json')).stdout).refund).toMatchObject({ state: 'done' });
    expect(system.iamport.ledger.payment(imp_uid).cancel_amount).toBe(4_000);
    expect(await statusOf(merchantUid)).toBe('partial_cancelled');
    const history = await local('why', merchantUid);
    expect(history.stdout).toContain(`Order ${merchantUid}: 14,000 KRW, partly cancelled, remaining 10,000 KRW`);
  });

  test('[T489] whose response is lost prints its key, and a repeat with that key refunds once', async () => {
    const { merchantUid, imp_uid } = await paid();
    await system.complete({ imp_uid, merchant_uid: merchantUid });
    await using lossy = await withoutResponseTo(/\/refunds$/);
    const args = [
      'refund',
      merchantUid,
      '--amount',
      '4000',
      '--reason',
      '반품',
      '--yes',
      '--local',
      '--url',
      lossy.url,
    ];
    const { code, stderr } = await runOperator(args);
    const [, key = ''] = /^This refunds: .* \(--key ([\w-]+)\)$/m.exec(stderr) ?? [];
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(
          `^No response from ${lossy.url} \\(.*repeat this command with --key ${key}, and with no other key$`,
          'm',
        ),
      ),
    ]);
    const inKorean = await runOperator([...args, '--key', key, '--json', '--lang', 'ko']);
    expect([inKorean.stdout, inKorean.stderr]).toEqual([
      '',
      expect.stringContaining(`같은 명령에 --key ${key}를 붙여`),
    ]);
    const repeated = ['refund', merchantUid, '--amount', '4000', '--reason', '반품', '--yes', '--key', key];
    expect(await local(...repeated)).toMatchObject({ code: 0 });
    expect(system.iamport.ledger.payment(imp_uid).cancel_amount).toBe(4_000);
  });

  test('[T499] sends the tax parts that the operator names, 0 included', async () => {
    const merchantUid = await system.order({ amount: 14_000, tax_free: 3_000, vat_amount: 1_000 });
    const { imp_uid } = await paid(14_000, merchantUid);
    await system.complete({ imp_uid, merchant_uid: merchantUid });
    const args = [
      'refund',
      merchantUid,
      '--reason',
      '반품',
      '--amount',
      '4000',
      '--tax-free',
      '0',
      '--vat-amount',
      '364',
    ];
    const { code, stderr } = await local(...args, '--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('4,000 KRW, tax_free 0 KRW, vat_amount 364 KRW')]);
    const { deps } = await connect({ local: true, url: system.url, stack: '' });
    const { refunds } = await deps.reversals.ofOrder(merchantUid);
    expect(refunds).toMatchObject([{ amount: 4_000, taxFree: 0, vatAmount: 364 }]);
    const tooMuch = ['refund', merchantUid, '--reason', '반품', '--amount', '100', '--vat-amount', '101', '--yes'];
    expect((await local(...tooMuch, '--lang', 'ko')).stdout).toBe(
      '거절되었습니다: invalid_request (400). 인자를 확인하세요 (tax_free and vat_amount together must not be more than the refund.)\n',
    );
  });

  test('of an unpaid order is refused with the route’s own message', async () => {
    const order = await system.order();
    const { code, stdout } = await local('refund', order, '--reason', 'x', '--yes');
    expect([code, stdout]).toEqual([3, 'Refused: not_paid (409). Nothing of this order is left to refund.\n']);
    const inKorean = await local('refund', order, '--reason', 'x', '--yes', '--lang', 'ko');
    expect(inKorean.stdout).toBe('거절되었습니다: not_paid (409). 이 주문에는 환불할 금액이 없습니다\n');
  });

  test.each([
    [['--yes'], '--reason is missing'],
    [['--reason', 'x', '--amount', '0.5', '--yes'], '--amount 0.5 is not an amount of KRW'],
    [['--reason', 'x', '--amount', '0', '--yes'], '--amount 0 is not an amount of KRW'],
    [['--reason', 'x', '--vat-amount', '-1', '--yes'], '--vat-amount'],
    [['--reason', 'x', '--tax-free=1e3', '--yes'], '--tax-free 1e3 is not an amount of KRW'],
    [['--reason', 'x', '--key', '환불', '--yes'], '--key 환불 must have 1 to 64 letters, digits, - or _'],
    [['--reason', 'x', '--account', '홍길동', '--yes'], '--account must be holder,bank code,number'],
  ])('with %j is misuse', async (more, message) => {
    const order = await system.order();
    expect(await local('refund', order, ...more)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

test.each([[[]], [['--json']]])('at a terminal the command asks, and obeys the reply, with %j', async (more) => {
  const order = await system.order();
  const no = await runOperator(['close', order, ...here(), ...more], 'n\n');
  expect([no.code, no.stderr]).toEqual([
    4,
    expect.stringMatching(
      new RegExp(`^${order}: This closes the order .*\nContinue\\? \\[y/N\\] Not confirmed, so nothing was done`),
    ),
  ]);
  expect(await statusOf(order)).toBe('ready');
  expect(await runOperator(['close', order, ...here(), ...more], 'y\n')).toMatchObject({ code: 0 });
  expect(await statusOf(order)).toBe('closed');
});

test('as a process the command exits with the documented code, in the language of the machine', async () => {
  const { merchantUid } = await paid();
  const ended = await started(['why', merchantUid, ...here()]);
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  expect(ended.stdout).toContain(`주문 ${merchantUid}: 14,000 KRW, 결제 전`);
  expect(await started(['close', merchantUid, ...here()])).toMatchObject({ code: 4, stdout: '' });
  expect(await started(['pay'])).toMatchObject({ code: 2, stdout: '' });
});

test('close closes an unpaid order after a confirmation, and refuses a paid one', async () => {
  const order = await system.order();
  expect(await local('close', order)).toMatchObject({ code: 4 });
  expect(await statusOf(order)).toBe('ready');
  expect(await local('close', order, '--yes')).toMatchObject({ code: 0, stdout: `Closed: ${order}\n` });
  expect(await statusOf(order)).toBe('closed');
  const { merchantUid, imp_uid } = await paid();
  await system.complete({ imp_uid, merchant_uid: merchantUid });
  expect(await local('close', merchantUid, '--yes')).toMatchObject({
    code: 3,
    stdout: expect.stringContaining('Refused: order_paid (409)'),
  });
});

test('attention lists a deposit that the operator must refund, until it is returned', async () => {
  expect(await local('attention')).toMatchObject({ code: 0, stdout: 'No item needs the operator\n' });
  const order = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'vbank' });
  system.iamport.ledger.issueAccount(imp_uid, { amount: 9_000 });
  system.iamport.ledger.deposit(imp_uid);
  await system.complete({ imp_uid, merchant_uid: order });
  const { code, stdout } = await local('attention');
  expect(code).toBe(5);
  expect(stdout).toMatch(
    new RegExp(
      `${imp_uid} +${order} +9,000 KRW +amount differs from the order +refund by the operator +operator must act`,
    ),
  );
  system.iamport.ledger.cancelInConsole(imp_uid);
  await system.webhook({ imp_uid, merchant_uid: order, status: 'cancelled' });
  expect(await local('attention', '--json')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"waiting": []'),
  });
});

test('returned records a transfer from the shop’s own bank, after a confirmation', async () => {
  const order = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'vbank' });
  system.iamport.ledger.issueAccount(imp_uid);
  const deposits = (...amounts: number[]) =>
    Object.assign(system.iamport.ledger.payment(imp_uid), { deposit_history: amounts.map((amount) => ({ amount })) });
  system.iamport.ledger.deposit(imp_uid);
  deposits(14_000);
  await system.complete({ imp_uid, merchant_uid: order });
  expect((await local('returned', imp_uid)).code).toBe(3);
  deposits(14_000, 3_000);
  await system.complete({ imp_uid, merchant_uid: order });
  expect((await local('why', order)).stdout).toContain(
    `Transfer the excess deposit to the buyer, then record it: returned ${imp_uid}`,
  );
  expect(await local('returned', imp_uid)).toMatchObject({ code: 4, stderr: expect.stringContaining('3,000 KRW') });
  expect(await local('returned', imp_uid, '--yes')).toMatchObject({
    code: 0,
    stdout: `Recorded: ${imp_uid} · ${order}, 3,000 KRW\n`,
  });
  // Iamport still shows the deposits, and they must not be published again.
  await system.complete({ imp_uid, merchant_uid: order });
  expect(await local('attention')).toMatchObject({ code: 0, stdout: 'No item needs the operator\n' });
});

test('returned records a refund that the PG has accepted and paid out, after a confirmation', async () => {
  const { merchantUid, imp_uid } = await paid();
  await system.complete({ imp_uid, merchant_uid: merchantUid });
  system.iamport.settings.pgDefersCancels = true;
  await local('refund', merchantUid, '--amount', '4000', '--reason', '반품', '--key', 'late', '--yes');
  system.iamport.settings.pgDefersCancels = false;
  const id = `${imp_uid}/late`;
  expect((await local('attention')).stdout).toContain(id);
  expect(await local('returned', `${imp_uid}/none`, '--yes')).toMatchObject({ code: 3 });
  expect(await local('returned', id)).toMatchObject({ code: 4, stderr: expect.stringContaining('4,000 KRW') });
  expect(await local('returned', id, '--yes')).toMatchObject({
    code: 0,
    stdout: `Recorded: ${id} · ${merchantUid}, 4,000 KRW\n`,
  });
  expect((await local('why', merchantUid)).stdout).toMatch(/4,000 KRW, "반품", done/);
  expect(await local('returned', id, '--yes')).toMatchObject({ code: 3 });
});

test('returned finishes operator items without money, and refuses other items', async () => {
  const reversals = (await connect({ local: true, url: system.url, stack: '' })).deps.reversals;
  const request = { merchantUid: 'order-unknown', reason: 'order_not_found', currency: 'KRW' } as const;
  const amount = parseAmount(9_000, 'KRW') ?? expect.unreachable();
  const nothing = parseAmount(0, 'KRW') ?? expect.unreachable();
  await reversals.request({ ...request, impUid: 'imp_orphan', kind: 'orphan', amount }, 1_795_000_000, 0);
  const account = {
    ...request,
    impUid: 'imp_account',
    kind: 'revoke',
    reason: 'order_closed',
    amount: nothing,
  } as const;
  let reversal = storedValue(await reversals.request(account, 1_795_000_000, 1));
  expect(await local('returned', 'imp_account', '--yes')).toMatchObject({ code: 3 });
  for (let hour = 1; reversal.state === 'requested'; hour += 1) {
    const now = 1_795_000_000 + hour * 86_400;
    const refused = await reversals.move(reversal, failed(reversal, 'refused', now));
    reversal = (await reversals.claim(refused, now + 86_400)) ?? reversal;
    reversal = (await reversals.read('imp_account')) ?? reversal;
  }
  expect(await local('returned', 'imp_orphan')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('without an order'),
  });
  expect(await local('returned', 'imp_account')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('the virtual account'),
  });
  for (const impUid of ['imp_orphan', 'imp_account']) {
    expect(await local('returned', impUid, '--yes')).toMatchObject({ code: 0 });
    expect(await reversals.read(impUid)).toMatchObject({ state: 'done' });
  }
});

describe('republish', () => {
  const eventsOf = (merchantUid: string) =>
    system.bus.events
      .filter(({ detail }) => (detail as { merchant_uid: string }).merchant_uid === merchantUid)
      .map((event) => ({ name: event['detail-type'], detail: event.detail }));
  const sorted = (events: readonly { name: string; detail: unknown }[]) =>
    [...events].sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));

  test('publishes the same events of an order, its reversals and refunds again, by order or payment', async () => {
    const { merchantUid, imp_uid } = await paid();
    await system.complete({ imp_uid, merchant_uid: merchantUid });
    const second = await paid(14_000, merchantUid);
    await system.complete({ imp_uid: second.imp_uid, merchant_uid: merchantUid });
    await local('refund', merchantUid, '--amount', '4000', '--reason', '할인', '--key', 'again', '--yes');
    await vi.waitFor(() => expect(eventsOf(merchantUid)).toHaveLength(5), 30_000);
    const before = eventsOf(merchantUid);
    const again = before.filter(({ name }) => !['Payment Paid', 'Payment Rejected'].includes(name));
    expect(again.map(({ name }) => name).sort()).toEqual([
      'Payment Partially Cancelled',
      'Refund Completed',
      'Refund Completed',
    ]);
    for (const subject of [merchantUid, second.imp_uid, imp_uid]) {
      const { code, stdout } = await local('republish', subject, '--json');
      expect(code).toBe(0);
      expect(sorted(JSON.parse(stdout).published)).toEqual(sorted(again));
    }
    expect(sorted(eventsOf(merchantUid).slice(before.length, before.length + 3))).toEqual(sorted(again));
  });

  test.each([[[]], [['order-1', '--queue']]])('with %j is misuse', async (args) => {
    expect(await local('republish', ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('republish takes a merchant_uid, an imp_uid, or --queue'),
    });
  });

  test('is refused for an unknown order', async () => {
    expect(await local('republish', 'unknown')).toMatchObject({ code: 3, stdout: 'No event to publish\n' });
  });

  test('processes the queue: a repaired item is published and deleted, a broken one stays', async () => {
    const [repaired, broken] = [await paid(), await paid()];
    for (const { merchantUid, imp_uid } of [repaired, broken]) {
      await system.complete({ imp_uid, merchant_uid: merchantUid });
      await setStatus(merchantUid, 'in_dispute', 3);
    }
    await vi.waitFor(() => expect(system.unpublished.bodies).toHaveLength(2), 30_000);
    expect(JSON.parse(system.unpublished.bodies[0] ?? '')).toMatchObject({
      table: expect.stringContaining('Orders'),
      key: { merchant_uid: repaired.merchantUid },
      reason: expect.stringContaining(`status of order ${repaired.merchantUid}`),
    });
    await setStatus(repaired.merchantUid, 'paid', 3);
    const { code, stdout } = await local('republish', '--queue');
    expect([code, stdout]).toEqual([5, expect.stringContaining(`Published: Payment Paid ${repaired.merchantUid}:3\n`)]);
    expect(stdout).toContain(`Not published: ${broken.merchantUid}: The status of order ${broken.merchantUid}`);
    expect(system.unpublished.bodies.map((body) => JSON.parse(body).key)).toEqual([
      { merchant_uid: broken.merchantUid },
    ]);
    expect(eventsOf(repaired.merchantUid).at(-1)).toMatchObject({ name: 'Payment Paid' });
    // The first run has received the message that stays, and SQS hides it for two minutes.
    const again = await local('republish', '--queue');
    expect([again.code, again.stdout]).toEqual([5, expect.stringContaining('Run this again in two minutes\n')]);
  });
});

/** Edits an item like an operator in the console of DynamoDB. */
async function setStatus(merchantUid: string, status: string, revision: number): Promise<void> {
  const { config } = await connect({ local: true, url: system.url, stack: '' });
  const client = new DynamoDBClient({});
  await client.send(
    new UpdateItemCommand({
      TableName: config.tables.orders,
      Key: { merchant_uid: { S: merchantUid } },
      UpdateExpression: 'SET #status = :status, #revision = :revision',
      ExpressionAttributeNames: { '#status': 'status', '#revision': 'revision' },
      ExpressionAttributeValues: { ':status': { S: status }, ':revision': { N: String(revision) } },
    }),
  );
  client.destroy();
}

test('reconcile settles a payment without a notification', async () => {
  const { merchantUid } = await paid();
  const { code, stdout } = await local('reconcile');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^ +[1-9]\d* {2}payments settled$/m)]);
  expect(await statusOf(merchantUid)).toBe('paid');
});

test('slow work reports its progress until it ends', async () => {
  const reports: string[] = [];
  const { promise: work, resolve: end } = Promise.withResolvers<string>();
  // The work ends after two reports, independent of the speed of the machine.
  const progress = (text: string) => {
    if (reports.push(text) === 2) end('over');
  };
  expect(await withProgress(work, progress, 50)).toBe('over');
  expect(reports).toEqual([expect.stringMatching(/^… \d+ s$/), expect.stringMatching(/^… \d+ s$/)]);
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(reports).toHaveLength(2);
});

describe('doctor', () => {
  test('passes every check on a healthy system', async () => {
    await system.reconcile();
    const { code, stdout } = await local('doctor');
    expect(stdout.match(/^✓/gm)).toHaveLength(8);
    expect(stdout).toMatch(/^✓ version: deployed (\d+\.\d+\.\d+), this command \1$/m);
    expect(code).toBe(0);
  });

  test('warns without failing when no paid payment at Iamport belongs to a registered order', async () => {
    const own = await startSystem({ databaseKey: 'otheraccount' });
    own.iamport.settings.webhooks = 'never';
    try {
      const { imp_uid } = own.iamport.ledger.open({ merchant_uid: 'other-shop-1', amount: 9_000, pay_method: 'card' });
      own.iamport.ledger.pay(imp_uid);
      await own.reconcile();
      const { code, stdout } = await runOperator(['doctor', '--local', '--url', own.url]);
      expect(stdout).toMatch(/^! Iamport account: 0 of 1 order numbers/m);
      expect(stdout).toContain('→ Check that the keys in the secret belong to the Iamport account of this shop');
      expect(code).toBe(0);
      const order = await own.order();
      const ours = own.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'card' });
      own.iamport.ledger.pay(ours.imp_uid);
      expect((await runOperator(['doctor', '--local', '--url', own.url])).stdout).toMatch(
        /^✓ Iamport account: 1 of 2/m,
      );
    } finally {
      await own.close();
    }
  });

  test('detects that Iamport issues no token for the keys, though the shared token is still valid', async () => {
    system.iamport.faults.add({ path: '/users/getToken', status: 500, times: 20 });
    const { code, stdout } = await local('doctor');
    system.iamport.faults.clear();
    expect([code, stdout]).toEqual([5, expect.stringContaining('✗ Iamport keys')]);
    expect(stdout).toContain('→ Put imp_key and imp_secret into the secret');
  });

  test('prints the remedy when Iamport does not respond', async () => {
    system.iamport.faults.add({ path: '/payments', status: 500, times: 20 });
    const { code, stdout } = await local('doctor', '--lang', 'ko');
    system.iamport.faults.clear();
    expect(code).toBe(5);
    expect(stdout).toContain('✗ 아임포트 키');
    expect(stdout).toContain('→ 시크릿에 imp_key와 imp_secret을 넣으세요');
  });
});

describe('the command line', () => {
  test('--help lists every subcommand, in both languages', async () => {
    for (const lang of ['en', 'ko']) {
      const { code, stdout } = await runOperator(['--help', '--lang', lang]);
      expect(code).toBe(0);
      for (const name of [
        'why',
        'attention',
        'settle',
        'refund',
        'returned',
        'close',
        'reconcile',
        'republish',
        'doctor',
        'verify',
        'native',
      ])
        expect(stdout).toContain(`\n  ${name} `);
    }
  });

  test.each([
    ['en', 'docs/operate.md'],
    ['ko', 'docs/operate.ko.md'],
  ] as const)('the help in %s is quoted in %s', async (lang, doc) => {
    expect(await readFile(join(import.meta.dirname, '../..', doc), 'utf8')).toContain(`\n${HELP[lang]}\`\`\`\n`);
  });

  test('native prints its help in the language of --lang', async () => {
    expect((await runOperator(['native', '--help', '--lang', 'ko'])).stdout).toMatch(/^WebView로 결제하는 앱에/);
  });

  test('native prints the declarations of an app', async () => {
    expect(await runOperator(['native', '--scheme', 'iamporttest'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('LSApplicationQueriesSchemes'),
    });
  });

  test.each([
    [['pay', 'order-1'], 'Unknown subcommand: pay'],
    [['why'], 'why needs the argument merchant_uid'],
    [['attention', 'now'], 'attention does not take the argument now'],
    [['why', 'a', 'b'], 'why does not take the argument b'],
    [['constructor'], 'Unknown subcommand: constructor'],
    [['why', 'a', '--colour'], "Unknown option '--colour'"],
    [['doctor', '--lang', 'fr'], '--lang must be ko or en'],
    [['pay', '--lang', 'ko'], '알 수 없는 명령: pay\n사용법: --help'],
    [['why', '--lang', 'ko'], 'why 뒤에 merchant_uid를 쓰세요'],
    [['why', 'a', '--colour', '--lang', 'ko'], '--colour: 없는 옵션이거나 값이 잘못되었습니다'],
  ])('%j is misuse', async (args, message) => {
    expect(await runOperator(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('a missing local system is reported with the remedy', async () => {
    const { code, stderr } = await runOperator(['doctor', '--local', '--url', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Start it with npm start')]);
  });
});

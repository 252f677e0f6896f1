/**
 * Calculates the cost of a payment: `npm run bench:cost`. Runs card payments through the local system, counts the AWS resources that
 * they use, and writes the table of docs/cost.md with the prices of prices.json.
 */

import type { Language } from '../functions/shared/language.ts';
import { cdkContext } from '../infra/context.ts';
import { HTTP_MEMORY_MB } from '../infra/function-table.ts';
import { localAssembly } from '../local/assembly.ts';
import { startDynamodbLocal } from '../local/aws/dynamodb-local.ts';
import { localShopKey } from '../local/aws/secrets.ts';
import { startLocal } from '../local/system.ts';
import { writeParts } from '../scripts/generated.ts';
import { type Counted, isWritten, startCounting, unitsOf } from './counted.ts';
import prices from './prices.json' with { type: 'json' };

const payments = 20;
/** Memory sizes in MB, with the duration of an HTTP function's warm invocation in seconds, Iamport 40 ms away. See docs/performance.md. */
const httpSeconds = { 256: 0.07, 512: 0.05 } as const;
type HttpMemoryMb = keyof typeof httpSeconds;
const deployedMb: HttpMemoryMb = HTTP_MEMORY_MB;
/** Size of a paid order with its keys, as DynamoDB counts it, rounded up. */
const orderKb = 1;
const monthsKept = 12;
/** The reconciler runs every five minutes, with or without payments: 512 MB, a few tenths of a second, four pages of payments. */
const reconcilerRuns = 12 * 24 * 30;
const reconcilerGbSeconds = 0.5 * 0.5;
/** Before each run: a heartbeat into two tables, and the receipt of each. Every write is at most one run of the publisher, at 256 MB. */
const heartbeatWrites = 4 * reconcilerRuns;
const publisherGbSeconds = 0.03 * 0.25;

/** The use of one payment. */
export interface Used {
  /** Each is an invocation of an HTTP function. */
  readonly apiRequests: number;
  /** Runs of the publisher, at the most: one for each change of an item. */
  readonly publisherRuns: number;
  readonly reads: number;
  readonly writes: number;
  readonly iamportCalls: number;
  readonly events: number;
  readonly logBytes: number;
}

/** Makes card payments one after another, with the calls of a storefront and of Iamport. @returns the use of one payment */
export async function used(): Promise<Used> {
  const database = await startDynamodbLocal();
  const dynamodb = await startCounting(database.endpoint);
  let logBytes = 0;
  const local = await startLocal({
    assembly: localAssembly(cdkContext()),
    port: 0,
    dynamodb: dynamodb.url,
    schedules: false,
    log: (text) => {
      logBytes += Buffer.byteLength(text);
    },
  });
  try {
    // The first payment starts the functions and fetches the token that the others share.
    await pay(local, 0);
    await settled(local, 1);
    dynamodb.taken();
    logBytes = 0;
    const eventsBefore = local.bus.events.length;
    const callsBefore = callsOf(local);
    for (let payment = 1; payment <= payments; payment += 1) await pay(local, payment);
    await settled(local, payments + 1);
    return { ...(await perPayment(dynamodb, local, eventsBefore, callsBefore)), logBytes: logBytes / payments };
  } finally {
    await local.close();
    await dynamodb.close();
    await database.close();
  }
}

type Local = Awaited<ReturnType<typeof startLocal>>;

const callsOf = (local: Local): number =>
  Object.values(local.iamport?.faults.counts() ?? {}).reduce((sum, calls) => sum + calls, 0);

async function perPayment(dynamodb: Counted, local: Local, eventsBefore: number, callsBefore: number) {
  const calls = dynamodb.taken();
  const units = unitsOf(calls);
  const sum = (isOurs: (operation: string) => boolean) =>
    units.filter(([operation]) => isOurs(operation)).reduce((total, [, taken]) => total + taken, 0) / payments;
  return {
    apiRequests: 4,
    publisherRuns: calls.filter(isWritten).length / payments,
    reads: sum((operation) => operation === 'GetItem' || operation === 'Query'),
    writes: sum((operation) => operation === 'UpdateItem'),
    iamportCalls: (callsOf(local) - callsBefore) / payments,
    events: (local.bus.events.length - eventsBefore) / payments,
  };
}

/** Registers the order, calls `confirm` as Iamport does, pays and completes. The fake Iamport sends the webhook. */
async function pay(local: Local, number: number): Promise<void> {
  const merchantUid = `cost-${number}`;
  const path = `/orders/${merchantUid}`;
  const body = JSON.stringify({ amount: 14_000, name: '장미 한 다발' });
  const headers = { authorization: `Bearer ${localShopKey}`, 'content-type': 'application/json' };
  await sent(local, path, { method: 'PUT', headers, body }, 201);
  const { imp_uid } = (local.iamport as NonNullable<Local['iamport']>).ledger.open({
    merchant_uid: merchantUid,
    amount: 14_000,
    pay_method: 'card',
  });
  const json = (fields: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  });
  await sent(local, '/payments/confirm', json({ imp_uid, merchant_uid: merchantUid, amount: 14_000 }), 200);
  local.iamport?.ledger.pay(imp_uid);
  await sent(local, '/payments/complete', json({ imp_uid, merchant_uid: merchantUid }), 200);
}

async function sent(local: Local, path: string, init: RequestInit, expected: number): Promise<void> {
  const { status } = await fetch(local.url + path, init);
  if (status !== expected) throw new Error(`${path} answered ${status}`);
}

/** Waits until the event of every payment is published and its notification is processed. */
async function settled(local: Local, paid: number): Promise<void> {
  for (let checks = 0; checks < 200; checks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const published = local.bus.events.filter((event) => JSON.stringify(event).includes('Payment Paid')).length;
    if (published >= paid) break;
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
}

type PriceName = keyof typeof prices.prices;

/** The compute of the HTTP functions for a number of payments, in GB-seconds. */
const httpGbSeconds = (one: Used, many: number, memoryMb: HttpMemoryMb): number =>
  one.apiRequests * many * httpSeconds[memoryMb] * (memoryMb / 1024);

/** Dollars a month, by the item of prices.json. @param many payments a month */
export function monthly(one: Used, many: number): [PriceName, number][] {
  const storedGb = (many * monthsKept * orderKb) / 1_000_000;
  const amounts: Record<PriceName, number> = {
    httpApiRequest: one.apiRequests * many,
    lambdaRequest: (one.apiRequests + one.publisherRuns) * many + reconcilerRuns + heartbeatWrites,
    lambdaGbSecond:
      httpGbSeconds(one, many, deployedMb) +
      (one.publisherRuns * many + heartbeatWrites) * publisherGbSeconds +
      reconcilerRuns * reconcilerGbSeconds,
    dynamodbWrite: one.writes * many + heartbeatWrites,
    dynamodbRead: one.reads * many,
    dynamodbGbMonth: storedGb,
    dynamodbBackupGbMonth: storedGb,
    event: one.events * many,
    logGb: (one.logBytes * many) / 1e9,
    // The keys at Iamport, and those of the shop.
    secretMonth: 2,
  };
  return (Object.entries(amounts) as [PriceName, number][]).map(([name, amount]) => {
    const { usd, per } = prices.prices[name];
    return [name, (amount / per) * usd];
  });
}

/** The compute of the HTTP functions at each memory size, in dollars a month. */
function sizeTable(one: Used, language: Language): string {
  const isKorean = language === 'ko';
  const { usd, per } = prices.prices.lambdaGbSecond;
  const sizes = (Object.keys(httpSeconds).map(Number) as HttpMemoryMb[]).map((memoryMb) => {
    const cells = counts.map((many) => cents((httpGbSeconds(one, many, memoryMb) / per) * usd));
    return [`${memoryMb} MB, ${httpSeconds[memoryMb] * 1000} ms`, ...cells];
  });
  const head = [isKorean ? 'HTTP 함수의 GB-초, USD' : 'HTTP functions, GB-seconds in USD', ...monthHeads(isKorean)];
  return [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...sizes]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const counts = [1_000, 100_000, 10_000_000];
const dollars = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
/** With the first digits of a small amount. */
const cents = (value: number): string => (value < 0.1 ? value.toPrecision(2) : value.toFixed(2));
const monthHeads = (isKorean: boolean): string[] =>
  counts.map((many) => `${many.toLocaleString('en')} / ${isKorean ? '월' : 'month'}`);
const shown = (value: number): string => String(Math.round(value * 100) / 100);

function tables(one: Used, language: Language): string {
  const isKorean = language === 'ko';
  const uses: [string, string, number][] = [
    [
      'API Gateway requests (order, confirm, complete, webhook)',
      'API Gateway 요청(주문, confirm, complete, 웹훅)',
      one.apiRequests,
    ],
    [
      'Lambda invocations, the publisher’s at the most',
      'Lambda 호출(발행 함수는 최대치)',
      one.apiRequests + one.publisherRuns,
    ],
    ['DynamoDB read units', 'DynamoDB 읽기 단위', one.reads],
    [
      'DynamoDB write units, indexes included, and the write that loses when webhook and callback meet',
      'DynamoDB 쓰기 단위(인덱스와, 웹훅과 콜백이 만날 때 지는 쓰기 포함)',
      one.writes,
    ],
    ['calls to Iamport', 'Iamport 호출', one.iamportCalls],
    ['events', '이벤트', one.events],
    ['bytes of logs', '로그 바이트', one.logBytes],
  ];
  const perMonth = counts.map((many) => monthly(one, many));
  const rows = Object.entries(prices.prices).map(([name, { what }]) => {
    const cells = perMonth.map((list) => dollars(list.find(([found]) => found === name)?.[1] ?? 0));
    return `| ${what} | ${cells.join(' | ')} |`;
  });
  const sums = perMonth.map((list) => `**${dollars(list.reduce((sum, [, usd]) => sum + usd, 0))}**`);
  return [
    `| ${isKorean ? '카드 결제 하나' : 'one card payment'} | |`,
    '| --- | --: |',
    ...uses.map(([en, ko, value]) => `| ${isKorean ? ko : en} | ${shown(value)} |`),
    '',
    `| USD, ${prices.region}, ${prices.written} | ${monthHeads(isKorean).join(' | ')} |`,
    '| --- | --: | --: | --: |',
    ...rows,
    `| **${isKorean ? '합계' : 'together'}** | ${sums.join(' | ')} |`,
  ].join('\n');
}

if (import.meta.main) {
  const one = await used();
  const parts = (language: Language) => ({
    'bench:cost': tables(one, language),
    'bench:cost-size': sizeTable(one, language),
  });
  writeParts({ en: 'docs/cost.md', ko: 'docs/cost.ko.md' }, parts);
  console.log(Object.values(parts('en')).join('\n\n'));
}

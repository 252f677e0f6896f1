/** The facts that the live page shows during a payment: requests, calls, decisions, writes and events. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fact, Live, observeLog } from '../../local/live/live.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  system.iamport.settings.webhooks = 'never';
});
afterAll(() => system.close());

/** Reads the feed until a fact matches. @returns the latest version of each fact */
async function factsUntil(isLast: (fact: Fact) => boolean): Promise<Fact[]> {
  const stop = new AbortController();
  const response = await fetch(`${system.url}/__local/live`, { signal: stop.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const facts = new Map<number, Fact>();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines.filter((one) => one.startsWith('data: '))) {
      const fact: Fact = JSON.parse(line.slice('data: '.length));
      facts.set(fact.id, fact);
    }
    if ([...facts.values()].some(isLast)) break;
  }
  stop.abort();
  return [...facts.values()];
}

const stepsOf = (facts: readonly Fact[], order: string) =>
  facts.filter((fact) => fact.order === order).map(({ kind, from, to, title }) => [kind, from, to, title]);

async function buy(approved?: number): Promise<{ order: string; payment: string; opened: string }> {
  const order = await system.order();
  const post = (path: string, body: object) =>
    fetch(system.iamport.url + path, { method: 'POST', body: JSON.stringify(body) });
  const param = {
    merchant_uid: order,
    amount: 14_000,
    buyer_name: 'CANARY',
    buyer_tel: 'CANARY',
    buyer_email: 'CANARY',
  };
  const response = await post('/checkout', { channel: 'pc', param });
  const { imp_uid } = (await response.json()) as { imp_uid: string };
  await post(`/checkout/${imp_uid}/pay`, approved === undefined ? {} : { amount: approved });
  await system.complete({ imp_uid, merchant_uid: order });
  return { order, payment: imp_uid, opened: `POST /checkout/${imp_uid}/pay` };
}

test('a payment is shown from its order to its event', async () => {
  const { order, payment, opened } = await buy();
  const facts = await factsUntil(({ kind, order: of }) => kind === 'event' && of === order);
  const steps = stepsOf(facts, order);
  for (const step of [
    ['request', 'shop', 'functions', `PUT /orders/${order}`],
    ['call', 'functions', 'iamport', 'POST /payments/prepare'],
    ['write', 'functions', 'table', 'ready'],
    ['window', 'buyer', 'iamport', 'POST /checkout'],
    ['window', 'buyer', 'iamport', opened],
    ['request', 'buyer', 'functions', 'POST /payments/complete'],
    ['call', 'functions', 'iamport', `GET /payments/${payment}`],
    ['decision', 'functions', 'functions', 'paid'],
    ['write', 'functions', 'table', 'ready → paid'],
    ['event', 'table', 'bus', 'Payment Paid'],
  ]) {
    expect(steps).toContainEqual(step);
  }
  const of = (kind: Fact['kind']) => facts.filter((fact) => fact.order === order && fact.kind === kind);
  expect(of('write').at(-1)?.detail).toBe('orders · revision 2');
  expect(of('decision')[0]?.detail).toMatch(/^complete · \d+ ms$/);
  expect(of('call').at(-1)?.detail).toMatch(/^200 · \d+ ms · paid 14000$/);
  expect(facts.map(({ id }) => id)).toEqual(facts.map((_fact, index) => index + 1));
  expect(JSON.stringify(facts)).not.toContain('CANARY');
});

test('another amount is shown as rejected, with its cancel', async () => {
  const { order } = await buy(100);
  const facts = await factsUntil(({ title, order: of }) => title === 'Payment Rejected' && of === order);
  const steps = stepsOf(facts, order);
  expect(steps).toContainEqual(['decision', 'functions', 'functions', 'rejected']);
  expect(steps).toContainEqual(['call', 'functions', 'iamport', 'POST /payments/cancel']);
  expect(steps).toContainEqual(['write', 'functions', 'table', 'requested']);
  expect(steps).not.toContainEqual(['write', 'functions', 'table', 'ready → paid']);
  const decision = facts.find(({ kind, order: of }) => kind === 'decision' && of === order);
  expect(decision?.detail).toMatch(/^complete · amount_mismatch · \d+ ms$/);
});

test('a webhook is shown from Iamport, and a deposit from the bank', async () => {
  const order = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: order, amount: 14_000, pay_method: 'vbank' });
  system.iamport.ledger.issueAccount(imp_uid, {});
  await system.webhook({ imp_uid, merchant_uid: order, status: 'ready' });
  await fetch(`${system.iamport.url}/__control/payments/${imp_uid}/deposit`, { method: 'POST' });
  await system.webhook({ imp_uid, merchant_uid: order, status: 'paid' });
  const facts = await factsUntil(({ title, order: of }) => title === 'Payment Paid' && of === order);
  const steps = stepsOf(facts, order);
  expect(steps).toContainEqual(['request', 'iamport', 'functions', 'POST /payments/webhook']);
  expect(steps).toContainEqual(['window', 'bank', 'iamport', `POST /__control/payments/${imp_uid}/deposit`]);
  expect(steps).toContainEqual(['write', 'functions', 'table', 'virtual_account_issued → paid']);
});

/** The facts from a line that the function `deliver` logs. */
function factsOfAttempt(line: object): Partial<Fact>[] {
  const live = new Live(() => 0);
  const common = { route: 'deliver', receiver: 'shop.kr', merchantUid: 'ORD-1', durationMs: 7 };
  observeLog(live)(`${JSON.stringify({ message: { ...common, ...line } })}\n`);
  return live.facts.map(({ id, at, ...fact }) => fact);
}
const toShop = { kind: 'webhook', from: 'functions', to: 'shop', title: 'POST shop.kr', order: 'ORD-1' };
const toQueue = { kind: 'queue', from: 'functions', to: 'queue', order: 'ORD-1' };

test('an attempt without an answer is shown with its cause and the time to the next one', () => {
  const causes = ['WebhookNoResponse: The webhook was not answered', 'Error: connect ECONNREFUSED', 'AggregateError: '];
  expect(factsOfAttempt({ outcome: 'repeat', causes, afterSeconds: 40 })).toEqual([
    { ...toShop, detail: 'connect ECONNREFUSED · 7 ms' },
    { ...toQueue, title: 'repeat', afterSeconds: 40 },
  ]);
});

test('the last attempt of an expired webhook is shown, and its way to the dead-letter queue', () => {
  expect(factsOfAttempt({ outcome: 'expired', status: 500 })).toEqual([
    { ...toShop, detail: '500 · 7 ms' },
    { ...toQueue, title: 'dead-letter', detail: 'expired' },
  ]);
});

test('a message that is no event is shown on its way to the dead-letter queue, without an attempt', () => {
  expect(factsOfAttempt({ outcome: 'unreadable' })).toEqual([
    { ...toQueue, title: 'dead-letter', detail: 'unreadable' },
  ]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { eventJson } from '../../functions/events/event-json.ts';
import { eventNames, notificationNames, readDetail } from '../../functions/events/event-schema.ts';
import { orderEvents, refundEvents, reversalEvents } from '../../functions/payment/events.ts';
import type { Reversal, ReversalKind, ReversalState } from '../../functions/payment/reversal.ts';
import { eventSchemas, SCHEMA_FILE, schemaText } from '../../scripts/event-schemas.ts';
import { EVENT_DOCS, eventExamples, withEvents } from '../../scripts/events-docs.ts';
import { orderIn, refund, states, won } from './payment/cases.ts';

test('publishes the schema of the code: npm run schemas writes it', () => {
  expect(readFileSync(SCHEMA_FILE, 'utf8')).toBe(schemaText());
});

test.each(['en', 'ko'] as const)(
  'publishes the event reference in %s of the code: npm run schemas writes it',
  (language) => {
    expect(readFileSync(join(import.meta.dirname, '../..', EVENT_DOCS[language]), 'utf8')).toBe(withEvents(language));
  },
);

test('accepts the example of every event, and each has the fields that its name promises', () => {
  const isValid = new Ajv2020().compile(eventSchemas());
  const examples = eventExamples();
  for (const example of examples) {
    expect(isValid(example), example['detail-type']).toBe(true);
    expect(() => readDetail(example['detail-type'], example.detail)).not.toThrow();
  }
  expect(examples.map((example) => example['detail-type'])).toEqual([...eventNames, ...notificationNames]);
});

test('accepts a published event, and refuses one with another amount type, name or version', () => {
  const isValid = new Ajv2020().compile(eventSchemas());
  const detail = JSON.parse(
    JSON.stringify(
      eventJson({
        name: 'Payment Paid',
        id: 'order-1:2',
        merchantUid: 'order-1',
        impUid: 'imp_1',
        amount: won(1_999),
        currency: 'USD',
        status: 'paid',
      }),
    ),
  );
  expect(detail.amount).toBe(19.99);
  expect(isValid({ 'detail-type': 'Payment Paid', detail })).toBe(true);
  expect(isValid({ 'detail-type': 'Payment Paid', detail: { ...detail, amount: '19.99' } })).toBe(false);
  expect(isValid({ 'detail-type': 'Payment Made', detail })).toBe(false);
  expect(isValid({ 'detail-type': 'Payment Paid', detail: { ...detail, version: 2 } })).toBe(false);
});

test('gives every event a unique name', () => {
  const names = [...eventNames, ...notificationNames];
  expect(new Set(names).size).toBe(names.length);
});

test('gives every event of an order, a reversal or a refund the fields that its name promises', () => {
  const all = Object.values(states).flatMap((before) =>
    Object.values(states).flatMap((after) => orderEvents(orderIn(before), { ...orderIn(after), revision: 9 })),
  );
  const kinds: ReversalKind[] = ['cancel', 'revoke', 'manual', 'orphan'];
  const steps: ReversalState[] = ['requested', 'manual', 'done'];
  const amounts = [reversal.amount, won(0)];
  const reversals = kinds.flatMap((kind) =>
    steps.flatMap((state) => amounts.map((amount) => ({ ...reversal, kind, state, amount }))),
  );
  for (const after of reversals) {
    all.push(...reversalEvents(undefined, after));
    for (const before of reversals) all.push(...reversalEvents(before, after));
  }
  all.push(...refundEvents(refund, { ...refund, state: 'refused', revision: 2 }));
  const sent = all.map((event) => [event.name, JSON.parse(JSON.stringify(eventJson(event)))] as const);
  for (const [name, detail] of sent) expect(() => readDetail(name, detail), name).not.toThrow();
  expect(eventNames.filter((name) => !sent.some(([one]) => one === name))).toEqual([]);
});

const reversal: Reversal = {
  impUid: 'imp_1',
  merchantUid: 'order-1',
  kind: 'cancel',
  reason: 'amount_mismatch',
  amount: won(14_000),
  currency: 'KRW',
  state: 'requested',
  revision: 2,
  attempts: 0,
  createdAt: 1,
  updatedAt: 2,
};

test.each([
  ['Payment Paid', 'imp_uid'],
  ['Virtual Account Issued', 'virtual_account'],
  ['Payment Cancelled', 'cancelled_amount'],
  ['Refund Required', 'reversal'],
] as const)('refuses %s without %s', (name, field) => {
  const account = { number: '1', issued_at: 1 };
  const detail = {
    ...{ version: 1, id: 'a:1', merchant_uid: 'a', imp_uid: 'imp_1', amount: 1, currency: 'KRW', status: 'paid' },
    ...{ cancelled_amount: 1, reason: 'r', virtual_account: account, reversal: { kind: 'manual', state: 'manual' } },
  };
  expect(readDetail(name, detail)).toEqual(detail);
  expect(() => readDetail(name, { ...detail, [field]: undefined })).toThrow();
});

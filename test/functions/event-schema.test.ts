import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { eventJson, eventNames, notificationNames } from '../../functions/edge/event-json.ts';
import { eventSchemas, schemaFile, schemaText } from '../../scripts/event-schemas.ts';
import { won } from './payment/cases.ts';

test('the published schema is that of the code: npm run schemas writes it', () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(schemaText());
});

test('it takes an event of ours and refuses one with another amount, name or version', () => {
  const takes = new Ajv2020().compile(eventSchemas());
  const detail = JSON.parse(
    JSON.stringify(
      eventJson({
        name: 'Payment Paid',
        id: 'order-1:2',
        merchantUid: 'order-1',
        impUid: 'imp_1',
        amount: won(1_999),
        currency: 'USD',
      }),
    ),
  );
  expect(detail.amount).toBe(19.99);
  expect(takes({ 'detail-type': 'Payment Paid', detail })).toBe(true);
  expect(takes({ 'detail-type': 'Payment Paid', detail: { ...detail, amount: '19.99' } })).toBe(false);
  expect(takes({ 'detail-type': 'Payment Made', detail })).toBe(false);
  expect(takes({ 'detail-type': 'Payment Paid', detail: { ...detail, version: 2 } })).toBe(false);
});

test('every event has a name of its own', () => {
  const names = [...eventNames, ...notificationNames];
  expect(new Set(names).size).toBe(names.length);
});

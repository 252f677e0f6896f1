/**
 * The fake Iamport's responses match PortOne's V1 API description, without other fields.
 * The description is not part of this project: the tests use it when it is in ../shared.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { awaited, type Caller, paid, startCaller } from './caller.ts';

const file = fileURLToPath(new URL('../../../../shared/iamport-v1.openapi.json', import.meta.url));
const hasDescription = existsSync(file);
if (!hasDescription)
  console.log('PortOne’s V1 API description is not beside the project: responses are not compared with it.');

const description = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
  definitions: z.record(z.string(), z.record(z.string(), z.unknown())),
});
type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Swagger 2 as JSON Schema: an optional field may be null, as in the real API; limits written as text become numbers;
 * an undescribed field is an error.
 */
function schemaOf(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(schemaOf);
  if (!isObject(node)) return node;
  const schema = Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'description' && key !== 'example')
      .map(([key, value]) => [key, key === 'maxLength' ? Number(value) : schemaOf(value)]),
  );
  if (!isObject(schema.properties)) return schema;
  const properties = schema.properties;
  // PaymentPrepareAnnotation requires the fields of a page, which it does not have.
  const required = (Array.isArray(schema.required) ? schema.required : []).filter((name) => name in properties);
  const nullable = Object.entries(properties).map(([name, property]) => [
    name,
    required.includes(name) ? property : { anyOf: [{ type: 'null' }, property] },
  ]);
  return { ...schema, type: 'object', required, properties: Object.fromEntries(nullable) };
}

/** Forbids undescribed fields, only for an object that is described in one piece. */
function closed(name: string, schema: unknown): unknown {
  return isObject(schema) && schema.properties && name !== 'ResponseAnnotation'
    ? { ...schema, additionalProperties: false }
    : schema;
}

const validators = new Map<string, ValidateFunction>();
let iamport: Caller;

beforeAll(async () => {
  iamport = await startCaller();
  if (!hasDescription) return;
  const { paths, definitions } = description.parse(JSON.parse(readFileSync(file, 'utf8')));
  const ajv = new Ajv({ strict: false, allErrors: true });
  const schemas = Object.entries(definitions).map(([name, schema]) => [name, closed(name, schemaOf(schema))]);
  ajv.addSchema({ $id: 'iamport', definitions: Object.fromEntries(schemas) });
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      const reference = z.object({ schema: z.object({ $ref: z.string() }) }).parse(responses['200']).schema.$ref;
      validators.set(`${method.toUpperCase()} ${path}`, ajv.compile({ $ref: `iamport${reference}` }));
    }
  }
});
afterAll(() => iamport.close());

interface Case {
  operation: string;
  /** Prepares the state, and makes the call. */
  call: () => Promise<{ status: number; code: number; message: unknown; response: unknown }>;
}

const local = { imp_key: 'local', imp_secret: 'local' };
const read = (imp_uid: string) => iamport.call('GET', `/payments/${imp_uid}?include_sandbox=true`);
const cases: Record<string, Case> = {
  'a token': {
    operation: 'POST /users/getToken',
    call: () => iamport.call('POST', '/users/getToken', { json: local }),
  },
  'an opened window': {
    operation: 'GET /payments/{imp_uid}',
    call: () => read(iamport.ledger.open({ merchant_uid: 'window', amount: 14000, custom_data: '{}' }).imp_uid),
  },
  'a paid card': { operation: 'GET /payments/{imp_uid}', call: () => read(paid(iamport)) },
  'a bank transfer through a test channel': {
    operation: 'GET /payments/{imp_uid}',
    call: () => {
      const { imp_uid } = iamport.ledger.open({ merchant_uid: 'test', amount: 10.5, currency: 'USD', sandbox: true });
      iamport.ledger.pay(imp_uid, { payMethod: 'trans' });
      return read(imp_uid);
    },
  },
  'a failed payment': {
    operation: 'GET /payments/{imp_uid}',
    call: () =>
      read(iamport.ledger.fail(iamport.ledger.open({ merchant_uid: 'failed', amount: 1 }).imp_uid, '한도초과').imp_uid),
  },
  'an issued account': { operation: 'GET /payments/{imp_uid}', call: () => read(awaited(iamport)) },
  'the newest of an order': {
    operation: 'GET /payments/find/{merchant_uid}/{payment_status}',
    call: () => iamport.call('GET', '/payments/find/order-1/paid'),
  },
  'all of an order': {
    operation: 'GET /payments/findAll/{merchant_uid}/{payment_status}',
    call: () => iamport.call('GET', '/payments/findAll/order-1'),
  },
  'the ledger': {
    operation: 'GET /payments/status/{payment_status}',
    call: () => iamport.call('GET', '/payments/status/all?include_sandbox=true'),
  },
  'several at once': {
    operation: 'GET /payments',
    call: () => iamport.call('GET', `/payments?imp_uid[]=${paid(iamport)}`),
  },
  'a partial cancel': {
    operation: 'POST /payments/cancel',
    call: () => iamport.call('POST', '/payments/cancel', { json: { imp_uid: paid(iamport), amount: 1000 } }),
  },
  'a registered amount': {
    operation: 'POST /payments/prepare',
    call: () => iamport.call('POST', '/payments/prepare', { json: { merchant_uid: 'prepared', amount: 14000 } }),
  },
  'a changed amount': {
    operation: 'PUT /payments/prepare',
    call: () => iamport.call('PUT', '/payments/prepare', { json: { merchant_uid: 'prepared', amount: 15000 } }),
  },
  'the registered amount of an order': {
    operation: 'GET /payments/prepare/{merchant_uid}',
    call: () => iamport.call('GET', '/payments/prepare/prepared'),
  },
  'a revoked account': {
    operation: 'DELETE /vbanks/{imp_uid}',
    call: () => iamport.call('DELETE', `/vbanks/${awaited(iamport)}?pg_api_key=local`),
  },
};

test.each(Object.entries(cases))('%s has the described shape', async (_name, { operation, call }) => {
  const { status, ...envelope } = await call();
  expect(status).toBe(200);
  expect(envelope.code).toBe(0);
  if (!hasDescription) return;
  const validate = validators.get(operation);
  expect(validate).toBeDefined();
  validate?.(envelope);
  expect(validate?.errors ?? []).toEqual([]);
});

test('the comparison detects a wrong type, a missing field and an unknown one', async () => {
  const { status, ...envelope } = await read(paid(iamport));
  expect(status).toBe(200);
  if (!hasDescription) return;
  const validate = validators.get('GET /payments/{imp_uid}');
  const { amount, ...rest } = envelope.response as Json;
  const wrong = [{ ...rest }, { ...rest, amount: `${amount}` }, { ...rest, amount, secret: 1 }];
  expect(wrong.map((response) => validate?.({ ...envelope, response }))).toEqual([false, false, false]);
});

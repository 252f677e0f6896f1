/** The types of the client are those of the API, and its code uses only the web's own APIs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import type {
  Order,
  OrderDetails,
  OrderStatus,
  OrderTerms,
  PaymentRecord,
  Refund,
  RefundAccount,
  RefundRequest,
  RefundResult,
  RegisteredOrder,
  Reversal,
  VirtualAccount,
} from '../../client/index.ts';

const root = join(import.meta.dirname, '../..');

/** A JSON Schema, as far as it is used here. */
interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly items: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly content: { readonly 'application/json': { readonly schema: Schema } };
}
const { components, paths } = JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8')) as {
  components: { schemas: Record<'Order' | 'OrderRegistered' | 'OrderInFull' | 'RefundAnswer', Schema> };
  paths: Record<string, Record<string, { requestBody: Schema }>>;
};
const { schemas } = components;
const property = (schema: Schema | undefined, name: string): Schema => {
  const found = schema?.properties[name];
  if (!found) throw new Error(`docs/openapi.json has no ${name}`);
  return found;
};
const bodyOf = (path: string, method: string): Schema => {
  const found = paths[path]?.[method]?.requestBody.content['application/json'].schema;
  if (!found) throw new Error(`docs/openapi.json has no body of ${method} ${path}`);
  return found;
};

/** The fields of a type: `true` for a required one. A field that is missing here or there does not compile. */
type Fields<Type> = Readonly<
  Required<{ [Name in keyof Type]: Record<never, never> extends Pick<Type, Name> ? false : true }>
>;

const orderFields: Fields<Order> = {
  merchant_uid: true,
  amount: true,
  currency: true,
  tax_free: false,
  vat_amount: false,
  name: false,
  expires_at: false,
  tier: false,
  status: true,
  revision: true,
  imp_uid: false,
  payment: false,
  cancelled_amount: false,
  virtual_account: false,
  reason: false,
  created_at: false,
  updated_at: false,
};
const registeredFields: Fields<RegisteredOrder> = { ...orderFields, prepared: false };
const detailsFields: Fields<OrderDetails> = { ...orderFields, reversals: true, refunds: true };
const paymentFields: Fields<PaymentRecord> = {
  pay_method: false,
  pg_provider: false,
  pg_tid: false,
  apply_num: false,
  receipt_url: false,
  paid_at: false,
};
const accountFields: Fields<VirtualAccount> = {
  imp_uid: true,
  bank: false,
  number: true,
  holder: false,
  due_at: false,
  issued_at: true,
};
const reversalFields: Fields<Reversal> = {
  imp_uid: true,
  kind: true,
  state: true,
  reason: true,
  amount: true,
  currency: true,
  attempts: true,
  message: false,
  created_at: true,
  updated_at: true,
};
const refundFields: Fields<Refund> = {
  imp_uid: true,
  key: true,
  state: true,
  amount: true,
  currency: true,
  tax_free: false,
  vat_amount: false,
  reason: true,
  requester: false,
  attempts: true,
  accepted_at: false,
  needs: false,
  refusal: false,
  message: false,
  created_at: true,
  updated_at: true,
};
const refundResultFields: Fields<RefundResult> = { refund: true, order: true };
const termsFields: Fields<OrderTerms> = {
  amount: true,
  currency: false,
  tax_free: false,
  vat_amount: false,
  name: false,
  expires_at: false,
  tier: false,
};
const refundRequestFields: Fields<Omit<RefundRequest, 'idempotencyKey'>> = {
  amount: false,
  tax_free: false,
  vat_amount: false,
  reason: true,
  account: false,
  requester: false,
} as Fields<Omit<RefundRequest, 'idempotencyKey'>>;
const refundAccountFields: Fields<RefundAccount> = { holder: true, bank: true, number: true, tel: false };

const refund = property(schemas.RefundAnswer, 'refund');
const refundBody = bodyOf('/orders/{merchant_uid}/refunds', 'post');

test.each<[string, object, Schema]>([
  ['Order', orderFields, schemas.Order],
  ['RegisteredOrder', registeredFields, schemas.OrderRegistered],
  ['OrderDetails', detailsFields, schemas.OrderInFull],
  ['PaymentRecord', paymentFields, property(schemas.Order, 'payment')],
  ['VirtualAccount', accountFields, property(schemas.Order, 'virtual_account')],
  ['Reversal', reversalFields, property(schemas.OrderInFull, 'reversals').items],
  ['Refund', refundFields, refund],
  ['RefundResult', refundResultFields, schemas.RefundAnswer],
  ['OrderTerms', termsFields, bodyOf('/orders/{merchant_uid}', 'put')],
  ['RefundRequest', refundRequestFields, refundBody],
  ['RefundAccount', refundAccountFields, property(refundBody, 'account')],
])('%s has the fields of docs/openapi.json', (_type, fields, { properties, required = [] }) => {
  const described = Object.keys(properties).map((name) => [name, required.includes(name)]);
  expect(Object.entries(fields).sort()).toEqual(described.sort());
});

test.each<[string, readonly string[], Schema]>([
  [
    'OrderStatus',
    Object.keys({
      ready: 0,
      failed: 0,
      expired: 0,
      virtual_account_issued: 0,
      paid: 0,
      partial_cancelled: 0,
      cancelled: 0,
      deposit_reversed: 0,
      closed: 0,
    } satisfies Record<OrderStatus, 0>),
    property(schemas.Order, 'status'),
  ],
  [
    'the state of a refund',
    Object.keys({ requested: 0, done: 0, refused: 0 } satisfies Record<Refund['state'], 0>),
    property(refund, 'state'),
  ],
  [
    'the need of a refund',
    Object.keys({ account: 0, repeat: 0, operator: 0 } satisfies Record<NonNullable<Refund['needs']>, 0>),
    property(refund, 'needs'),
  ],
  [
    'the refusal of a refund',
    Object.keys({ refused_by_pg: 0 } satisfies Record<NonNullable<Refund['refusal']>, 0>),
    property(refund, 'refusal'),
  ],
  [
    'the kind of a reversal',
    Object.keys({ cancel: 0, revoke: 0, manual: 0, orphan: 0 } satisfies Record<Reversal['kind'], 0>),
    property(property(schemas.OrderInFull, 'reversals').items, 'kind'),
  ],
])('%s has the values of docs/openapi.json', (_name, values, schema) => {
  expect([...values].sort()).toEqual([...(schema.enum ?? [])].sort());
});

test('runs with the APIs of the web alone, and imports code only from client/', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client/index.ts')],
    absWorkingDir: root,
    bundle: true,
    format: 'iife',
    globalName: 'client',
    write: false,
    metafile: true,
  });
  expect(Object.keys(metafile.inputs).filter((file) => !file.startsWith('client/'))).toEqual([]);
  // No process, Buffer or require: an edge runtime has none of them.
  const web = { crypto, TextEncoder, TextDecoder, URL, atob, AbortController, setTimeout, clearTimeout, Uint8Array };
  const answer = { ok: true, status: 200, headers: new Headers(), text: async () => '{"status":"paid"}' };
  const context = { ...web, fetch: async () => answer, result: undefined as unknown };
  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
  const code = `${outputFiles[0]?.text}
    result = (async () => [
      (await client.createPayments({ url: 'https://pay.my-shop.kr', key: 'sk_1' }).orders.get('order-1')).status,
      await client.verifyWebhook('${secret}', {
        'webhook-id': '1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)), 'webhook-signature': 'v1,AAAA',
      }, '{}').catch((error) => error.code),
    ])();`;
  runInNewContext(code, context);
  expect(await context.result).toEqual(['paid', 'signature_mismatch']);
});

/** Malformed requests for each endpoint, from one seed: valid requests after one to four random mutations. */

import type { SeededRandom } from '../simulation/random.ts';

export interface FuzzRequest {
  readonly method: string;
  /** With its query, as sent over the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Target {
  readonly name: string;
  readonly method: string;
  /** Only the shop's server may call it, with its key. */
  readonly isOfShop: boolean;
  /** Valid fields of a payment that Iamport does not know, and of an order that the shop did not register. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The path of the endpoint; `{merchant_uid}` stands for the order. */
  readonly path: string;
  /** Headers without which the endpoint refuses every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly isQuery?: true;
  /** Matches an id that a call to Iamport needs. A request without a match may cause no call. */
  readonly names: RegExp;
}

const anImpUid = /imps?_[0-9A-Za-z_-]/;

const payment = { imp_uid: 'imp_999999999999', merchant_uid: 'order-unknown' };

export const targets: readonly Target[] = [
  { name: 'complete', method: 'POST', path: '/payments/complete', isOfShop: false, names: anImpUid, fields: payment },
  {
    name: 'mobile-redirect',
    method: 'GET',
    path: '/payments/complete/mobile',
    isOfShop: false,
    names: /imps?_[0-9A-Za-z_-]|merchant_uid/,
    isQuery: true,
    fields: { ...payment, imp_success: 'true', error_code: '', error_msg: '', to: 'web' },
  },
  {
    name: 'webhook',
    method: 'POST',
    path: '/payments/webhook',
    isOfShop: false,
    names: anImpUid,
    fields: { ...payment, status: 'paid' },
  },
  {
    name: 'confirm',
    method: 'POST',
    path: '/payments/confirm',
    isOfShop: false,
    names: anImpUid,
    fields: { ...payment, amount: 14_000 },
  },
  {
    name: 'PUT /orders',
    method: 'PUT',
    path: '/orders/{merchant_uid}',
    isOfShop: true,
    names: anImpUid,
    // No currency has a third decimal, so that a request without a mutation is invalid too.
    fields: { amount: 14_000.125, currency: 'KRW', name: '상품' },
  },
  {
    name: 'GET /orders',
    method: 'GET',
    path: '/orders/{merchant_uid}',
    isOfShop: true,
    names: anImpUid,
    isQuery: true,
    fields: {},
  },
  {
    name: 'refunds',
    method: 'POST',
    path: '/orders/{merchant_uid}/refunds',
    headers: { 'idempotency-key': 'fuzz' },
    isOfShop: true,
    names: anImpUid,
    fields: { amount: 1_000, reason: '변심', account: { holder: '홍길동', bank: '004', number: '1234567890' } },
  },
  {
    name: 'DELETE /orders',
    method: 'DELETE',
    path: '/orders/{merchant_uid}',
    isOfShop: true,
    names: anImpUid,
    isQuery: true,
    fields: {},
  },
];

const hostileValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  -0,
  0.1,
  1e21,
  2 ** 53,
  Number.MAX_VALUE,
  '',
  ' ',
  '0',
  'NaN',
  'null',
  '[object Object]',
  '..',
  '.',
  '../users/getToken',
  '..\\..\\users',
  '%2e%2e%2f',
  'imp_1?include_sandbox=true',
  'imp_1#x',
  'imp_1/balance',
  'imp_1\r\nx-injected: 1',
  'imp_1\u0000',
  'ｉｍｐ_1',
  'imp_１',
  '\ud800',
  'a\u202eb',
  `imp_${'1'.repeat(5_000)}`,
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  'https://evil.example/',
  '//evil.example',
  'shopapp://evil',
  "' OR '1'='1",
  '{"$gt":""}',
  'attribute_not_exists(merchant_uid)',
  '🙂'.repeat(41),
  [],
  ['imp_999999999999'],
  {},
  { $gt: '' },
  { toString: 'x' },
  { length: 5 },
];

const names = [
  'imp_uid',
  'merchant_uid',
  'amount',
  '__proto__',
  'constructor',
  'toString',
  'to',
  'again',
  'reason',
  'x',
];

const types = [
  'application/json',
  'application/json',
  'application/json',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded',
  'APPLICATION/JSON; charset=UTF-8',
  'application/json; charset=utf-16',
  'application/json, text/plain',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/xml',
  '',
];

const headers: readonly (readonly [string, string])[] = [
  ['x-forwarded-for', '52.78.100.19'],
  ['x-forwarded-host', 'evil.example'],
  ['x-http-method-override', 'DELETE'],
  ['content-encoding', 'gzip'],
  ['accept-language', `${'en-US;q=0.9,'.repeat(300)}ko`],
  ['accept-language', ';;;q=q=q'],
  ['origin', 'https://evil.example'],
  ['origin', 'null'],
  ['idempotency-key', '../../x'],
  ['idempotency-key', 'k'.repeat(4_000)],
  ['cookie', 'a=b; '.repeat(500)],
];

const orders = [
  'order-unknown',
  '..',
  '%2e%2e',
  '%00',
  '%F0%9F',
  'a%2Fb',
  '%ED%95%9C',
  'x'.repeat(200),
  '%',
  '{x}',
  '%20a',
  '__proto__',
];

/** @returns a request to this endpoint with one to four mutations */
export function fuzzRequest(target: Target, random: SeededRandom): FuzzRequest {
  let fields: [string, unknown][] = Object.entries(target.fields);
  for (let left = random.whole(1, 4); left > 0; left -= 1) fields = malformed(fields, random);
  const one = <Value>(list: readonly Value[]): Value => list[random.whole(0, list.length - 1)] as Value;
  const type = one(types);
  const path = target.path.replace('{merchant_uid}', one(orders));
  const extra = random.is(0.3) ? Object.fromEntries([one(headers)]) : {};
  if (target.isQuery) {
    return {
      method: target.method,
      path: `${path}?${malformedQuery(formOf(fields), random)}`,
      headers: extra,
      body: Buffer.alloc(0),
    };
  }
  const text = type.includes('form') && !type.includes('multipart') ? formOf(fields) : jsonOf(fields);
  return {
    method: target.method,
    path,
    headers: { ...(type && { 'content-type': type }), ...target.headers, ...extra },
    body: malformedBytes(text, random),
  };
}

function malformed(fields: readonly [string, unknown][], random: SeededRandom): [string, unknown][] {
  const at = random.whole(0, Math.max(0, fields.length - 1));
  const value = hostileValues[random.whole(0, hostileValues.length - 1)];
  const name = names[random.whole(0, names.length - 1)] ?? 'x';
  const field = fields[at];
  switch (random.pick({ value: 5, name: 1, add: 2, drop: 2, twice: 1, nest: 1 })) {
    case 'value':
      return fields.map((one, index) => (index === at ? [one[0], value] : one));
    case 'name':
      return fields.map((one, index) => (index === at ? [name, one[1]] : one));
    case 'add':
      return [...fields, [name, value]];
    case 'drop':
      return fields.filter((_one, index) => index !== at);
    case 'twice':
      return field ? [...fields, [field[0], random.is(0.5) ? value : field[1]]] : [...fields];
    case 'nest':
      return fields.map((one, index) => (index === at ? [one[0], { [name]: one[1] }] : one));
  }
}

/** Serialized by hand, so that a name can occur twice, and `__proto__` is an ordinary name. */
const jsonOf = (fields: readonly [string, unknown][]): string =>
  `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;

const formOf = (fields: readonly [string, unknown][]): string =>
  fields
    .map(([name, value]) => {
      const text = (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
      return `${encodeURIComponent(name)}=${encodeURIComponent(text)}`;
    })
    .join('&');

/** Sometimes cuts, changes or repeats the bytes, or adds a byte order mark. */
function malformedBytes(text: string, random: SeededRandom): Buffer {
  const bytes = Buffer.from(text);
  const at = random.whole(0, bytes.length);
  switch (random.pick({ whole: 12, cut: 2, noise: 2, mark: 1, utf16: 1, brackets: 1, large: 0.05, empty: 0.5 })) {
    case 'whole':
      return bytes;
    case 'cut':
      return bytes.subarray(0, at);
    case 'noise':
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([random.whole(0, 255), random.whole(0, 255)]),
        bytes.subarray(at),
      ]);
    case 'mark':
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 'utf16':
      return Buffer.from(text, 'utf16le');
    case 'brackets':
      return Buffer.from('['.repeat(20_000));
    case 'large':
      return Buffer.alloc(70_000, bytes.length > 0 ? bytes : Buffer.from(' '));
    case 'empty':
      return Buffer.alloc(0);
  }
}

/** Sometimes inserts invalid text into the query, as far as an HTTP client permits it. */
function malformedQuery(query: string, random: SeededRandom): string {
  const at = random.whole(0, query.length);
  const noise = ['%', '%zz', '%00', '&&&', '=', '%ff%fe', '+', '&imp_uid=imp_2', '%c0%ae'][random.whole(0, 8)];
  return random.is(0.3) ? `${query.slice(0, at)}${noise}${query.slice(at)}` : query;
}

/** Whether any decoding of the request contains a payment id. It reads the bytes, independently of the code under test. */
export function mayNameAPayment({ names }: Target, { path, body }: FuzzRequest): boolean {
  const texts = [path, body.toString('utf8'), body.toString('utf16le')];
  return texts.some((text) => names.test(text) || names.test(unescaped(text)));
}

function unescaped(text: string): string {
  const plain = text.replace(/\\u([0-9a-fA-F]{4})/g, (_all, code) => String.fromCharCode(Number.parseInt(code, 16)));
  return plain.replace(/%([0-9a-fA-F]{2})/g, (_all, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

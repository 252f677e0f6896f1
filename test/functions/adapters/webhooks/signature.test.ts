/** The signature, verified by the library of the Standard Webhooks project. */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { keyOf, webhookHeaders } from '../../../../functions/adapters/webhooks/signature.ts';

const secretOf = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
const now = () => Math.floor(Date.now() / 1000);
const body = '{"type":"Payment Paid","data":{"merchant_uid":"주문-1","amount":14000}}';

test('has the value of the example of the specification', () => {
  const content = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
  expect(webhookHeaders(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], content)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test.each(['order-1:2', 'imp_1:1:refund', '주문 1:2', '100%:1', 'a.b:1'])(
  'is verified by the library for the id %s',
  (id) => {
    const secret = secretOf(32);
    const headers = webhookHeaders([secret], { id, timestamp: now(), body });
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(headers['webhook-id']).toMatch(/^[\x21-\x7e]+$/);
    expect(decodeURIComponent(headers['webhook-id'] ?? '')).toBe(id);
  },
);

test('two secrets are two signatures, and a receiver with either accepts the webhook', () => {
  const [current, previous, other] = [secretOf(32), secretOf(32), secretOf(32)];
  const headers = webhookHeaders([current, previous], { id: 'order-1:2', timestamp: now(), body });
  expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
  for (const secret of [current, previous]) expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
  expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature');
});

test('the library refuses a changed body, id or time [T120]', () => {
  const secret = secretOf(32);
  const timestamp = now();
  const headers = webhookHeaders([secret], { id: 'order-1:2', timestamp, body });
  const verify = (changed: object, text = body) => new Webhook(secret).verify(text, { ...headers, ...changed });
  expect(() => verify({}, body.replace('14000', '1'))).toThrow('No matching signature');
  expect(() => verify({ 'webhook-id': 'order-2:2' })).toThrow('No matching signature');
  expect(() => verify({ 'webhook-timestamp': String(timestamp - 1) })).toThrow('No matching signature');
});

test('a secret without its prefix is the same key', () => {
  const secret = secretOf(32);
  expect(keyOf(secret.slice('whsec_'.length))).toEqual(keyOf(secret));
});

test.each([
  ['empty', ''],
  ['too short', secretOf(23)],
  ['too long', secretOf(65)],
  ['no base64', `whsec_${'*'.repeat(44)}`],
])('a secret that is %s is refused by a message without it', (_case, secret) => {
  expect(() => keyOf(secret)).toThrow(/^A webhook secret must be whsec_ and base64 of 24 to 64 random bytes$/);
});

test.each(['docs/webhooks.md', 'docs/webhooks.ko.md'])('the request in %s has the signature of its secret', (file) => {
  const text = readFileSync(join(import.meta.dirname, '../../../..', file), 'utf8');
  const [, quoted = ''] = /`(whsec_[\w+/]{32})`/.exec(text) ?? [];
  const [, request = ''] = /```http\n([\s\S]*?)\n```/.exec(text) ?? [];
  const [head = '', sent = ''] = request.split('\n\n');
  const headers = Object.fromEntries(head.split('\n').map((line) => line.split(': ')));
  const { id } = JSON.parse(sent).data;
  expect(webhookHeaders([quoted], { id, timestamp: Number(headers['webhook-timestamp']), body: sent })).toEqual(
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-'))),
  );
});

test('signs no text that is another webhook when it is divided elsewhere, whatever the id contains', () => {
  const key = 'A'.repeat(44);
  const forged = '{"type":"Payment Paid","data":{"id":"x"}}';
  for (const merchantUid of [
    'a.1.b',
    `a.1795456668.${forged}`,
    'a.1.{"x":"',
    'a.1.{',
    'a.1.{"',
    '.1795456668.{"a":"b"}',
  ]) {
    const id = `${merchantUid}:2`;
    const body = JSON.stringify({ type: 'Payment Paid', data: { id, merchant_uid: merchantUid, amount: 1 } });
    const sent = webhookHeaders([key], { id, timestamp: 1_795_456_668, body });
    const signed = `${sent['webhook-id']}.1795456668.${body}`;
    const readings = [...signed.matchAll(/\.\d+\.(?=\{)/g)].flatMap(({ 0: dots, index }) => {
      const rest = signed.slice(index + dots.length);
      try {
        JSON.parse(rest);
        return [rest];
      } catch {
        return [];
      }
    });
    expect(readings).toEqual([body]);
  }
});

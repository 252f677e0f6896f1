/** The signing secrets of a webhook: when they are read again, and what replaces them when they cannot be read. */

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWebhookSecrets, type WebhookSecrets } from '../../../../functions/adapters/webhooks/secrets.ts';
import { StoreUnavailable } from '../../../../functions/application/faults.ts';
import { type Secrets, startSecrets } from '../../../../local/aws/secrets.ts';

const arn = 'arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:Webhook';
const [one, two] = ['A'.repeat(44), `whsec_${'B'.repeat(44)}`];
const values = new Map<string, string>();
let server: Secrets;
let client: SecretsManagerClient;
let secrets: WebhookSecrets;
let now = 0;

beforeEach(async () => {
  server = await startSecrets(values);
  client = new SecretsManagerClient({
    endpoint: server.endpoint,
    region: 'ap-northeast-2',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  secrets = createWebhookSecrets(client, arn, { now: () => now, sleep: async () => undefined });
  store({ previous: '', current: one });
});
afterEach(async () => {
  client.destroy();
  await server.close();
  values.clear();
});

const store = (value: unknown) => values.set(arn, typeof value === 'string' ? value : JSON.stringify(value));

test('reads the secret that the stack generates, without a prefix', async () => {
  expect(await secrets.read()).toEqual([one]);
});

test('reads two secrets while the secret is changed', async () => {
  store({ current: two, previous: one });
  expect(await secrets.read()).toEqual([two, one]);
});

test('reads the secret again after five minutes', async () => {
  await secrets.read();
  store({ current: two, previous: one });
  now += 299_999;
  expect(await secrets.read()).toEqual([one]);
  now += 1;
  expect(await secrets.read()).toEqual([two, one]);
});

test('reads the secret again once a receiver has refused it, and every ten seconds at most', async () => {
  await secrets.read();
  store({ current: two });
  secrets.doubt();
  now += 9_999;
  expect(await secrets.read()).toEqual([one]);
  now += 1;
  expect(await secrets.read()).toEqual([two]);
  store({ current: one });
  now += 10_000;
  expect(await secrets.read()).toEqual([two]);
});

test('keeps the known secret when Secrets Manager has no usable one', async () => {
  await secrets.read();
  now += 300_000;
  store('');
  expect(await secrets.read()).toEqual([one]);
  store({ current: 'not base64' });
  expect(await secrets.read()).toEqual([one]);
  values.clear();
  expect(await secrets.read()).toEqual([one]);
});

test.each([
  ['no secret', undefined, 'Secrets Manager returned no response'],
  ['no JSON', 'whsec_…', 'Put {"current": "whsec_…", "previous": ""} into the secret'],
  ['an empty secret', { current: '' }, 'Put {"current": "whsec_…", "previous": ""} into the secret'],
])('with %s and none known, the webhook is not sent', async (_case, value, message) => {
  values.clear();
  if (value !== undefined) store(value);
  await expect(secrets.read()).rejects.toThrow(StoreUnavailable);
  await expect(secrets.read()).rejects.toThrow(message);
});

/** `webhooks`, on the whole local system: a secret is changed while webhooks are delivered, and each is signed validly. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { webhookHeaders } from '../../functions/adapters/webhooks/signature.ts';
import { messagesIn } from '../../ops/messages.ts';
import type { SecretTexts } from '../../ops/secret-store.ts';
import { webhooks } from '../../ops/webhooks.ts';
import { runOperator } from '../support/operator.ts';
import { type SeenWebhook, type ShopServer, startShopServer, webhooksAssembly } from '../support/shop-server.ts';
import { type System, startSystem } from '../support/system.ts';

/** A timeout against hanging, not a measure of speed. Milliseconds. */
const delivered = 50_000;

let shop: ShopServer;
let system: System;
beforeAll(async () => {
  shop = await startShopServer();
  const receiver = { url: shop.url, secret: shop.secret };
  system = await startSystem({ assembly: await webhooksAssembly(), webhooks: receiver });
  system.iamport.settings.webhooks = 'never';
  vi.stubEnv('LC_ALL', 'en_US.UTF-8');
}, 300_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await system.close();
  await shop.close();
});

const run = (...args: string[]) => runOperator(['webhooks', ...args, '--local', '--url', system.url]);

const jsonOf = async (...args: string[]) => {
  const { code, stdout } = await run(...args, '--json', '--yes');
  return { exitCode: code, ...JSON.parse(stdout) } as {
    exitCode: number;
    webhooks: { url: string; secret: string; previous?: string }[];
  };
};

/** Pays an order. @returns the next webhook */
async function nextWebhook(): Promise<SeenWebhook> {
  const before = shop.seen.length;
  const merchantUid = await system.order();
  const { imp_uid } = system.iamport.ledger.open({ merchant_uid: merchantUid, amount: 14_000 });
  system.iamport.ledger.pay(imp_uid);
  await system.complete({ imp_uid, merchant_uid: merchantUid });
  return vi.waitFor(() => shop.seen[before] ?? expect.unreachable('no webhook'), delivered);
}

/** What the function sends with these secrets, the newest first. */
function signatureBy(secrets: readonly string[], { headers, body }: SeenWebhook): string | undefined {
  const [id, timestamp] = [String(headers['webhook-id']), Number(headers['webhook-timestamp'])];
  return webhookHeaders(secrets, { id, timestamp, body })['webhook-signature'];
}

test('prints the secret that the server of the shop needs', async () => {
  expect(await run()).toEqual({ code: 0, stdout: `${shop.url}\n  secret: ${shop.secret}\n`, stderr: '' });
});

test('changes nothing without a confirmation', async () => {
  expect(await run('rotate')).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('a new secret') });
  expect((await jsonOf()).webhooks).toEqual([{ url: shop.url, secret: shop.secret }]);
});

test('rotates the secret, and both sign until the previous one is retired', async () => {
  const rotated = await jsonOf('rotate');
  const secret = rotated.webhooks[0]?.secret ?? '';
  expect(rotated).toEqual({ exitCode: 0, webhooks: [{ url: shop.url, secret, previous: shop.secret }] });
  expect(secret).toMatch(/^whsec_[0-9A-Za-z+/]{43}=$/);
  // The first webhook of the system: no instance of the function has read the secret before.
  const webhook = await nextWebhook();
  expect(webhook.headers['webhook-signature']).toBe(signatureBy([secret, shop.secret], webhook));
  expect(await jsonOf('rotate')).toEqual({ exitCode: 3, code: 'previous_secret_valid' });
  expect((await run()).stdout).toBe(
    `${shop.url}\n  secret: ${secret}\n  previous secret, which signs too: ${shop.secret}\n`,
  );
  expect(await jsonOf('retire', shop.url)).toEqual({ exitCode: 0, webhooks: [{ url: shop.url, secret }] });
  expect(await run('retire', new URL(shop.url).host, '--yes')).toMatchObject({
    code: 3,
    stdout: 'There is no previous secret to retire\n',
  });
});

test('is refused for a URL that receives nothing, with those that do', async () => {
  const { code, stdout } = await run('rotate', 'https://shop.example/', '--yes');
  expect([code, stdout]).toEqual([3, `Name one URL. These have a secret:\n${shop.url}\n`]);
});

test.each([[['retry']], [['rotate', 'https://shop.example/', 'more']]])('is a misuse with %j', async (args) => {
  expect((await run(...args)).code).toBe(2);
});

test('changes the secret of the named one of several URLs only', async () => {
  const secrets = new Map<string, SecretTexts>();
  const destination = (url: string) => {
    secrets.set(url, { current: 'A'.repeat(44) });
    const read = async () => secrets.get(url) ?? expect.unreachable(url);
    const write = async (texts: SecretTexts) => void secrets.set(url, texts);
    return { url, receiver: new URL(url).host, secret: { read, write } };
  };
  const urls = ['https://shop.example/a', 'https://shop.example/b', 'https://erp.example/'] as const;
  const deployment = { webhooks: async () => urls.map(destination), confirmUrl: async () => undefined };
  const changed = async (target: string) => {
    const confirm = async () => true;
    const call = { subject: 'rotate', target, deployment, messageFor: messagesIn('en'), print: vi.fn(), confirm };
    const code = await webhooks(call as never);
    return [code, ...urls.filter((url) => secrets.get(url)?.previous === 'A'.repeat(44))];
  };
  expect(await changed('')).toEqual([3]);
  expect(await changed('shop.example')).toEqual([3]);
  expect(await changed('https://shop.example/b')).toEqual([0, 'https://shop.example/b']);
  expect(await changed('erp.example')).toEqual([0, 'https://erp.example/']);
});

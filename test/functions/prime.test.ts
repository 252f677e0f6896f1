/** Priming of each handler that settles payments completes under every configuration, and opens no connection. */

import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { complete } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import { type Config, configFrom } from '../../functions/runtime/config.ts';
import { prime } from '../../functions/runtime/prime.ts';

const environment = {
  ORDERS_TABLE: 'orders',
  REVERSALS_TABLE: 'reversals',
  STATE_TABLE: 'state',
  IAMPORT_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:iamport',
};

/** A configuration whose every address is a socket that counts connections; the test fails at the first one. */
async function unconnected(variables: Readonly<Record<string, string>> = {}): Promise<Config> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', url);
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', url);
  const outputs = [vi.spyOn(console, 'info'), vi.spyOn(console, 'error'), vi.spyOn(process.stdout, 'write')];
  onTestFinished(() => {
    server.close();
    vi.unstubAllEnvs();
    expect(connections).toBe(0);
    for (const output of outputs) expect(output).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
  return configFrom({ ...environment, IAMPORT_API_URL: url, ...variables });
}

describe.each([
  ['the defaults', {}],
  ['test payments, manual reversals', { TEST_PAYMENTS: 'accept', REVERSALS: 'manual' }],
  ['the table of the shop', { ORDERS_COLUMNS: JSON.stringify({ key: 'no', amount: 'total', currency: 'krw' }) }],
  ['webhooks of Iamport’s addresses only', { WEBHOOK_SENDERS: 'iamport-only' }],
  ['a result target', { RESULT_TARGETS: JSON.stringify({ web: 'https://shop.example/result' }) }],
])('with %s', (_name, variables) => {
  test('complete returns that the payment is paid', async () => {
    const { statusCode, body } = await prime(complete, await unconnected(variables));
    expect({ statusCode, ...JSON.parse(body ?? '') }).toMatchObject({ statusCode: 200, status: 'paid', amount: 1000 });
  });
  test('mobile-redirect returns a page or a redirect that shows that the payment is paid', async () => {
    const { statusCode, body = '', headers = {} } = await prime(mobileRedirect, await unconnected(variables));
    expect([200, 303]).toContain(statusCode);
    expect(`${headers.location} ${body}`).toMatch(/status=paid|결제가 완료되었습니다/);
  });
  test('webhook returns 200', async () => {
    expect(await prime(webhook, await unconnected(variables))).toMatchObject({ statusCode: 200 });
  });
});

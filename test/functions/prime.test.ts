/** The rehearsal of each door that settles comes to its end, whatever the shop has configured, and reaches nobody. */

import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { complete } from '../../functions/handlers/complete.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import { type Config, configFrom } from '../../functions/runtime/config.ts';
import { rehearse } from '../../functions/runtime/prime.ts';

const environment = {
  ORDERS_TABLE: 'orders',
  REVERSALS_TABLE: 'reversals',
  STATE_TABLE: 'state',
  IAMPORT_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:iamport',
};

/** A configuration whose every address is a socket on which a connection would be seen. */
async function alone(variables: Readonly<Record<string, string>> = {}): Promise<Config> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', url);
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', url);
  const log = [vi.spyOn(console, 'info'), vi.spyOn(console, 'error'), vi.spyOn(process.stdout, 'write')];
  onTestFinished(() => {
    server.close();
    vi.unstubAllEnvs();
    expect(connections).toBe(0);
    for (const written of log) expect(written).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
  return configFrom({ ...environment, IAMPORT_API_URL: url, ...variables });
}

describe.each([
  ['the defaults', {}],
  ['test payments, reversals by hand', { TEST_PAYMENTS: 'accept', REVERSALS: 'manual' }],
  ['the shop’s own table', { ORDERS_COLUMNS: JSON.stringify({ key: 'no', amount: 'total', currency: 'krw' }) }],
  ['Iamport’s addresses only', { WEBHOOK_SENDERS: 'iamport-only' }],
  ['a place for results', { RESULT_TARGETS: JSON.stringify({ web: 'https://shop.example/result' }) }],
])('with %s', (_name, variables) => {
  test('complete says that the payment is paid', async () => {
    const { statusCode, body } = await rehearse(complete, await alone(variables));
    expect({ statusCode, ...JSON.parse(body ?? '') }).toMatchObject({ statusCode: 200, status: 'paid', amount: 1000 });
  });
  test('mobile-redirect shows that the payment is paid, or leads to where it is shown', async () => {
    const { statusCode, body = '', headers = {} } = await rehearse(mobileRedirect, await alone(variables));
    expect([200, 303]).toContain(statusCode);
    expect(`${headers.location} ${body}`).toMatch(/status=paid|결제가 완료되었습니다/);
  });
  test('webhook takes it', async () => {
    expect(await rehearse(webhook, await alone(variables))).toMatchObject({ statusCode: 200 });
  });
});

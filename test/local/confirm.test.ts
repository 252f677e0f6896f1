/**
 * The confirmation by the shop end to end: the template, the bundle that deploys, the fake Iamport, which asks before an approval,
 * and a real server of a shop, which verifies each question with the library of the Standard Webhooks project.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { localAssembly } from '../../local/assembly.ts';
import { shippedContext } from '../infra/shipped.ts';
import { runOperator } from '../support/operator.ts';
import { type ShopServer, startShopServer } from '../support/shop-server.ts';
import { type System, startSystem } from '../support/system.ts';

/** The reason that a window shows, of an attempt that was stopped; undefined for an approved one. */
async function payAtWindow(system: System, merchantUid: string): Promise<string | undefined> {
  const iamport = system.iamport.url;
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${iamport}/checkout${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as { imp_uid: string; rsp: { error_msg?: string } };
  };
  const param = { merchant_uid: merchantUid, amount: 14_000, confirm_url: `${system.url}/payments/confirm` };
  const { imp_uid } = await post('', { channel: 'pc', param });
  return (await post(`/${imp_uid}/pay`, {})).rsp.error_msg;
}

const logged: string[] = [];
/** The facts of the line about this order. A function's log may arrive after its response. */
const lineOf = (merchantUid: string) =>
  vi.waitFor(() => {
    const lines = logged.join('').split('\n');
    const line = lines.find((text) => text.includes('POST /payments/confirm') && text.includes(merchantUid));
    return JSON.parse(line ?? '').message;
  }, waitingMs);
/** A limit against hanging. Milliseconds. */
const waitingMs = 20_000;

describe("the shop's server", () => {
  let shop: ShopServer;
  let systems: Record<'approve' | 'refuse', System>;
  const startWith = async (otherwise: 'approve' | 'refuse') =>
    startSystem({
      assembly: await localAssembly({
        iamport: { ...shippedContext.iamport, confirm: { url: 'https://shop.invalid/', otherwise } },
      }),
      confirm: { url: `${shop.url}?key=in-the-query`, secret: shop.secret },
      log: (text) => logged.push(text),
    });
  beforeAll(async () => {
    shop = await startShopServer();
    systems = { approve: await startWith('approve'), refuse: await startWith('refuse') };
  }, 300_000);
  afterAll(async () => {
    for (const system of Object.values(systems)) await system.close();
    await shop.close();
  });
  afterEach(() => {
    for (const { body, headers } of shop.seen.splice(0)) {
      new Webhook(shop.secret).verify(body, headers as Record<string, string>);
    }
    shop.answers.splice(0);
  });

  test('approves a payment by a signed answer to a signed question', async () => {
    shop.answers.push((response) => response.end('{"ok":true}'));
    const merchantUid = await systems.refuse.order();
    expect(await payAtWindow(systems.refuse, merchantUid)).toBeUndefined();
    const [{ body, headers } = { body: '', headers: {} }] = shop.seen;
    expect(new Webhook(shop.secret).verify(body, headers as Record<string, string>)).toEqual({
      type: 'payment.confirm',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      data: {
        version: 1,
        merchant_uid: merchantUid,
        imp_uid: expect.stringMatching(/^imp_/),
        amount: 14_000,
        currency: 'KRW',
      },
    });
    expect(shop.seen).toHaveLength(1);
    expect(await lineOf(merchantUid)).toMatchObject({ outcome: 'confirmed', shop: 'approved' });
  });

  test('stops a payment, and the window gets its reason', async () => {
    shop.answers.push((response) => response.end('{"ok":false,"reason":"품절된 <b>상품</b>이 있습니다."}'));
    const merchantUid = await systems.approve.order();
    expect(await payAtWindow(systems.approve, merchantUid)).toBe('품절된 b상품/b이 있습니다.');
    expect(await lineOf(merchantUid)).toMatchObject({ outcome: 'refused_by_shop', shop: 'refused' });
  });

  test.each<[string, ShopServer['answers'][number]]>([
    ['a 500', (response) => response.writeHead(500).end('{"ok":true}')],
    ['a redirect', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
    ['a huge body', (response) => response.end(`{"ok":true,"x":"${'x'.repeat(100_000)}"}`)],
    ['a text', (response) => response.end('OK')],
    ['another form', (response) => response.end('{"ok":"true"}')],
    ['a closed connection', (response) => response.destroy()],
    ['no answer', () => undefined],
    ['a body that does not end', (response) => response.writeHead(200).write('{"ok":true')],
  ])('decides by `otherwise` after %s', async (_case, answer) => {
    shop.answers.push(answer, answer);
    const approved = await systems.approve.order();
    expect(await payAtWindow(systems.approve, approved)).toBeUndefined();
    expect(await lineOf(approved)).toMatchObject({
      outcome: 'confirmed',
      shop: 'unanswered',
      causes: expect.arrayContaining([expect.any(String)]),
    });
    const refused = await systems.refuse.order();
    expect(await payAtWindow(systems.refuse, refused)).toBe(
      '쇼핑몰의 확인을 받지 못해 결제를 진행하지 않았습니다. 잠시 후 다시 시도해 주세요.',
    );
    expect(await lineOf(refused)).toMatchObject({ outcome: 'shop_unanswered', shop: 'unanswered' });
    expect(shop.seen).toHaveLength(2);
  });

  test('is not asked when our own checks refuse the payment', async () => {
    const merchantUid = await systems.approve.order();
    await systems.approve.shop('DELETE', merchantUid);
    expect(await payAtWindow(systems.approve, merchantUid)).toMatch(/./);
    expect(shop.seen).toEqual([]);
  });

  test('has a secret that ops webhooks prints and rotates', async () => {
    const run = (...args: string[]) =>
      runOperator(['webhooks', ...args, '--local', '--url', systems.refuse.url, '--lang', 'en']);
    const url = `${shop.url}?key=in-the-query`;
    expect((await run()).stdout).toBe(`${url}\n  secret: ${shop.secret}\n`);
    const { code, stdout } = await run('rotate', url, '--yes');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/\n {2}secret: whsec_\S{44}\n {2}previous secret, which signs too: /),
    ]);
    expect(stdout).toContain(`signs too: ${shop.secret}\n`);
  });

  test('a question without an answer is a metric, and no log has the secret, a reason or the query of the URL', async () => {
    await vi.waitFor(() => expect(logged.join('')).toContain('"ConfirmsUnanswered":1'), waitingMs);
    const text = logged.join('');
    for (const hidden of [shop.secret.slice('whsec_'.length), '품절', 'in-the-query'])
      expect(text).not.toContain(hidden);
  });
});

test("the shop's function is invoked by the bundle that deploys, and its reason stops the payment", async () => {
  const invoked: unknown[] = [];
  const results = ['{"ok":false,"reason":"한도 초과"}', '{"ok":true}'];
  // The part of Lambda's API that the function calls.
  const lambda = createServer(async (request, response) => {
    invoked.push([request.url, JSON.parse(Buffer.concat(await request.toArray()).toString()).type]);
    response.end(results.shift());
  });
  await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
  const arn = 'arn:aws:lambda:ap-northeast-2:000000000000:function:stock';
  const system = await startSystem({
    environment: {
      CONFIRM_FUNCTION_ARN: arn,
      AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
    },
  });
  try {
    const merchantUid = await system.order();
    expect(await payAtWindow(system, merchantUid)).toBe('한도 초과');
    expect(await payAtWindow(system, merchantUid)).toBeUndefined();
    const call = [`/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`, 'payment.confirm'];
    expect(invoked).toEqual([call, call]);
  } finally {
    await system.close();
    lambda.closeAllConnections();
    lambda.close();
  }
});

test('an assembly with a URL and no server on this machine asks nothing', async () => {
  const confirm = { url: 'https://shop.invalid/', otherwise: 'refuse' };
  const assembly = await localAssembly({ iamport: { ...shippedContext.iamport, confirm } });
  const system = await startSystem({ assembly });
  try {
    expect(await payAtWindow(system, await system.order())).toBeUndefined();
  } finally {
    await system.close();
  }
});

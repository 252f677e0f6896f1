/**
 * The confirmation by the shop, as a buyer meets it: the demo shop of a system that asks a server, a real browser, and a real
 * receiver that refuses or approves. `startEnvironment` starts what `SHOP_CONFIRM_URL` starts.
 */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { localAssembly } from '../../local/assembly.ts';
import { shippedContext } from '../infra/shipped.ts';
import { type ShopServer, startShopServer } from '../support/shop-server.ts';
import { Buyer, type Profile, startEnvironment } from './buyer.ts';

const reason = '품절된 상품이 있습니다.';
let shop: ShopServer;
let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  shop = await startShopServer();
  const confirm = { url: 'https://shop.invalid/', otherwise: 'refuse' };
  environment = await startEnvironment({
    assembly: await localAssembly({ iamport: { ...shippedContext.iamport, confirm } }),
    confirm: { url: shop.url, secret: shop.secret },
  });
});
afterEach(async () => {
  shop.seen.splice(0);
  await environment.reset();
});
afterAll(async () => {
  await environment?.close();
  await shop?.close();
});

const answer = (value: object): void => void shop.answers.push((response) => response.end(JSON.stringify(value)));

test.each<Profile>(['pc', 'phone'])(
  "[T470] shows a buyer with a %s the reason of the shop's server, which approves the next try",
  async (profile) => {
    const buyer = await Buyer.with(profile, environment);
    const pay = async () => {
      await buyer.enterShop();
      await buyer.choose('notebook');
      await (await buyer.openWindow()).getByTestId('pay').click();
    };
    answer({ ok: false, reason });
    await pay();
    const text = await buyer.outcomeText('failed');
    expect(text).toContain('결제에 실패했습니다. 다시 시도해 주세요.');
    expect(text).toContain(reason);
    const refused = buyer.payment;
    expect(refused).toMatchObject({ status: 'failed', fail_reason: reason });
    expect(await buyer.order()).toMatchObject({ status: 'failed', reason, reversals: [] });
    expect(shop.seen.map(({ event }) => event.data)).toMatchObject([
      { merchant_uid: refused.merchant_uid, imp_uid: refused.imp_uid, amount: 14_000 },
    ]);

    answer({ ok: true });
    await pay();
    expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
    expect(buyer.payment).toMatchObject({ status: 'paid', merchant_uid: refused.merchant_uid });
    expect(shop.seen).toHaveLength(2);
  },
);

test("the demo shop in English shows the reason in the words of the shop's server", async () => {
  const buyer = await Buyer.with('pc', environment);
  await buyer.enterShop();
  await buyer.page.locator('[data-language=en]').click();
  answer({ ok: false, reason: 'Sold out.' });
  await (await buyer.openWindow()).getByTestId('pay').click();
  const text = await buyer.outcomeText('failed');
  expect(text).toContain('The payment failed.');
  expect(text).toContain('Sold out.');
});

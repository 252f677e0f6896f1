/** The two snippets of Iamport's KG Inicis guide. The shop changes only the order and the check of the result. */

import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Buyer, type Profile, startEnvironment } from './buyer.ts';

const jquery = join(import.meta.dirname, '../../node_modules/jquery/dist/jquery.min.js');

let environment: Awaited<ReturnType<typeof startEnvironment>>;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterEach(() => environment.reset());
afterAll(() => environment?.close());

/** Section 1 of the guide, with the shop's own values. */
const onPc = (merchantUid: string) => `
IMP.request_pay({
    pg : 'html5_inicis',
    pay_method : 'card',
    merchant_uid : '${merchantUid}',
    name : '주문명:결제테스트',
    amount : 14000,
    buyer_email : 'iamport@siot.do',
    buyer_name : '구매자이름',
    buyer_tel : '010-1234-5678',
    buyer_addr : '서울특별시 강남구 삼성동',
    buyer_postcode : '123-456'
}, function(rsp) {
    if ( rsp.success ) {
    	jQuery.ajax({
    		url: "/payments/complete",
    		type: 'POST',
    		dataType: 'json',
    		data: {
	    		imp_uid : rsp.imp_uid
    		}
    	}).done(function(data) {
    		if ( data.status === 'paid' ) {
    			var msg = '결제가 완료되었습니다.';
    			msg += '\\n고유ID : ' + rsp.imp_uid;
    			msg += '\\n상점 거래ID : ' + rsp.merchant_uid;
    			msg += '\\n결제 금액 : ' + rsp.paid_amount;
    			msg += '카드 승인번호 : ' + rsp.apply_num;
    			alert(msg);
    		} else {
    			alert(data.status + ': ' + data.message);
    		}
    	});
    } else {
        var msg = '결제에 실패하였습니다.';
        msg += '에러내용 : ' + rsp.error_msg;
        alert(msg);
    }
});`;

/** Section 2.1. */
const onPhone = (merchantUid: string) => `
IMP.request_pay({
    pg : 'html5_inicis',
    pay_method : 'card',
    merchant_uid : '${merchantUid}',
    name : '주문명:결제테스트',
    amount : 14000,
    buyer_email : 'iamport@siot.do',
    buyer_name : '구매자이름',
    buyer_tel : '010-1234-5678',
    buyer_addr : '서울특별시 강남구 삼성동',
    buyer_postcode : '123-456',
    m_redirect_url : '${environment.system.url}/payments/complete/mobile'
});`;

/** A page on the origin of the API with jQuery, iamport.js and the snippet only. */
async function openPage(profile: Profile, snippet: (merchantUid: string) => string) {
  const { system } = environment;
  const buyer = await Buyer.with(profile, environment);
  const merchantUid = await system.order();
  await buyer.page.goto(`${system.url}/products.json`);
  await buyer.page.setContent('<!doctype html><title>A shop</title>');
  await buyer.page.addScriptTag({ path: jquery });
  await buyer.page.addScriptTag({ url: `${system.iamport.url}/js/iamport.payment-1.2.0.js` });
  await buyer.page.addScriptTag({ content: `IMP.init('imp00000000');${snippet(merchantUid)}` });
  return { buyer, merchantUid };
}

/** Accepts the next alert. @returns its text */
const nextAlert = (page: Page): Promise<string> =>
  new Promise((resolve) =>
    page.once('dialog', (dialog) => {
      resolve(dialog.message());
      void dialog.accept();
    }),
  );

test('the snippet for a PC posts a form, and its done() gets the status paid', async () => {
  const { buyer, merchantUid } = await openPage('pc', onPc);
  const message = nextAlert(buyer.page);
  const [request] = await Promise.all([
    buyer.page.waitForRequest('**/payments/complete'),
    buyer.window.getByTestId('pay').click(),
  ]);
  const { imp_uid, apply_num } = buyer.payment;
  expect(await message).toBe(
    `결제가 완료되었습니다.\n고유ID : ${imp_uid}\n상점 거래ID : ${merchantUid}\n결제 금액 : 14000카드 승인번호 : ${apply_num}`,
  );
  expect(request.headers()['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
  expect(request.postData()).toBe(`imp_uid=${imp_uid}`);
  expect(await buyer.order()).toMatchObject({ merchant_uid: merchantUid, status: 'paid', imp_uid });
});

test('the done() of the snippet gets the status rejected for another amount', async () => {
  const { buyer } = await openPage('pc', onPc);
  const message = nextAlert(buyer.page);
  await (await buyer.levers()).getByTestId('tampered-amount').fill('100');
  await buyer.window.getByTestId('pay').click();
  expect(await message).toContain('rejected: 결제 금액이 주문 금액과 다릅니다.');
  await buyer.untilReversed();
  expect(buyer.payment).toMatchObject({ status: 'cancelled', cancel_amount: 100 });
});

test('the snippet for a PC shows the error of a closed window', async () => {
  const { buyer } = await openPage('pc', onPc);
  const message = nextAlert(buyer.page);
  await buyer.window.getByTestId('close').click();
  expect(await message).toBe('결제에 실패하였습니다.에러내용 : 사용자가 결제를 취소하셨습니다.');
  expect(await buyer.order()).toMatchObject({ status: 'ready', revision: 1 });
});

test('the snippet for a phone ends on the result page', async () => {
  const { buyer, merchantUid } = await openPage('phone', onPhone);
  await buyer.window.getByTestId('pay').click();
  expect(await buyer.outcomeText('paid')).toContain('결제가 완료되었습니다.');
  expect(await buyer.order()).toMatchObject({
    merchant_uid: merchantUid,
    status: 'paid',
    imp_uid: buyer.payment.imp_uid,
  });
});

/** The WebView kit: the move for an address in a payment page, on each platform, and the return of the buyer. */

import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bundleWebview } from '../../storefront/build.ts';
import {
  type App,
  addressOf,
  appWithScheme,
  comeBack,
  follow,
  type Host,
  type IntentUri,
  moveFor,
  parseIntent,
  printIntent,
} from '../../storefront/webview/index.ts';

const redirectUrl = 'https://www.my-service.com/payments/complete/mobile';
const android: App = { platform: 'android', scheme: 'iamporttest', redirectUrl };
const ios: App = { ...android, platform: 'ios' };
const opened = (address: string, app = android) => {
  const move = moveFor(address, app);
  if (move.do !== 'open-app') throw new Error(`${address} is to ${JSON.stringify(move)}`);
  return move;
};

describe('a page', () => {
  test.each([
    'https://mobile.inicis.com/smart/payment/',
    'http://shop.example/',
    'HTTPS://Mobile.Inicis.com/x?y=1#z',
    'about:blank',
    'about:srcdoc',
  ])('%s is loaded', (url) => {
    expect(moveFor(url, android)).toEqual({ do: 'load', url });
    expect(moveFor(url, ios)).toEqual({ do: 'load', url });
  });

  test.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,<script>1</script>',
    'file:///etc/hosts',
    'content://com.android.contacts/contacts',
    'blob:https://shop.example/1',
    'view-source:https://shop.example/',
    'about:config',
    'intent:alert(1)#Intent;scheme=javascript;end',
    'intent:javascript:alert(1)#Intent;end',
    'intent:///data/data/app/secret#Intent;scheme=FILE;end',
    'intent:intent://x#Intent;scheme=kakaotalk;end#Intent;end',
    'android-app://com.kakao.talk/https/host',
  ])('%s is refused', (address) => {
    expect(moveFor(address, android)).toEqual({ do: 'ignore', reason: 'refused' });
  });

  test.each(['', 'ispmobile', '//host/path', 'isp mobile://x', '\ud800:x'])('%j is not an address', (address) =>
    expect(moveFor(address, android)).toEqual({ do: 'ignore', reason: 'malformed' }),
  );
});

describe('an address as PGs and apps write it', () => {
  test.each([
    ['blanks', ' ispmobile://TID=1&name=홍 길동\n', 'ispmobile://TID=1&name=홍%20길동'],
    ['an ideographic blank', 'ispmobile://n=가\u3000나', 'ispmobile://n=가%E3%80%80나'],
    ['`_` in its scheme', 'my_bank://pay', 'my_bank://pay'],
    ['blanks in an intent', 'intent://a b#Intent;scheme=ispmobile;S.n=c d;end', 'ispmobile://a%20b'],
  ])('%s', (_name, address, url) => expect(opened(address)).toMatchObject({ url }));

  test.each([
    ['https://my_shop.example/pay?x=a b', 'https://my_shop.example/pay?x=a%20b'],
    ['https://user@shop.example/', 'https://user@shop.example/'],
    ['https://[::1]/', 'https://[::1]/'],
  ])('%s is loaded', (address, url) => expect(moveFor(address, android)).toEqual({ do: 'load', url }));

  test('a second `?` in the redirect address, and a trailing slash', () => {
    const ids = { imp_uid: 'imp_1', merchant_uid: 'order-1' };
    const twice = `${redirectUrl}/?to=app?imp_uid=imp_1&merchant_uid=order-1`;
    expect(moveFor(twice, ios)).toEqual({ do: 'load', url: twice, over: ids });
    const back = `iamporttest://?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${encodeURIComponent(twice)}`;
    expect(moveFor(back, ios)).toMatchObject({ do: 'load', over: ids });
  });
});

test.each(['iamporttest://', 'iamporttest:', 'IamportTest'])('the scheme of the app may be written %s', (scheme) => {
  const app = { ...ios, scheme };
  const shown: unknown[] = [];
  const host = { load: () => undefined, showResult: (result: unknown) => void shown.push(result) };
  comeBack('iamporttest://result?merchant_uid=order-1', app, host);
  expect(shown).toEqual([{ merchant_uid: 'order-1' }]);
  expect(moveFor('iamporttest://?merchant_uid=order-1', app)).toMatchObject({ do: 'show-result' });
});

test('moveFor throws for no text', () => {
  for (const platform of ['android', 'ios'] as const) {
    const app = { ...android, platform, scheme: 'iamporttest://' };
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.constantFrom('intent:', 'https://', 'market:', 'iamporttest://', 'itms-apps:', ' %'), fc.string()),
    );
    fc.assert(
      fc.property(anyText, (text) => void moveFor([text].flat().join(''), app)),
      { numRuns: 2_000 },
    );
  }
});

describe("an app's scheme", () => {
  test('opens the app, or its store page when it is not installed', () => {
    expect(moveFor('ispmobile://TID=INIMX_1', android)).toEqual({
      do: 'open-app',
      url: 'ispmobile://TID=INIMX_1',
      known: true,
      app: appWithScheme('ispmobile'),
      package: 'kvp.jjy.MispAndroid320',
      store: {
        url: 'market://details?id=kvp.jjy.MispAndroid320',
        webUrl: 'https://play.google.com/store/apps/details?id=kvp.jjy.MispAndroid320',
      },
      dropped: [],
    });
    expect(moveFor('ispmobile://TID=INIMX_1', ios)).toEqual({
      do: 'open-app',
      url: 'ispmobile://TID=INIMX_1',
      known: true,
      app: appWithScheme('ispmobile'),
      store: { url: 'itms-apps://apps.apple.com/app/id369125087', webUrl: 'https://apps.apple.com/app/id369125087' },
      dropped: [],
    });
  });

  test('is known in capitals too', () => {
    expect(opened('NewSmartPib://x', ios)).toMatchObject({ known: true, url: 'NewSmartPib://x' });
  });

  test.each(['evilapp://steal', 'tel:01012345678', 'sms:010', 'com.evil:x'])('%s is not known', (address) => {
    expect(opened(address)).toEqual({ do: 'open-app', url: address, known: false, dropped: [] });
  });
});

describe('an intent', () => {
  test.each([
    [
      'with a host and a scheme',
      'intent://lottecard/data?acctid=1201&apptid=964&IOS_RETURN_APP=#Intent;scheme=lotteappcard;package=com.lcacApp;end',
      { url: 'lotteappcard://lottecard/data?acctid=1201&apptid=964&IOS_RETURN_APP=', package: 'com.lcacApp' },
    ],
    [
      'with the whole address in it, and a semicolon after its end',
      'intent:hdcardappcardansimclick://appcard?acctid=2016#Intent;package=com.hyundaicard.appcard;end;',
      { url: 'hdcardappcardansimclick://appcard?acctid=2016', package: 'com.hyundaicard.appcard' },
    ],
    [
      'with another address in its query',
      'intent://pay?srCode=568&kb-acp://#Intent;scheme=kb-acp;package=com.kbcard.cxh.appcard;end;',
      { url: 'kb-acp://pay?srCode=568&kb-acp://', package: 'com.kbcard.cxh.appcard' },
    ],
    [
      'without a slash',
      'intent:TID=1#Intent;scheme=ispmobile;end',
      { url: 'ispmobile:TID=1', package: 'kvp.jjy.MispAndroid320' },
    ],
    [
      'without an address',
      'intent:#Intent;scheme=kftc-bankpay;package=com.kftc.bankpay.android;end',
      { url: 'kftc-bankpay://', package: 'com.kftc.bankpay.android' },
    ],
    [
      'with its own fragment',
      'intent://xid=47#a#Intent;scheme=mpocket.online.ansimclick;package=kr.co.samsungcard.mpocket;end',
      { url: 'mpocket.online.ansimclick://xid=47#a', package: 'kr.co.samsungcard.mpocket' },
    ],
    [
      'with action, category and flags',
      'INTENT://kakaopay/pg?url=https://a.example/b#Intent;action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;launchFlags=0x10000000;scheme=kakaotalk;package=com.kakao.talk;end',
      { url: 'kakaotalk://kakaopay/pg?url=https://a.example/b', package: 'com.kakao.talk' },
    ],
  ])('%s opens its app', (_case, address, expected) => {
    expect(opened(address)).toMatchObject({
      ...expected,
      known: true,
      dropped: [],
      store: { url: `market://details?id=${expected.package}` },
    });
    expect(moveFor(address, ios)).toEqual({ do: 'ignore', reason: 'other-platform' });
  });

  test('has a fallback page for a missing app, if it is https', () => {
    const withFallback = (url: string) =>
      opened(`intent://pay#Intent;scheme=supertoss;S.browser_fallback_url=${encodeURIComponent(url)};end`);
    expect(withFallback('https://toss.example/get?a=1&b=2#c')).toMatchObject({
      fallbackUrl: 'https://toss.example/get?a=1&b=2#c',
      dropped: [],
    });
    for (const url of [
      'http://toss.example/',
      'javascript:alert(1)',
      'market://details?id=x.y',
      'https://a@b.example/',
    ]) {
      expect(withFallback(url)).toMatchObject({ known: true, dropped: ['fallback'] });
      expect(withFallback(url)).not.toHaveProperty('fallbackUrl');
    }
  });

  test('cannot target a part of an app: selector, component and extras are dropped and listed', () => {
    const move = opened(
      'intent://pay#Intent;scheme=supertoss;component=com.evil/.Admin;S.token=a%3Bb;B.admin=true;SEL;scheme=evil;component=com.evil/.Root;end',
    );
    expect(move).toMatchObject({
      url: 'supertoss://pay',
      package: 'viva.republica.toss',
      dropped: ['component', 'selector', 'extras'],
    });
    expect(JSON.stringify(move)).not.toContain('evil');
  });

  test.each([
    ['an unlisted scheme', 'intent://x#Intent;scheme=evilapp;end'],
    ['an unlisted package and a listed scheme', 'intent://x#Intent;scheme=supertoss;package=com.evil;end'],
    ['an invalid package', 'intent://x#Intent;scheme=supertoss;package=../evil;end'],
    ['a listed package with an unlisted scheme', 'intent://x#Intent;scheme=evilapp;package=viva.republica.toss;end'],
    ['a page in an unlisted app', 'intent://x.example/#Intent;scheme=https;package=com.android.chrome;end'],
  ])('with %s is not known', (_case, address) => {
    expect(opened(address).known).toBe(false);
  });

  test('for a page is loaded, unless it has a package', () => {
    expect(moveFor('intent://shop.example/a#Intent;scheme=https;end', android)).toEqual({
      do: 'load',
      url: 'https://shop.example/a',
    });
    expect(opened('intent://m.naver.com/a#Intent;scheme=https;package=com.nhn.android.search;end')).toMatchObject({
      url: 'https://m.naver.com/a',
      known: true,
    });
  });

  test('with only a package opens its store page', () => {
    expect(moveFor('intent:#Intent;package=com.kakao.talk;end', android)).toMatchObject({
      do: 'open-store',
      known: true,
      url: 'market://details?id=com.kakao.talk',
    });
  });

  test.each([
    'intent:',
    'intent://x',
    'intent://x#Intent;scheme=kakaotalk',
    'intent:#Intent;end',
    'intent://x#Intent;end',
  ])('%s is malformed', (address) => expect(moveFor(address, android)).toEqual({ do: 'ignore', reason: 'malformed' }));

  test('keeps escapes that are not UTF-8', () => {
    expect(parseIntent('intent://x#Intent;scheme=kpay;S.name=%C0%CC;end')?.extras).toEqual([
      { type: 'S', key: 'name', value: '%C0%CC' },
    ]);
  });
});

describe('a store', () => {
  test.each([
    'market://details?id=com.kftc.bankpay.android',
    'market://search?q=pname:com.kftc.bankpay.android',
    'https://play.google.com/store/apps/details?id=com.kftc.bankpay.android&hl=ko',
    'intent://details?id=com.kftc.bankpay.android#Intent;scheme=market;package=com.android.vending;end',
  ])('%s is the page of an app on Android', (address) => {
    expect(moveFor(address, android)).toEqual({
      do: 'open-store',
      known: true,
      app: appWithScheme('kftc-bankpay'),
      url: 'market://details?id=com.kftc.bankpay.android',
      webUrl: 'https://play.google.com/store/apps/details?id=com.kftc.bankpay.android',
    });
  });

  test.each([
    'itms-apps://itunes.apple.com/app/id398456030?mt=8',
    'itms-appss://apps.apple.com/kr/app/id398456030',
    'https://apps.apple.com/kr/app/%EB%B1%85%ED%81%AC%ED%8E%98%EC%9D%B4/id398456030',
    'http://itunes.apple.com/us/app/id398456030?mt=8',
  ])('%s is the page of an app on iOS', (address) => {
    expect(moveFor(address, ios)).toEqual({
      do: 'open-store',
      known: true,
      app: appWithScheme('kftc-bankpay'),
      url: 'itms-apps://apps.apple.com/app/id398456030',
      webUrl: 'https://apps.apple.com/app/id398456030',
    });
  });

  test('of unlisted apps is not known', () => {
    expect(moveFor('market://details?id=com.evil', android)).toMatchObject({ do: 'open-store', known: false });
    expect(moveFor('itms-apps://apps.apple.com/app/id999999999', ios)).toMatchObject({
      do: 'open-store',
      known: false,
    });
  });

  test('of the other platform opens nothing', () => {
    expect(moveFor('market://details?id=com.kakao.talk', ios)).toEqual({ do: 'ignore', reason: 'other-platform' });
    expect(moveFor('itms-apps://apps.apple.com/app/id362057947', android)).toEqual({
      do: 'ignore',
      reason: 'other-platform',
    });
  });

  test.each(['market://launch?id=a/b', 'market://details', 'market://details?id=com.x%26evil%3D1'])(
    '%s is malformed',
    (address) => expect(moveFor(address, android)).toEqual({ do: 'ignore', reason: 'malformed' }),
  );
});

describe('the return', () => {
  const loaded = `${redirectUrl}?imp_uid=imp_1&merchant_uid=order-1`;
  const over = { do: 'load', url: loaded, over: { imp_uid: 'imp_1', merchant_uid: 'order-1' } };

  test('to the redirect address ends the payment, with any query', () => {
    expect(moveFor(loaded, ios)).toEqual(over);
    expect(moveFor(`${redirectUrl}?to=app&merchant_uid=order-1`, android)).toMatchObject({
      over: { merchant_uid: 'order-1' },
    });
    expect(moveFor(redirectUrl, android)).toEqual({ do: 'load', url: redirectUrl, over: {} });
    expect(moveFor(redirectUrl.replace('https://www', 'HTTPS://WWW').replace('.com/', '.com:443/'), ios)).toMatchObject(
      {
        over: {},
      },
    );
  });

  test.each([
    'https://www.my-service.com/payments/complete/mobile/more?imp_uid=imp_1',
    'https://www.my-service.com.evil.example/payments/complete/mobile?imp_uid=imp_1',
    'https://evil.example/?u=https://www.my-service.com/payments/complete/mobile',
    'http://www.my-service.com/payments/complete/mobile?imp_uid=imp_1',
    'https://www.my-service.com:8443/payments/complete/mobile?imp_uid=imp_1',
    'https://www.my-service.com@evil.example/payments/complete/mobile',
  ])('%s is not the redirect address', (url) => {
    expect(moveFor(url, ios)).toEqual({ do: 'load', url });
  });

  const escaped = encodeURIComponent(redirectUrl);
  test.each([
    ['after a question mark', `iamporttest://?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${escaped}`],
    ['directly after the slashes', `iamporttest://imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${escaped}`],
    ['without slashes', `iamporttest:?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${escaped}`],
    ['with escaped separators', `iamporttest://imp_uid=imp_1%26merchant_uid=order-1%26m_redirect_url=${escaped}`],
    [
      'escaped as a whole',
      `iamporttest://${encodeURIComponent(`imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${redirectUrl}`)}`,
    ],
    ['unescaped', `iamporttest://?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${redirectUrl}`],
    ['the address first', `iamporttest://?m_redirect_url=${redirectUrl}&imp_uid=imp_1&merchant_uid=order-1`],
    ['the ids in the address', `iamporttest://?m_redirect_url=${encodeURIComponent(loaded)}`],
    ['in capitals', `IamportTest://?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${escaped}`],
  ])('of an iOS bank transfer, %s, is loaded', (_case, address) => {
    expect(moveFor(address, ios)).toEqual(over);
  });

  test('keeps the query of the address, with each id once', () => {
    const target = encodeURIComponent(`${redirectUrl}?to=app&imp_uid=imp_0`);
    expect(moveFor(`iamporttest://?imp_uid=imp_1&merchant_uid=a%26b&m_redirect_url=${target}`, ios)).toMatchObject({
      url: `${redirectUrl}?to=app&imp_uid=imp_1&merchant_uid=a%26b`,
    });
  });

  test.each([
    'https://evil.example/payments/complete/mobile',
    'http://www.my-service.com/payments/complete/mobile',
    'https://www.my-service.com/payments/complete/mobile/../../../admin',
    'https://www.my-service.com/other',
    'https://www.my-service.com\\@evil.example/payments/complete/mobile',
    'javascript:alert(1)',
    '/payments/complete/mobile',
    '',
  ])('to %j is ignored', (target) => {
    const address = `iamporttest://?imp_uid=imp_1&merchant_uid=o&m_redirect_url=${encodeURIComponent(target)}`;
    expect(moveFor(address, ios)).toEqual({ do: 'ignore', reason: 'elsewhere' });
  });

  test('from a result target has the result', () => {
    expect(
      moveFor(
        'iamporttest://result?merchant_uid=order-1&imp_uid=imp_1&status=failed&reason=%ED%95%9C%EB%8F%84+%EC%B4%88%EA%B3%BC',
        android,
      ),
    ).toEqual({
      do: 'show-result',
      result: { merchant_uid: 'order-1', imp_uid: 'imp_1', status: 'failed', reason: '한도 초과' },
    });
  });

  test('shows a result with the message of the window, as the backend passes it', () => {
    const location = 'iamporttest://result?merchant_uid=order-1&status=unconfirmed&reason=payment_not_found';
    expect(
      moveFor(`${location}&error_msg=%EA%B8%88%EC%95%A1%EC%9D%B4%20%EB%8B%A4%EB%A6%85%EB%8B%88%EB%8B%A4`, ios),
    ).toEqual({
      do: 'show-result',
      result: {
        ...{ merchant_uid: 'order-1', status: 'unconfirmed', reason: 'payment_not_found' },
        error_msg: '금액이 다릅니다',
      },
    });
  });

  test.each(['iamporttest://', 'iamporttest:', 'iamporttest://card_pay'])('by %s is ignored', (address) => {
    expect(moveFor(address, android)).toEqual({ do: 'ignore', reason: 'came-back' });
  });
});

describe('the app', () => {
  test.each([
    { ...android, redirectUrl: 'http://www.my-service.com/payments/complete/mobile' },
    { ...android, redirectUrl: '/payments/complete/mobile' },
    { ...android, scheme: 'iamport://test' },
    { ...android, scheme: '' },
  ])('is invalid: %j', (app) => {
    expect(() => moveFor('https://shop.example/', app)).toThrow(TypeError);
  });

  test('may use http on the loopback', () => {
    const local = { ...android, redirectUrl: 'http://10.0.2.2:3000/payments/complete/mobile' };
    expect(moveFor(`${local.redirectUrl}?imp_uid=imp_1`, local)).toMatchObject({ over: { imp_uid: 'imp_1' } });
  });
});

describe('follow', () => {
  class Phone implements Host {
    readonly actions: string[] = [];
    readonly installed: RegExp;
    readonly allows: boolean;
    constructor(installed: RegExp, allows = false) {
      this.installed = installed;
      this.allows = allows;
    }
    async open(url: string) {
      this.actions.push(`open ${url}`);
      if (/^throws/.test(url)) throw new Error('no activity');
      return this.installed.test(url);
    }
    load = (url: string) => void this.actions.push(`load ${url}`);
    allow = () => this.allows;
    showResult = (result: object) => void this.actions.push(`result ${JSON.stringify(result)}`);
    over = (ids: object) => void this.actions.push(`over ${JSON.stringify(ids)}`);
    missing = () => void this.actions.push('missing');
  }
  const followed = async (address: string, phone: Phone, app = android) => {
    const loads = follow(address, app, phone);
    await new Promise((resolve) => setImmediate(resolve));
    return [loads, ...phone.actions];
  };
  const bank = 'kftc-bankpay://eftpay?x=1';
  const play = 'market://details?id=com.kftc.bankpay.android';

  test('lets the WebView load a page', async () => {
    expect(await followed('https://mobile.inicis.com/', new Phone(/./))).toEqual([true]);
    expect(await followed(`${redirectUrl}?imp_uid=imp_1`, new Phone(/./))).toEqual([true, 'over {"imp_uid":"imp_1"}']);
  });

  test('opens the app, else its store, else the store on the web, else calls missing', async () => {
    const web = 'https://play.google.com/store/apps/details?id=com.kftc.bankpay.android';
    expect(await followed(bank, new Phone(/^kftc/))).toEqual([false, `open ${bank}`]);
    expect(await followed(bank, new Phone(/^market/))).toEqual([false, `open ${bank}`, `open ${play}`]);
    expect(await followed(bank, new Phone(/^https/))).toEqual([false, `open ${bank}`, `open ${play}`, `open ${web}`]);
    expect(await followed(bank, new Phone(/^$/))).toEqual([
      ...[false, `open ${bank}`, `open ${play}`, `open ${web}`],
      'missing',
    ]);
  });

  test('loads the fallback page of an intent before it opens the store', async () => {
    const address = 'intent://pay#Intent;scheme=supertoss;S.browser_fallback_url=https%3A%2F%2Ftoss.example;end';
    expect(await followed(address, new Phone(/^$/))).toEqual([
      false,
      'open supertoss://pay',
      'load https://toss.example',
    ]);
  });

  test('opens an unknown app only when allow returns true', async () => {
    expect(await followed('evilapp://x', new Phone(/./))).toEqual([false]);
    expect(await followed('throws://x', new Phone(/./, true))).toEqual([false, 'open throws://x', 'missing']);
    expect(await followed('javascript:alert(1)', new Phone(/./, true))).toEqual([false]);
  });

  test('loads the page of an intent', async () => {
    expect(await followed('intent://a.example/#Intent;scheme=https;end', new Phone(/./))).toEqual([
      false,
      'load https://a.example/',
    ]);
  });

  test("comeBack accepts only the app's own scheme", () => {
    const phone = new Phone(/./, true);
    comeBack(`iamporttest://?imp_uid=imp_1&m_redirect_url=${encodeURIComponent(redirectUrl)}`, ios, phone);
    comeBack('IAMPORTTEST://result?merchant_uid=order-1&status=paid', ios, phone);
    for (const other of [
      bank,
      redirectUrl,
      'iamporttest2://?merchant_uid=1',
      'iamporttest://',
      'javascript:alert(1)',
    ]) {
      comeBack(other, ios, phone);
    }
    expect(phone.actions).toEqual([
      'over {"imp_uid":"imp_1"}',
      `load ${redirectUrl}?imp_uid=imp_1`,
      'result {"merchant_uid":"order-1","status":"paid"}',
    ]);
  });
});

describe('for any address', () => {
  const value = fc.string({ unit: 'grapheme', maxLength: 12 });
  const word = fc.stringMatching(/^[a-z][a-z0-9.+-]{0,9}$/);
  const target = fc
    .record(
      {
        scheme: fc.oneof(word, fc.constantFrom('javascript', 'file', 'intent', 'market', 'https', 'IamportTest')),
        package: word,
        component: value,
        action: value,
        type: value,
      },
      { requiredKeys: [] },
    )
    .map((named) => Object.fromEntries(Object.entries(named).filter(([, text]) => text)))
    .chain((named) =>
      fc.array(value.filter(Boolean), { maxLength: 2 }).map((categories) => ({ ...named, categories })),
    );
  const intent: fc.Arbitrary<IntentUri> = fc
    .tuple(
      target,
      fc.webUrl().map((url) => url.replace(/^https?:/, '')),
      fc.array(fc.record({ type: fc.constantFrom('S', 'B', 'i', 'l'), key: value.filter(Boolean), value }), {
        maxLength: 3,
      }),
      fc.option(target, { nil: undefined }),
    )
    .map(([itself, address, extras, selector]) => ({
      ...itself,
      address,
      extras,
      others: [],
      ...(selector && { selector }),
    }));
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    intent.map(printIntent),
    fc
      .tuple(
        fc.constantFrom(
          'intent:',
          'intent://',
          'iamporttest://?',
          'market://',
          'javascript:',
          'https://',
          'itms-apps://',
          'data:',
        ),
        fc.string({ unit: 'binary-ascii' }),
      )
      .map((parts) => parts.join('')),
    fc
      .tuple(fc.constantFrom('javascript:', 'file:', 'DATA:', 'https:'), fc.string())
      .map(([scheme, text]) => `iamporttest://?imp_uid=1&m_redirect_url=${encodeURIComponent(scheme)}${text}`),
  );
  const schemesIn = (move: object): string[] =>
    Array.from(
      JSON.stringify(move, (key, each) => (['app', 'over', 'result'].includes(key) ? undefined : each)).matchAll(
        /"(?:url|webUrl|fallbackUrl)":"\s*([a-z0-9+.-]*):/gi,
      ),
      ([, scheme = '']) => scheme.toLowerCase(),
    );

  test.each([android, ios])('on $platform moveFor does not throw, and returns no address that runs code', (app) => {
    fc.assert(
      fc.property(anything, (address) => {
        const move = moveFor(address, app);
        for (const scheme of schemesIn(move)) {
          expect(['javascript', 'vbscript', 'data', 'file', 'content', 'blob', 'intent']).not.toContain(scheme);
        }
        if (move.do === 'open-app' && move.fallbackUrl) expect(move.fallbackUrl).toMatch(/^https:/i);
      }),
      { numRuns: 3000 },
    );
  });

  test('parsing a printed intent returns the same intent', () => {
    fc.assert(
      fc.property(intent, (original) => {
        expect(parseIntent(printIntent(original))).toEqual(original);
      }),
    );
    fc.assert(
      fc.property(anything, (address) => {
        const read = parseIntent(address);
        if (read) expect(parseIntent(printIntent(read))).toEqual(read);
      }),
    );
  });

  test('a printed intent has the same address', () => {
    fc.assert(
      fc.property(intent, (original) => {
        expect(addressOf(parseIntent(printIntent(original)) ?? original)).toBe(addressOf(original));
      }),
    );
  });
});

describe('webview.mjs', () => {
  const code = bundleWebview();

  test('runs without any platform API', () => {
    const script = code.replace(/export\s*\{[^}]*\};?\s*$/, (names) => {
      const [, local] = /(\w+) as moveFor\b/.exec(names) ?? [];
      return `${local ?? 'moveFor'}('ispmobile://TID=1', { platform: 'ios', scheme: 'iamporttest', redirectUrl: 'https://shop.example/m' }).store.webUrl`;
    });
    expect(runInNewContext(script, {})).toBe('https://apps.apple.com/app/id369125087');
  });

  test('is small, and uses no API of a page, of Node.js or of the network', () => {
    expect(gzipSync(code).length).toBeLessThan(8 * 1024);
    expect(code).not.toMatch(/\b(import|require|window|document|fetch|eval|new URL|\\p\{)\b/);
  });
});

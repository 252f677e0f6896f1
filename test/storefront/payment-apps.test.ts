/** The table of payment apps is well formed, and has every app of Iamport's guide. */

import { describe, expect, test } from 'vitest';
import { appWithScheme, isConfirmed, moveFor, PAYMENT_APPS, SOURCES } from '../../storefront/webview/index.ts';

// The guide's section 3.2.2, in its order.
const guide = [
  ...[
    'kftc-bankpay',
    'ispmobile',
    'itms-apps',
    'hdcardappcardansimclick',
    'smhyundaiansimclick',
    'shinhan-sr-ansimclick',
  ],
  ...[
    'smshinhanansimclick',
    'kb-acp',
    'mpocket.online.ansimclick',
    'ansimclickscard',
    'ansimclickipcollect',
    'vguardstart',
  ],
  ...['samsungpay', 'scardcertiapp', 'lottesmartpay', 'lotteappcard', 'cloudpay', 'nhappvardansimclick'],
  ...['nonghyupcardansimclick', 'citispay', 'citicardappkr', 'kakaotalk'],
];
const app = { scheme: 'iamporttest', redirectUrl: 'https://shop.example/payments/complete/mobile' } as const;

test('every scheme of the guide is known', () => {
  expect(guide.filter((scheme) => scheme !== 'itms-apps' && !appWithScheme(scheme)?.sources.includes('G'))).toEqual([]);
  const moves = guide.map((scheme) =>
    moveFor(`${scheme}://apps.apple.com/app/id398456030`, { ...app, platform: 'ios' }),
  );
  expect(moves.filter((move) => !('known' in move) || !move.known)).toEqual([]);
});

test('no other app claims the guide as its source', () => {
  const fromGuide = PAYMENT_APPS.filter(({ sources }) => sources.includes('G')).map(({ scheme }) => scheme);
  expect(fromGuide.filter((scheme) => !scheme || !guide.includes(scheme))).toEqual([]);
});

describe.each(PAYMENT_APPS.map((one) => [one.scheme ?? one.android, one] as const))('%s', (_name, one) => {
  test('is well formed', () => {
    expect(one.scheme ?? one.android).toBeTruthy();
    expect(one.scheme ?? 'a').toMatch(/^[a-z][a-z0-9+.-]*$/);
    expect(one.android ?? 'a.b').toMatch(/^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/);
    expect(one.appStore ?? '123456789').toMatch(/^\d{9,10}$/);
    expect(one.since ?? '2016-05').toMatch(/^20(1[6-9]|2[0-6])-(0[1-9]|1[0-2])$/);
    expect([one.ko, one.en].join()).toMatch(/^[^<>&]+,[\x20-\x7e]+$/);
    expect(`${one.ko}${one.en}`).not.toContain('--');
    expect(one.sources.length).toBeGreaterThan(0);
    expect(one.sources.filter((source) => !Object.hasOwn(SOURCES, source))).toEqual([]);
    expect(new Set(one.sources).size).toBe(one.sources.length);
    // The month comes from the history of Iamport's repositories.
    expect(Boolean(one.since)).toBe(Boolean(one.scheme) && one.sources.some((source) => 'GP'.includes(source)));
  });
});

test('each scheme, and each package without a scheme, is unique', () => {
  const schemes = PAYMENT_APPS.flatMap(({ scheme }) => scheme ?? []);
  expect(new Set(schemes).size).toBe(schemes.length);
  const alone = PAYMENT_APPS.filter(({ scheme }) => !scheme).map(({ android }) => android);
  const others = PAYMENT_APPS.filter(({ scheme }) => scheme).map(({ android }) => android);
  expect(alone.filter((name, index) => others.includes(name) || alone.indexOf(name) !== index)).toEqual([]);
});

test('apps that only one other PG documents are unconfirmed', () => {
  expect(PAYMENT_APPS.filter((one) => !isConfirmed(one)).map((one) => one.scheme ?? one.android)).toEqual([
    'hanaskcardmobileportal',
    'paycoapplogin',
    'com.mobiletoong.travelwallet',
  ]);
});

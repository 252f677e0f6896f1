/** `npm run native`: the declarations of an app, parsed as XML and as a property list. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DOMParser } from '@xmldom/xmldom';
import * as plist from 'plist';
import { describe, expect, test } from 'vitest';
import type { Language } from '../../functions/shared/language.ts';
import { native } from '../../storefront/native.ts';

const run = (...args: string[]) => runIn('en', ...args);
function runIn(language: Language, ...args: string[]) {
  const output = { stdout: '', stderr: '' };
  const to = (name: keyof typeof output) => ({ write: (text: string) => (output[name] += text) });
  const code = native(args, to('stdout'), to('stderr'), language);
  return { code, ...output };
}
const document = (xml: string) =>
  new DOMParser({
    onError: (_level, message) => {
      throw new Error(message);
    },
  }).parseFromString(xml, 'application/xml');
const ANDROID = 'http://schemas.android.com/apk/res/android';

describe('for Android', () => {
  const { code, stdout } = run('--scheme', 'iamporttest', '--platform', 'android');
  const manifest = document(stdout);
  const named = (tag: string, attribute = 'name') =>
    Array.from(manifest.getElementsByTagName(tag), (one) => one.getAttributeNS(ANDROID, attribute));

  test('the manifest lets other apps return by the scheme', () => {
    expect(code).toBe(0);
    expect(named('data', 'scheme')).toEqual(['iamporttest']);
    expect(named('action')).toEqual(['android.intent.action.VIEW']);
    expect(named('category')).toEqual(['android.intent.category.DEFAULT', 'android.intent.category.BROWSABLE']);
    expect(named('activity', 'exported')).toEqual(['true']);
    expect(named('activity', 'launchMode')).toEqual(['singleTask']);
  });

  test('the manifest declares each app that it opens once', () => {
    const packages = named('package');
    expect(packages).toContain('kvp.jjy.MispAndroid320');
    expect(packages).toContain('com.kakao.talk');
    expect(packages).not.toContain('com.mobiletoong.travelwallet');
    expect(new Set(packages).size).toBe(packages.length);
    expect(manifest.getElementsByTagName('queries')[0]?.parentNode?.nodeName).toBe('manifest');
  });
});

describe('for iOS', () => {
  const { code, stdout } = run('--platform=ios', '--scheme=iamporttest');
  const info = plist.parse(stdout) as {
    CFBundleURLTypes: { CFBundleURLSchemes: string[] }[];
    LSApplicationQueriesSchemes: string[];
  };

  test("the plist has the app's scheme, and 50 schemes to query", () => {
    expect(code).toBe(0);
    expect(info.CFBundleURLTypes.map((one) => one.CFBundleURLSchemes)).toEqual([['iamporttest']]);
    expect(info.LSApplicationQueriesSchemes).toHaveLength(50);
    expect(new Set(info.LSApplicationQueriesSchemes).size).toBe(50);
  });

  test('the 50 schemes include those of the guide, and a comment lists the others', () => {
    const guide = [
      'kftc-bankpay',
      'ispmobile',
      'itms-apps',
      'nhappvardansimclick',
      'vguardstart',
      'kakaotalk',
      'citispay',
    ];
    expect(guide.filter((scheme) => !info.LSApplicationQueriesSchemes.includes(scheme))).toEqual([]);
    expect(stdout).toMatch(/Left out: .*\bkb-screen\b.*\bmg-bankpay\b/);
  });

  test("--limit reserves places for the app's own schemes", () => {
    const { ios } = JSON.parse(run('--scheme', 'iamporttest', '--limit', '3', '--json').stdout);
    expect(ios.LSApplicationQueriesSchemes).toEqual(['itms-apps', 'ispmobile', 'kftc-bankpay']);
    expect(ios.leftOut.slice(0, 2)).toEqual(['kb-acp', 'shinhan-sr-ansimclick']);
  });
});

test('--json prints the same declarations', () => {
  const { android, ios } = JSON.parse(run('--scheme', 'iamporttest', '--json', '--unconfirmed').stdout);
  expect(android).toMatchObject({ scheme: 'iamporttest' });
  expect(android.queries).toContain('com.mobiletoong.travelwallet');
  expect(ios.CFBundleURLSchemes).toEqual(['iamporttest']);
});

test.each([
  [[], '--scheme is missing'],
  [['--scheme'], '--scheme needs a value'],
  [['--scheme', 'iamport://test'], 'lower-case letters, digits, "+", "-" and "."'],
  [['--scheme', 'MyShop'], 'lower-case letters, digits, "+", "-" and "."'],
  [['--scheme', 'my_shop'], 'lower-case letters, digits, "+", "-" and "."'],
  [['--scheme', '1shop'], 'a letter first'],
  [['--scheme', 'https'], "must be the app's own"],
  [['--scheme', 'kakaotalk'], "must be the app's own"],
  [['--scheme', 'shop', '--platform', 'windows'], '--platform is android or ios'],
  [['--scheme', 'shop', '--limit', '51'], 'from 1 to 50'],
  [['--scheme', 'shop', '--limit', '0'], 'from 1 to 50'],
  [['--scheme', 'shop', '--jsn'], 'Unknown option "--jsn".'],
  [['--scheme', 'shop', '-json'], 'Unknown option "-json".'],
  [['--scheme', 'shop', '--json=true'], 'Unknown option "--json=true".'],
  [['--scheme', 'shop', '--', '--json'], 'Unknown option "--".'],
  [['shop'], 'Unknown option "shop".'],
  [['--scheme', '--json'], '--scheme needs a value'],
  [['--scheme='], '--scheme needs a value'],
  [['--scheme', 'shop', '--limit', '-5'], 'from 1 to 50: -5'],
])('%j is a usage error', (args, sentence) => {
  const { code, stdout, stderr } = run(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(sentence);
});

test('the help and the errors are in Korean too, for the same options', () => {
  const optionsIn = (language: Language) => runIn(language, '--help').stdout.match(/^ {2}--[a-z]+/gm);
  expect(optionsIn('ko')).toEqual(optionsIn('en'));
  const { code, stderr } = runIn('ko', '--scheme', 'MyShop', '--lang', 'ko');
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^--scheme은 소문자로 시작하고 .*: MyShop\n사용법: --help\n$/),
  ]);
});

test('the script prints its help', () => {
  const script = join(import.meta.dirname, '../../storefront/native.ts');
  expect(execFileSync(process.execPath, [script, '--help'], { encoding: 'utf8' })).toMatch(/--scheme <name>.*--json/s);
});

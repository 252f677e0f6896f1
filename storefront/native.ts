/**
 * `npm run native -- --scheme iamporttest`: prints the declarations of an app with a payment page in a WebView, from
 * the table of payment apps. Writes no file.
 */

import { parseArgs } from 'node:util';
import type { Language, Localized } from '../functions/shared/language.ts';
import { languageOf } from '../local/environment.ts';
import { isConfirmed, PAYMENT_APPS, type PaymentApp } from './webview/index.ts';
import { androidManifest, infoPlist } from './webview/manifests.ts';

/** iOS reads at most this many of an app's LSApplicationQueriesSchemes, and returns "not installed" for the others. */
const IOS_LIMIT = 50;
const PLATFORMS = ['android', 'ios'] as const;
type Platform = (typeof PLATFORMS)[number];

const HELP: Localized = {
  en: `Prints the declarations that an app with a payment page in a WebView needs.

  --scheme <name>     the app's own scheme, the app_scheme of IMP.request_pay, with or without "://": lower-case letters, digits, "+", "-" and ".", a letter first
  --platform <name>   android or ios; default: both
  --limit <number>    maximum number of schemes for iOS, 1 to ${IOS_LIMIT}: fewer when the app queries others too (default: ${IOS_LIMIT})
  --unconfirmed       also the apps that only one PG documents
  --json              as JSON, for a build script
  --lang ko|en        the language of this help and of errors (default: LC_ALL or LANG)
  --help              this

Example: npm run native -- --scheme iamporttest --platform ios
`,
  ko: `WebView로 결제하는 앱에 필요한 선언을 출력합니다.

  --scheme <이름>     앱의 고유한 스킴. IMP.request_pay의 app_scheme이며 "://"는 붙여도 되고 빼도 됩니다. 소문자로 시작하고
                      소문자, 숫자, "+", "-", "."만 씁니다
  --platform <이름>   android나 ios. 기본값은 둘 다
  --limit <숫자>      iOS에 넣을 스킴의 최대 개수, 1~${IOS_LIMIT}. 앱이 다른 스킴도 조회하면 줄이세요(기본값 ${IOS_LIMIT})
  --unconfirmed       PG사 한 곳의 문서에만 있는 앱도 포함
  --json              빌드 스크립트용 JSON
  --lang ko|en        도움말과 오류의 언어(기본값 LC_ALL 또는 LANG)
  --help              이 도움말

예: npm run native -- --scheme iamporttest --platform ios
`,
};

const OPTIONS = {
  scheme: { type: 'string' },
  platform: { type: 'string' },
  limit: { type: 'string' },
  unconfirmed: { type: 'boolean' },
  json: { type: 'boolean' },
  lang: { type: 'string' },
} as const;

interface NativeOptions {
  readonly scheme: string;
  readonly platforms: readonly Platform[];
  readonly limit: number;
  readonly unconfirmed: boolean;
  readonly json: boolean;
}

class Misuse extends Error {
  readonly texts: Localized;

  constructor(texts: Localized) {
    super(texts.en);
    this.texts = texts;
  }
}

/**
 * The command.
 * @param args the arguments after the command's name
 * @param stdout for the declarations
 * @param language of the help and of errors
 * @returns the exit code: 0, or 2 after a usage error
 */
export function native(
  args: readonly string[],
  stdout: { write(text: string): unknown },
  stderr: { write(text: string): unknown },
  language: Language,
): 0 | 2 {
  try {
    stdout.write(args.includes('--help') ? HELP[language] : render(parseOptions(args)));
    return 0;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    stderr.write(`${error.texts[language]}\n${{ ko: '사용법: --help', en: 'See --help.' }[language]}\n`);
    return 2;
  }
}

/** Not `strict`: its errors are thrown before ours, with other texts. */
function parseOptions(args: readonly string[]): NativeOptions {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  const values: Partial<Record<keyof typeof OPTIONS, string>> = {};
  for (const token of tokens) {
    if (token.kind !== 'option' || !isKnown(token.name)) throw unknownOption(args[token.index]);
    const isFlag = OPTIONS[token.name].type === 'boolean';
    if (isFlag && token.value !== undefined) throw unknownOption(args[token.index]);
    if (!isFlag && (!token.value || token.value.startsWith('--')))
      throw new Misuse({ ko: `--${token.name}에 값이 없습니다`, en: `--${token.name} needs a value.` });
    values[token.name] = token.value ?? '';
  }
  const platform = PLATFORMS.find((one) => one === values.platform);
  if (values.platform !== undefined && !platform) {
    throw new Misuse({ ko: '--platform은 android나 ios여야 합니다', en: '--platform is android or ios.' });
  }
  if (values.lang !== undefined && values.lang !== 'ko' && values.lang !== 'en') {
    throw new Misuse({ ko: '--lang은 ko나 en이어야 합니다', en: '--lang is ko or en.' });
  }
  return {
    scheme: parseScheme(values.scheme),
    platforms: platform ? [platform] : PLATFORMS,
    limit: parseLimit(values.limit),
    unconfirmed: values.unconfirmed !== undefined,
    json: values.json !== undefined,
  };
}

const unknownOption = (argument = ''): Misuse =>
  new Misuse({ ko: `없는 옵션이거나 값이 필요 없는 옵션입니다: ${argument}`, en: `Unknown option "${argument}".` });

const isKnown = (name: string): name is keyof typeof OPTIONS => Object.hasOwn(OPTIONS, name);

/** Another app's scheme would take over its links, or be ignored; Android never matches a capital letter. */
function parseScheme(text: string | undefined): string {
  const scheme = text?.replace(/:(?:\/\/)?$/, '');
  if (!scheme)
    throw new Misuse({
      ko: '--scheme이 없습니다. IMP.request_pay의 app_scheme을 쓰세요',
      en: '--scheme is missing: the app_scheme of IMP.request_pay.',
    });
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw new Misuse({
      ko: `--scheme은 소문자로 시작하고 소문자, 숫자, "+", "-", "."만 씁니다: ${scheme}`,
      en: `--scheme has lower-case letters, digits, "+", "-" and ".", a letter first: ${scheme}`,
    });
  }
  const taken = RESERVED.includes(scheme) || PAYMENT_APPS.some((app) => app.scheme?.toLowerCase() === scheme);
  if (taken)
    throw new Misuse({
      ko: `--scheme은 앱의 고유한 스킴이어야 합니다. ${scheme}은 다른 곳에서 쓰는 스킴입니다`,
      en: `--scheme must be the app's own, and ${scheme} is another's.`,
    });
  return scheme;
}

// biome-ignore format: a list
const RESERVED = [
  'http', 'https', 'intent', 'market', 'about', 'javascript', 'data', 'file', 'content', 'blob', 'tel', 'sms', 'mailto', 'geo',
  'itms', 'itmss', 'itms-apps', 'itms-appss', 'android-app', 'ftp', 'ws', 'wss', 'facetime', 'maps', 'prefs',
];

function parseLimit(text: string | undefined): number {
  if (text === undefined) return IOS_LIMIT;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > IOS_LIMIT) {
    throw new Misuse({
      ko: `--limit은 1에서 ${IOS_LIMIT} 사이의 수여야 합니다: ${text}`,
      en: `--limit is a number from 1 to ${IOS_LIMIT}: ${text}`,
    });
  }
  return limit;
}

function render(options: NativeOptions): string {
  const apps = PAYMENT_APPS.filter((app) => options.unconfirmed || isConfirmed(app));
  const packages = options.platforms.includes('android') ? firstOf(apps, ({ android }) => android) : [];
  const wanted = options.platforms.includes('ios')
    ? [STORE, ...firstOf(apps, ({ scheme, only }) => (only === 'android' ? undefined : scheme))]
    : [];
  const schemes = wanted.slice(0, options.limit);
  const left = wanted.slice(options.limit);
  if (options.json) {
    const parts = {
      ...(options.platforms.includes('android') && {
        android: { scheme: options.scheme, queries: packages.map(({ key }) => key) },
      }),
      ...(options.platforms.includes('ios') && {
        ios: {
          CFBundleURLSchemes: [options.scheme],
          LSApplicationQueriesSchemes: schemes.map(({ key }) => key),
          leftOut: left.map(({ key }) => key),
        },
      }),
    };
    return `${JSON.stringify(parts, null, 2)}\n`;
  }
  const texts = options.platforms.map((platform) =>
    platform === 'android' ? androidManifest(options.scheme, packages) : infoPlist(options.scheme, schemes, left),
  );
  return texts.join('\n');
}

/** The guide lists it too. Not a payment app, so not in the table. */
const STORE = { key: 'itms-apps', app: { ko: '앱스토어', en: 'App Store', sources: ['G'] } } as const;

/** Each package or scheme once, with the first app that has it; in the order of the table, most important first. */
function firstOf(apps: readonly PaymentApp[], keyOf: (app: PaymentApp) => string | undefined) {
  const found = new Map<string, PaymentApp>();
  for (const app of apps) {
    const key = keyOf(app);
    if (key && !found.has(key)) found.set(key, app);
  }
  return [...found].map(([key, app]) => ({ key, app }));
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  process.exitCode = native(args, process.stdout, process.stderr, languageOf(args, process.env));
}

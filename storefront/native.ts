/**
 * `npm run native -- --scheme iamporttest`: prints what an app with a payment page in a WebView must declare, from the table of payment apps.
 * Writes no file.
 */

import { isConfirmed, PAYMENT_APPS, type PaymentApp } from './webview/index.ts';
import { androidManifest, infoPlist } from './webview/manifests.ts';

/** iOS looks at no more than these of an app's LSApplicationQueriesSchemes, and answers "not installed" for the others. */
const IOS_COUNTS = 50;
const PLATFORMS = ['android', 'ios'] as const;
type Platform = (typeof PLATFORMS)[number];

const HELP = `Prints what an app with a payment page in a WebView must declare.

  --scheme <name>     the app's own scheme, the app_scheme of IMP.request_pay, with or without "://": small letters, digits, "+", "-" and ".", a letter first
  --platform <name>   android or ios; both unless told
  --limit <number>    how many schemes iOS may be told of, 1 to ${IOS_COUNTS}: fewer where the app asks for others too (${IOS_COUNTS})
  --unconfirmed       also the apps of which only one PG tells
  --json              as JSON, for a build script
  --help              this

Example: npm run native -- --scheme iamporttest --platform ios
`;

interface Wish {
  readonly scheme: string;
  readonly platforms: readonly Platform[];
  readonly limit: number;
  readonly unconfirmed: boolean;
  readonly json: boolean;
}

class Misuse extends Error {}

/**
 * The command.
 * @param args what follows its name
 * @param stdout for what was asked, and for the complaint where `stderr` is not given
 * @returns the exit code: 0, or 2 for what it does not understand
 */
export function native(
  args: readonly string[],
  stdout: { write(text: string): unknown },
  stderr: { write(text: string): unknown } = stdout,
): 0 | 2 {
  try {
    stdout.write(args.includes('--help') ? HELP : answer(wishOf(args)));
    return 0;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    stderr.write(`${error.message}\nSee --help.\n`);
    return 2;
  }
}

function wishOf(args: readonly string[]): Wish {
  const given: Record<string, string> = {};
  for (let index = 0; index < args.length; index += 1) {
    const [name = '', ...rest] = (args[index] ?? '').split('=');
    if (['--json', '--unconfirmed'].includes(name) && rest.length === 0) given[name] = '';
    else if (['--scheme', '--platform', '--limit'].includes(name)) {
      const value = rest.length > 0 ? rest.join('=') : args[++index];
      if (!value || value.startsWith('--')) throw new Misuse(`${name} needs a value.`);
      given[name] = value;
    } else throw new Misuse(`What is "${args[index]}"?`);
  }
  const platform = PLATFORMS.find((one) => one === given['--platform']);
  if (given['--platform'] !== undefined && !platform) throw new Misuse('--platform is android or ios.');
  return {
    scheme: schemeOf(given['--scheme']),
    platforms: platform ? [platform] : PLATFORMS,
    limit: limitOf(given['--limit']),
    unconfirmed: given['--unconfirmed'] !== undefined,
    json: given['--json'] !== undefined,
  };
}

/** Others' schemes would steal their links, or be ignored; a capital is never matched by Android. */
function schemeOf(given: string | undefined): string {
  const scheme = given?.replace(/:(?:\/\/)?$/, '');
  if (!scheme) throw new Misuse('--scheme is missing: the app_scheme of IMP.request_pay.');
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw new Misuse(`--scheme has small letters, digits, "+", "-" and ".", a letter first: ${scheme}`);
  }
  const taken = RESERVED.includes(scheme) || PAYMENT_APPS.some((app) => app.scheme?.toLowerCase() === scheme);
  if (taken) throw new Misuse(`--scheme must be the app's own, and ${scheme} is another's.`);
  return scheme;
}

// biome-ignore format: a list
const RESERVED = [
  'http', 'https', 'intent', 'market', 'about', 'javascript', 'data', 'file', 'content', 'blob', 'tel', 'sms', 'mailto', 'geo',
  'itms', 'itmss', 'itms-apps', 'itms-appss', 'android-app', 'ftp', 'ws', 'wss', 'facetime', 'maps', 'prefs',
];

function limitOf(text: string | undefined): number {
  if (text === undefined) return IOS_COUNTS;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > IOS_COUNTS) {
    throw new Misuse(`--limit is a number from 1 to ${IOS_COUNTS}: ${text}`);
  }
  return limit;
}

function answer(wish: Wish): string {
  const apps = PAYMENT_APPS.filter((app) => wish.unconfirmed || isConfirmed(app));
  const packages = wish.platforms.includes('android') ? firstOf(apps, ({ android }) => android) : [];
  const wanted = wish.platforms.includes('ios')
    ? [STORE, ...firstOf(apps, ({ scheme, only }) => (only === 'android' ? undefined : scheme))]
    : [];
  const schemes = wanted.slice(0, wish.limit);
  const left = wanted.slice(wish.limit);
  if (wish.json) {
    const parts = {
      ...(wish.platforms.includes('android') && {
        android: { scheme: wish.scheme, queries: packages.map(({ key }) => key) },
      }),
      ...(wish.platforms.includes('ios') && {
        ios: {
          CFBundleURLSchemes: [wish.scheme],
          LSApplicationQueriesSchemes: schemes.map(({ key }) => key),
          leftOut: left.map(({ key }) => key),
        },
      }),
    };
    return `${JSON.stringify(parts, null, 2)}\n`;
  }
  const texts = wish.platforms.map((platform) =>
    platform === 'android' ? androidManifest(wish.scheme, packages) : infoPlist(wish.scheme, schemes, left),
  );
  return texts.join('\n');
}

/** In the guide's list too. Not a payment app, so not in the table. */
const STORE = { key: 'itms-apps', app: { ko: '앱스토어', en: 'App Store', sources: ['G'] } } as const;

/** Each package or scheme once, with the first app that has it; in the table's order, the most important first. */
function firstOf(apps: readonly PaymentApp[], keyOf: (app: PaymentApp) => string | undefined) {
  const found = new Map<string, PaymentApp>();
  for (const app of apps) {
    const key = keyOf(app);
    if (key && !found.has(key)) found.set(key, app);
  }
  return [...found].map(([key, app]) => ({ key, app }));
}

if (import.meta.main) process.exitCode = native(process.argv.slice(2), process.stdout, process.stderr);

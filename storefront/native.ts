/**
 * `npm run native -- --scheme iamporttest`: prints the declarations of an app with a payment page in a WebView, from
 * the table of payment apps. Writes no file.
 */

import { parseArgs } from 'node:util';
import { isConfirmed, PAYMENT_APPS, type PaymentApp } from './webview/index.ts';
import { androidManifest, infoPlist } from './webview/manifests.ts';

/** iOS reads at most this many of an app's LSApplicationQueriesSchemes, and returns "not installed" for the others. */
const IOS_LIMIT = 50;
const PLATFORMS = ['android', 'ios'] as const;
type Platform = (typeof PLATFORMS)[number];

const HELP = `Prints the declarations that an app with a payment page in a WebView needs.

  --scheme <name>     the app's own scheme, the app_scheme of IMP.request_pay, with or without "://": lower-case letters, digits, "+", "-" and ".", a letter first
  --platform <name>   android or ios; default: both
  --limit <number>    maximum number of schemes for iOS, 1 to ${IOS_LIMIT}: fewer when the app queries others too (default: ${IOS_LIMIT})
  --unconfirmed       also the apps that only one PG documents
  --json              as JSON, for a build script
  --help              this

Example: npm run native -- --scheme iamporttest --platform ios
`;

const OPTIONS = {
  scheme: { type: 'string' },
  platform: { type: 'string' },
  limit: { type: 'string' },
  unconfirmed: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface NativeOptions {
  readonly scheme: string;
  readonly platforms: readonly Platform[];
  readonly limit: number;
  readonly unconfirmed: boolean;
  readonly json: boolean;
}

class Misuse extends Error {}

/**
 * The command.
 * @param args the arguments after the command's name
 * @param stdout for the declarations, and for usage errors without `stderr`
 * @returns the exit code: 0, or 2 after a usage error
 */
export function native(
  args: readonly string[],
  stdout: { write(text: string): unknown },
  stderr: { write(text: string): unknown } = stdout,
): 0 | 2 {
  try {
    stdout.write(args.includes('--help') ? HELP : render(parseOptions(args)));
    return 0;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    stderr.write(`${error.message}\nSee --help.\n`);
    return 2;
  }
}

/** Not `strict`: its errors are thrown before ours, with other texts. */
function parseOptions(args: readonly string[]): NativeOptions {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  const values: Partial<Record<keyof typeof OPTIONS, string>> = {};
  for (const token of tokens) {
    if (token.kind !== 'option' || !isKnown(token.name)) throw new Misuse(`Unknown option "${args[token.index]}".`);
    const isFlag = OPTIONS[token.name].type === 'boolean';
    if (isFlag && token.value !== undefined) throw new Misuse(`Unknown option "${args[token.index]}".`);
    if (!isFlag && (!token.value || token.value.startsWith('--'))) throw new Misuse(`--${token.name} needs a value.`);
    values[token.name] = token.value ?? '';
  }
  const platform = PLATFORMS.find((one) => one === values.platform);
  if (values.platform !== undefined && !platform) throw new Misuse('--platform is android or ios.');
  return {
    scheme: parseScheme(values.scheme),
    platforms: platform ? [platform] : PLATFORMS,
    limit: parseLimit(values.limit),
    unconfirmed: values.unconfirmed !== undefined,
    json: values.json !== undefined,
  };
}

const isKnown = (name: string): name is keyof typeof OPTIONS => Object.hasOwn(OPTIONS, name);

/** Another app's scheme would take over its links, or be ignored; Android never matches a capital letter. */
function parseScheme(text: string | undefined): string {
  const scheme = text?.replace(/:(?:\/\/)?$/, '');
  if (!scheme) throw new Misuse('--scheme is missing: the app_scheme of IMP.request_pay.');
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw new Misuse(`--scheme has lower-case letters, digits, "+", "-" and ".", a letter first: ${scheme}`);
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

function parseLimit(text: string | undefined): number {
  if (text === undefined) return IOS_LIMIT;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > IOS_LIMIT) {
    throw new Misuse(`--limit is a number from 1 to ${IOS_LIMIT}: ${text}`);
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

if (import.meta.main) process.exitCode = native(process.argv.slice(2), process.stdout, process.stderr);

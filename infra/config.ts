/**
 * The configuration: what a shop may set, checked once and whole. The same shape is the context `iamport` of cdk.json
 * and the properties of the construct. It knows nothing of AWS.
 */
import * as z from 'zod';

/** Lambda holds 4 KB of environment in all; the targets are one variable of it. */
const RESULT_TARGETS_BYTES = 2048;
/** Schemes that run or read something in the buyer's browser instead of opening a page or an app. */
const UNSAFE_SCHEMES = ['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'view-source:'];

const origin = (example: string) =>
  z
    .string()
    .refine(isOrigin, `must be an exact origin, https:// and a host without path or wildcard, like "${example}"`);

const resultTarget = z
  .string()
  .refine(isResultTarget, 'must be an https:// URL or an app link with a scheme of its own, like "shopapp://result"');

const targetName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'must begin with a-z and have at most 32 of a-z, 0-9, "-" and "_"');

const schema = z.strictObject({
  storefront: z.strictObject({
    origins: z
      .array(origin('https://shop.example'))
      .min(1, 'must name at least one origin, like ["https://shop.example"]')
      .max(50, 'must name at most 50 origins'),
  }),
  results: z
    .record(targetName, resultTarget)
    .refine(fitsEnvironment, `must take at most ${RESULT_TARGETS_BYTES} bytes in all`)
    .default({}),
  shopName: z
    .string()
    .regex(/^\P{C}{0,60}$/u, 'must have at most 60 characters, none of them invisible')
    .default(''),
  testPayments: z.enum(['refuse', 'accept']).default('refuse'),
  reversals: z.enum(['automatic', 'manual']).default('automatic'),
  webhookSenders: z.enum(['any', 'iamport-only']).default('any'),
  iamportApiUrl: origin('https://api.iamport.kr').default('https://api.iamport.kr'),
});

/**
 * What a shop sets; only `storefront.origins` is required.
 *
 * - `storefront.origins`: the origins whose pages may call the API.
 * - `results`: where a buyer's phone is sent after payment, by name; none: the built-in page.
 * - `shopName`: shown on the built-in page.
 * - `testPayments`: whether payments of Iamport's test channel count (`refuse`).
 * - `reversals`: whether rejected payments are cancelled at once, or wait for a person (`automatic`).
 * - `webhookSenders`: whether notifications from outside Iamport's addresses are listened to (`any`).
 * - `iamportApiUrl`: `https://api.iamport.kr`.
 */
export type Configuration = z.input<typeof schema>;
/** The configuration with every default filled in. */
export type Settings = z.output<typeof schema>;

/** The environment variables that come from the settings. */
export interface Environment {
  IAMPORT_API_URL: string;
  TEST_PAYMENTS: string;
  REVERSALS: string;
  WEBHOOK_SENDERS: string;
  RESULT_TARGETS: string;
  SHOP_NAME: string;
}

/** One line a problem, each naming the key, the value found and what is allowed. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/**
 * Checks a configuration and fills in the defaults.
 * @throws ConfigurationError with every problem, not only the first.
 */
export function readSettings(configuration: unknown): Settings {
  const read = schema.safeParse(configuration);
  if (read.success) return read.data;
  throw new ConfigurationError(read.error.issues.flatMap((issue) => problems(issue, configuration)));
}

/** The settings as the functions read them. */
export function environmentOf(settings: Settings): Environment {
  return {
    IAMPORT_API_URL: settings.iamportApiUrl,
    TEST_PAYMENTS: settings.testPayments,
    REVERSALS: settings.reversals,
    WEBHOOK_SENDERS: settings.webhookSenders,
    RESULT_TARGETS: JSON.stringify(settings.results),
    SHOP_NAME: settings.shopName,
  };
}

/** The lines for one finding of zod: one for each unknown key, otherwise one. */
function problems(issue: z.core.$ZodIssue, configuration: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => line([...issue.path, key], configuration, 'there is no such key'));
  }
  const rule = issue.code === 'invalid_key' ? `its name ${sentence(issue.issues)}` : `it ${sentence([issue])}`;
  return [line(issue.path, configuration, rule)];
}

function line(path: readonly PropertyKey[], configuration: unknown, rule: string): string {
  const value = path.reduce<unknown>((part, step) => (part as Record<PropertyKey, unknown>)?.[step], configuration);
  const found = value === undefined ? 'missing' : JSON.stringify(value);
  return `${['iamport', ...path].map(String).join('.')} is ${found}: ${rule}`;
}

function sentence(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .map((issue) => {
      if (issue.code === 'invalid_value')
        return `must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}`;
      if (issue.code === 'invalid_type')
        return `must be of type ${issue.expected === 'record' ? 'object' : issue.expected}`;
      return issue.message;
    })
    .join(', ');
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.origin === text && !text.includes('*');
}

function isResultTarget(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password || /\s/.test(text)) return false;
  return url.protocol !== 'http:' && !UNSAFE_SCHEMES.includes(url.protocol);
}

function fitsEnvironment(targets: Record<string, string>): boolean {
  return Buffer.byteLength(JSON.stringify(targets)) <= RESULT_TARGETS_BYTES;
}

/**
 * The schema of the configuration: iamport.json or the context `iamport` of cdk.json, and the properties of the construct. One check
 * reports every problem. Independent of AWS.
 */
import * as z from 'zod';
import { webhookUrlProblem } from '../functions/adapters/webhooks/address.ts';
import { eventNames, notificationNames } from '../functions/events/event-schema.ts';
import { hexColor } from '../functions/http/result-assets.ts';
import { tierCode } from '../functions/payment/order.ts';
import type { Environment } from './environment.ts';
import { FUNCTION_NAMES, ROUTE_NAMES } from './function-table.ts';

/** Lambda allows 4 KB of environment variables in all, and the targets are one of them. */
const RESULT_TARGETS_BYTES = 2048;
const RESULT_PAGE_BYTES = 1024;
/** Schemes that run a script or read a file in the buyer's browser instead of opening a page or an app. */
const UNSAFE_SCHEMES = ['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'view-source:'];

/** The retention periods that CloudWatch Logs accepts. */
const RETENTION_DAYS = [
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180],
  ...[365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
] as const;

const origin = (example: string) =>
  z.string().superRefine((text, context) => {
    if (isOrigin(text)) return;
    const message = isOrigin(text.replace(/\/$/, ''))
      ? `must be an exact origin, without the slash at the end: "${text.slice(0, -1)}"`
      : `must be an exact origin, https:// and a host without path or wildcard, like "${example}"`;
    context.addIssue({ code: 'custom', message });
  });

/** A scheme alone, as in `app_scheme`, opens the app itself: `shopapp`, `shopapp:` and `shopapp://` are one target. */
const BARE_SCHEME = /^(?:([a-z][a-z0-9+-]*)|([a-z][a-z0-9+.-]*):(?:\/\/)?)$/i;

const resultTarget = z
  .string()
  .transform((text) => text.replace(BARE_SCHEME, '$1$2://'))
  .refine(
    isResultTarget,
    'must be an https:// URL or an app link with a scheme of its own, like "shopapp://result" or "shopapp"',
  );

const targetName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'must begin with a-z and have at most 32 of a-z, 0-9, "-" and "_"');

const pageLink = (protocols: readonly string[]) =>
  z.string().refine(
    (text) => {
      const url = URL.parse(text);
      return url !== null && protocols.includes(url.protocol) && !url.username && !url.password && !/\s/.test(text);
    },
    `must be a URL that begins with ${protocols.join(' or ').replace('https:', 'https://')}`,
  );

const route = z.string().refine((name) => ROUTE_NAMES.includes(name), `must be a route, like "${ROUTE_NAMES[0]}"`);

const whole = (least: number, most: number) => {
  const rule = `must be a whole number from ${least} to ${most}`;
  return z.int(rule).min(least, rule).max(most, rule);
};

const functionName = z
  .string()
  .refine(
    (name) => FUNCTION_NAMES.some((known) => known === name),
    `must be a function: ${FUNCTION_NAMES.map((name) => `"${name}"`).join(', ')}`,
  );

const throttle = z.strictObject({ perSecond: whole(1, 10_000), burst: whole(1, 5_000) });

/** The name or the value of a tag, by the rules of AWS. */
const tag = (least: number, most: number) =>
  z
    .string()
    .regex(
      new RegExp(`^(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{${least},${most}}$`, 'u'),
      `must have ${least} to ${most} letters, digits, spaces and _ . : / = + - @, and not begin with "aws:"`,
    );

const receiverUrl = z.string().superRefine((url, context) => {
  const message = webhookUrlProblem(url);
  if (message) context.addIssue({ code: 'custom', message });
});

const webhook = z.strictObject({
  url: receiverUrl,
  events: z
    .array(z.enum([...eventNames, ...notificationNames]))
    .min(1, 'must name at least one event, or be left out for all events')
    .optional(),
});

/** The decision about a payment when the shop returns no response. */
const confirmOptions = { otherwise: z.enum(['approve', 'refuse']).default('approve') };

const keys = z.strictObject({
  storefront: z.strictObject({
    origins: z
      .array(origin('https://shop.example'))
      .min(1, 'must name at least one origin, like ["https://shop.example"]')
      .max(50, 'must name at most 50 origins'),
  }),
  results: z
    .record(targetName, resultTarget)
    .refine(
      (targets) => takesAtMost(targets, RESULT_TARGETS_BYTES),
      `must take at most ${RESULT_TARGETS_BYTES} bytes in all`,
    )
    .default({}),
  shopName: z
    .string()
    .regex(/^\P{C}{0,60}$/u, 'must have at most 60 characters, none of them invisible')
    .default(''),
  resultPage: z
    .strictObject({
      logo: pageLink(['https:']).refine(isPicture, "must not contain ; , ' or a query").optional(),
      color: z
        .string()
        .regex(hexColor, 'must be "#rgb" or "#rrggbb" with hexadecimal digits, like "#1f5eff"')
        .optional(),
      shop: pageLink(['https:']).optional(),
      orders: pageLink(['https:']).optional(),
      checkout: pageLink(['https:']).optional(),
      support: pageLink(['https:', 'tel:', 'mailto:']).optional(),
    })
    .refine((page) => takesAtMost(page, RESULT_PAGE_BYTES), `must take at most ${RESULT_PAGE_BYTES} bytes in all`)
    .default({}),
  shopAuth: z.enum(['key', 'iam']).default('key'),
  testPayments: z.enum(['refuse', 'accept']).default('refuse'),
  reversals: z.enum(['automatic', 'manual']).default('automatic'),
  webhookSenders: z.enum(['any', 'iamport-only']).default('any'),
  webhooks: z
    .array(webhook)
    .max(10, 'must have at most 10 URLs')
    .refine(
      (webhooks) => new Set(webhooks.map(({ url }) => url)).size === webhooks.length,
      'must have each URL once: put all its events into one entry',
    )
    .default([]),
  confirm: z.strictObject({ url: receiverUrl, ...confirmOptions }).optional(),
  orderPrefix: z
    .string('must be a text')
    .regex(/^[0-9A-Za-z._~-]{0,30}$/, 'must be at most 30 of A-Z a-z 0-9 - . _ ~')
    .default(''),
  tiers: z
    .array(z.string('must be a text').regex(tierCode, "must be a sub-merchant's code: 1 to 40 of A-Z a-z 0-9 - _"))
    .max(50, 'must have at most 50 codes')
    .refine((tiers) => new Set(tiers).size === tiers.length, 'must have each code once')
    .default([]),
  iamportApiUrl: origin('https://api.iamport.kr').default('https://api.iamport.kr'),
  throttles: z.record(route, throttle).default({}),
  provisionedConcurrency: whole(0, 100).default(0),
  keepWarm: z.boolean().default(false),
  reservedConcurrency: z.record(functionName, whole(1, 10_000)).default({}),
  canary: z.boolean().default(false),
  alarmEmails: z.array(z.email('must be an e-mail address')).max(10, 'must name at most 10 addresses').default([]),
  alarmTopicArn: z
    .string()
    .regex(/^(?:arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[0-9A-Za-z_-]{1,256})?$/, 'must be the ARN of an SNS topic')
    .default(''),
  dashboard: z.boolean().default(true),
  budget: whole(0, 1_000_000).default(0),
  logRetentionDays: z.literal(RETENTION_DAYS).default(90),
  archiveDays: whole(0, 3_653).default(30),
  removal: z.enum(['keep', 'destroy']).default('keep'),
  tags: z
    .record(tag(1, 128), tag(0, 256))
    .refine((tags) => Object.keys(tags).length <= 40, 'must have at most 40 tags')
    .default({}),
});

/** A name of DNS, in lower case: labels with at most 63 letters, digits and dashes. */
const DOMAIN_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

const domain = z.strictObject({
  name: z.string().regex(DOMAIN_NAME, 'must be a domain name in lower case, like "pay.shop.example"'),
  certificateArn: z
    .string()
    .regex(
      /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9A-Za-z-]+$/,
      'must be the ARN of a certificate in AWS Certificate Manager, in the region of the deployment',
    ),
  hostedZoneId: z
    .string()
    .regex(/^Z[0-9A-Z]{1,31}$/, 'must be the id of a hosted zone in Route 53, like "Z0123456789ABCDEFGHIJ"')
    .optional(),
  only: z.boolean().default(false),
});

/** The default of `name`. */
export const DEFAULT_NAME = 'IamportPayments';

/** Options of this repository's own stack only. An app with the construct has a stack and domain objects of its own. */
const ownStack = {
  name: z
    .string()
    .regex(
      /^[A-Za-z][0-9A-Za-z-]{0,63}$/,
      'must begin with a letter and have at most 64 letters, digits and "-", like "ShopStaging"',
    )
    .default(DEFAULT_NAME),
  domain: domain.optional(),
};

/** The rules that concern several keys. */
const schema = keys
  .refine(({ budget, alarmEmails }) => budget === 0 || alarmEmails.length > 0, {
    path: ['budget'],
    message: 'needs a recipient: add an address to alarmEmails',
  })
  .refine(
    ({ provisionedConcurrency, reservedConcurrency }) =>
      ['complete', 'mobile-redirect'].every(
        (name) => provisionedConcurrency <= (reservedConcurrency[name] ?? Infinity),
      ),
    {
      path: ['provisionedConcurrency'],
      message: 'must not be above the reservedConcurrency of "complete" and "mobile-redirect"',
    },
  );

const stackSchema = schema.safeExtend(ownStack);

/** The configuration as a shop passes it to the construct; only `storefront.origins` is required. */
export type Configuration = z.input<typeof schema>;

/** The configuration of this repository's own stack. config-descriptions.ts describes each key. */
export type StackConfiguration = z.input<typeof stackSchema>;

/**
 * The keys of the schema, those of `storefront` by their whole path.
 * @returns of each key its default as JSON, and its values if the schema lists them
 */
export function configurationKeys(): { key: ConfigurationKey; default?: string; values: readonly unknown[] }[] {
  const { storefront: _required, ...defaults } = readStackSettings({
    storefront: { origins: ['https://shop.example'] },
  });
  return Object.keys({ ...schema.shape, ...ownStack }).map((name) => {
    if (name === 'storefront') return { key: 'storefront.origins', values: [] };
    const key = name as Exclude<ConfigurationKey, 'storefront.origins'>;
    const inner = stackSchema.shape[key].unwrap();
    const values = inner instanceof z.ZodEnum ? inner.options : inner instanceof z.ZodBoolean ? [true, false] : [];
    return { key, default: JSON.stringify(defaults[key]), values };
  });
}

export type ConfigurationKey = Exclude<keyof StackSettings, 'storefront'> | 'storefront.origins';

/** The configuration of the construct with every default filled in. */
export type Settings = z.output<typeof schema>;

/** The configuration of this repository's own stack with every default filled in. */
export type StackSettings = z.output<typeof stackSchema>;

/** The message has one line for each problem: the key, the value and the rule. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
      options,
    );
    this.problems = problems;
  }
}

/**
 * Checks a configuration of the construct and fills in the defaults.
 * @throws ConfigurationError with every problem, not only the first.
 */
export const readSettings = (configuration: unknown): Settings => checked(schema, configuration);

/**
 * The same for the configuration of this repository's own stack, which also has `name` and `domain`.
 * @throws ConfigurationError with every problem, not only the first.
 */
export const readStackSettings = (configuration: unknown): StackSettings => checked(stackSchema, configuration);

function checked<Schema extends z.ZodType>(checks: Schema, configuration: unknown): z.output<Schema> {
  const read = checks.safeParse(configuration);
  if (read.success) return read.data;
  throw new ConfigurationError(problemsOf(read.error, configuration));
}

/** Whether a payment is approved when the shop does not answer; it is by default. */
export type ConfirmOptions = z.input<z.ZodObject<typeof confirmOptions>>;

/** @throws ConfigurationError with every problem of the options of `payments.onConfirm` */
export function readConfirmOptions(options: unknown): z.output<z.ZodObject<typeof confirmOptions>> {
  const read = z.strictObject(confirmOptions).safeParse(options);
  if (read.success) return read.data;
  throw new ConfigurationError(problemsOf(read.error, options, 'onConfirm'));
}

/** The events of a webhook; all by default. */
export type WebhookOptions = Omit<z.input<typeof webhook>, 'url'>;
export type WebhookSettings = z.output<typeof webhook>;

/** @throws ConfigurationError with every problem of the URL and the names of events */
export function readWebhook(configuration: unknown): WebhookSettings {
  const read = webhook.safeParse(configuration);
  if (read.success) return read.data;
  throw new ConfigurationError(problemsOf(read.error, configuration, 'webhook'));
}

/**
 * One line for each problem that a schema found in a value.
 * @param name precedes the keys of the value; without it the lines name the keys as iamport.json has them
 */
export function problemsOf(error: z.ZodError, value: unknown, name?: string): string[] {
  return error.issues.flatMap((issue) => problems(issue, value, name));
}

/** The settings as environment variables of the functions. */
export function environmentOf(settings: Settings): Environment {
  return {
    IAMPORT_API_URL: settings.iamportApiUrl,
    TEST_PAYMENTS: settings.testPayments,
    REVERSALS: settings.reversals,
    WEBHOOK_SENDERS: settings.webhookSenders,
    ORDER_PREFIX: settings.orderPrefix,
    TIERS: JSON.stringify(settings.tiers),
    RESULT_TARGETS: JSON.stringify(settings.results),
    SHOP_NAME: settings.shopName,
    // The default for the button back to the shop.
    RESULT_PAGE: JSON.stringify({ shop: settings.storefront.origins[0], ...settings.resultPage }),
  };
}

/** The lines for one issue of zod: one for each unknown key, otherwise one. */
function problems(issue: z.core.$ZodIssue, configuration: unknown, name: string | undefined): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => line(name, [...issue.path, key], configuration, 'there is no such key'));
  }
  const rule = issue.code === 'invalid_key' ? `its name ${sentence(issue.issues)}` : `it ${sentence([issue])}`;
  return [line(name, issue.path, configuration, rule)];
}

function line(name: string | undefined, path: readonly PropertyKey[], configuration: unknown, rule: string): string {
  const value = path.reduce<unknown>((part, step) => (part as Record<PropertyKey, unknown>)?.[step], configuration);
  const found = value === undefined ? 'missing' : shown(value);
  const key = [...(name ? [name] : []), ...path].map(String).join('.') || 'the configuration';
  return `${key} is ${found}: ${rule}`;
}

/** The value as JSON. An object of the CDK, passed by mistake, may be circular and cannot be written as JSON. */
function shown(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'an object';
  }
}

function sentence(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .map((issue) => {
      if (issue.code === 'invalid_value')
        return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
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

/** The logo's URL is also in the page's content security policy, where these characters have a meaning. */
function isPicture(text: string): boolean {
  return !/[;,'?#]/.test(text);
}

const takesAtMost = (value: object, bytes: number): boolean => Buffer.byteLength(JSON.stringify(value)) <= bytes;

/** Reads and checks a function's environment variables, all at once. No other file reads them. */

import * as z from 'zod/mini';
import type { ShopColumns } from '../adapters/dynamodb/shop-columns.ts';
import type { ResultPageBranding } from '../http/result-page.ts';
import type { Policy } from '../payment/decide.ts';
import { tierCode } from '../payment/order.ts';
import { jsonIn } from '../shared/json-text.ts';

/**
 * The shop's own result pages, by name. A mobile redirect goes to `web` by default, to another one with `to=<name>`.
 */
export type ResultTargets = Readonly<Record<string, string>>;

export interface Config {
  /** A dimension of each metric: it separates this deployment from others in the account. */
  readonly deployment: string;
  readonly tables: { readonly orders: string; readonly reversals: string; readonly state: string };
  /** Set when the orders table is the shop's own: the names of its attributes. */
  readonly shopColumns: ShopColumns | undefined;
  readonly iamportSecretArn: string;
  /** How the shop's server proves itself on the order routes: by a key, or by API Gateway's IAM authorization. */
  readonly shopAuth: 'key' | 'iam';
  /** Only for the functions of the order routes, with `shopAuth: 'key'`. */
  readonly shopKeysSecretArn: string | undefined;
  readonly iamportApiUrl: string;
  readonly policy: Policy;
  readonly webhookSenders: 'any' | 'iamport-only';
  /** How every order number of this shop begins; empty where the Iamport account serves no other shop. */
  readonly orderPrefix: string;
  /** The sub-merchants' codes of an Agency account whose payment lists the reconciler scans. */
  readonly tiers: readonly string[];
  readonly resultTargets: ResultTargets;
  readonly shopName: string;
  readonly resultPage: ResultPageBranding;
}

export const required = z.string('is missing').check(z.minLength(1, 'is empty'));
export const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z._default(z.enum(values, `must be ${values.map((value) => `"${value}"`).join(' or ')}`), values[0]);

/** `RESULT_TARGETS`: a JSON object from names to URLs. */
const targets = z.pipe(
  z._default(z.string(), '{}'),
  z.transform((text, context): ResultTargets => {
    const found = z.record(z.string(), z.url()).safeParse(jsonIn(text));
    if (found.success) return found.data;
    context.issues.push({ code: 'custom', input: text, message: 'must be a JSON object from names to URLs' });
    return z.NEVER;
  }),
);

/** `TIERS`: a JSON array of sub-merchants' codes. */
const tiers = z.pipe(
  z._default(z.string(), '[]'),
  z.transform((json, context): readonly string[] => {
    const found = z.array(z.string().check(z.regex(tierCode))).safeParse(jsonIn(json));
    if (found.success) return found.data;
    context.issues.push({ code: 'custom', input: json, message: "must be a JSON array of sub-merchants' codes" });
    return z.NEVER;
  }),
);

/** `ORDERS_COLUMNS`: a JSON object. */
const columns = z.pipe(
  z.optional(z.string()),
  z.transform((text, context): ShopColumns | undefined => {
    if (text === undefined) return undefined;
    const found = z.object({ key: required, amount: required, currency: z.optional(required) }).safeParse(jsonIn(text));
    if (found.success) return found.data;
    context.issues.push({ code: 'custom', input: text, message: 'must be a JSON object with key and amount' });
    return z.NEVER;
  }),
);

const text = z.optional(z.string());

/** `RESULT_PAGE`: a JSON object of strings. */
const branding = z.pipe(
  z._default(z.string(), '{}'),
  z.transform((json, context): ResultPageBranding => {
    const parts = { logo: text, color: text, shop: text, orders: text, checkout: text, support: text };
    const found = z.strictObject(parts).safeParse(jsonIn(json));
    if (found.success) return found.data;
    context.issues.push({ code: 'custom', input: json, message: 'must be a JSON object of strings' });
    return z.NEVER;
  }),
);

export const deployment = z._default(z.string(), 'local');

const environment = z.object({
  DEPLOYMENT: deployment,
  ORDERS_TABLE: required,
  ORDERS_COLUMNS: columns,
  REVERSALS_TABLE: required,
  STATE_TABLE: required,
  IAMPORT_SECRET_ARN: required,
  SHOP_AUTH: oneOf('key', 'iam'),
  SHOP_KEYS_SECRET_ARN: z.optional(required),
  IAMPORT_API_URL: z._default(z.url('must be a URL'), 'https://api.iamport.kr'),
  TEST_PAYMENTS: oneOf('refuse', 'accept'),
  REVERSALS: oneOf('automatic', 'manual'),
  WEBHOOK_SENDERS: oneOf('any', 'iamport-only'),
  ORDER_PREFIX: z._default(z.string(), ''),
  TIERS: tiers,
  RESULT_TARGETS: targets,
  SHOP_NAME: z._default(z.string(), ''),
  RESULT_PAGE: branding,
});

export type Variables = Readonly<Record<string, string | undefined>>;

export interface PublisherConfig extends Pick<Config, 'deployment' | 'shopColumns'> {
  /** Set when the orders table is the shop's own: the publisher restores our attributes in it. */
  readonly ordersTable: string | undefined;
  readonly reversalsTable: string;
  readonly eventBus: string;
  /** For stream records of which no event can be made. */
  readonly unpublishedQueueUrl: string;
}

/** The publisher's variables: it calls no Iamport API, so it needs no secret. */
const publisherEnvironment = z.object({
  DEPLOYMENT: deployment,
  ORDERS_TABLE: z.optional(required),
  REVERSALS_TABLE: required,
  ORDERS_COLUMNS: columns,
  EVENT_BUS: required,
  UNPUBLISHED_QUEUE_URL: z.url('must be a URL'),
});

/** @throws Error that lists every invalid variable by name */
export function publisherConfigFrom(variables: Variables): PublisherConfig {
  const env = checked(publisherEnvironment, variables);
  return {
    deployment: env.DEPLOYMENT,
    ordersTable: env.ORDERS_TABLE,
    reversalsTable: env.REVERSALS_TABLE,
    shopColumns: env.ORDERS_COLUMNS,
    eventBus: env.EVENT_BUS,
    unpublishedQueueUrl: env.UNPUBLISHED_QUEUE_URL,
  };
}

/** @throws Error that lists every invalid variable by name */
export function checked<Schema extends z.ZodMiniType>(schema: Schema, variables: Variables): z.output<Schema> {
  const found = schema.safeParse(variables);
  if (found.success) return found.data;
  const problems = found.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new Error(`Invalid environment variables: ${problems.join('; ')}`);
}

/** @throws Error that lists every invalid variable by name */
export function configFrom(variables: Variables): Config {
  const env = checked(environment, variables);
  return {
    deployment: env.DEPLOYMENT,
    tables: { orders: env.ORDERS_TABLE, reversals: env.REVERSALS_TABLE, state: env.STATE_TABLE },
    shopColumns: env.ORDERS_COLUMNS,
    iamportSecretArn: env.IAMPORT_SECRET_ARN,
    shopAuth: env.SHOP_AUTH,
    shopKeysSecretArn: env.SHOP_KEYS_SECRET_ARN,
    iamportApiUrl: env.IAMPORT_API_URL,
    policy: { acceptTestPayments: env.TEST_PAYMENTS === 'accept', reversals: env.REVERSALS },
    webhookSenders: env.WEBHOOK_SENDERS,
    orderPrefix: env.ORDER_PREFIX,
    tiers: env.TIERS,
    resultTargets: env.RESULT_TARGETS,
    shopName: env.SHOP_NAME,
    resultPage: env.RESULT_PAGE,
  };
}

/** Whether a request starts an instance. With provisioned concurrency Lambda starts instances before requests come. */
export const startsOnDemand = (variables: Variables): boolean =>
  variables.AWS_LAMBDA_INITIALIZATION_TYPE !== 'provisioned-concurrency';

/** The version that is deployed, in each log line. Undefined outside a deployment. */
export const version: string | undefined = process.env.VERSION;

/** @returns the environment variables of the function, or undefined outside Lambda */
export const environmentOfLambda = () => (process.env.AWS_LAMBDA_FUNCTION_NAME ? process.env : undefined);

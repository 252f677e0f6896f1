/** The Lambda functions as a table: each row has the rights and settings of a function, and its routes or its memory and time-out. */
import type { ShopRight } from '../functions/shared/shop-keys.ts';
import type { Environment } from './environment.ts';

/** The resources that IAM actions are granted on. `unpublished` is the queue of records that could not be published. */
export type Resource =
  | 'orders'
  | 'orders/due'
  | 'orders/stream'
  | 'reversals'
  | 'reversals/by-order'
  | 'reversals/due'
  | 'reversals/stream'
  | 'state'
  | 'secret'
  | 'shop-keys'
  | 'bus'
  | 'unpublished';

/** API Gateway's limits for each route of a function: requests a second, and requests at once. */
export interface Throttle {
  perSecond: number;
  burst: number;
}

/** The common properties of HTTP functions and workers. */
export interface FunctionDefinition {
  description: string;
  /** IAM actions by resource. */
  rights: Partial<Record<Resource, readonly string[]>>;
  /** The IAM actions on further resources, or in place of those in `rights`, when the orders are in the shop's own table. */
  rightsInShopTable?: Partial<Record<Resource, readonly string[]>>;
  /** Environment variables besides the names of the tables, the secret and Iamport's address. */
  settings: readonly (keyof Environment)[];
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: `/${string}`;
}

/** A function behind routes of the API. */
export interface HttpFunction extends FunctionDefinition {
  routes: readonly Route[];
  /** Routes for mistyped addresses: with a trailing slash, or cut short. The function answers them as it answers its `routes`. */
  fallbackRoutes?: readonly Route[];
  /** The right that the shop's server needs; undefined for a public route. */
  right?: ShopRight;
  throttle: Throttle;
}

/** A function that the schedule or the tables' streams invoke. */
export interface Worker extends FunctionDefinition {
  timeoutSeconds: number;
  memoryMb: number;
}

/** A function that settles payments writes the order or a reversal, and reads and writes the shared access token. */
const SETTLING_RIGHTS = {
  orders: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  reversals: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  state: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  secret: ['secretsmanager:GetSecretValue'],
} as const;

/** Before the reconciler's first run, only the creation time of the table `state` shows when the deployment began. */
const SETTLING_RIGHTS_IN_SHOP_TABLE = {
  state: [...SETTLING_RIGHTS.state, 'dynamodb:DescribeTable'],
} as const;

/**
 * Far above a shop's busiest minute. At 50 ms a call, 50 a second are 3 executions at once. While Iamport hangs, they are 500, half
 * of the usual quota: `reservedConcurrency` bounds a function.
 */
const USUAL_THROTTLE: Throttle = { perSecond: 50, burst: 100 };

/**
 * Iamport calls `confirm` once for every payment, and a 429 stops that payment like a refusal. A call costs one GetItem, so the
 * limit fits a whole flash sale: 10,000 buyers in 20 s. A flood above it still stops sales. Only AWS WAF before CloudFront can
 * distinguish senders.
 */
const CONFIRM_THROTTLE: Throttle = { perSecond: 500, burst: 1000 };

/**
 * Memory of an HTTP function. Lambda gives CPU by memory. At 256 MB a warm request takes up to 20 ms more on a slow
 * machine, and a million requests cost about 0.1 USD less: docs/cost.md.
 */
export const HTTP_MEMORY_MB = 512;

/** Keyed by the file name of the handler in functions/handlers/. */
export const HTTP_FUNCTIONS = {
  complete: {
    description: 'Completes a payment for the storefront and the apps.',
    routes: [{ method: 'POST', path: '/payments/complete' }],
    throttle: USUAL_THROTTLE,
    rights: SETTLING_RIGHTS,
    rightsInShopTable: SETTLING_RIGHTS_IN_SHOP_TABLE,
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  'mobile-redirect': {
    description: 'Completes a payment when the phone of a buyer comes back from the payment window.',
    routes: [{ method: 'GET', path: '/payments/complete/mobile' }],
    // Without these, API Gateway would answer a buyer with JSON.
    fallbackRoutes: [
      { method: 'GET', path: '/payments' },
      { method: 'GET', path: '/payments/{proxy+}' },
    ],
    throttle: USUAL_THROTTLE,
    rights: SETTLING_RIGHTS,
    rightsInShopTable: SETTLING_RIGHTS_IN_SHOP_TABLE,
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'RESULT_TARGETS', 'SHOP_NAME', 'RESULT_PAGE'],
  },
  webhook: {
    description: 'Settles the payment that Iamport notifies about.',
    routes: [{ method: 'POST', path: '/payments/webhook' }],
    // API Gateway does not match /payments/webhook/ to /payments/webhook, and Iamport sends a notification once.
    fallbackRoutes: [{ method: 'POST', path: '/payments/{proxy+}' }],
    // Iamport notifies of every payment, and deposits arrive in bursts. A notification answered 429 may never be repeated.
    throttle: { perSecond: 100, burst: 200 },
    rights: SETTLING_RIGHTS,
    rightsInShopTable: SETTLING_RIGHTS_IN_SHOP_TABLE,
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'WEBHOOK_SENDERS'],
  },
  orders: {
    description: 'Registers and shows orders for the server of the shop.',
    routes: [
      { method: 'PUT', path: '/orders/{merchant_uid}' },
      { method: 'GET', path: '/orders/{merchant_uid}' },
    ],
    right: 'orders',
    throttle: USUAL_THROTTLE,
    rights: {
      orders: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      'reversals/by-order': ['dynamodb:Query'],
      // An unmatched payment is checked once its order is registered.
      reversals: ['dynamodb:UpdateItem'],
      state: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      secret: ['secretsmanager:GetSecretValue'],
    },
    settings: ['ORDER_PREFIX'],
  },
  refunds: {
    description: 'Gives money back for the server of the shop.',
    routes: [{ method: 'POST', path: '/orders/{merchant_uid}/refunds' }],
    right: 'money',
    throttle: USUAL_THROTTLE,
    // Reads the other refunds of the order: unfinished ones reduce the refundable amount.
    rights: {
      ...SETTLING_RIGHTS,
      reversals: [...SETTLING_RIGHTS.reversals, 'dynamodb:BatchGetItem'],
      'reversals/by-order': ['dynamodb:Query'],
    },
    rightsInShopTable: SETTLING_RIGHTS_IN_SHOP_TABLE,
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  'close-order': {
    description: 'Closes an unpaid order for the server of the shop.',
    routes: [{ method: 'DELETE', path: '/orders/{merchant_uid}' }],
    right: 'money',
    throttle: USUAL_THROTTLE,
    rights: { ...SETTLING_RIGHTS, reversals: [...SETTLING_RIGHTS.reversals, 'dynamodb:BatchGetItem'] },
    rightsInShopTable: SETTLING_RIGHTS_IN_SHOP_TABLE,
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  confirm: {
    description: 'Answers Iamport whether a payment may be approved.',
    routes: [{ method: 'POST', path: '/payments/confirm' }],
    throttle: CONFIRM_THROTTLE,
    rights: { orders: ['dynamodb:GetItem'] },
    settings: [],
  },
} as const satisfies Record<string, HttpFunction>;

const STREAM_RIGHTS = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

/** Keyed like HTTP_FUNCTIONS. */
export const WORKERS = {
  reconcile: {
    description: 'Compares the payments at Iamport with the orders, and processes due items.',
    timeoutSeconds: 120,
    memoryMb: 512,
    rights: {
      ...SETTLING_RIGHTS,
      orders: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
      reversals: [...SETTLING_RIGHTS.reversals, 'dynamodb:BatchGetItem'],
      'orders/due': ['dynamodb:Query'],
      'reversals/due': ['dynamodb:Query'],
      'reversals/by-order': ['dynamodb:Query'],
      state: [...SETTLING_RIGHTS.state, 'dynamodb:BatchGetItem', 'dynamodb:DescribeTable'],
    },
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'ORDER_PREFIX', 'TIERS'],
  },
  publish: {
    description: 'Publishes changes of the tables to the event bus.',
    timeoutSeconds: 30,
    memoryMb: 256,
    rights: {
      'orders/stream': STREAM_RIGHTS,
      'reversals/stream': STREAM_RIGHTS,
      reversals: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      bus: ['events:PutEvents'],
      unpublished: ['sqs:SendMessage'],
    },
    // The publisher restores our attributes in items that the shop has overwritten. A write whose condition fails reads the item.
    rightsInShopTable: { orders: ['dynamodb:GetItem', 'dynamodb:UpdateItem'] },
    settings: [],
  },
} as const satisfies Record<string, Worker>;

export type HttpFunctionName = keyof typeof HTTP_FUNCTIONS;

export type WorkerName = keyof typeof WORKERS;
export type FunctionName = HttpFunctionName | WorkerName;

/** The HTTP functions as pairs, in the order of the table. */
export const HTTP_FUNCTION_ENTRIES = Object.entries(HTTP_FUNCTIONS) as [HttpFunctionName, HttpFunction][];
export const WORKER_ENTRIES = Object.entries(WORKERS) as [WorkerName, Worker][];
export const FUNCTION_NAMES: readonly FunctionName[] = [...HTTP_FUNCTION_ENTRIES, ...WORKER_ENTRIES].map(
  ([name]) => name,
);

/**
 * The function of a destination of webhooks. It is not in WORKERS: a stack has one for each URL, or none, with rights on the
 * resources of that URL (webhooks.ts).
 */
export const DELIVER = {
  bundle: 'deliver',
  description: 'Delivers events to the server of the shop as signed webhooks.',
  // One request takes 10 s at most. The rest is for the secret and the queue.
  timeoutSeconds: 30,
  memoryMb: 256,
} as const;

/** A handler in functions/handlers/. */
export type BundleName = FunctionName | typeof DELIVER.bundle;
export const BUNDLE_NAMES: readonly BundleName[] = [...FUNCTION_NAMES, DELIVER.bundle];

/** All routes of a function, with the fallback routes. */
export const routesOf = ({ routes, fallbackRoutes = [] }: HttpFunction): readonly Route[] => [
  ...routes,
  ...fallbackRoutes,
];

/** Every route, as API Gateway names it. */
export const ROUTE_NAMES: readonly string[] = HTTP_FUNCTION_ENTRIES.flatMap(([, httpFunction]) =>
  routesOf(httpFunction).map(({ method, path }) => `${method} ${path}`),
);

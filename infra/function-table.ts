/**
 * The functions of the system, doors and workers, one entry a function: what it answers, what it may do, what it is told. Bundles, functions,
 * rights and routes are all made from this table; it holds facts only and builds nothing.
 */
import type { Environment } from './config.ts';

/** What a right is given on: a table, one of its indexes or its stream, the secret, the bus, or the queue of what failed. */
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
  | 'bus'
  | 'unpublished';

/** Requests a second, and how many may come at once, for each route of a door. */
export interface Throttle {
  perSecond: number;
  burst: number;
}

/** One function, and what everybody who makes it has to know. */
export interface Facts {
  description: string;
  rights: Partial<Record<Resource, readonly string[]>>;
  /** What it may do besides where the orders are in the shop's own table. */
  rightsInShopTable?: Partial<Record<Resource, readonly string[]>>;
  /** The settings it is given besides the names of the tables, the secret and Iamport's address. */
  settings: readonly (keyof Environment)[];
}

export interface RouteOf {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: `/${string}`;
}

/** A function behind routes. `signed` ones take only callers of the shop's own account, by AWS Signature Version 4. */
export interface Door extends Facts {
  routes: readonly RouteOf[];
  /** Routes for addresses that are not quite right: with a slash at the end, or cut. They answer like the others of the function. */
  catches?: readonly RouteOf[];
  signed: boolean;
  throttle: Throttle;
}

/** A function that nobody calls: the schedule and the tables' streams do. */
export interface Worker extends Facts {
  timeoutSeconds: number;
  memoryMb: number;
}

/** A door that settles payments writes the order, or a reversal, and shares the access token. */
const SETTLING_RIGHTS = {
  orders: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  reversals: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  state: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
  secret: ['secretsmanager:GetSecretValue'],
} as const;

/** Far above a shop's busiest minute; below what would let one guesser of ids use up the account's concurrency. */
const USUAL_THROTTLE: Throttle = { perSecond: 50, burst: 100 };

/**
 * Iamport asks `confirm` once for every payment of a sale, and a 429 stops that payment like a refusal. One GetItem a call, so a
 * whole sale fits: 10,000 buyers in 20 s. A flood above it still stops sales; only AWS WAF before CloudFront can tell senders apart.
 */
const CONFIRM_THROTTLE: Throttle = { perSecond: 500, burst: 1000 };

/** Keyed by the name of the file in functions/ that holds the handler. */
export const DOORS = {
  complete: {
    description: 'Completes a payment for the storefront and the apps.',
    routes: [{ method: 'POST', path: '/payments/complete' }],
    signed: false,
    throttle: USUAL_THROTTLE,
    rights: SETTLING_RIGHTS,
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  'mobile-redirect': {
    description: 'Completes a payment when the phone of a buyer comes back from the payment window.',
    routes: [{ method: 'GET', path: '/payments/complete/mobile' }],
    // API Gateway would answer a buyer with JSON there.
    catches: [
      { method: 'GET', path: '/payments' },
      { method: 'GET', path: '/payments/{proxy+}' },
    ],
    signed: false,
    throttle: USUAL_THROTTLE,
    rights: SETTLING_RIGHTS,
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'RESULT_TARGETS', 'SHOP_NAME', 'RESULT_PAGE'],
  },
  webhook: {
    description: 'Settles the payment that Iamport notifies about.',
    routes: [{ method: 'POST', path: '/payments/webhook' }],
    // To API Gateway, /payments/webhook/ is another address, and Iamport sends a notification once.
    catches: [{ method: 'POST', path: '/payments/{proxy+}' }],
    signed: false,
    // Every payment is notified, and deposits arrive in bursts; a notification turned away may never come again.
    throttle: { perSecond: 100, burst: 200 },
    rights: SETTLING_RIGHTS,
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'WEBHOOK_SENDERS'],
  },
  orders: {
    description: 'Registers and shows orders for the server of the shop.',
    routes: [
      { method: 'PUT', path: '/orders/{merchant_uid}' },
      { method: 'GET', path: '/orders/{merchant_uid}' },
    ],
    signed: true,
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
    signed: true,
    throttle: USUAL_THROTTLE,
    // The other refunds of the order: what is under way counts against what is left.
    rights: { ...SETTLING_RIGHTS, 'reversals/by-order': ['dynamodb:Query'] },
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  'close-order': {
    description: 'Closes an unpaid order for the server of the shop.',
    routes: [{ method: 'DELETE', path: '/orders/{merchant_uid}' }],
    signed: true,
    throttle: USUAL_THROTTLE,
    rights: { ...SETTLING_RIGHTS, reversals: [...SETTLING_RIGHTS.reversals, 'dynamodb:BatchGetItem'] },
    settings: ['TEST_PAYMENTS', 'REVERSALS'],
  },
  confirm: {
    description: 'Tells Iamport whether a payment may be approved.',
    routes: [{ method: 'POST', path: '/payments/confirm' }],
    signed: false,
    throttle: CONFIRM_THROTTLE,
    rights: { orders: ['dynamodb:GetItem'] },
    settings: [],
  },
} as const satisfies Record<string, Door>;

const STREAM_RIGHTS = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
];

/** Keyed as the doors are. */
export const WORKERS = {
  reconcile: {
    description: 'Holds the ledger of Iamport against the orders, and works off what is due.',
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
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'ORDER_PREFIX'],
  },
  publish: {
    description: 'Tells the event bus what changed in the tables.',
    timeoutSeconds: 30,
    memoryMb: 256,
    rights: {
      'orders/stream': STREAM_RIGHTS,
      'reversals/stream': STREAM_RIGHTS,
      reversals: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      bus: ['events:PutEvents'],
      unpublished: ['sqs:SendMessage'],
    },
    // It restores our attributes in items that the shop has overwritten; a write whose condition fails reads the item.
    rightsInShopTable: { orders: ['dynamodb:GetItem', 'dynamodb:UpdateItem'] },
    settings: [],
  },
} as const satisfies Record<string, Worker>;

export type DoorName = keyof typeof DOORS;

export type WorkerName = keyof typeof WORKERS;
export type FunctionName = DoorName | WorkerName;

/** The doors as pairs, in the order of the table. */
export const doorEntries = Object.entries(DOORS) as [DoorName, Door][];
export const workerEntries = Object.entries(WORKERS) as [WorkerName, Worker][];
export const functionNames: readonly FunctionName[] = [...doorEntries, ...workerEntries].map(([name]) => name);

/** All routes of a function, those for wrong addresses too. */
export const routesOf = ({ routes, catches = [] }: Door): readonly RouteOf[] => [...routes, ...catches];

/** Every route, as API Gateway names it. */
export const routeNames: readonly string[] = doorEntries.flatMap(([, door]) =>
  routesOf(door).map(({ method, path }) => `${method} ${path}`),
);

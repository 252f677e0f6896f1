/**
 * The doors of the system, one entry a function: what it answers, what it may do, what it is told. Bundles, functions,
 * rights and routes are all made from this table; it holds facts only and builds nothing.
 */
import type { Environment } from './config.ts';

/** What a right is given on; `reversals/by-order` is an index, everything else a table or the secret. */
export type Resource = 'orders' | 'reversals' | 'reversals/by-order' | 'state' | 'secret';

/** Requests a second, and how many may come at once, for each route of a door. */
export interface Throttle {
  perSecond: number;
  burst: number;
}

/** One function. `signed` routes take only callers of the shop's own account who sign with AWS Signature Version 4. */
export interface Door {
  description: string;
  routes: readonly { method: 'GET' | 'POST' | 'PUT'; path: `/${string}` }[];
  signed: boolean;
  throttle: Throttle;
  rights: Partial<Record<Resource, readonly string[]>>;
  /** The settings it is given besides the names of the tables, the secret and Iamport's address. */
  settings: readonly (keyof Environment)[];
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
    signed: false,
    throttle: USUAL_THROTTLE,
    rights: SETTLING_RIGHTS,
    settings: ['TEST_PAYMENTS', 'REVERSALS', 'RESULT_TARGETS', 'SHOP_NAME'],
  },
  webhook: {
    description: 'Settles the payment that Iamport notifies about.',
    routes: [{ method: 'POST', path: '/payments/webhook' }],
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
      state: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      secret: ['secretsmanager:GetSecretValue'],
    },
    settings: [],
  },
} as const satisfies Record<string, Door>;

export type DoorName = keyof typeof DOORS;

/** The doors as pairs, in the order of the table. */
export const doorEntries = Object.entries(DOORS) as [DoorName, Door][];

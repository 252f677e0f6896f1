/**
 * Every mutation: a mistake that a developer could make, or a bug that the code once had. The simulation must find all of them.
 */

import { deliveries } from './deliveries.ts';
import { found } from './found.ts';
import { iamport } from './iamport.ts';
import type { Mutation } from './mutation.ts';
import { orders } from './orders.ts';
import { publish } from './publish.ts';
import { reconcile } from './reconcile.ts';
import { refunds } from './refunds.ts';

export const mutations: readonly Mutation[] = [
  ...orders,
  ...refunds,
  ...iamport,
  ...reconcile,
  ...publish,
  ...deliveries,
  ...found,
];

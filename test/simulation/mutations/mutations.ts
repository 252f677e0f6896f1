/**
 * Every bug to plant: each a slip that a developer could make, or one that was in the code before it was mended. The simulation must
 * find every one of them.
 */

import { found } from './found.ts';
import { iamport } from './iamport.ts';
import type { Mutation } from './mutation.ts';
import { orders } from './orders.ts';
import { publish } from './publish.ts';
import { reconcile } from './reconcile.ts';
import { refunds } from './refunds.ts';

export const mutations: readonly Mutation[] = [...orders, ...refunds, ...iamport, ...reconcile, ...publish, ...found];

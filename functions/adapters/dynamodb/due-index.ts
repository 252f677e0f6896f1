/** The sparse index `due` of the items that the reconciler checks. An item is in it only while a check is planned. */

import { count, optional, text } from './attributes.ts';

/** Orders are spread over four partition keys, so that no key of the index becomes hot. */
export const orderShards = ['0', '1', '2', '3'] as const;

/** @param merchantUid the order number, which selects the shard */
export function orderShard(merchantUid: string): string {
  let sum = 0;
  for (const character of merchantUid) sum += character.codePointAt(0) ?? 0;
  return orderShards[sum % orderShards.length] ?? orderShards[0];
}

/**
 * @param shard the partition key in the index
 * @param dueAt Unix seconds; undefined removes the item from the index
 */
export const dueIndexAttributes = (shard: string, dueAt: number | undefined) => ({
  due_shard: dueAt === undefined ? undefined : text(shard),
  due_at: optional(count, dueAt),
});

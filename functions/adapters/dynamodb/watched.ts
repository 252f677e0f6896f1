/** The sparse index `due`: items that the reconciler checks without being called. An item is in it only while a check is planned. */

import { count, optional, text } from './attributes.ts';
/** Orders are spread over a few keys, so that no single key of the index becomes hot. */
export const orderShards = ['0', '1', '2', '3'] as const;

/** @param merchantUid the order's own key, which chooses the shard */
export function orderShard(merchantUid: string): string {
  let sum = 0;
  for (const character of merchantUid) sum += character.codePointAt(0) ?? 0;
  return orderShards[sum % orderShards.length] ?? orderShards[0];
}

/**
 * @param shard the key of the index
 * @param dueAt Unix seconds; undefined takes the item out of the index
 */
export const watched = (shard: string, dueAt: number | undefined) => ({
  watch: dueAt === undefined ? undefined : text(shard),
  due_at: optional(count, dueAt),
});

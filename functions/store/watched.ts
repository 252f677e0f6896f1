/** The sparse index `due`: what has to be looked at though nobody calls. An item is in it only while it is awaited. */

import { count, optional, text } from './attributes.ts';

/** Spread over a few keys, so that no single one of the index becomes hot; few enough that reading all of them is cheap. */
export const watchShards = ['0', '1', '2', '3'] as const;

/**
 * @param key the item's own key, which chooses the shard
 * @param dueAt Unix seconds; undefined takes the item out of the index
 */
export function watched(key: string, dueAt: number | undefined) {
  let sum = 0;
  for (const character of key) sum += character.codePointAt(0) ?? 0;
  const shard = watchShards[sum % watchShards.length] ?? watchShards[0];
  return { watch: dueAt === undefined ? undefined : text(shard), due_at: optional(count, dueAt) };
}

/** The first attempt is made by who finds the need; the next ones wait 1, 2, 4, … minutes, at most 6 hours. Seconds. */
export const retryAfter = (attempts: number): number =>
  attempts === 0 ? 0 : Math.min(60 * 2 ** (attempts - 1), 21_600);

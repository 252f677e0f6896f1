/** Works off a list, several at a time. */

/**
 * Calls `work` for each item, in order, at most `concurrency` at a time. An error ends the pool: no further item begins, those that
 * have begun come to their end, and the first error is thrown.
 */
export async function inPool<Item>(
  concurrency: number,
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); !next.done && errors.length === 0; next = left.next()) {
      await work(next.value).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (errors.length > 0) throw errors[0];
}

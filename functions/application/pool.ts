/** Processes a list, several items at a time. */

/**
 * Calls `work` for each item, in order, at most `concurrency` at a time. After an error no further item starts. The
 * started ones finish, and the first error is thrown.
 */
export async function inPool<Item>(
  concurrency: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  const errors: unknown[] = [];
  const left = items.values();
  const worker = async () => {
    for (let next = left.next(); !next.done && errors.length === 0; next = left.next()) {
      await work(next.value).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
}

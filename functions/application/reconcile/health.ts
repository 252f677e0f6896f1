/** Distinguishes an outage of Iamport or DynamoDB from single items that get no response. */

import { unixSeconds } from '../../shared/clock.ts';
import { IamportBusy, IamportFault, isUnanswered, StoreThrottled } from '../faults.ts';
import { concurrency, maxTimePerItemMs, type Run } from './report.ts';

/** The health of Iamport and DynamoDB, as far as the processed items show it. */
export interface Health<Item> {
  succeeded(): void;
  failed(item: Item, error: unknown): void;
  /**
   * As many consecutive items without a response as there are concurrent calls may be an outage. They may also be items
   * that Iamport cannot return, and then the items behind them must not wait. So other payments are read.
   * @returns whether the next item has to wait for the next run
   */
  isOutage(): Promise<boolean>;
  /** @returns whether an outage or a 429 is the reason, and not the item */
  isOfOutage(item: Item, error: Error): Promise<boolean>;
}

/** @param keyOf items with the same key use the same item of DynamoDB, and count as one where that is throttled */
export function createHealth<Item>(run: Pick<Run, 'deps' | 'tier'>, keyOf: (item: Item) => string): Health<Item> {
  /** The latest consecutive items without a response. */
  let unanswered: { readonly item: Item; readonly error: unknown }[] = [];
  let hasResponded = false;
  /** Items that are processed at the same time wait for the same result. */
  let checked: Promise<boolean> | undefined;

  const respond = () => {
    unanswered = [];
    hasResponded = true;
    checked = undefined;
  };
  const isTableThrottled = (): boolean => {
    const throttled = unanswered.filter(({ error }) => error instanceof StoreThrottled);
    return new Set(throttled.map(({ item }) => keyOf(item))).size >= concurrency;
  };
  const check = async (): Promise<boolean> => {
    if (isTableThrottled() || !(await returnsPayments(run))) return true;
    respond();
    return false;
  };
  const isLong = () => unanswered.length >= concurrency;

  return {
    succeeded: respond,
    failed(item, error) {
      if (isUnanswered(error)) unanswered.push({ item, error });
      else unanswered = [];
    },
    async isOutage() {
      if (!isLong()) return false;
      checked ??= check();
      return checked;
    },
    async isOfOutage(item, error) {
      if (error instanceof IamportBusy) return true;
      if (!isUnanswered(error)) return false;
      // Payments of Iamport show nothing about DynamoDB.
      if (error instanceof StoreThrottled) return isTableThrottled();
      if (hasResponded && !(isLong() && unanswered.some((one) => one.item === item))) return false;
      checked ??= check();
      return checked;
    },
  };
}

/** Payments of this period are asked for: Iamport refuses a span of more than 90 days. Seconds. */
const periodSeconds = 89 * 86_400;
const listed = 100;
/** So many of the listed payments are read, in equal distances: neighbours in the list may fail together. */
const sampled = 3;
/** Each run reads other ones. Seconds. */
const runIntervalSeconds = 300;

/**
 * Reads a list of payments, and some of its payments one by one: either may fail alone.
 * @returns whether Iamport returned one of them; also true when it listed none
 */
async function returnsPayments({ deps, tier }: Pick<Run, 'deps' | 'tier'>): Promise<boolean> {
  const { iamport } = deps.within(Math.min(maxTimePerItemMs, deps.deadline.leftMs()));
  const now = unixSeconds(deps.clock);
  try {
    const query = { status: 'paid', from: now - periodSeconds, to: now, page: 1, limit: listed, tier } as const;
    const { payments } = await iamport.listPayments(query);
    const first = Math.floor(now / runIntervalSeconds);
    const sample = Array.from(
      { length: Math.min(sampled, payments.length) },
      (_none, at) => payments[(first + Math.floor((at * payments.length) / sampled)) % payments.length],
    );
    const reads = sample.flatMap((payment) => (payment ? [iamport.payment(payment.impUid, tier)] : []));
    const results = await Promise.allSettled(reads);
    const isAnswer = (result: (typeof results)[number]) =>
      result.status === 'fulfilled' || !isUnanswered(result.reason);
    return results.length === 0 || results.some(isAnswer);
  } catch (error) {
    if (!(error instanceof IamportFault)) throw error;
    return !isUnanswered(error);
  }
}

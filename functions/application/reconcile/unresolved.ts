/** Payments that a scan read and could not settle: they are recorded in the checkpoint and settled again later. */

import type { Payment } from '../../payment/payment.ts';
import { postponed } from '../../payment/retry.ts';
import { unixSeconds } from '../../shared/clock.ts';
import { IamportUnexpected, isUnanswered } from '../faults.ts';
import type { Unresolved } from '../ports/stores.ts';
import { settleEach } from '../settle.ts';
import { createHealth } from './health.ts';
import { addFault, addSkipped, forEachItem, maxTimePerItemMs, type Run, unknownForm } from './report.ts';
import { recordUnmatched } from './unmatched.ts';

/** A page is read, and an unresolved payment settled, only with this much time left. Milliseconds. */
export const minTimePerPageMs = 20_000;
/** The checkpoint records at most this many payments, one of each order. The longer scans find the others. */
const maxUnresolved = 500;

/**
 * Adds the failed payments of a page, and removes the settled ones. Payments with money or an account are recorded,
 * also cancelled ones, one payment of each order. A payment that was only opened is not.
 * @param before the unresolved payments of earlier pages and runs
 * @param failed with the error, where the payment was to be settled
 * @returns `isFull` when a payment without a response has no place: so many are an outage, and the page has to wait
 */
export function withUnresolved(
  { deps, report }: Run,
  before: readonly Unresolved[],
  page: readonly Payment[],
  failed: readonly { readonly payment: Payment; readonly error?: Error }[],
): { readonly unresolved: readonly Unresolved[]; readonly isFull: boolean } {
  const since = unixSeconds(deps.clock);
  const resolved = new Set(page.map(({ impUid }) => impUid));
  for (const { payment } of failed) resolved.delete(payment.impUid);
  const left = before.filter(({ impUid }) => !resolved.has(impUid));
  const all = new Map(left.map((one) => [one.merchantUid, one]));
  let isFull = false;
  for (const { payment, error } of failed) {
    const { impUid, merchantUid, state } = payment;
    // A cancelled payment is recorded: its order may still be `paid` by it.
    if (state.kind === 'ready' || state.kind === 'failed' || all.has(merchantUid)) continue;
    // The next run settles it again.
    if (all.size < maxUnresolved) all.set(merchantUid, { impUid, merchantUid, since, nextAt: since });
    else if (isUnanswered(error)) isFull = true;
    else addSkipped(report, `${impUid}: too many payments cannot be settled`);
  }
  return { unresolved: [...all.values()], isFull };
}

/**
 * Settles the payments that earlier runs could not settle, when they are due.
 * @returns those that are still unresolved
 */
export async function settleUnresolved(run: Run, unresolved: readonly Unresolved[]): Promise<readonly Unresolved[]> {
  const { deps, report, tier } = run;
  const now = unixSeconds(deps.clock);
  const due = unresolved.filter(({ nextAt }) => nextAt <= now);
  if (due.length === 0) return unresolved;
  const left = new Map(unresolved.map((one) => [one.merchantUid, one]));
  // They get at most half of the time, so that the list is always scanned. Those that wait longest come first.
  const half = deps.within(deps.deadline.leftMs() / 2);
  const health = createHealth<Unresolved>(run, ({ merchantUid }) => merchantUid);
  const failed = await forEachItem(
    report,
    due.toSorted((one, other) => one.nextAt - other.nextAt),
    ({ impUid }) => impUid,
    async (one) => {
      if ((await health.isOutage()) || half.deadline.leftMs() < maxTimePerItemMs) return;
      try {
        await settleOrder({ deps: deps.within(maxTimePerItemMs), report, tier }, one);
        health.succeeded();
      } catch (error) {
        health.failed(one, error);
        throw error;
      }
      report.settled += 1;
      left.delete(one.merchantUid);
    },
  );
  for (const { item, error } of failed) {
    if (await health.isOfOutage(item, error)) continue;
    left.set(item.merchantUid, { ...item, nextAt: postponed(item.since, now) });
  }
  return [...left.values()];
}

/** Only one failed payment of an order is recorded, so all of its payments are settled. */
async function settleOrder(run: Run, { impUid, merchantUid }: Unresolved): Promise<void> {
  const { deps, report, tier } = run;
  const order = await deps.orders.read(merchantUid);
  const { payments, unreadable } = await deps.iamport.payments(merchantUid, order ? order.tier : tier);
  await settleEach(deps, merchantUid, payments);
  if (!order) await recordWithoutOrder(run, payments);
  for (const other of unreadable) addFault(report, `${other}: ${unknownForm}`);
  // An unknown sender may add an unreadable attempt to the order at any time, so only the recorded payment counts. It may
  // be one of those that are listed by their position, or that were not reached.
  const isRead = payments.some((payment) => payment.impUid === impUid);
  if (unreadable.length > 0 && !isRead) throw new IamportUnexpected(unknownForm);
}

/** The scan could not read the order, and so did not know that there is none. */
async function recordWithoutOrder(run: Run, payments: readonly Payment[]): Promise<void> {
  const { reversals, unreadable } = await run.deps.reversals.readMany(payments.map(({ impUid }) => impUid));
  const isRecorded = ({ impUid }: Payment) => reversals.has(impUid) || unreadable.includes(impUid);
  const [unrecorded] = await recordUnmatched(
    run,
    payments.filter((payment) => !isRecorded(payment)),
  );
  if (unrecorded) throw unrecorded.error;
}

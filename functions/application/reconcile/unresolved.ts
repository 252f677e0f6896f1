/** Payments that a scan read and could not settle: they are recorded in the checkpoint and settled again later. */

import type { Payment } from '../../payment/payment.ts';
import { postponed } from '../../payment/retry.ts';
import { unixSeconds } from '../../shared/clock.ts';
import { IamportUnexpected } from '../faults.ts';
import type { Unresolved } from '../ports/stores.ts';
import { settleEach } from '../settle.ts';
import { addFault, addSkipped, forEachItem, maxTimePerItemMs, type Run, unknownForm } from './report.ts';

/** A page is read, and an unresolved payment settled, only with this much time left. Milliseconds. */
export const minTimePerPageMs = 20_000;
/** The checkpoint records at most this many payments, one of each order. The longer scans find the others. */
const maxUnresolved = 500;

/**
 * Adds the failed payments of a page, and removes the settled ones. Payments with money or an account are recorded,
 * also cancelled ones, one payment of each order. A payment that was only opened is not.
 * @param before the unresolved payments of earlier pages and runs
 */
export function withUnresolved(
  { deps, report }: Run,
  before: readonly Unresolved[],
  page: readonly Payment[],
  failed: readonly Payment[],
): readonly Unresolved[] {
  const since = unixSeconds(deps.clock);
  const resolved = new Set(page.map(({ impUid }) => impUid));
  for (const { impUid } of failed) resolved.delete(impUid);
  const left = before.filter(({ impUid }) => !resolved.has(impUid));
  const all = new Map(left.map((one) => [one.merchantUid, one]));
  for (const payment of failed) {
    const { impUid, merchantUid, state } = payment;
    // A cancelled payment is recorded: its order may still be `paid` by it.
    if (state.kind === 'ready' || state.kind === 'failed' || all.has(merchantUid)) continue;
    if (all.size >= maxUnresolved) addSkipped(report, `${impUid}: too many payments cannot be settled`);
    else all.set(merchantUid, { impUid, merchantUid, since, nextAt: postponed(since, since) });
  }
  return [...all.values()];
}

/**
 * Settles the payments that earlier runs could not settle, when they are due.
 * @returns those that are still unresolved
 */
export async function settleUnresolved(
  { deps, report, tier }: Run,
  unresolved: readonly Unresolved[],
): Promise<readonly Unresolved[]> {
  const now = unixSeconds(deps.clock);
  const due = unresolved.filter(({ nextAt }) => nextAt <= now);
  if (due.length === 0) return unresolved;
  const left = new Map(unresolved.map((one) => [one.merchantUid, one]));
  await forEachItem(
    report,
    due,
    ({ impUid }) => impUid,
    async (one) => {
      if (deps.deadline.leftMs() < minTimePerPageMs) return;
      left.set(one.merchantUid, { ...one, nextAt: postponed(one.since, now) });
      const item = deps.within(maxTimePerItemMs);
      const order = await item.orders.read(one.merchantUid);
      // Only one failed payment of an order is recorded, so all of its payments are settled.
      const { payments, unreadable } = await item.iamport.payments(one.merchantUid, order ? order.tier : tier);
      await settleEach(item, one.merchantUid, payments);
      for (const impUid of unreadable) addFault(report, `${impUid}: ${unknownForm}`);
      // An unknown sender may add an unreadable attempt to the order at any time, so only the recorded payment counts.
      if (unreadable.includes(one.impUid)) throw new IamportUnexpected(unknownForm);
      report.settled += 1;
      left.delete(one.merchantUid);
    },
  );
  return [...left.values()];
}

/** Bugs in the reconciler: its scans of the lists, and its checks of what is due. */

import type { Mutation } from './mutation.ts';

const scan = 'functions/application/reconcile/scan.ts';
const due = 'functions/application/reconcile/due.ts';

export const reconcile: readonly Mutation[] = [
  {
    name: 'money without an order is sent back',
    file: scan,
    find: `{ kind: 'orphan', reason: 'order_not_found' }`,
    replace: `{ kind: 'cancel', reason: 'order_not_found' }`,
  },
  {
    name: 'only the first page of the ledger is read',
    file: 'functions/payment/scan-cursor.ts',
    find: `  if (isLast) return nextList(cursor, sizes);`,
    replace: `  if (isLast || cursor.size > 0) return nextList(cursor, sizes);`,
  },
  {
    name: 'the ledger is not read',
    file: scan,
    find: `  { name: 'recent', lookBack: 15 * minute, every: 0 },\n`,
    replace: ``,
  },
  {
    name: 'the checkpoint moves before the work, and nothing overlaps',
    file: scan,
    find: `  const completed = await scanFrom(scan, { ...known, unresolved, cursor });`,
    replace: `  const moved = { completedUntil: cursor.to, unresolved, revision: known.revision };
  const written = (await rooms.checkpoints.write(window.name, moved)) ?? moved;
  const completed = await scanFrom(scan, { ...written, cursor: { ...cursor, from: Math.min(known.completedUntil, cursor.to) } });`,
  },
  {
    name: 'what could not be settled is forgotten',
    file: scan,
    find: `unresolved: withUnresolved(scan, before, page.payments, [...blocked, ...failed]) };`,
    replace: `unresolved: before };`,
  },
  {
    name: 'orders that are due are not looked at',
    file: due,
    find: `? await rooms.orders.due(now, perRound.order / orderShards.length)`,
    replace: `? []`,
  },
  {
    name: 'reversals that are due are not tried again',
    file: due,
    find: `(isRefundId(task.due.id) ? processDueRefund : processDueReversal)(rooms, task, deadline, report);`,
    replace: `isRefundId(task.due.id) ? processDueRefund(rooms, task, deadline, report) : Promise.resolve();`,
  },
  {
    name: 'refunds without an answer are not tried again',
    file: due,
    find: `(isRefundId(task.due.id) ? processDueRefund : processDueReversal)(rooms, task, deadline, report);`,
    replace: `isRefundId(task.due.id) ? Promise.resolve() : processDueReversal(rooms, task, deadline, report);`,
  },
  {
    name: 'a fresh deposit is not looked at a second time',
    file: 'functions/payment/next-check.ts',
    find: `[600, 3_600, 21_600, 86_400, 259_200]`,
    replace: `[]`,
  },
  {
    name: 'a deposit is checked only once after it was paid',
    file: 'functions/payment/next-check.ts',
    find: `[600, 3_600, 21_600, 86_400, 259_200]`,
    replace: `[600]`,
  },
  {
    name: 'a page that cannot be read ends every scan',
    file: scan,
    find: `  if (found.kind === 'outage') return`,
    replace: `  if (found.kind === 'outage' || found.kind === 'unreadable') return`,
  },
  {
    name: 'a hundred payments of one unreadable order stop the scan',
    file: scan,
    find: `  return { isWhole, unresolved: withUnresolved(scan, before, page.payments, [...blocked, ...failed]) };`,
    replace: `  const since = unixSeconds(rooms.clock);
  const asked = [...blocked, ...failed].map(({ impUid, merchantUid }) => ({ impUid, merchantUid, since, nextAt: since * 2 }));
  return { isWhole: before.length < 100, unresolved: before.length < 100 ? [...before, ...asked] : before };`,
  },
  {
    name: 'a due item that cannot be checked is listed first for ever',
    file: due,
    find: `      await postpone(rooms, item, error);`,
    replace: `      await Promise.resolve([rooms, item, error]);`,
  },
  {
    name: 'an item that DynamoDB refuses ends the run',
    file: 'functions/application/reconcile/report.ts',
    find: `  error instanceof StoreRefused ||\n`,
    replace: ``,
  },
  {
    name: 'a payment without an order is asked about for ever',
    file: 'functions/payment/reversal.ts',
    find: `  if (kind === 'orphan') return undefined;`,
    replace: `  if (kind === 'orphan') return updatedAt + retryAfter(attempts + 3);`,
  },
  {
    name: 'a page that stays refused is read again and again',
    file: scan,
    find: `    next: withoutOne(cursor, pageSizes),`,
    replace: `    next: cursor,`,
  },
  {
    name: 'an order waits for an account after its own time',
    file: 'functions/payment/next-check.ts',
    find: `      return earlier(state.account.dueAt, expiresAt);`,
    replace: `      return state.account.dueAt;`,
  },
  {
    name: 'an attempt that cannot be read keeps its order from expiring',
    file: due,
    find: `  for (const impUid of unreadable) addFault(report, \`\${impUid} of order \${order.merchantUid}: its form is unknown\`);`,
    replace: `  if (unreadable.length > 0) throw new IamportUnexpected(\`The form of \${unreadable} is unknown\`);`,
  },
  {
    name: 'an account that can no longer be paid into waits for the operator for ever',
    file: due,
    find: `  if (isUnpaidAccount && (state.account.dueAt ?? now) + afterDeadline < now) return true;\n`,
    replace: ``,
  },
];

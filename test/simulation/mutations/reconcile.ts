/** Bugs in the reconciler: in its scans of the lists, and in its checks of due items. */

import type { Mutation } from './mutation.ts';

const scan = 'functions/application/reconcile/scan.ts';
const scanPage = 'functions/application/reconcile/scan-page.ts';
const due = 'functions/application/reconcile/due.ts';
const dueItems = 'functions/application/reconcile/due-items.ts';

export const reconcile: readonly Mutation[] = [
  {
    name: 'a payment without an order is cancelled',
    file: 'functions/application/reconcile/unmatched.ts',
    find: `{ kind: 'orphan', reason: 'order_not_found' }`,
    replace: `{ kind: 'cancel', reason: 'order_not_found' }`,
  },
  {
    name: 'only the first page of a list is scanned',
    file: 'functions/payment/scan-cursor.ts',
    find: `  if (isLast) return nextList(cursor, sizes);`,
    replace: `  if (isLast || cursor.size > 0) return nextList(cursor, sizes);`,
  },
  {
    name: 'the lists are not scanned',
    file: scan,
    find: `  { name: 'recent', overlapSeconds: 15 * minute, intervalSeconds: 0 },\n`,
    replace: ``,
  },
  {
    name: 'the checkpoint moves before the work, and nothing overlaps',
    file: scan,
    find: `  const completed = await scanFrom(scan, { ...known, unresolved, cursor });`,
    replace: `  const moved = { completedUntil: cursor.to, unresolved, revision: known.revision };
  const early = (await deps.checkpoints.write(window.name, moved)) ?? moved;
  const completed = await scanFrom(scan, { ...early, cursor: { ...cursor, from: Math.min(known.completedUntil, cursor.to) } });`,
  },
  {
    name: 'a payment that could not be settled is forgotten',
    file: scanPage,
    find: `  return { end: isFull ? 'outage' : end, unresolved };`,
    replace: `  return { end: isFull ? 'outage' : end, unresolved: before };`,
  },
  {
    name: 'orders that are due are not checked',
    file: due,
    find: `? await deps.orders.due(now, perRound.order)`,
    replace: `? []`,
  },
  {
    name: 'reversals that are due are not tried again',
    file: due,
    find: `(isRefundId(task.due.id) ? processDueRefund : processDueReversal)(deps, task, report);`,
    replace: `isRefundId(task.due.id) ? processDueRefund(deps, task, report) : Promise.resolve();`,
  },
  {
    name: 'refunds without an answer are not tried again',
    file: due,
    find: `(isRefundId(task.due.id) ? processDueRefund : processDueReversal)(deps, task, report);`,
    replace: `isRefundId(task.due.id) ? Promise.resolve() : processDueReversal(deps, task, report);`,
  },
  {
    name: 'a new deposit is not checked a second time',
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
    file: scanPage,
    find: `  if (result.kind === 'outage') return`,
    replace: `  if (result.kind === 'outage' || result.kind === 'unreadable') return`,
  },
  {
    name: 'a hundred payments of one unreadable order stop the scan',
    file: scanPage,
    find: `  return { end: isFull ? 'outage' : end, unresolved };`,
    replace: `  const since = unixSeconds(deps.clock);
  const asked = failures.map(({ payment: { impUid, merchantUid } }) => ({ impUid, merchantUid, since, nextAt: since * 2 }));
  if (before.length >= 100) return { end: 'outage', unresolved: before };
  return { end, unresolved: [...before, ...asked] };`,
  },
  {
    name: 'a due item that cannot be checked is listed first for ever',
    file: due,
    find: `      await postpone(deps, item, error);`,
    replace: `      await Promise.resolve([deps, item, error]);`,
  },
  {
    name: 'an item that DynamoDB refuses ends the run',
    file: 'functions/application/faults.ts',
    find: `  error instanceof StoreRefused ||\n`,
    replace: ``,
  },
  {
    name: 'a payment without an order is read again',
    file: 'functions/application/reconcile/due-items.ts',
    find: `isUnmatched && !known ? undefined : await deps.iamport.payment(impUid, (known ?? reversal).tier);`,
    replace: `await deps.iamport.payment(impUid, (known ?? reversal).tier);`,
  },
  {
    name: 'a payment of another shop is recorded after orderPrefix was set',
    file: scanPage,
    find: `payments.filter(({ merchantUid }) => merchantUid.startsWith(orderPrefix));`,
    replace: `payments.filter(({ merchantUid }) => merchantUid.length > 0 || orderPrefix.length > 0);`,
  },
  {
    name: 'a page that stays refused is read again and again',
    file: scanPage,
    find: `    next: withoutOne(cursor, pageSizes),`,
    replace: `    next: cursor,`,
  },
  {
    name: 'an order waits for an account after its own time',
    file: 'functions/payment/next-check.ts',
    find: `      return earlier(state.account.depositDeadline, expiresAt);`,
    replace: `      return state.account.depositDeadline;`,
  },
  {
    name: 'an attempt that cannot be read keeps its order from expiring',
    file: dueItems,
    find: `  for (const impUid of unreadable) addFault(report, \`\${impUid} of order \${order.merchantUid}: \${unknownForm}\`);`,
    replace: `  if (unreadable.length > 0) throw new IamportUnexpected(\`The form of \${unreadable} is unknown\`);`,
  },
  {
    name: 'an account that can no longer be paid into waits for the operator for ever',
    file: dueItems,
    find: `  if (isUnpaidAccount && (state.account.depositDeadline ?? now) + afterDeadline < now) return true;\n`,
    replace: ``,
  },
  {
    name: 'a page of the payments of an order that is too large is not read',
    file: 'functions/adapters/iamport/order-payments.ts',
    find: `      if (error instanceof IamportTooLarge) return error;\n`,
    replace: ``,
  },
  {
    name: 'an order that DynamoDB throttles keeps the payments of its page unsettled',
    file: scanPage,
    find: `await readOrders(deps, numbers);`,
    replace: `{ ...(await deps.orders.readMany(numbers)), throttled: new Map<string, StoreThrottled>() };`,
  },
];

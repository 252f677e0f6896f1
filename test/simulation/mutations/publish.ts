/** Bugs in the publisher and in the events. */

import type { Mutation } from './mutation.ts';

const publisher = 'functions/handlers/publish.ts';

export const publish: readonly Mutation[] = [
  {
    name: 'an event that the bus refused counts as published',
    file: publisher,
    find: `      if (!isAccepted) return false;\n`,
    replace: ``,
  },
  {
    name: 'a payment that was cancelled before its first read is not published',
    file: 'functions/payment/events.ts',
    find: `  return wasPaidUnseen(before.state, after.state) ? [paidBefore(event), event] : [event];`,
    replace: `  return [event];`,
  },
  {
    name: 'money that the operator returned is not published',
    file: 'functions/payment/events.ts',
    find: `state === 'done' && amount > 0 && kind !== 'orphan'`,
    replace: `state === 'done' && amount > 0 && kind === 'cancel'`,
  },
  {
    name: 'a fault of the publisher is swallowed',
    file: publisher,
    find: `  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceOf(failed) }] : [] };`,
    replace: `  return { batchItemFailures: [] };`,
  },
  {
    name: 'the publisher begins again one record too late',
    file: publisher,
    find: `  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceOf(failed) }] : [] };`,
    replace: `  return { batchItemFailures: failed ? [{ itemIdentifier: String(Number(sequenceOf(failed)) + 1) }] : [] };`,
  },
  {
    name: 'two events have one id',
    file: 'functions/payment/events.ts',
    find: `    id: \`\${merchantUid}:\${revision}\`,`,
    replace: `    id: \`\${merchantUid}:\${Math.min(revision, 3)}\`,`,
  },
  {
    name: 'a refused refund is not published',
    file: 'functions/payment/events.ts',
    find: `(state !== 'done' && state !== 'refused')) return [];`,
    replace: `state !== 'done') return [];`,
  },
  {
    name: 'Refund No Longer Required is not published',
    file: 'functions/payment/events.ts',
    find: `  if (isWithdrawn) events.push(event('Refund No Longer Required', ':withdrawn'));\n`,
    replace: ``,
  },
  {
    name: 'a deposit that returned and was partly refunded is not published as paid',
    file: 'functions/payment/events.ts',
    find: `(isPayable(before) || before.status === 'deposit_reversed')`,
    replace: `isPayable(before)`,
  },
  {
    name: 'the account of an expired order is not revoked',
    file: 'functions/payment/events.ts',
    find: `(old.depositDeadline ?? updatedAt) > updatedAt ? 'order_expired' : undefined;`,
    replace: `undefined;`,
  },
  {
    name: 'a record that cannot be read stops its shard',
    file: publisher,
    find: `    if (!isFaultOfRecord(error)) throw error;
    await keepForOperator(deps, record, error);
    return true;`,
    replace: `    throw error;`,
  },
  {
    name: 'our attributes are not restored in an item that the shop wrote whole',
    file: publisher,
    find: `  if (!isOverwritten(old, now)) return false;`,
    replace: `  if (!isOverwritten(old, now) || mapping) return false;`,
  },
];

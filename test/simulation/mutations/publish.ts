/** Bugs in the publisher and in the events. */

import type { Mutation } from './mutation.ts';

const handler = 'functions/handlers/publish.ts';
const publisher = 'functions/application/publish-events.ts';

export const publish: readonly Mutation[] = [
  {
    name: 'an event that the bus refused counts as published',
    file: publisher,
    find: `      if (!(await deps.events.publish(event, change.changedAt))) return false;`,
    replace: `      await deps.events.publish(event, change.changedAt);`,
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
    file: handler,
    find: `  return { batchItemFailures: failed ? [{ itemIdentifier: failed.sequenceNumber }] : [] };`,
    replace: `  return { batchItemFailures: [] };`,
  },
  {
    name: 'the publisher begins again one record too late',
    file: handler,
    find: `  return { batchItemFailures: failed ? [{ itemIdentifier: failed.sequenceNumber }] : [] };`,
    replace: `  return { batchItemFailures: failed ? [{ itemIdentifier: String(Number(failed.sequenceNumber) + 1) }] : [] };`,
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
    find: `  if (isNoLongerRequired) events.push(event('Refund No Longer Required', ':withdrawn'));\n`,
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
    await sendToOperator(deps, change, error);
    return true;`,
    replace: `    throw error;`,
  },
  {
    name: 'our attributes are not restored in an item that the shop wrote whole',
    file: 'functions/adapters/dynamodb/overwritten.ts',
    find: `      if (!isOverwritten(old, now)) return undefined;`,
    replace: `      if (!isOverwritten(old, now) || mapping.isShops) return undefined;`,
  },
  {
    name: 'an item that DynamoDB throttles stops its shard',
    file: publisher,
    find: `const isOld = unixSeconds(deps.clock) - change.changedAt > maxThrottledSeconds;`,
    replace: `const isOld = false;`,
  },
];

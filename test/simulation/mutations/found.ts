/** Bugs that the simulation found in this code. Each has a seed in `regressions.json`. */

import type { Mutation } from './mutation.ts';

const decide = 'functions/payment/decide.ts';
const httpClient = 'functions/adapters/iamport/http-client.ts';
const scan = 'functions/application/reconcile/scan.ts';
const dueItems = 'functions/application/reconcile/due-items.ts';

export const found: readonly Mutation[] = [
  {
    name: 'found here: two concurrent requests both close an order',
    file: 'functions/handlers/close-order.ts',
    find: `    if (order.state.status === 'closed') return noContent();\n    if`,
    replace: `    if`,
  },
  {
    name: 'found here: an account with a part of its deposit is revoked',
    file: decide,
    find: `payment.deposited !== undefined || isByShop(payment, policy);`,
    replace: `isByShop(payment, policy);`,
  },
  {
    name: 'found here: the revocation of a test account never ends',
    file: dueItems,
    find: `  if (payment.sandbox) return true;\n`,
    replace: ``,
  },
  {
    name: 'found here: a revocation never ends after a deposit that the bank took back',
    file: dueItems,
    find: `    const isWaitedFor = outcome.status === 'virtual_account_issued' || outcome.status === 'deposit_reversed';`,
    replace: `    const isWaitedFor = outcome.status === 'virtual_account_issued';`,
  },
  {
    name: 'found here: the list of the operator has more than is left',
    file: 'functions/payment/reversal.ts',
    find: `state.kept < amount ? state.kept : amount`,
    replace: `state.kept < 0 ? state.kept : amount`,
  },
  {
    name: 'found here: a deposit beyond the amount, after a larger part of it, is never recorded',
    file: 'functions/payment/reversal.ts',
    find: `decided.reason !== known.reason || `,
    replace: ``,
  },
  {
    name: 'found here: a payment that settles its order after all is published as refunded',
    file: dueItems,
    find: `isUndone(reversal, payment) ? undefined : zero`,
    replace: `undefined`,
  },
  {
    name: 'found here: a second expired token fails the request',
    file: httpClient,
    find: `const maxRefusedTokens = 2;`,
    replace: `const maxRefusedTokens = 1;`,
  },
  {
    name: 'found here: a payment before the first successful run is never scanned',
    file: scan,
    find: `const { beginning } = progress;`,
    replace: `const beginning = Math.max(progress.beginning, now - 60 * minute);`,
  },
  {
    name: 'found here: an unreadable attempt of an unknown sender keeps a paid order open',
    file: 'functions/application/reconcile/unresolved.ts',
    find: `  await settleEach(deps, merchantUid, payments);`,
    replace: `  if (unreadable.length > 0) throw new IamportUnexpected(unknownForm);
  await settleEach(deps, merchantUid, payments);`,
  },
  {
    name: 'found here: a cancel that Iamport accepted loses its effect once the operator has it',
    file: 'functions/application/settle.ts',
    find: `isOpen || acceptedAt !== undefined`,
    replace: `isOpen`,
  },
  {
    name: 'found here: a later event of a write is published before the one that the bus refused',
    file: 'functions/application/publish-events.ts',
    find: `    for (const event of events) {
      if (!(await deps.events.publish(event, change.changedAt))) return false;
      published.push(event);
    }
    return true;`,
    replace: `    const isAccepted = await Promise.all(events.map((event) => deps.events.publish(event, change.changedAt)));
    published.push(...events.filter((_, index) => isAccepted[index]));
    return isAccepted.every(Boolean);`,
  },
  {
    name: 'found here: the record of an acceptance is not tried again',
    file: 'functions/application/record-acceptance.ts',
    find: `      if (!(cause instanceof StoreUnavailable)) throw cause;`,
    replace: `      if (cause) throw cause;`,
  },
  {
    name: 'found here: a refund without an answer is refused when another cancel came first',
    file: 'functions/payment/refund-steps.ts',
    find: `  if (refund.refusedAt !== undefined || finding === 'overtaken') return { kind: 'wait', needs: 'operator' };`,
    replace: `  if (finding === 'overtaken') return { kind: now >= refund.sentAt + secondCheckAfter ? 'refused' : 'wait' };`,
  },
  {
    name: 'found here: money of before the deployment settles an order of the shop’s table',
    file: decide,
    find: `paidAt !== undefined && paidAt < begunAt;`,
    replace: `paidAt !== undefined && paidAt < 0;`,
  },
  {
    name: 'found here: a payment that settles its order stays in the list as one without an order',
    file: 'functions/application/settle.ts',
    find: `    if (known?.kind === 'orphan' && known.state === 'manual') await planCheck(deps, known);\n`,
    replace: ``,
  },
  {
    name: 'found here: an accepted refund that the operator has is left for another one',
    file: 'functions/payment/refund.ts',
    find: `(acceptedAt !== undefined || (needs !== 'operator' && isDeferred(record)))`,
    replace: `needs !== 'operator' && (acceptedAt !== undefined || isDeferred(record))`,
  },
  {
    name: 'found here: two refunds that are decided at once are both sent',
    file: 'functions/handlers/refunds.ts',
    find: `isBeingSent(other, now))) throw busy(payment.impUid);`,
    replace: `isBeingSent(other, now))) void 0;`,
  },
  {
    name: 'found here: a refund without a response is sent again, although another one has taken its place',
    file: 'functions/payment/refund.ts',
    find: `return refund.amount <= minus(kept, taken);`,
    replace: `return refund.amount <= kept || accepted.length > 0;`,
  },
];

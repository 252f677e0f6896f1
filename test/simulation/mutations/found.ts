/** Bugs that the simulation found in this code. Each has a seed in `regressions.json`. */

import type { Mutation } from './mutation.ts';

const decide = 'functions/payment/decide.ts';
const client = 'functions/adapters/iamport/client.ts';
const scan = 'functions/application/reconcile/scan.ts';
const due = 'functions/application/reconcile/due.ts';

export const found: readonly Mutation[] = [
  {
    name: 'found here: of two who close an order, both do',
    file: 'functions/handlers/close-order.ts',
    find: `    if (order.state.status === 'closed') return nothing();\n    if`,
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
    file: due,
    find: `  if (payment.sandbox) return true;\n`,
    replace: ``,
  },
  {
    name: 'found here: a revocation never ends, since its account was paid into and unpaid',
    file: due,
    find: `    const isWaitedFor = outcome.status === 'virtual_account_issued' || outcome.status === 'deposit_reversed';`,
    replace: `    const isWaitedFor = outcome.status === 'virtual_account_issued';`,
  },
  {
    name: 'found here: what waits for a person says more than is left',
    file: 'functions/payment/reversal.ts',
    find: `state.kept < amount ? state.kept : amount`,
    replace: `state.kept < 0 ? state.kept : amount`,
  },
  {
    name: 'found here: what came on top of the amount, after a larger part of it, is never told',
    file: 'functions/payment/reversal.ts',
    find: `decided.reason !== known.reason || `,
    replace: ``,
  },
  {
    name: 'found here: what the order stands on after all is told as given back',
    file: due,
    find: `isGone(payment) ? undefined : nothing`,
    replace: `undefined`,
  },
  {
    name: 'found here: two tokens that have ended are one too many',
    file: client,
    find: `const mostRefusedTokens = 2;`,
    replace: `const mostRefusedTokens = 1;`,
  },
  {
    name: 'found here: what was paid before the first run that worked is never looked at',
    file: scan,
    find: `const { beginning } = past;`,
    replace: `const beginning = Math.max(past.beginning, now - 60 * minute);`,
  },
  {
    name: 'found here: an unreadable attempt of a stranger keeps a paid order open',
    file: 'functions/application/reconcile/scan.ts',
    find: `      await settleEach(rooms, one.merchantUid, payments, mine);`,
    replace: `      if (unreadable.length > 0) throw new IamportUnexpected('its form is unknown');
      await settleEach(rooms, one.merchantUid, payments, mine);`,
  },
  {
    name: 'found here: a cancel that Iamport accepted does not stand once the operator has it',
    file: 'functions/application/settle.ts',
    find: `(known.state !== 'manual' || known.acceptedAt !== undefined)`,
    replace: `known.state !== 'manual'`,
  },
  {
    name: 'found here: a later event of a write is published before the one that the bus did not take',
    file: 'functions/handlers/publish.ts',
    find: `    for (const event of events) {
      const [isTaken] = await rooms.bus.put([entryOf(event, record)]);
      if (!isTaken) return false;
      taken.push(event);
    }
    return true;`,
    replace: `    const isTaken = await rooms.bus.put(events.map((event) => entryOf(event, record)));
    taken.push(...events.filter((_, index) => isTaken[index]));
    return isTaken.every(Boolean);`,
  },
];

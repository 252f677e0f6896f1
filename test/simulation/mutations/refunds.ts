/** Bugs in reversals of rejected payments, and in refunds of the shop. */

import type { Mutation } from './mutation.ts';

const reverse = 'functions/application/reverse.ts';
const dueItems = 'functions/application/reconcile/due-items.ts';

export const refunds: readonly Mutation[] = [
  {
    name: 'a cancel whose answer is lost counts as done',
    file: reverse,
    find: `      return deps.reversals.move(reversal, failed(reversal, error.message, unixSeconds(deps.clock)));`,
    replace: `      return (await deps.reversals.finish(reversal.impUid, unixSeconds(deps.clock))) ?? reversal;`,
  },
  {
    name: 'money is cancelled before the intent is written',
    file: reverse,
    find: `  const now = unixSeconds(deps.clock);\n  const result = await`,
    replace: `  const now = unixSeconds(deps.clock);
  if (payment.state.kind === 'kept' && request.kind === 'cancel') {
    const { kept } = payment.state;
    await deps.iamport.cancel({ payment, amount: kept, checksum: kept, reason: 'early' }, order.tier);
  }
  const result = await`,
  },
  {
    name: 'a refund counts as done when other money moved',
    file: 'functions/payment/refund.ts',
    find: `  if (possible.length === 0) return 'overtaken';`,
    replace: `  if (possible.length === 0) return 'done';`,
  },
  {
    name: 'a refund is recognised by its whole reason',
    file: 'functions/payment/refund.ts',
    find: `const carries = ({ reason }: Cancel, { cancelKey }: Pick<Refund, 'cancelKey'>): boolean =>
  reason?.toLowerCase().includes(\`k\${cancelKey}\`) ?? false;`,
    replace: `const carries = ({ reason }: Cancel, refund: Refund): boolean => reason === cancelReasonOf(refund);`,
  },
  {
    name: 'a refusal by the PG is final at once',
    file: 'functions/application/refund.ts',
    find: `return refusedOnce(current, hasLostResponse(current) ? messages.operator : message, now);`,
    replace: `return over({ ...current, refusal: 'refused_by_pg', message }, 'refused', now);`,
  },
  {
    name: 'a refusal ends a refund whose earlier answer was lost',
    file: 'functions/payment/refund-steps.ts',
    find: `({ attempts }: Refund): boolean => attempts > 1;`,
    replace: `({ attempts }: Refund): boolean => attempts < 1;`,
  },
  {
    name: 'an accepted refund is sent again',
    file: 'functions/payment/refund-steps.ts',
    find: `  if (refund.acceptedAt !== undefined) {`,
    replace: `  if (refund.acceptedAt !== undefined && finding === 'overtaken') {`,
  },
  {
    name: 'an accepted cancel is sent again',
    file: 'functions/payment/reversal.ts',
    find: `  if (!isOpen || reversal.acceptedAt !== undefined || `,
    replace: `  if (!isOpen || `,
  },
  {
    name: 'a refund of a deposit whose answer was lost is sent again without the shop',
    file: 'functions/payment/refund-steps.ts',
    find: `  if (!isDeferred(record)) return { kind: isSecondCheckDue ? 'send' : 'wait' };`,
    replace: `  if (!isDeferred(record) || !isShopRequest) return { kind: isSecondCheckDue ? 'send' : 'wait' };`,
  },
  {
    name: 'a cancel of a phone payment whose answer was lost is sent again',
    file: reverse,
    find: `      if (isDeferredCancel && !isAnswered) return leaveToOperator(deps, reversal);\n`,
    replace: ``,
  },
  {
    name: 'a rejected deposit that the bank takes back is still to be refunded',
    file: dueItems,
    find: `  if (!isTakenBack(reversal, payment)) return undefined;`,
    replace: `  if (!isTakenBack(reversal, payment) || payment) return undefined;`,
  },
  {
    name: 'a cancel whose order is gone is never made',
    file: dueItems,
    find: `  const known = await readableOrder(deps, reversal, report);\n`,
    replace: `  const known = await readableOrder(deps, reversal, report);\n  if (!known && reversal.kind !== 'orphan') return;\n`,
  },
  {
    name: 'a cancel of a phone payment is sent a third time after a refusal and an attempt without a result',
    file: 'functions/payment/reversal.ts',
    find: `  const { checkAt: _used, message: _former, ...rest } = reversal;`,
    replace: `  const { checkAt: _used, ...rest } = reversal;`,
  },
  {
    name: 'a cancel is sent on after the shop has switched automatic reversals off',
    file: dueItems,
    find: `  if (isSentAgain && !mayBeAccepted && isByShop(payment, deps.policy)) {`,
    replace: `  if (reversal.kind === 'revoke' && isSentAgain && !mayBeAccepted && isByShop(payment, deps.policy)) {`,
  },
  {
    name: 'a reversal of the operator is sent after the shop has switched automatic reversals on again',
    file: 'functions/payment/reversal.ts',
    find: `  if (decided.kind !== 'manual') return false;`,
    replace: `  if (decided.kind !== 'manual') return decided.kind === 'cancel' && known.kind === 'manual' && known.state === 'manual';`,
  },
  {
    name: 'an accepted cancel is given to the operator after the shop has switched automatic reversals off',
    file: 'functions/payment/reversal.ts',
    find: `  if (known.state !== 'done' && known.acceptedAt !== undefined) return false;\n`,
    replace: ``,
  },
  {
    name: 'a refund without a response is repeated beside another one that is decided at once',
    file: 'functions/application/refund.ts',
    find: `  if (!fitsBeside(refund, payment, others)) return wait(deps, sending, 'operator', false);
  const now = unixSeconds(deps.clock);
  const rivals = others.filter((other) => other.impUid === refund.impUid && isBeingSent(other, now));
  if (rivals.length > 0) {
    // Two repeats that are claimed at the same time find each other. The next times differ, so that one of them is sent.
    const first = rivals.filter(({ key }) => key < refund.key);
    await deps.refunds.change(sending, deferred(sending, first.length, now));
    throw busy(refund.impUid);
  }
  await announce(deps, list, refund.key);
`,
    replace: ``,
  },
];

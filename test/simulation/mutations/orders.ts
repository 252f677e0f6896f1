/** Bugs in the decision about a payment, and in the write of the order. */

import type { Mutation } from './mutation.ts';

const decide = 'functions/payment/decide.ts';
const lookUp = 'functions/application/look-up.ts';
const settle = 'functions/application/settle.ts';
const reverse = 'functions/application/reverse.ts';

export const orders: readonly Mutation[] = [
  {
    name: 'the status in the webhook is trusted',
    file: 'functions/handlers/webhook.ts',
    find: `  const ids = {`,
    replace: `  const order = fields.merchant_uid ? await deps.orders.read(fields.merchant_uid) : undefined;
  if (order && fields.status === 'paid') {
    await deps.orders.change(order, { status: 'paid', impUid: fields.imp_uid, record: {} }, unixSeconds(deps.clock));
  }
  const ids = {`,
  },
  {
    name: 'the amount is not compared',
    file: decide,
    find: `  if (payment.amount !== order.amount) return 'amount_mismatch';\n`,
    replace: ``,
  },
  {
    name: 'more than the amount is accepted',
    file: decide,
    find: `payment.amount !== order.amount`,
    replace: `payment.amount < order.amount`,
  },
  {
    name: 'the currency is not compared',
    file: decide,
    find: `  if (payment.currency !== order.currency) return 'currency_mismatch';\n`,
    replace: ``,
  },
  {
    name: 'a test payment is taken for a real one',
    file: decide,
    find: `  if (isRefusedTest(payment, policy)) return 'test_payment';\n`,
    replace: ``,
  },
  {
    name: 'a deposit is cancelled like a card',
    file: decide,
    find: `isDeposit(payment.record) || isByHand(order, payment, policy) ? 'manual' : 'cancel'`,
    replace: `isByHand(order, payment, policy) ? 'manual' : 'cancel'`,
  },
  {
    name: 'a second payment is ignored',
    file: decide,
    find: `  if (!objection) return settled(order, payment, kept);\n`,
    replace: `  if (!objection) return settled(order, payment, kept);\n  if (objection === 'duplicate_payment') return keep;\n`,
  },
  {
    name: 'a closed order can be paid',
    file: 'functions/payment/order.ts',
    find: `!isSettled(state) && state.status !== 'closed'`,
    replace: `!isSettled(state)`,
  },
  {
    name: 'a failed order cannot be paid any more',
    file: 'functions/payment/order.ts',
    find: `!isSettled(state) && state.status !== 'closed'`,
    replace: `!isSettled(state) && state.status !== 'closed' && state.status !== 'failed'`,
  },
  {
    name: 'a partial cancel is taken for a full one',
    file: decide,
    find: `next: { status: 'partial_cancelled', impUid, record, cancelledAmount }`,
    replace: `next: { status: 'cancelled', impUid, record, cancelledAmount: amount }`,
  },
  {
    name: 'an account that is known is issued again',
    file: decide,
    find: `  if (known?.impUid === payment.impUid || failureOf(state)?.impUid === payment.impUid) return keep;\n`,
    replace: ``,
  },
  {
    name: 'two accounts replace each other for ever',
    file: decide,
    find: `  return account.issuedAt === known.issuedAt ? account.impUid > known.impUid : account.issuedAt > known.issuedAt;`,
    replace: `  return account.impUid !== known.impUid;`,
  },
  {
    name: 'an order waits for an account that was revoked',
    file: decide,
    find: `    return { kind: 'change', next: { ...state, status: 'ready' } };`,
    replace: `    return keep;`,
  },
  {
    name: 'a deposit that the bank takes back is not detected',
    file: decide,
    find: `  if (!isPaid || !isSettledBy(state, payment) || !isDeposit(state.record)) return undefined;`,
    replace: `  if (!isPaid || isSettledBy(state, payment)) return undefined;`,
  },
  {
    name: 'an old notification overwrites the state of an order',
    file: settle,
    find: `decision.requiresFreshRead && !isFresh`,
    replace: `decision.requiresFreshRead && isFresh`,
  },
  {
    name: 'the order of the request is used instead of that of the payment',
    file: lookUp,
    find: `  if (payment.merchantUid !== merchantUid) return`,
    replace: `  if (merchantUid === undefined) return`,
  },
  {
    name: 'a payment of another order is cancelled',
    file: lookUp,
    find: `  if (payment.merchantUid !== merchantUid) return`,
    replace: `  if (payment.merchantUid !== merchantUid && payment.state.kind === 'kept') {
    const { kept } = payment.state;
    await deps.iamport.cancel({ payment, amount: kept, checksum: kept, reason: 'mismatch' });
  }
  if (payment.merchantUid !== merchantUid) return`,
  },
  {
    name: 'a lost race returns as if it were won',
    file: settle,
    find: `    order = result.current;\n`,
    replace: `    if (result.current) return { kind: 'settled', outcome: outcomeOf(result.current, payment, decision) };\n    order = result.current;\n`,
  },
  {
    name: 'the write of an order is not awaited',
    file: settle,
    find: `    const result = await deps.orders.change(order, decision.next, unixSeconds(deps.clock));`,
    replace: `    deps.orders.change(order, decision.next, unixSeconds(deps.clock)).catch(() => undefined);
    const result = { written: true, value: { ...order, state: decision.next } };`,
  },
  {
    name: 'an order is written without the revision condition',
    file: 'functions/adapters/dynamodb/table-mapping.ts',
    find: `  isAsRead,\n`,
    replace: `  isAsRead: (read) => ({
    ...isAsRead(read),
    conditions: { revisionIsUnchanged: 'attribute_not_exists(nothing) OR #revision = :read' },
  }),\n`,
  },
  {
    name: 'a payment begun before its order is cancelled',
    file: decide,
    find: `predates(order, payment, 0) || isByShop(payment, policy);`,
    replace: `isByShop(payment, policy);`,
  },
  {
    name: 'a payment begun hours before its order settles it',
    file: decide,
    find: `  if (predates(order, payment, lateRegistration)) return 'payment_predates_order';\n`,
    replace: ``,
  },
  {
    name: 'a payment is taken although its cancel was decided',
    file: settle,
    find: `  if (!deps.orders.isShops || isSettled(order.state) || !isSettled(next)) return undefined;`,
    replace: `  if (deps || isSettled(order.state) || !isSettled(next)) return undefined;`,
  },
  {
    name: 'a cancel is not announced to concurrent writers',
    file: reverse,
    find: `    if (!orders.isShops || !isPayable(order.state)) return true;`,
    replace: `    if (orders || !isPayable(order.state)) return true;`,
  },
  {
    name: 'an earlier payment is not checked after its order was registered',
    file: 'functions/payment/reversal.ts',
    find: `  if (checkAt !== undefined) return checkAt;`,
    replace: `  if (checkAt !== undefined && kind !== 'orphan') return checkAt;`,
  },
  {
    name: 'many attempts of an order are settled one by one',
    file: settle,
    find: `    if (kind === 'keep' || kind === 'predates_deployment') continue;\n    if (kind === 'money_returned' && (reversals.get(impUid)?.state ?? 'done') === 'done') continue;\n`,
    replace: ``,
  },
  {
    name: 'an attempt that cannot be read keeps its order from being closed',
    file: 'functions/handlers/close-order.ts',
    find: `  const { payments } = await deps.iamport.payments(order.merchantUid, order.tier);`,
    replace: `  const { payments, unreadable } = await deps.iamport.payments(order.merchantUid, order.tier);
  if (unreadable.length > 0) throw new Error(\`The form of \${unreadable} is unknown\`);`,
  },
  {
    name: 'an account begun before its order is revoked',
    file: decide,
    find: `    if (payment.deposited === undefined && predates(order, payment, 0)) return { kind: 'reject', reason };\n`,
    replace: ``,
  },
];

/**
 * Bugs to plant: each a slip that somebody could make, as a text of `functions/` and what stands there instead. The simulation
 * must find every one of them. The last ones are no inventions: it found them in the code, and each has a seed in
 * `regressions.json`.
 */

export interface Mutation {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

const decide = 'functions/payment/decide.ts';
const lookUp = 'functions/look-up.ts';
const settle = 'functions/settle.ts';
const reverse = 'functions/reverse.ts';
const client = 'functions/iamport/client.ts';
const ledger = 'functions/ledger.ts';
const due = 'functions/due.ts';
const publish = 'functions/publish.ts';

export const mutations: readonly Mutation[] = [
  {
    name: 'the status in the webhook is believed',
    file: 'functions/webhook.ts',
    find: `  const ids = {`,
    replace: `  const told = fields.merchant_uid ? await rooms.orders.read(fields.merchant_uid) : undefined;
  if (told && fields.status === 'paid') {
    await rooms.orders.change(told, { status: 'paid', impUid: fields.imp_uid, record: {} }, unixSeconds(rooms.clock));
  }
  const ids = {`,
  },
  {
    name: 'a cancel whose answer is lost counts as done',
    file: reverse,
    find: `    problem = error.message;`,
    replace: `    return (await rooms.reversals.finish(reversal.impUid, unixSeconds(rooms.clock))) ?? reversal;`,
  },
  {
    name: 'the amount is not compared',
    file: decide,
    find: `  if (payment.amount !== order.amount) return 'amount_mismatch';\n`,
    replace: ``,
  },
  {
    name: 'more than the amount is as good',
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
    find: `  if (payment.sandbox && !policy.acceptTestPayments) return 'test_payment';\n`,
    replace: ``,
  },
  {
    name: 'a deposit is cancelled like a card',
    file: decide,
    find: `isDeposit(payment.record) || isByHand(payment, policy) ? 'manual' : 'cancel'`,
    replace: `isByHand(payment, policy) ? 'manual' : 'cancel'`,
  },
  {
    name: 'a second payment is passed over',
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
    name: 'an order waits for an account that is gone',
    file: decide,
    find: `    return { kind: 'change', next: { ...state, status: 'ready' } };`,
    replace: `    return keep;`,
  },
  {
    name: 'a deposit that the bank takes back is not seen',
    file: decide,
    find: `  if (state.status !== 'paid' || !isSettledBy(state, payment) || !isDeposit(state.record)) return undefined;`,
    replace: `  if (state.status !== 'paid' || isSettledBy(state, payment)) return undefined;`,
  },
  {
    name: 'old news takes back what an order says',
    file: settle,
    find: `decision.onFreshNewsOnly && !asksAfterRead`,
    replace: `decision.onFreshNewsOnly && asksAfterRead`,
  },
  {
    name: 'the order is the one that the client names',
    file: lookUp,
    find: `  if (payment.merchantUid !== merchantUid) return`,
    replace: `  if (merchantUid === undefined) return`,
  },
  {
    name: 'a payment of another order is sent back',
    file: lookUp,
    find: `  if (payment.merchantUid !== merchantUid) return`,
    replace: `  if (payment.merchantUid !== merchantUid && payment.state.kind === 'kept') {
    const { kept } = payment.state;
    await rooms.iamport.cancel({ payment, amount: kept, checksum: kept, reason: 'mismatch' }, deadline);
  }
  if (payment.merchantUid !== merchantUid) return`,
  },
  {
    name: 'a lost race is answered as if it were won',
    file: settle,
    find: `    order = held.order;\n`,
    replace: `    if (held.order) return { kind: 'settled', outcome: outcomeOf(held.order, payment, decision) };\n    order = held.order;\n`,
  },
  {
    name: 'the write of an order is not waited for',
    file: settle,
    find: `    const held = await rooms.orders.change(order, decision.next, unixSeconds(rooms.clock));`,
    replace: `    rooms.orders.change(order, decision.next, unixSeconds(rooms.clock)).catch(() => undefined);
    const held = { held: true, order: { ...order, state: decision.next } };`,
  },
  {
    name: 'an order is written whatever has become of it',
    file: 'functions/store/layout.ts',
    find: `    conditions: { revisionIsUnchanged: '#revision = :read' },`,
    replace: `    conditions: { revisionIsUnchanged: 'attribute_not_exists(nothing) OR #revision = :read' },`,
  },
  {
    name: 'money is cancelled before the intent is written',
    file: reverse,
    find: `  const now = unixSeconds(rooms.clock);\n  const { created, reversal }`,
    replace: `  const now = unixSeconds(rooms.clock);
  if (payment.state.kind === 'kept' && request.kind === 'cancel') {
    const { kept } = payment.state;
    await rooms.iamport.cancel({ payment, amount: kept, checksum: kept, reason: 'early' }, deadline, tier);
  }
  const { created, reversal }`,
  },
  {
    name: 'money without an order is sent back',
    file: ledger,
    find: `    kind: 'orphan',`,
    replace: `    kind: 'cancel',`,
  },
  {
    name: 'a cancel goes without its checksum',
    file: client,
    find: `    checksum: major(checksum),`,
    replace: `    checksum: undefined as unknown as number, unused: checksum,`,
  },
  {
    name: 'a cancel goes without its amount',
    file: client,
    find: `    amount: major(amount),`,
    replace: `    amount: undefined as unknown as number, unused: amount,`,
  },
  {
    name: 'amounts go to Iamport a hundred times too large',
    file: 'functions/payment/money.ts',
    find: `amount / 10 ** digitsOf(currency)`,
    replace: `amount * 10 ** digitsOf(currency)`,
  },
  {
    name: 'a code that is not 0 is taken for success',
    file: client,
    find: `  if (code !== 0 || status >= 400)`,
    replace: `  if (status >= 400)`,
  },
  {
    name: 'a token that ended is never replaced',
    file: client,
    find: `    if (answer.status !== 401 || refused === mostRefusedTokens) return answer;`,
    replace: `    if (answer.status < 600) return answer;`,
  },
  {
    name: 'only the first page of the ledger is read',
    file: ledger,
    find: `    else if (found.next > 0) cursor`,
    replace: `    else if (found.next > 99) cursor`,
  },
  {
    name: 'the ledger is not read',
    file: ledger,
    find: `  { name: 'recent', lookBack: 15 * minute, every: 0 },\n`,
    replace: ``,
  },
  {
    name: 'the checkpoint moves before the work, and nothing overlaps',
    file: ledger,
    find: `  state = { ...state, openQuestions: await askAgain`,
    replace: `  state = { ...state, doneUntil: now };
  await rooms.walks.write(plan.name, state);
  state = { ...state, revision: state.revision + 1 };
  state = { ...state, openQuestions: await askAgain`,
  },
  {
    name: 'what could not be settled is forgotten',
    file: ledger,
    find: `    for (const question of await Promise.all(asked)) if (question) open.push(question);`,
    replace: `    await Promise.all(asked);`,
  },
  {
    name: 'orders that are due are not looked at',
    file: due,
    find: `    ...orders.map((id) => ({ id, work: () => lookAtOrder(rooms, id, deadline) })),\n`,
    replace: ``,
  },
  {
    name: 'reversals that are due are not tried again',
    file: due,
    find: `    ...reversals.map((id) => ({`,
    replace: `    ...reversals.filter(isRefundId).map((id) => ({`,
  },
  {
    name: 'refunds without an answer are not tried again',
    file: due,
    find: `    ...reversals.map((id) => ({`,
    replace: `    ...reversals.filter((id) => !isRefundId(id)).map((id) => ({`,
  },
  {
    name: 'a fresh deposit is not looked at a second time',
    file: 'functions/payment/watch.ts',
    find: `      return isDeposit(state.record) ? now + secondLookAfter : undefined;`,
    replace: `      return isDeposit(state.record) && now < 0 ? now + secondLookAfter : undefined;`,
  },
  {
    name: 'an event that was not taken counts as told',
    file: publish,
    find: `    return isTaken.every(Boolean);`,
    replace: `    return isTaken.length >= 0;`,
  },
  {
    name: 'a payment that was passed unseen is not published',
    file: 'functions/payment/events.ts',
    find: `  return wasPaidUnseen(before.state, after.state) ? [paidBefore(event), event] : [event];`,
    replace: `  return [event];`,
  },
  {
    name: 'money that a person gave back is not told',
    file: 'functions/payment/events.ts',
    find: `state === 'done' && amount > 0 && kind !== 'orphan'`,
    replace: `state === 'done' && amount > 0 && kind === 'cancel'`,
  },
  {
    name: 'a fault of the publisher is swallowed',
    file: publish,
    find: `  return { batchItemFailures: failed ? [{ itemIdentifier: sequenceOf(failed) }] : [] };`,
    replace: `  return { batchItemFailures: [] };`,
  },
  {
    name: 'the publisher begins again one record too late',
    file: publish,
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
    name: 'a refund counts as done when other money moved',
    file: 'functions/payment/refund.ts',
    find: `  if (possible.length === 0) return 'overtaken';`,
    replace: `  if (possible.length === 0) return 'done';`,
  },
  {
    name: 'found here: of two who close an order, both do',
    file: 'functions/close-order.ts',
    find: `    if (order.state.status === 'closed') return nothing();\n    if`,
    replace: `    if`,
  },
  {
    name: 'found here: an account with a part of its deposit is revoked',
    file: decide,
    find: `isByHand(payment, policy) || payment.deposited !== undefined`,
    replace: `isByHand(payment, policy)`,
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
    file: ledger,
    find: `const { beginning } = past;`,
    replace: `const beginning = Math.max(past.beginning, now - 60 * minute);`,
  },
];

/**
 * The invariants that hold in the end, when nothing goes wrong any more and the reconciler has had its runs; and ten
 * minutes after the last thing has happened, or eighty where somebody waits for another attempt, but for what only the long walks
 * through the ledger find.
 *
 * L1  money kept at Iamport for an order of ours settles it, or waits for a person who was told
 * L2  a good payment of an order that can be paid is honoured
 * L3  an order and the payment that it stands on agree to the won
 * L4  no reversal and no refund is left under way, and none waits whose money is back, or whose account is over
 * L5  every step of every order was told, its payment too where that was passed unseen, and every reversal
 * L6  no order waits for an account that is gone
 * L7  the checkpoint of the ledger is as late as the last run that came to its end
 * L8  the books agree to the won, payment by payment: what Iamport kept is what an order keeps (L3), what waits for a person, or
 *     what has no order
 * L9  money without an order is known
 * L10 everything comes to an end (`time.ts`)
 * L19 no order is left open after its own time (in `checkOrder`)
 * L20 no order waits for an account after its own time, and the account of an expired order is to be revoked
 * L11 while nothing is wrong, everybody is answered (`people.ts`)
 */

import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import { hundredths } from '../../local/iamport/payment.ts';
import { type Entry, entryOf, isGood } from './entry.ts';
import type { SimulatedIamport, Truth } from './iamport.ts';
import { clockError, lateRegistration } from './invariants/ownership.ts';
import type { TableName } from './lambda.ts';
import type { Rules } from './rules.ts';
import type { Books } from './safety.ts';
import type { SimulatedTable } from './table.ts';
import { Violation } from './violation.ts';

/** An instance's clock is off by no more, and the index lags. Seconds. */
const expiresWithin = 60;

/** The revocation of an account ends an hour after the account's deadline, at its next check. Seconds. */
const endsWithin = 8 * 3_600;

interface Parts {
  readonly books: Books;
  readonly iamport: SimulatedIamport;
  readonly tables: Readonly<Record<TableName, SimulatedTable>>;
  /** Unix seconds; before this the ledger must have been read. */
  readonly readUntil: number;
  readonly rules: Rules;
  /** Nothing is demanded of this order: its item is gone, or cannot be read or written. */
  readonly isBroken: (merchantUid: string) => boolean;
  /** No list of Iamport's shows this payment. */
  readonly isHidden: (impUid: string) => boolean;
}

export function balance(parts: Parts): void {
  const { books, iamport, tables, readUntil, rules, isBroken, isHidden } = parts;
  for (const { imp_uid: impUid, merchant_uid: merchantUid, started_at: startedAt } of iamport.payments()) {
    if (isBroken(merchantUid)) continue;
    const truth = iamport.truths(impUid).at(-1);
    const order = books.entry(merchantUid);
    const reversal = books.reversal(impUid);
    const isOrders = order?.isSettled && order.impUid === impUid;
    // No money moves in a test channel; an order that was tested stands on it all the same.
    if (!truth || (truth.sandbox && !isOrders)) continue;
    if (isOrders) {
      if (truth.kept > 0 || order.status !== 'deposit_reversed') agree(impUid, truth.kept, order);
      if (truth.kept > 0) checkExcess(impUid, truth, order, reversal);
    } else if (truth.kept > 0 && !(isHidden(impUid) && !reversal)) {
      checkHeld(impUid, truth, order, reversal, startedAt);
    }
  }
  for (const item of tables.orders.items()) {
    const order = entryOf(item);
    if (!isBroken(order.merchantUid)) checkOrder(order, parts);
  }
  for (const item of tables.reversals.items()) checkReversal(item, parts);
  rules.once.balance((id) => {
    const item = books.reversal(id);
    return isBroken(item?.merchant_uid?.S ?? '') ? undefined : (item?.state?.S ?? 'not there');
  });
  const walk = tables.state.read({ id: { S: 'scan-recent' } });
  if (Number(walk?.completed_until?.N ?? 0) < readUntil) throw new Violation('L7', `the checkpoint is ${told(walk)}`);
}

const told = (item: Item | undefined) => JSON.stringify(item);

/** Money that no order stands on: all of it waits for a person, or has no order, and the shop's books say how much it is. */
function checkHeld(
  impUid: string,
  truth: Truth,
  order: Entry | undefined,
  reversal: Item | undefined,
  startedAt: number,
): void {
  const say = `${impUid} kept ${truth.kept} for ${truth.merchantUid} (${order?.status}), ${told(reversal)}`;
  if (!order && reversal?.kind?.S !== 'orphan') throw new Violation('L9', say);
  if (order) {
    // Begun before its order was registered, it may be another system's. Seconds.
    const early = order.createdAt === 0 ? 0 : order.createdAt - startedAt;
    const isInTime = early <= lateRegistration - clockError;
    if (isInTime && isGood(truth, order) && !order.isSettled && order.status !== 'closed')
      throw new Violation('L2', say);
    const isKnown = reversal?.state?.S === 'manual' && (reversal.kind?.S !== 'orphan' || early > 0);
    if (!isKnown) throw new Violation('L1', say);
  }
  // Deposits of another sum, or on top of the amount, are in no payment's own figure.
  if (['deposit_excess', 'deposit_mismatch'].includes(reversal?.reason?.S ?? '')) return;
  if (hundredths(Number(reversal?.amount?.N)) !== truth.kept) throw new Violation('L8', say);
}

/** What was deposited on top of the amount waits for a person. */
function checkExcess(impUid: string, truth: Truth, order: Entry, reversal: Item | undefined): void {
  const excess = (truth.deposited ?? 0) - order.amount;
  if (excess <= 0) return;
  if (reversal?.state?.S !== 'manual' || hundredths(Number(reversal.amount?.N)) !== excess) {
    throw new Violation('L1', `${impUid} has ${excess} on top of ${order.merchantUid}, ${told(reversal)}`);
  }
}

function agree(impUid: string, kept: number, order: Entry): void {
  if (order.kept !== kept) {
    throw new Violation(
      'L3',
      `${order.merchantUid} (${order.status}) keeps ${order.kept}, Iamport ${kept} of ${impUid}`,
    );
  }
}

function checkOrder(order: Entry, { books, iamport, rules, readUntil }: Parts): void {
  const { merchantUid, status, revision, accountOf, impUid } = order;
  for (let step = books.firstStep(merchantUid); step <= revision; step += 1) {
    if (!books.events.has(`${merchantUid}:${step}`)) throw new Violation('L5', `${merchantUid}:${step} was not told`);
  }
  if (order.expiresAt !== undefined && order.expiresAt < readUntil - expiresWithin) {
    if (status === 'ready') rules.judge.broken('L19', `${merchantUid} is still ready`);
    if (status === 'virtual_account_issued' && !merchantUid.startsWith('b_'))
      rules.judge.broken('L20', `${merchantUid} still waits for ${accountOf}`);
  }
  if (status === 'expired' && accountOf && isOpen(accountOf, iamport, readUntil)) {
    rules.judge.judged('L20, account of an expired order');
    if (!books.reversal(accountOf))
      rules.judge.broken('L20', `${merchantUid} is expired, and ${accountOf} is not to be revoked`);
  }
  if (status === 'virtual_account_issued' && accountOf) {
    const truth = iamport.truths(accountOf).at(-1);
    // A deposit of another sum waits for a person, and the order with it.
    if (truth?.status !== 'ready' && truth?.kept === 0)
      throw new Violation('L6', `${merchantUid} waits for ${accountOf}`);
  }
  if (status === 'deposit_reversed' && impUid && (iamport.truths(impUid).at(-1)?.kept ?? 0) > 0) {
    throw new Violation('L3', `${merchantUid} is deposit_reversed, and the money of ${impUid} is there`);
  }
}

/** A buyer can pay into the account. @param now Unix seconds */
function isOpen(impUid: string, iamport: SimulatedIamport, now: number): boolean {
  return iamport.truths(impUid).at(-1)?.status === 'ready' && iamport.ledger.payment(impUid).vbank_date > now;
}

function checkReversal(item: Item, { books, iamport, rules, isBroken, readUntil }: Parts): void {
  const [key = '', kind = '', state = ''] = [item.imp_uid?.S, item.kind?.S, item.state?.S];
  if (kind === 'notification') return;
  // Nothing of a refund was sent, or it waits for the shop or the operator.
  if (kind === 'refund' && (state === 'unsent' || (state === 'requested' && item.needs))) return;
  const isOfBroken = isBroken(item.merchant_uid?.S ?? '') && books.entry(item.merchant_uid?.S ?? '') !== undefined;
  if (isOfBroken || books.isOfBacklog(key)) return;
  // The last run itself may have left an account behind, whose revocation is for the next run.
  if (kind === 'revoke' && item.attempts?.N === '0' && Number(item.created_at?.N) >= readUntil) return;
  const isOfAccount = (kind === 'revoke' || kind === 'manual') && Number(item.amount?.N) === 0 && state !== 'done';
  if (isOfAccount && iamport.truths(key).at(-1)?.status === 'ready') {
    const overSince = readUntil - iamport.ledger.payment(key).vbank_date;
    if (overSince > endsWithin) throw new Violation('L4', `${key} is over for ${overSince} s, and still ${told(item)}`);
  }
  if (state === 'requested') throw new Violation('L4', `${key} is still ${told(item)}`);
  const names = [...books.events].filter(([id]) => id.startsWith(`${key}:`)).map(([, { name }]) => name);
  rules.announced.balance(item, names);
  const must = (name: string) => {
    if (!names.includes(name)) throw new Violation('L5', `${name} was not told of ${told(item)}; only ${names}`);
  };
  if (kind === 'refund') {
    must(state === 'done' ? 'Refund Completed' : 'Refund Refused');
    return;
  }
  const truth = iamport.truths(key).at(-1);
  rules.deposits.balance(item, truth);
  const isOnTop = item.reason?.S === 'deposit_excess';
  if (state === 'manual' && truth?.moved && truth.kept === 0 && !isOnTop)
    throw new Violation('L4', `${key} is back: ${told(item)}`);
  if (kind === 'orphan') must('Payment Without Order');
  else if (!isOnTop) must('Payment Rejected');
  if (kind === 'manual' && state === 'manual' && Number(item.amount?.N) > 0) must('Refund Required');
  const hadMoney = ['cancel', 'manual'].includes(kind) && Number(item.amount?.N) > 0;
  if (hadMoney && state === 'done') must('Refund Completed');
}

/**
 * The liveness invariants L1 to L9, L19, L20 and L23 (invariants.ts). They are judged after the faults and the last action: 10 minutes later,
 * or 80 where another attempt is due. Scenarios that need the longer scans are judged at the end only.
 */

import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import { hundredths } from '../../local/iamport/payment.ts';
import { type Entry, entryOf, isGood } from './entry.ts';
import type { SimulatedIamport, Truth } from './iamport.ts';
import { clockError, lateRegistration } from './invariants/ownership.ts';
import type { TableName } from './lambda.ts';
import type { Rules } from './rules.ts';
import type { SafetyChecks } from './safety.ts';
import type { SimulatedTable } from './table.ts';
import { Violation } from './violation.ts';

/** Clocks have errors, and the index lags. Seconds. */
const expiresWithin = 60;

/** The revocation of an account ends at the first check an hour after the account's deadline. Seconds. */
const endsWithin = 8 * 3_600;

interface Parts {
  readonly safety: SafetyChecks;
  readonly iamport: SimulatedIamport;
  readonly tables: Readonly<Record<TableName, SimulatedTable>>;
  /** The reconciler must have scanned the lists until then; Unix seconds. */
  readonly readUntil: number;
  readonly rules: Rules;
  /** The item is deleted, or cannot be read or written. The invariants do not apply to this order. */
  readonly isBroken: (merchantUid: string) => boolean;
  /** The scans ignore the payments of this order number, because `orderPrefix` is another one. */
  readonly isIgnored: (merchantUid: string) => boolean;
  /** No list of Iamport contains this payment. */
  readonly isHidden: (impUid: string) => boolean;
}

export function checkLiveness(parts: Parts): void {
  const { safety, iamport, tables, readUntil, rules, isBroken, isIgnored, isHidden } = parts;
  for (const { imp_uid: impUid, merchant_uid: merchantUid, started_at: startedAt } of iamport.payments()) {
    if (isBroken(merchantUid)) continue;
    const truth = iamport.truths(impUid).at(-1);
    const order = safety.entry(merchantUid);
    const reversal = safety.reversal(impUid);
    const settlesOrder = order?.isSettled && order.impUid === impUid;
    // No money moves in a test channel, but a test payment can settle an order.
    if (!truth || (truth.sandbox && !settlesOrder)) continue;
    if (isIgnored(merchantUid)) {
      if (truth.kept > 0 && !order && !reversal) rules.deployed.ignored();
      continue;
    }
    if (settlesOrder) {
      checkUnmatched(impUid, reversal, parts);
      if (truth.kept > 0 || order.status !== 'deposit_reversed') checkAmounts(impUid, truth.kept, order);
      if (truth.kept > 0) checkExcess(impUid, truth, order, reversal);
    } else if (truth.kept > 0 && !(isHidden(impUid) && !reversal) && !rules.ownership.isAdopted(impUid)) {
      checkUnsettled(impUid, truth, order, reversal, startedAt, rules);
    }
  }
  for (const item of tables.orders.items()) {
    const order = entryOf(item);
    if (!isBroken(order.merchantUid)) checkOrder(order, parts);
  }
  for (const item of tables.reversals.items()) checkReversal(item, parts);
  rules.once.checkLiveness((id) => {
    const item = safety.reversal(id);
    return isBroken(item?.merchant_uid?.S ?? '') ? undefined : (item?.state?.S ?? 'missing');
  });
  const checkpoint = tables.state.read({ id: { S: 'scan-recent' } });
  if (Number(checkpoint?.completed_until?.N ?? 0) < readUntil)
    throw new Violation('L7', `the checkpoint is ${json(checkpoint)}`);
}

const json = (item: Item | undefined) => JSON.stringify(item);

/** The record of a payment without an order is over once the payment settles its order. Its check may still be due. */
function checkUnmatched(impUid: string, reversal: Item | undefined, { rules, readUntil }: Parts): void {
  if (reversal?.kind?.S !== 'orphan') return;
  rules.judge.judged('L23');
  if (reversal.state?.S === 'done' || Number(reversal.check_at?.N) >= readUntil) return;
  rules.judge.broken('L23', `${impUid} settles its order, and is still ${json(reversal)}`);
}

/** Money that settles no order: the operator's list has the whole amount, or the payment has no order. */
function checkUnsettled(
  impUid: string,
  truth: Truth,
  order: Entry | undefined,
  reversal: Item | undefined,
  startedAt: number,
  { ownership }: Rules,
): void {
  const detail = `${impUid} kept ${truth.kept} for ${truth.merchantUid} (${order?.status}), ${json(reversal)}`;
  if (!order && reversal?.kind?.S !== 'orphan') throw new Violation('L9', detail);
  if (order) {
    // A payment that began before the registration may belong to another system. Seconds.
    const early = order.createdAt === 0 ? 0 : order.createdAt - startedAt;
    const isInTime = early <= lateRegistration - clockError;
    // After Iamport accepted our cancel, the payment settles no order (S23). Nor does it after a cancel by phone without a response,
    // which the PG may still make: the operator decides.
    const isInDoubt = reversal?.state?.S === 'manual' && reversal.accepted_at !== undefined;
    const settles = isInTime && !ownership.hasCancelled(impUid) && !isInDoubt;
    if (settles && isGood(truth, order) && !order.isSettled && order.status !== 'closed')
      throw new Violation('L2', detail);
    const isListed = reversal?.state?.S === 'manual' && (reversal.kind?.S !== 'orphan' || early > 0);
    if (!isListed) throw new Violation('L1', detail);
  }
  // The amount of a payment does not include a deposit mismatch or excess.
  if (['deposit_excess', 'deposit_mismatch'].includes(reversal?.reason?.S ?? '')) return;
  if (hundredths(Number(reversal?.amount?.N)) !== truth.kept) throw new Violation('L8', detail);
}

/** The operator's list has the deposit beyond the amount. */
function checkExcess(impUid: string, truth: Truth, order: Entry, reversal: Item | undefined): void {
  const excess = (truth.deposited ?? 0) - order.amount;
  if (excess <= 0) return;
  if (reversal?.state?.S !== 'manual' || hundredths(Number(reversal.amount?.N)) !== excess) {
    throw new Violation('L1', `${impUid} has ${excess} beyond the amount of ${order.merchantUid}, ${json(reversal)}`);
  }
}

function checkAmounts(impUid: string, kept: number, order: Entry): void {
  if (order.kept !== kept) {
    throw new Violation(
      'L3',
      `${order.merchantUid} (${order.status}) keeps ${order.kept}, Iamport ${kept} of ${impUid}`,
    );
  }
}

function checkOrder(order: Entry, { safety, iamport, rules, readUntil, isIgnored }: Parts): void {
  const { merchantUid, status, revision, accountOf, impUid } = order;
  for (let step = safety.firstStep(merchantUid); step <= revision; step += 1) {
    if (!safety.events.has(`${merchantUid}:${step}`))
      throw new Violation('L5', `${merchantUid}:${step} was not published`);
  }
  if (order.expiresAt !== undefined && order.expiresAt < readUntil - expiresWithin) {
    // The last run itself may have found the account, or its end. The next one expires the order.
    const isOfLastRun = order.updatedAt >= readUntil;
    if (status === 'ready' && !isOfLastRun) rules.judge.broken('L19', `${merchantUid} is still ready`);
    if (status === 'virtual_account_issued' && !merchantUid.startsWith('b_') && !isOfLastRun)
      rules.judge.broken('L20', `${merchantUid} still waits for ${accountOf}`);
  }
  if (status === 'expired' && accountOf && isOpen(accountOf, iamport, readUntil)) {
    rules.judge.judged('L20, account of an expired order');
    if (!safety.reversal(accountOf))
      rules.judge.broken('L20', `${merchantUid} is expired, and ${accountOf} is not to be revoked`);
  }
  if (isIgnored(merchantUid)) return;
  if (status === 'virtual_account_issued' && accountOf) {
    const truth = iamport.truths(accountOf).at(-1);
    // A deposit of another amount waits for the operator, and the order waits with it.
    if (truth?.status !== 'ready' && truth?.kept === 0)
      throw new Violation('L6', `${merchantUid} waits for ${accountOf}`);
  }
  if (status === 'deposit_reversed' && impUid && (iamport.truths(impUid).at(-1)?.kept ?? 0) > 0) {
    throw new Violation('L3', `${merchantUid} is deposit_reversed, and Iamport keeps money of ${impUid}`);
  }
}

/** A buyer can pay into the account. @param now Unix seconds */
function isOpen(impUid: string, iamport: SimulatedIamport, now: number): boolean {
  return iamport.truths(impUid).at(-1)?.status === 'ready' && iamport.ledger.payment(impUid).vbank_date > now;
}

/** The bank took back a deposit of the payment, whether or not another one followed. */
function wasTakenBack(impUid: string, iamport: SimulatedIamport): boolean {
  const truths = iamport.truths(impUid);
  return truths.some(({ moved }, at) => !moved && truths[at - 1]?.moved === true);
}

function checkReversal(item: Item, { safety, iamport, rules, isBroken, isIgnored, readUntil }: Parts): void {
  const [key = '', kind = '', state = ''] = [item.imp_uid?.S, item.kind?.S, item.state?.S];
  if (kind === 'notification' || kind === 'refund_list') return;
  // The refund was not sent, or it waits for the shop or the operator.
  if (kind === 'refund' && (state === 'unsent' || (state === 'requested' && item.needs))) return;
  // The PG does not perform it any more. The operator gets it after eight days, which is later than the end of a scenario.
  if (kind === 'refund' && state === 'requested' && item.accepted_at && wasTakenBack(item.refund_of?.S ?? '', iamport))
    return;
  const isOfBroken = isBroken(item.merchant_uid?.S ?? '') && safety.entry(item.merchant_uid?.S ?? '') !== undefined;
  if (isOfBroken || safety.isOfBacklog(key)) return;
  // The last run itself may have got the refusal of the PG. It is confirmed 5 minutes later.
  if (kind === 'refund' && Number(item.refused_at?.N) >= readUntil) return;
  // The last run itself may have created this revocation for the next run, or sent the first request of a cancel that failed.
  const isOfLastRun = Number(item.created_at?.N) >= readUntil && state === 'requested';
  if (
    isOfLastRun &&
    ((kind === 'revoke' && item.attempts?.N === '0') || (kind === 'cancel' && item.attempts?.N === '1'))
  )
    return;
  const isOfAccount = (kind === 'revoke' || kind === 'manual') && Number(item.amount?.N) === 0 && state !== 'done';
  if (isOfAccount && iamport.truths(key).at(-1)?.status === 'ready') {
    const expiredFor = readUntil - iamport.ledger.payment(key).vbank_date;
    // The last run itself may have given the revocation to the operator. The next one ends it.
    if (expiredFor > endsWithin && Number(item.created_at?.N) < readUntil)
      throw new Violation('L4', `${key} expired ${expiredFor} s ago, and is still ${json(item)}`);
  }
  if (state === 'requested') throw new Violation('L4', `${key} is still ${json(item)}`);
  const names = [...safety.events].filter(([id]) => id.startsWith(`${key}:`)).map(([, { name }]) => name);
  rules.announced.checkLiveness(item, names);
  const must = (name: string) => {
    if (!names.includes(name)) throw new Violation('L5', `${name} was not published for ${json(item)}; only ${names}`);
  };
  if (kind === 'refund') {
    must(state === 'done' ? 'Refund Completed' : 'Refund Refused');
    return;
  }
  // The next check of it may be hours later than a scan would be.
  const truth = isIgnored(item.merchant_uid?.S ?? '') ? undefined : iamport.truths(key).at(-1);
  rules.deposits.checkLiveness(item, truth);
  const isExcess = item.reason?.S === 'deposit_excess';
  // A cancel returns at most the amount of the payment.
  const isMismatch = item.reason?.S === 'deposit_mismatch' && (truth?.deposited ?? 0) > (truth?.amount ?? 0);
  if (state === 'manual' && truth?.moved && truth.kept === 0 && !isExcess && !isMismatch)
    throw new Violation('L4', `the money of ${key} was returned: ${json(item)}`);
  if (kind === 'orphan') must('Payment Without Order');
  else if (!isExcess) must('Payment Rejected');
  if (kind === 'manual' && state === 'manual' && Number(item.amount?.N) > 0) must('Refund Required');
  if (rules.deployed.wasHandedOver(key)) must('Refund Required');
  const hadMoney = ['cancel', 'manual'].includes(kind) && Number(item.amount?.N) > 0;
  if (hadMoney && state === 'done') must('Refund Completed');
}

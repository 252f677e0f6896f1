/**
 * The safety invariants S1 to S18 (invariants.ts). They are judged at each effect, against the state at Iamport, and use no code under
 * test: they read the items as a shop would read them in DynamoDB. `liveness.ts` has the invariants of the end.
 */

import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import type { CancelRequest } from '../../local/iamport/ledger.ts';
import { hundredths } from '../../local/iamport/payment.ts';
import { type Entry, entryOf, isGood } from './entry.ts';
import type { SimulatedIamport } from './iamport.ts';
import { keyIn } from './invariants/once.ts';
import type { TableName } from './lambda.ts';
import type { Instance } from './network.ts';
import type { Rules } from './rules.ts';
import type { Change, SimulatedTable } from './table.ts';
import { Violation } from './violation.ts';

const edges: Readonly<Record<string, readonly string[]>> = {
  ready: ['failed', 'expired', 'virtual_account_issued', 'paid', 'partial_cancelled', 'closed'],
  failed: ['failed', 'expired', 'virtual_account_issued', 'paid', 'partial_cancelled', 'closed'],
  expired: ['failed', 'virtual_account_issued', 'paid', 'partial_cancelled', 'closed'],
  virtual_account_issued: [
    'virtual_account_issued',
    'ready',
    'failed',
    'expired',
    'paid',
    'partial_cancelled',
    'closed',
  ],
  paid: ['partial_cancelled', 'cancelled', 'deposit_reversed'],
  partial_cancelled: ['partial_cancelled', 'cancelled', 'deposit_reversed'],
  cancelled: [],
  deposit_reversed: ['paid', 'partial_cancelled', 'cancelled'],
  closed: [],
};

/** The longest time between the decision to cancel and its arrival at Iamport. */
const priceSettlesAfterMs = 20_000;

/** The writes of an order that nothing happened to. */
const leastMaxWrites = 6;

interface PublishedEvent {
  readonly name: string;
  readonly json: string;
}

/** The largest error of an instance's clock. */
const maxClockErrorMs = 6_000;

export class SafetyChecks {
  readonly #iamport: SimulatedIamport;
  readonly #tables: Readonly<Record<TableName, SimulatedTable>>;
  /** The published events, by their id. */
  readonly events = new Map<string, PublishedEvent>();
  /** `merchant_uid` of orders that the shop has asked to close. */
  readonly closing = new Set<string>();
  readonly #writtenStatuses = new Set<string>();
  readonly #writes = new Map<string, number>();
  readonly #intents = new Map<string, Set<string>>();
  readonly #lastPublished = new Map<string, number>();
  readonly #firstSteps = new Map<string, number>();
  readonly #undone = new Set<string>();
  /** Test payments that an instance which accepts them has let settle an order; by `imp_uid`. */
  readonly #acceptedTests = new Set<string>();
  readonly #now: () => number;
  readonly #begin: number;
  readonly #rules: Rules;
  /** `merchant_uid` of every order that has ever existed. */
  readonly known = new Set<string>();
  /** When the shop last changed a price; milliseconds since 1970. */
  priceChangedAt = 0;
  maxWrites = 0;

  constructor(
    iamport: SimulatedIamport,
    tables: Readonly<Record<TableName, SimulatedTable>>,
    options: { now: () => number; rules: Rules },
  ) {
    this.#rules = options.rules;
    this.#now = options.now;
    this.#begin = options.now();
    this.#iamport = iamport;
    this.#tables = tables;
  }

  entry(merchantUid: string): Entry | undefined {
    const item = this.#tables.orders.named(merchantUid);
    return item && entryOf(item);
  }

  /** The first revision with an event. In our own table revision 1 registers the order, and has none. */
  firstStep(merchantUid: string): number {
    return this.#firstSteps.get(merchantUid) ?? 2;
  }

  /** This item existed before the scenario began. */
  beganWith(merchantUid: string, revision: number): void {
    this.known.add(merchantUid);
    this.#firstSteps.set(merchantUid, revision + 1);
  }

  isOfBacklog(key: string): boolean {
    return key.startsWith('imp_b');
  }

  reversal(id: string): Item | undefined {
    return this.#tables.reversals.read({ imp_uid: { S: id } });
  }

  /** A refund of the payment was requested, and has not ended. */
  hasOpenRefund(impUid: string): boolean {
    return [...this.#tables.reversals.items()].some(
      (item) => item.refund_of?.S === impUid && item.state?.S === 'requested',
    );
  }

  /** A write has taken effect. */
  written(table: TableName, by: Instance): void {
    const { key, before, after } = this.#tables[table].changes.at(-1) as Change;
    if (!after) return;
    if (table === 'orders') this.#orderWritten(before, after, by);
    if (table === 'reversals') {
      this.#rules.once.written(key, after, by);
      this.#reversalWritten(key, before, after, by);
    }
  }

  #orderWritten(before: Item | undefined, after: Item, by: Instance): void {
    const now = entryOf(after);
    const { merchantUid, status, amount, currency, revision } = now;
    const detail = (message: string) => `${merchantUid} ${before?.status?.S ?? '(new)'} → ${status}: ${message}`;
    this.known.add(merchantUid);
    this.#writtenStatuses.add(`${merchantUid} ${status}`);
    if (this.#rules.restored.weWrote(now, by.name.startsWith('publish'))) return;
    if (this.#rules.restored.lost.has(merchantUid)) return;
    this.#rules.deposits.orderWritten(now, this.#now() / 1000);
    this.#rules.ownership.orderWritten(before && entryOf(before), now);
    const writes = (this.#writes.get(merchantUid) ?? 0) + 1;
    this.#writes.set(merchantUid, writes);
    this.maxWrites = Math.max(this.maxWrites, writes);
    if (writes > leastMaxWrites && writes > this.#maxWritesOf(merchantUid))
      throw new Violation('S12', detail(`${writes} writes`));
    if (!before) {
      this.#rules.deployed.orderWritten(merchantUid, by);
      if (status !== 'ready' || revision !== 1)
        throw new Violation('S3', detail('a new order must be ready, at revision 1'));
      return;
    }
    const old = entryOf(before);
    // In its own table the shop may change the price of an order that is not settled.
    const isFixed = old.isSettled || before.merchant_uid !== undefined;
    if (isFixed && (old.amount !== amount || old.currency !== currency))
      throw new Violation('S2', detail('amount or currency changed'));
    if (old.isSettled && old.impUid !== now.impUid)
      throw new Violation('S2', detail(`${old.impUid}, then ${now.impUid}`));
    // Between our read and our write the shop wrote an unknown status.
    const isSpoiled = !old.isReadable && edges[old.status] === undefined;
    if (revision === old.revision) {
      if (!isSpoiled && (status !== old.status || now.kept !== old.kept))
        throw new Violation('S3', detail('the revision did not change'));
      return;
    }
    if (old.revision === 0 && status !== 'ready') this.#firstSteps.set(merchantUid, 1);
    const isFirst = old.revision === 0 && status === 'ready';
    const isEdge = edges[old.status]?.includes(status) || isFirst || isSpoiled;
    if (revision !== old.revision + 1 || !isEdge) {
      throw new Violation('S3', detail(`no such edge, revision ${old.revision} → ${revision}`));
    }
    if (old.isSettled && now.kept > old.kept && old.status !== 'deposit_reversed') {
      throw new Violation('S7', detail(`${old.kept} → ${now.kept}`));
    }
    if (status === 'closed' && !(by.name.startsWith('close') && this.closing.has(merchantUid))) {
      throw new Violation('S10', detail(`closed by ${by.name}`));
    }
    if (now.isSettled && by.settings.acceptTestPayments) this.#acceptedTests.add(now.impUid ?? '');
    if (now.isSettled && status !== 'deposit_reversed') this.#checkSettled(now, detail);
    const balance = this.#balanceHistory(now.impUid ?? '');
    if (status === 'deposit_reversed' && !balance.includes('10'))
      throw new Violation('S17', detail(`the balance was ${balance}`));
    if (old.status === 'deposit_reversed' && now.kept > 0 && !balance.includes('101')) {
      throw new Violation('S17', detail(`the balance was ${balance}`));
    }
  }

  /** The limit grows with the changes of its payments, and with the hours in which we try to register its amount. */
  #maxWritesOf(merchantUid: string): number {
    const happened = this.#iamport
      .payments()
      .filter((payment) => payment.merchant_uid === merchantUid)
      .reduce((sum, { imp_uid }) => sum + this.#iamport.truths(imp_uid).length, 0);
    const hours = Math.ceil((this.#now() - this.#begin) / 3_600_000);
    return leastMaxWrites + 2 * happened + hours;
  }

  #checkSettled(
    { impUid = '', merchantUid, amount, currency, kept, status }: Entry,
    detail: (message: string) => string,
  ): void {
    const wasTrue = this.#iamport.truths(impUid).some(
      (truth) =>
        truth.moved &&
        truth.merchantUid === merchantUid &&
        truth.amount === amount &&
        truth.currency === currency &&
        (!truth.sandbox || this.#acceptedTests.has(impUid)) &&
        // A cancelled order keeps nothing: the money was returned, or the bank took a partly cancelled deposit back.
        truth.kept === kept,
    );
    if (!wasTrue && !(status === 'cancelled' && this.#wasReturned(impUid))) {
      throw new Violation('S1', detail(`${impUid} never kept ${kept} ${currency}`));
    }
  }

  /** Whether Iamport kept money of a payment (1) or not (0), at each change of that: `0101`. */
  #balanceHistory(impUid: string): string {
    const balances = this.#iamport.truths(impUid).map(({ kept }) => (kept > 0 ? '1' : '0'));
    return balances.filter((now, at) => now !== balances[at - 1]).join('');
  }

  #wasReturned(impUid: string): boolean {
    return this.#iamport.truths(impUid).some(({ status, kept }) => status === 'cancelled' && kept === 0);
  }

  #reversalWritten(key: string, before: Item | undefined, after: Item, by: Instance): void {
    const kind = after.kind?.S ?? '';
    const state = after.state?.S ?? '';
    if (kind === 'notification') return;
    if (kind !== 'refund') this.#rules.deployed.reversalWritten(key, before, after, by);
    const intents = this.#intents.get(key) ?? new Set();
    this.#intents.set(key, intents.add(`${kind} ${state}`));
    if (state !== 'done' || before?.state?.S === 'done') return;
    if (kind === 'refund') {
      this.#checkRefundDone(after);
      return;
    }
    const truths = this.#iamport.truths(key);
    // No money moves in a test channel, so none can be returned.
    const isReturned = truths.some(
      ({ moved, kept, status, sandbox }) => (moved && kept === 0) || status === 'cancelled' || sandbox,
    );
    const order = this.entry(after.merchant_uid?.S ?? '');
    const settlesOrder = order?.impUid === key;
    // A failed or expired account without money takes no deposit, so nothing is left to revoke.
    const last = truths.at(-1);
    const isExpired = Number(after.amount?.N) === 0 && last?.kept === 0 && this.#isPastDeadline(key);
    // The bank took back the deposit of an unmatched payment, whose order was registered later and waited for its account.
    const isTakenBack = kind === 'orphan' && Number(after.amount?.N) === 0 && last?.kept === 0;
    const hasNothing = (kind === 'revoke' && last?.status === 'failed') || isExpired || isTakenBack;
    if (!isReturned && !settlesOrder && !hasNothing)
      throw new Violation('S13', `${key} ${kind} is done, and no money was returned`);
    if (!isReturned && kind !== 'orphan' && Number(after.amount?.N) > 0) {
      throw new Violation('S13', `${key} ${kind} is done with ${after.amount?.N}, and its payment settles the order`);
    }
  }

  /** The deposit deadline of the account is over. */
  #isPastDeadline(impUid: string): boolean {
    return this.#iamport.ledger.payment(impUid).vbank_date < this.#now() / 1000;
  }

  #checkRefundDone({ refund_of: of, refund_key: key, amount }: Item): void {
    if (this.#rules.once.hasPaidBack(`${of?.S}/${key?.S}`)) return;
    // A cancel of the same amount in the console replaces the refund.
    const history = this.#iamport.ledger.payment(of?.S ?? '').cancel_history;
    if (history.some((entry) => !entry.reason?.startsWith('[k') && entry.amount === Number(amount?.N))) return;
    throw new Violation('S14', `the refund ${key?.S} of ${of?.S} is done, and paid nothing back`);
  }

  /** Iamport is about to perform our cancel, or our revocation of an account. */
  undoing(impUid: string, from: Instance, cancel: CancelRequest | undefined): void {
    const merchantUid = this.#iamport.truths(impUid).at(-1)?.merchantUid ?? '';
    const order = this.entry(merchantUid);
    const detail = (message: string) => `${impUid} of ${merchantUid} (${order?.status}): ${message}`;
    const key = keyIn(cancel?.reason);
    const payMethod = this.#iamport.ledger.payment(impUid).pay_method;
    this.#rules.once.sending(key === undefined ? impUid : `${impUid}/${key}`, payMethod, from);
    if (cancel && key !== undefined) {
      const refund = this.reversal(`${impUid}/${key}`);
      if (!refund) throw new Violation('S5', detail('a refund without a record'));
      if (payMethod === 'vbank' && !cancel.refund_account)
        throw new Violation('S6', detail('a refund of a deposit without an account'));
      if (refund.accepted_at || refund.state?.S !== 'requested')
        throw new Violation('S14', detail(`a refund that is ${refund.state?.S}, or accepted, is sent again`));
      if (Number(refund.amount?.N) !== cancel.amount)
        throw new Violation('S14', detail(`cancel of ${cancel.amount}, but the refund has ${refund.amount?.N}`));
      const kept = this.#iamport.truths(impUid).at(-1)?.kept ?? 0;
      // An operator has cancelled a part meanwhile: the checksum does not match, and Iamport refuses the refund.
      if (cancel.checksum !== undefined && hundredths(cancel.checksum) !== kept) return;
      const isDone = (id: string) => this.reversal(id)?.state?.S === 'done';
      this.#rules.once.refunding(`${impUid}/${key}`, hundredths(cancel.amount ?? 0), kept, isDone);
      return;
    }
    // A decision about an order stays valid after the shop deleted its item.
    if (!order && !this.known.has(merchantUid)) throw new Violation('S6', detail('an unknown order'));
    if (order?.isSettled && order.impUid === impUid) throw new Violation('S4', detail('it settles the order'));
    const intents = this.#intents.get(impUid);
    // A price that was changed back just now came too late for a cancel in progress.
    const isSteady = this.#now() - this.priceChangedAt > priceSettlesAfterMs;
    if (!cancel) {
      const waitsForIt = order?.status === 'virtual_account_issued' && order.accountOf === impUid;
      const isRight = this.#iamport.truths(impUid).at(-1)?.amount === order?.amount;
      if (waitsForIt && isRight && isSteady) throw new Violation('S4', detail('the order waits for this account'));
      if (!intents?.has('revoke requested')) throw new Violation('S5', detail('revoked without an intent'));
      this.#rules.ownership.revoking(impUid, order);
      return;
    }
    if (!intents?.has('cancel requested')) throw new Violation('S5', detail('cancelled without an intent'));
    this.#rules.ownership.cancelling(impUid, order);
    const isPayable = order?.isReadable && !order.isSettled && order.status !== 'closed';
    // A decided cancel stays valid, although the shop has changed the price back since.
    const decidedAt = Number(this.reversal(impUid)?.created_at?.N) * 1000;
    const wasWrong = this.priceChangedAt >= decidedAt - maxClockErrorMs;
    // The decision was about the order before the shop wrote an older copy over it.
    const isOverwritten = this.#rules.restored.isOverwritten(merchantUid);
    if (isPayable && !isOverwritten && isSteady && !wasWrong && isGood(this.#iamport.truths(impUid).at(-1), order)) {
      throw new Violation('S16', detail('a good payment is cancelled'));
    }
    if (payMethod === 'vbank') throw new Violation('S6', detail('a deposit is cancelled'));
    if (cancel.checksum === undefined || cancel.amount === undefined) {
      throw new Violation('S14', detail('a cancel without amount or checksum'));
    }
  }

  /** A cancel or a revocation through the API took effect. Each reversal and each refund does so once. @param key of a refund */
  undone(impUid: string, key: string | undefined): void {
    const id = key === undefined ? impUid : `${impUid}/${key}`;
    if (key === undefined && this.#rules.once.isRecordedPending(id))
      this.#rules.deployed.performedLater(impUid, this.reversal(impUid));
    this.#rules.once.performed(id);
    if (key === undefined && this.#undone.has(id))
      throw new Violation('S14', `${impUid} was cancelled or revoked twice`);
    this.#undone.add(id);
  }

  /** The bus has accepted an event. */
  published(name: string, detail: object): void {
    const { id, merchant_uid } = detail as { id: string; merchant_uid?: string };
    // A lost history begins again, and its events reuse earlier ids.
    if (this.#rules.restored.lost.has(merchant_uid ?? '') && id.startsWith(`${merchant_uid}:`)) return;
    const json = JSON.stringify(detail);
    const known = this.events.get(id);
    if (known) {
      if (known.name !== name || known.json !== json)
        throw new Violation('S9', `${id} was ${known.json}, and is ${json}`);
      return;
    }
    this.events.set(id, { name, json });
    this.#rules.announced.event(name, detail as { id: string });
    // `<merchant_uid>:<revision>`; reversals and refunds have the same form.
    const [, item = '', step = ''] = /^(.+?):(\d+)(?::[a-z-]+)?$/.exec(id) ?? [];
    if (!item) return;
    const revision = Number(step);
    if (revision < (this.#lastPublished.get(item) ?? 0))
      throw new Violation('S9', `${id} was published after a later event`);
    this.#lastPublished.set(item, revision);
  }

  /** A response has reported the status of an order. */
  reported(merchantUid: string, status: string): void {
    if (status === 'paid' && !this.#writtenStatuses.has(`${merchantUid} paid`)) {
      throw new Violation('S8', `a response reports ${merchantUid} as paid, and no write did`);
    }
  }

  /** A response has reported whether Iamport has the amount of the order. Major units. */
  preparedReported(
    wanted: { merchantUid: string; amount: number; currency: string },
    isPrepared: boolean | undefined,
  ): void {
    if (!isPrepared) return;
    const { amount, currency } = this.#iamport.ledger.prepared.of(wanted.merchantUid);
    if (amount !== wanted.amount || (currency ?? wanted.currency) !== wanted.currency) {
      throw new Violation('S18', `${wanted.merchantUid} costs ${wanted.amount}, and Iamport has ${amount} ${currency}`);
    }
  }

  /** A request about a payment got a 200. @param hadMoney the payment kept money before the request */
  answeredOk(impUid: string, hadMoney: boolean): void {
    const truth = this.#iamport.truths(impUid).at(-1);
    if (!hadMoney || !truth || truth.kept === 0 || truth.sandbox) return;
    const order = this.entry(truth.merchantUid);
    if (!order || order.impUid === impUid || this.reversal(impUid)) return;
    throw new Violation('S11', `${impUid} got a 200, and ${truth.merchantUid} (${order.status}) has no trace of it`);
  }
}

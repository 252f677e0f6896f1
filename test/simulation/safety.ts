/**
 * The invariants that hold at every step. Each is judged at the effect itself, against what was true at Iamport, and none of them
 * asks the code under test. They read the items as a shop would see them in DynamoDB. What holds in the end is in `balance.ts`.
 *
 * S1  an order is settled only by a payment that had just this money, for this order, in this currency, and no test payment
 * S2  the payment that settled an order never changes, nor do amount and currency
 * S3  an order moves only along the edges below, one revision at a time
 * S4  the payment that an order stands on is never sent back by us, nor the account revoked that it waits for
 * S5  nothing is undone, or given back, before the intent to is written down
 * S6  no money is sent back for an order that we do not know, and no deposit without the buyer's account
 * S7  what an order keeps never grows, but when a reversed deposit returns
 * S8  `paid` is said only when it is written down
 * S9  the events of an item come in its order for the first time, and an id always stands for the same content
 * S10 only the shop closes an order
 * S11 a 200 leaves a trace: money that was there is settled, held for reversal, or gone
 * S12 writes to an order are bounded by what happened to it
 * S13 a reversal is done only when the money is back, or the order stands on it after all, and then says that nothing is back
 * S14 a refund gives back once, no more than was asked for, and is done only when it was it that gave back
 * S15 bad input changes nothing, and nobody is asked about it
 * S16 a good payment of an order that can be paid is not sent back
 * S17 a deposit is said to be taken back, or to have returned, only when it was
 * S18 an amount is said to be registered with Iamport only when it is
 */

import type { Item } from '../../functions/adapters/dynamodb/table.ts';
import type { CancelRequest } from '../../local/iamport/ledger.ts';
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
  partial_cancelled: ['partial_cancelled', 'cancelled'],
  cancelled: [],
  deposit_reversed: ['paid', 'partial_cancelled', 'cancelled'],
  closed: [],
};

/** How long a cancel that has been decided may take to reach Iamport. */
const priceSettlesAfterMs = 20_000;

export interface Told {
  readonly name: string;
  readonly json: string;
}

/** An instance's clock is off by no more. */
const clockIsOffByMs = 6_000;

export class Books {
  readonly #iamport: SimulatedIamport;
  readonly #tables: Readonly<Record<TableName, SimulatedTable>>;
  /** Events by their id. */
  readonly events = new Map<string, Told>();
  /** `merchant_uid` of orders that the shop has asked to close. */
  readonly closing = new Set<string>();
  readonly #said = new Set<string>();
  readonly #writes = new Map<string, number>();
  readonly #intents = new Map<string, Set<string>>();
  readonly #lastTold = new Map<string, number>();
  readonly #firstSteps = new Map<string, number>();
  readonly #sentBack = new Set<string>();
  readonly #acceptsTests: boolean;
  readonly #now: () => number;
  readonly #begin: number;
  readonly #rules: Rules;
  /** `merchant_uid` of every order that was there. */
  readonly known = new Set<string>();
  /** When the shop last changed a price; milliseconds since 1970. */
  priceChangedAt = 0;
  mostWrites = 0;

  constructor(
    iamport: SimulatedIamport,
    tables: Readonly<Record<TableName, SimulatedTable>>,
    options: { acceptsTests: boolean; now: () => number; rules: Rules },
  ) {
    this.#rules = options.rules;
    this.#now = options.now;
    this.#begin = options.now();
    this.#iamport = iamport;
    this.#tables = tables;
    this.#acceptsTests = options.acceptsTests;
  }

  entry(merchantUid: string): Entry | undefined {
    const item = this.#tables.orders.named(merchantUid);
    return item && entryOf(item);
  }

  /** The first revision that is a step: in a table of ours the first one registers the order. */
  firstStep(merchantUid: string): number {
    return this.#firstSteps.get(merchantUid) ?? 2;
  }

  /** These items were there before the schedule began. */
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

  /** A write has taken effect. */
  written(table: TableName, by: Instance): void {
    const { key, before, after } = this.#tables[table].changes.at(-1) as Change;
    if (!after) return;
    if (table === 'orders') this.#orderWritten(before, after, by);
    if (table === 'reversals') {
      this.#rules.once.written(key, after, by);
      this.#reversalWritten(key, before, after);
    }
  }

  #orderWritten(before: Item | undefined, after: Item, by: Instance): void {
    const now = entryOf(after);
    const { merchantUid, status, amount, currency, revision } = now;
    const say = (message: string) => `${merchantUid} ${before?.status?.S ?? '(new)'} → ${status}: ${message}`;
    this.known.add(merchantUid);
    this.#said.add(`${merchantUid} ${status}`);
    if (this.#rules.restored.weWrote(now, by.name.startsWith('publish'))) return;
    if (this.#rules.restored.lost.has(merchantUid)) return;
    this.#rules.deposits.orderWritten(now, this.#now() / 1000);
    this.#rules.ownership.orderWritten(before && entryOf(before), now);
    const writes = (this.#writes.get(merchantUid) ?? 0) + 1;
    this.#writes.set(merchantUid, writes);
    this.mostWrites = Math.max(this.mostWrites, writes);
    if (writes > this.#mostWritesOf(merchantUid)) throw new Violation('S12', say(`${writes} writes`));
    if (!before) {
      if (status !== 'ready' || revision !== 1) throw new Violation('S3', say('a new order is ready'));
      return;
    }
    const old = entryOf(before);
    // In its own table the shop may change the price until the order is settled.
    const isFixed = old.isSettled || before.merchant_uid !== undefined;
    if (isFixed && (old.amount !== amount || old.currency !== currency))
      throw new Violation('S2', say('another amount'));
    if (old.isSettled && old.impUid !== now.impUid) throw new Violation('S2', say(`${old.impUid}, then ${now.impUid}`));
    // Between our read and our write the shop wrote a status that is none of ours.
    const isSpoiled = !old.isReadable && edges[old.status] === undefined;
    if (revision === old.revision) {
      if (!isSpoiled && (status !== old.status || now.kept !== old.kept))
        throw new Violation('S3', say('without a revision'));
      return;
    }
    if (old.revision === 0 && status !== 'ready') this.#firstSteps.set(merchantUid, 1);
    const isFirst = old.revision === 0 && status === 'ready';
    const isEdge = edges[old.status]?.includes(status) || isFirst || isSpoiled;
    if (revision !== old.revision + 1 || !isEdge) {
      throw new Violation('S3', say(`no such edge, revision ${old.revision} → ${revision}`));
    }
    if (old.isSettled && now.kept > old.kept && old.status !== 'deposit_reversed') {
      throw new Violation('S7', say(`${old.kept} → ${now.kept}`));
    }
    if (status === 'closed' && !(by.name.startsWith('close') && this.closing.has(merchantUid))) {
      throw new Violation('S10', say(`closed by ${by.name}`));
    }
    if (now.isSettled && status !== 'deposit_reversed') this.#isTrue(now, say);
    const comings = this.#comingsOf(now.impUid ?? '');
    if (status === 'deposit_reversed' && !comings.includes('10')) throw new Violation('S17', say(`it was ${comings}`));
    if (old.status === 'deposit_reversed' && now.kept > 0 && !comings.includes('101')) {
      throw new Violation('S17', say(`it was ${comings}`));
    }
  }

  /** Bounded by what happened to its payments, by what the shop did, and by the hours in which its amount cannot be registered. */
  #mostWritesOf(merchantUid: string): number {
    const happened = this.#iamport
      .payments()
      .filter((payment) => payment.merchant_uid === merchantUid)
      .reduce((sum, { imp_uid }) => sum + this.#iamport.truths(imp_uid).length, 0);
    const hours = Math.ceil((this.#now() - this.#begin) / 3_600_000);
    return 6 + 2 * happened + hours;
  }

  #isTrue({ impUid = '', merchantUid, amount, currency, kept, status }: Entry, say: (message: string) => string): void {
    const was = this.#iamport.truths(impUid).some(
      (truth) =>
        truth.moved &&
        truth.merchantUid === merchantUid &&
        truth.amount === amount &&
        truth.currency === currency &&
        (!truth.sandbox || this.#acceptsTests) &&
        // A cancelled order keeps nothing: the money has gone back, or a deposit was undone after a part had been cancelled.
        truth.kept === kept,
    );
    if (!was && !(status === 'cancelled' && this.#isGone(impUid))) {
      throw new Violation('S1', say(`${impUid} never kept ${kept} ${currency}`));
    }
  }

  /** Whether the money of a payment was there, 1, or was not, 0, from one change to the next: `0101`. */
  #comingsOf(impUid: string): string {
    const there = this.#iamport.truths(impUid).map(({ kept }) => (kept > 0 ? '1' : '0'));
    return there.filter((now, at) => now !== there[at - 1]).join('');
  }

  #isGone(impUid: string): boolean {
    return this.#iamport.truths(impUid).some(({ status, kept }) => status === 'cancelled' && kept === 0);
  }

  #reversalWritten(key: string, before: Item | undefined, after: Item): void {
    const kind = after.kind?.S ?? '';
    const state = after.state?.S ?? '';
    if (kind === 'notification') return;
    const intents = this.#intents.get(key) ?? new Set();
    this.#intents.set(key, intents.add(`${kind} ${state}`));
    if (state !== 'done' || before?.state?.S === 'done') return;
    if (kind === 'refund') {
      this.#refundDone(after);
      return;
    }
    const truths = this.#iamport.truths(key);
    // No money moves in a test channel, so there is none to come back.
    const isBack = truths.some(
      ({ moved, kept, status, sandbox }) => (moved && kept === 0) || status === 'cancelled' || sandbox,
    );
    const order = this.entry(after.merchant_uid?.S ?? '');
    const standsOnIt = order?.impUid === key;
    // An account nobody can pay into any more, since its payment went another way, has nothing left to revoke.
    const last = truths.at(-1);
    const isOver = Number(after.amount?.N) === 0 && last?.kept === 0 && this.#isPastDeadline(key);
    const hasNone = (kind === 'revoke' && last?.status === 'failed') || isOver;
    if (!isBack && !standsOnIt && !hasNone) throw new Violation('S13', `${key} ${kind} done, and nothing came back`);
    if (!isBack && kind !== 'orphan' && Number(after.amount?.N) > 0) {
      throw new Violation('S13', `${key} ${kind} done with ${after.amount?.N}, and the order stands on it`);
    }
  }

  /** Nobody can pay into an account whose deadline is over. */
  #isPastDeadline(impUid: string): boolean {
    return this.#iamport.ledger.payment(impUid).vbank_date < this.#now() / 1000;
  }

  #refundDone({ refund_of: of, refund_key: key, amount }: Item): void {
    if (this.#rules.once.hasGiven(`${of?.S}/${key?.S}`)) return;
    // A cancel of the same amount in the console, in its place: nothing is left for the refund to give back.
    const history = this.#iamport.ledger.payment(of?.S ?? '').cancel_history;
    if (history.some((entry) => !entry.reason?.startsWith('[k') && entry.amount === Number(amount?.N))) return;
    throw new Violation('S14', `the refund ${key?.S} of ${of?.S} is done, and gave nothing back`);
  }

  /** Iamport is about to cancel, or to revoke an account, because we asked. */
  undoing(impUid: string, from: Instance, cancel: CancelRequest | undefined): void {
    const merchantUid = this.#iamport.truths(impUid).at(-1)?.merchantUid ?? '';
    const order = this.entry(merchantUid);
    const say = (message: string) => `${impUid} of ${merchantUid} (${order?.status}): ${message}`;
    const key = keyIn(cancel?.reason);
    const payMethod = this.#iamport.ledger.payment(impUid).pay_method;
    this.#rules.once.sending(key === undefined ? impUid : `${impUid}/${key}`, payMethod, from);
    if (cancel && key !== undefined) {
      const refund = this.reversal(`${impUid}/${key}`);
      if (!refund) throw new Violation('S5', say('a refund that nobody wrote down'));
      if (payMethod === 'vbank' && !cancel.refund_account)
        throw new Violation('S6', say('a deposit, and no account for it'));
      if (refund.accepted_at || refund.state?.S !== 'requested')
        throw new Violation('S14', say(`a refund that is ${refund.state?.S}, or accepted, is sent again`));
      if (Number(refund.amount?.N) !== cancel.amount)
        throw new Violation('S14', say(`${cancel.amount} is not asked for`));
      return;
    }
    // What was decided about an order that was there stays decided when its item is gone.
    if (!order && !this.known.has(merchantUid)) throw new Violation('S6', say('an order that we do not know'));
    if (order?.isSettled && order.impUid === impUid) throw new Violation('S4', say('the order stands on it'));
    const intents = this.#intents.get(impUid);
    // A price that has just been changed back came too late for a cancel that is under way.
    const isSteady = this.#now() - this.priceChangedAt > priceSettlesAfterMs;
    if (!cancel) {
      const waitsForIt = order?.status === 'virtual_account_issued' && order.accountOf === impUid;
      const isRight = this.#iamport.truths(impUid).at(-1)?.amount === order?.amount;
      if (waitsForIt && isRight && isSteady) throw new Violation('S4', say('the order waits for this account'));
      if (!intents?.has('revoke requested')) throw new Violation('S5', say('revoked without an intent'));
      this.#rules.ownership.revoking(impUid, order);
      return;
    }
    if (!intents?.has('cancel requested')) throw new Violation('S5', say('cancelled without an intent'));
    this.#rules.ownership.sendingBack(impUid, order);
    const isPayable = order?.isReadable && !order.isSettled && order.status !== 'closed';
    // A cancel that was decided stands, though the shop has changed the price back since.
    const decidedAt = Number(this.reversal(impUid)?.created_at?.N) * 1000;
    const wasWrong = this.priceChangedAt >= decidedAt - clockIsOffByMs;
    if (isPayable && isSteady && !wasWrong && isGood(this.#iamport.truths(impUid).at(-1), order)) {
      throw new Violation('S16', say('a good payment sent back'));
    }
    if (payMethod === 'vbank') throw new Violation('S6', say('a deposit sent back'));
    if (cancel.checksum === undefined || cancel.amount === undefined) {
      throw new Violation('S14', say('a cancel without its amount and checksum'));
    }
  }

  /** A cancel or a revocation through the API took effect: each reversal does once, each refund does once. @param key of a refund */
  undone(impUid: string, key: string | undefined): void {
    const id = key === undefined ? impUid : `${impUid}/${key}`;
    this.#rules.once.gave(id);
    if (key === undefined && this.#sentBack.has(id)) throw new Violation('S14', `${impUid} was sent back again`);
    this.#sentBack.add(id);
  }

  /** The bus has taken an event. */
  told(name: string, detail: object): void {
    const { id, merchant_uid } = detail as { id: string; merchant_uid?: string };
    // A lost history begins again, and its events have the names of the earlier ones.
    if (this.#rules.restored.lost.has(merchant_uid ?? '') && id.startsWith(`${merchant_uid}:`)) return;
    const json = JSON.stringify(detail);
    const known = this.events.get(id);
    if (known) {
      if (known.name !== name || known.json !== json) throw new Violation('S9', `${id} is ${known.json}, and ${json}`);
      return;
    }
    this.events.set(id, { name, json });
    this.#rules.announced.event(name, detail as { id: string });
    // `<merchant_uid>:<revision>`, and of reversals and refunds likewise.
    const [, item = '', step = ''] = /^(.+?):(\d+)(?::[a-z-]+)?$/.exec(id) ?? [];
    if (!item) return;
    const revision = Number(step);
    if (revision < (this.#lastTold.get(item) ?? 0)) throw new Violation('S9', `${id} came after a later one`);
    this.#lastTold.set(item, revision);
  }

  /** Somebody was told that an order is in a status. */
  said(merchantUid: string, status: string): void {
    if (status === 'paid' && !this.#said.has(`${merchantUid} paid`)) {
      throw new Violation('S8', `${merchantUid} is said to be paid, and no write says so`);
    }
  }

  /** The shop was told whether Iamport holds the amount of its order. Major units. */
  prepared(wanted: { merchantUid: string; amount: number; currency: string }, isPrepared: boolean | undefined): void {
    if (!isPrepared) return;
    const { amount, currency } = this.#iamport.ledger.prepared.of(wanted.merchantUid);
    if (amount !== wanted.amount || (currency ?? wanted.currency) !== wanted.currency) {
      throw new Violation(
        'S18',
        `${wanted.merchantUid} costs ${wanted.amount}, and Iamport holds ${amount} ${currency}`,
      );
    }
  }

  /** What a 200 about a payment leaves behind. @param hadMoney it kept money when the request came */
  answered(impUid: string, hadMoney: boolean): void {
    const truth = this.#iamport.truths(impUid).at(-1);
    if (!hadMoney || !truth || truth.kept === 0 || truth.sandbox) return;
    const order = this.entry(truth.merchantUid);
    if (!order || order.impUid === impUid || this.reversal(impUid)) return;
    throw new Violation(
      'S11',
      `${impUid} was answered with 200, and ${truth.merchantUid} (${order.status}) knows nothing`,
    );
  }
}

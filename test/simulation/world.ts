/**
 * One scenario, from one seed: a few orders, and what buyers, banks, unknown senders and the shop do to them. The HTTP functions, the
 * reconciler and the publisher are the real code; the network between them and their dependencies fails.
 */

import { ownTable, shopTable, type TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { HttpRequest } from '../../functions/adapters/iamport/transport.ts';
import { reconcile } from '../../functions/application/reconcile/reconcile.ts';
import { closeOrder } from '../../functions/handlers/close-order.ts';
import { complete } from '../../functions/handlers/complete.ts';
import { confirm } from '../../functions/handlers/confirm.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import type { HttpHandler } from '../../functions/runtime/http-handler.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import { hundredths } from '../../local/iamport/payment.ts';
import { eventOf, type Sent } from '../support/event.ts';
import { actorsBegunByMs, type HttpFunctionName, type SimulationContext } from './context.ts';
import type { Coverage } from './coverage.ts';
import { shopColumns } from './entry.ts';
import { Faults } from './faults.ts';
import { simulatedIamport } from './iamport.ts';
import { Judge } from './judge.ts';
import { type FunctionResponse, Lambda, type Observer } from './lambda.ts';
import { checkLiveness } from './liveness.ts';
import { type Instance, Network } from './network.ts';
import { SeededRandom } from './random.ts';
import { Rows } from './rows.ts';
import { Rules } from './rules.ts';
import { SafetyChecks } from './safety.ts';
import { isForeign } from './settings.ts';
import { Stream } from './stream.ts';
import { SimulatedTable } from './table.ts';
import { Time } from './time.ts';
import { type Trace, traceOf } from './trace.ts';
import { hour, minute } from './units.ts';
import { Violation } from './violation.ts';
import { type Scope, Worlds } from './worlds/choice.ts';
import { Deliveries } from './worlds/deliveries.ts';
import { Deployments } from './worlds/deployments.ts';
import { Lists } from './worlds/lists.ts';
import { LostRecords } from './worlds/lost-records.ts';
import { Pg } from './worlds/pg.ts';
import { Shop } from './worlds/shop.ts';
import { Throttle } from './worlds/throttle.ts';

const handlers = {
  complete,
  mobile: mobileRedirect,
  webhook,
  confirm,
  orders,
  refunds,
  close: closeOrder,
} satisfies Record<HttpFunctionName, HttpHandler>;

/** When every scenario begins; Unix seconds. */
const beginning = 1_795_000_000;
/** As in the template. */
const reconcilerTimeoutMs = 120_000;
/** The most calls of a run when nothing is due and nothing has changed. */
const callsOfIdleRun = 150;
/** The page itself, its orders and their reversals. */
const callsOfPage = 3;
/** The most calls for one item that is due, or one payment that has changed. */
const callsForOne = 12;
/** How far back a run scans the lists again. */
const lookBackMs = 40 * minute;
/** The largest error of an instance's clock. Seconds. */
const maxClockError = 5;

/** A scan that needs more runs than this in a row does not end. */
const maxRunsInRow = 3;

export class World implements SimulationContext {
  readonly time = new Time(beginning * 1000);
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly iamport;
  readonly tables;
  readonly mapping: TableMapping;
  readonly worlds: Worlds;
  readonly judge: Judge;
  readonly rules: Rules;
  readonly lists: Lists;
  readonly shop: Shop;
  readonly stream: Stream;
  readonly lambda: Lambda;
  readonly isThrottled: () => boolean;
  readonly began = beginning;
  readonly safety: SafetyChecks;
  readonly coverage: Coverage;
  readonly trace: Trace | undefined;
  readonly deployments: Deployments;
  /** undefined in scenarios without webhooks. */
  readonly deliveries: Deliveries | undefined;
  /** Some scenarios end their faults after the first payments, others only after every actor has begun. */
  faultsForMs: number;
  hasLongWait = false;
  isCalm = false;
  /** Until when the reconciler runs on its schedule after the faults; milliseconds after the beginning. */
  #runsUntil = 0;
  #lastRunBegan = 0;
  #lastRunFinished = false;
  /** Milliseconds since 1970. */
  #calmSince = Number.POSITIVE_INFINITY;

  constructor(seed: number, coverage: Coverage, scope: Scope = {}, line?: (line: string) => void) {
    this.random = new SeededRandom(seed);
    this.coverage = coverage;
    this.faultsForMs = this.random.whole(5, 35) * minute;
    this.faults = new Faults(this.random, coverage);
    this.trace = line && traceOf(this.time, line);
    const first = {
      acceptTestPayments: this.random.is(0.15),
      reversals: this.random.is(0.15) ? 'manual' : 'automatic',
      orderPrefix: '',
    } as const;
    const { time, random, faults, trace } = this;
    const worlds = new Worlds(seed, scope, coverage);
    trace?.('worlds', worlds.names.join(', ') || 'none');
    this.worlds = worlds;
    this.judge = new Judge(coverage, scope.pending ?? false);
    this.deliveries = worlds.has('webhooks') ? new Deliveries(seed, { coverage, judge: this.judge, line }) : undefined;
    this.mapping = worlds.has('shop table') ? shopTable(shopColumns) : ownTable;
    const tables = {
      orders: new SimulatedTable(this.mapping.key, this.mapping.prefix),
      reversals: new SimulatedTable('imp_uid'),
      state: new SimulatedTable('id', '', beginning),
    };
    this.tables = tables;
    this.lists = new Lists(worlds, coverage);
    const throttle = new Throttle(worlds, { time, judge: this.judge, coverage }, this.faultsForMs);
    this.isThrottled = () => throttle.waits() !== undefined;
    const lostRecords = new LostRecords(worlds, { time, coverage }, this.faultsForMs);
    const deployments = new Deployments(first, worlds, { time, coverage, trace });
    this.deployments = deployments;
    const pg = new Pg(worlds, { time, coverage }, this.faultsForMs);
    const conditions = { pg, lists: this.lists, throttle, isNoisy: worlds.has('float noise') };
    const iamport = simulatedIamport(time, random, faults, conditions);
    this.iamport = iamport;
    const startedAt = (impUid: string) => iamport.ledger.payment(impUid).started_at;
    const rules = new Rules(this.judge, startedAt, this.mapping.isShops, () => time.now);
    this.rules = rules;
    const safety = new SafetyChecks(iamport, tables, {
      now: () => time.now,
      rules,
    });
    this.safety = safety;
    this.#connect();
    if (worlds.has('slow pg') || worlds.has('late bank')) {
      this.hasLongWait = true;
      this.extendTo(4 * 24 * hour);
    }
    if (worlds.has('pg forgets')) {
      this.hasLongWait = true;
      this.extendTo(6 * 24 * hour);
    }
    for (const at of this.deploysAt) this.extendTo(at - beginning * 1000 + hour);
    // After a prefix was removed, only the scan of a week finds what the scans ignored.
    if (deployments.endsIgnoring) this.hasLongWait = true;
    if (worlds.has('backlog')) this.extendTo(180 * minute);
    if (worlds.has('backlog') || worlds.has('many attempts')) time.maxEvents *= 20;
    this.stream = new Stream(this);
    this.shop = new Shop(this);
    const network = new Network({ time, random, faults, coverage, trace });
    this.lambda = new Lambda({
      ...{ time, random, faults, network, iamport, tables, mapping: this.mapping },
      releaseFor: (name) => deployments.releaseFor(name),
      slowness: worlds.has('backlog') ? 2 : 1,
      observer: this.#observer(throttle, lostRecords),
      accidentOfRecord: () => lostRecords.accident(),
      publish: (name, detail) => {
        trace?.('bus', name, detail);
        safety.published(name, detail);
        this.deliveries?.published(name, detail, time.now);
      },
      written: (table, by) => {
        trace?.(by.name, `wrote ${table}`, tables[table].changes.at(-1)?.after);
        safety.written(table, by);
        if (table !== 'state') this.stream.soon(table);
      },
    });
  }

  /** Judges every effect of our calls at Iamport when it happens. */
  #connect(): void {
    const { iamport, safety, rules } = this;
    iamport.onUndo = (impUid, from, cancel) => safety.undoing(impUid, from, cancel);
    iamport.onAccepted = (impUid, key, isPending, cancel) => {
      rules.once.accepted(key === undefined ? impUid : `${impUid}/${key}`, isPending, hundredths(cancel?.amount ?? 0));
      if (key === undefined && cancel) rules.ownership.cancelAccepted(impUid);
    };
    iamport.onCancelled = (impUid, key) => safety.undone(impUid, key);
    iamport.onPrepare = (merchantUid, isChange) => {
      if (isChange) rules.ownership.amountChanged(merchantUid);
      else rules.ownership.amountRegistered(merchantUid);
    };
    iamport.onPaymentRead = (impUid, from) => {
      const merchantUid = iamport.truths(impUid).at(-1)?.merchantUid ?? '';
      // After calls without a response, it reads some listed payments of any order, since single payments may fail without an outage.
      if (!from.name.startsWith('reconcile') || from.faultIn === from.invocation) return;
      const recorded = safety.reversal(impUid);
      // A refund continues after the shop deleted its order, and reads the payment.
      const isNeeded = safety.entry(merchantUid) !== undefined || safety.hasOpenRefund(impUid);
      rules.attempted.requested(impUid, recorded, isNeeded, this.time.now / 1000);
    };
    const rows = new Rows({
      orders: this.tables.orders,
      mapping: this.mapping,
      policy: () => ({ ...this.deployments.settings, ...(this.mapping.isShops && { begunAt: beginning }) }),
      coverage: this.coverage,
    });
    iamport.onReturned = (payment, merchantUid) => rows.returned(payment, merchantUid);
  }

  #observer(throttle: Throttle, lostRecords: LostRecords): Observer {
    const { rules, time } = this;
    return {
      sending: (from, request) => {
        throttle.sending(from);
        this.#sending(from, request);
      },
      received: (by, { accepted, retryAfter }) => {
        if (accepted !== undefined) {
          rules.once.received(accepted, by);
          lostRecords.accepted();
        }
        if (retryAfter !== undefined) throttle.received(by, Number(retryAfter));
      },
      accessed: (table, key, by) => {
        const name = table === 'state' ? undefined : key[this.tables[table].keyAttribute]?.S;
        if (name !== undefined) rules.attempted.accessed(name, by, time.now / 1000);
      },
    };
  }

  /** Judges a cancel of a rejected payment, or a revocation, when it is sent. It may reach Iamport later. */
  #sending(from: Instance, request: HttpRequest): void {
    const { iamport, rules, safety } = this;
    const impUid = iamport.undoneBy(request);
    if (impUid === undefined) return;
    const isTest = iamport.truths(impUid).at(-1)?.sandbox ?? false;
    const isRevocation = request.method === 'DELETE';
    rules.deployed.sending(impUid, safety.reversal(impUid), { isTest, isRevocation }, from);
  }

  get deploysAt(): readonly number[] {
    return this.deployments.times;
  }

  extendTo(ms: number): void {
    this.#runsUntil = Math.max(this.#runsUntil, ms);
  }

  async request(name: HttpFunctionName, sent: Sent): Promise<FunctionResponse> {
    const response = await this.lambda.request(name, handlers[name], eventOf(sent));
    this.trace?.(name, `returned ${response.status}`, response.body || response.headers.location);
    return response;
  }

  /** One run of the reconciler. */
  async reconcile(): Promise<void> {
    const { iamport, time } = this;
    const began = time.now;
    const wasDown = iamport.isDown;
    // A run processes what becomes due meanwhile, too.
    const dueBefore = this.#awaited().filter(({ dueAt }) => dueAt * 1000 <= began + reconcilerTimeoutMs).length;
    const { value, isAlive, ...made } = await this.lambda.run('reconcile', reconcilerTimeoutMs, ({ deps }) =>
      reconcile(deps, deadlineIn(deps.clock, 115_000)),
    );
    this.trace?.('reconcile', value ? 'ended' : 'did not end', value);
    if (value?.finished) this.#lastRunBegan = began;
    this.#lastRunFinished = value?.finished ?? false;
    const wasCalm = this.isCalm && began > this.#calmSince;
    if (wasCalm && !value) this.judge.broken('L18', 'a run did not end, although no fault happened');
    // A run that ended by its own error counts as a run: it is responsible for the items that it left.
    const tookPlace = isAlive && (value !== undefined || wasCalm);
    // A throttle that began among the faults may last a minute longer.
    const hadFaults = (value?.faultCount ?? 0) > 0 && began < this.#calmSince + minute;
    if (tookPlace && !wasDown && !iamport.isDown) this.#ran(began, dueBefore, made, hadFaults);
  }

  #awaited() {
    return [...this.tables.orders.awaited(), ...this.tables.reversals.awaited()];
  }

  /** A run has taken place, and Iamport answered. */
  #ran(began: number, dueBefore: number, made: { calls: number; listCalls: number }, hadFaults: boolean): void {
    const { rules, safety, time, iamport, shop } = this;
    // A page has four payments, and three windows may be due in one run.
    const ofPages = Math.min(callsOfPage * made.listCalls, 3 * iamport.payments().length);
    const max = callsOfIdleRun + ofPages + callsForOne * (dueBefore + iamport.changedSince(began - lookBackMs));
    rules.attempted.ran(began / 1000, time.now / 1000, this.#awaited(), { made: made.calls, max });
    // The reconciler checks an item that cannot be written again an hour later.
    rules.deposits.ran(began / 1000, hadFaults, (merchantUid) =>
      shop.wereBroken.has(merchantUid) ? undefined : safety.entry(merchantUid),
    );
  }

  /** Runs the reconciler while actors act and faults happen, and afterwards until the liveness invariants must be true. */
  async run(): Promise<void> {
    const { faultsForMs } = this;
    // Every five minutes as deployed, or less often, so that the next run does not hide what one run missed.
    const every = this.random.whole(5, 20) * minute;
    for (let at = 0; at < Math.max(faultsForMs, actorsBegunByMs); at += every) {
      this.time.after(at, () => this.#scheduledRun());
    }
    for (let at = Math.max(faultsForMs, actorsBegunByMs); at < this.#runsUntil; ) {
      // Over days, rare runs are enough: an invariant with a deadline is judged at the next run after it.
      at += (at < 8 * hour ? this.worlds.random.whole(15, 70) : this.worlds.random.whole(60, 300)) * minute;
      this.time.after(at, () => this.time.begin(() => this.reconcile()));
    }
    this.time.after(faultsForMs, () => {
      this.trace?.('faults', 'end');
      this.faults.end();
      this.iamport.unreadable.clear();
      this.lists.isCalm = true;
      this.isCalm = true;
      this.#calmSince = this.time.now;
    });
    await this.time.runUntil(Number.POSITIVE_INFINITY);
    await this.#runAfter(10 * minute);
    const isLive = this.#isLive();
    // The interval between attempts of a refused request grows.
    if (!isLive) await this.#runAfter(70 * minute);
    // The longer scans find what the short scan missed.
    if (!this.hasLongWait) {
      if (!isLive) this.#checkLiveness();
      // Nothing should change any more. Only 7 % of the scenarios check that: two days of scans cost half a scenario.
      if (!this.random.is(0.07)) return;
    }
    for (const later of [24 * hour + 10 * minute, 48 * hour]) await this.#runAfter(later);
    this.#checkLiveness();
  }

  async #runAfter(ms: number): Promise<void> {
    await this.time.runUntil(this.time.now + ms);
    // A run over a thousand payments, in pages of one to four, ends by its deadline, and the next one continues.
    for (let runs = 0; runs < maxRunsInRow && !(runs > 0 && this.#lastRunFinished); runs += 1) {
      this.time.begin(() => this.reconcile());
      await this.time.runUntil(Number.POSITIVE_INFINITY);
    }
  }

  #isLive(): boolean {
    try {
      this.#checkLiveness();
      return true;
    } catch (error) {
      if (error instanceof Violation) return false;
      throw error;
    }
  }

  #checkLiveness(): void {
    const { safety, iamport, tables, rules, shop, lists } = this;
    if (!this.#lastRunFinished) throw new Violation('L7', 'the last run ran out of time');
    checkLiveness({
      ...{ safety, iamport, tables, rules },
      readUntil: Math.floor(this.#lastRunBegan / 1000) - maxClockError,
      isBroken: (merchantUid) => shop.isBroken(merchantUid) || rules.restored.lost.has(merchantUid),
      isHidden: (impUid) => lists.hides(impUid),
      isIgnored: (merchantUid) => isForeign(this.deployments.settings, merchantUid),
    });
  }

  #scheduledRun(): void {
    if (this.faults.happens('run skipped')) return;
    this.time.begin(() => this.reconcile());
    if (this.faults.happens('run twice'))
      this.time.after(this.random.whole(0, 20_000), () => this.time.begin(() => this.reconcile()));
  }
}

/**
 * One schedule: a few orders and what buyers, banks, strangers and the shop do to them, against the real doors, reconciler and
 * publisher, while everything in between goes wrong. All of it from one seed.
 */

import { type Layout, ownTable, shopTable } from '../../functions/adapters/dynamodb/table-mapping.ts';
import { closeOrder } from '../../functions/handlers/close-order.ts';
import { complete } from '../../functions/handlers/complete.ts';
import { confirm } from '../../functions/handlers/confirm.ts';
import { mobileRedirect } from '../../functions/handlers/mobile-redirect.ts';
import { orders } from '../../functions/handlers/orders.ts';
import { reconcile } from '../../functions/handlers/reconcile.ts';
import { refunds } from '../../functions/handlers/refunds.ts';
import { webhook } from '../../functions/handlers/webhook.ts';
import type { Door } from '../../functions/runtime/lambda-handler.ts';
import { deadlineIn } from '../../functions/shared/clock.ts';
import { eventOf, type Sent } from '../support/event.ts';
import type { Reached } from './coverage.ts';
import { shopColumns } from './entry.ts';
import { Weather } from './faults.ts';
import { simulatedIamport } from './iamport.ts';
import { Judge } from './judge.ts';
import { type Heard, Lambda, type Observer } from './lambda.ts';
import { balance } from './liveness.ts';
import { Network } from './network.ts';
import { Chance } from './random.ts';
import { Rows } from './rows.ts';
import { Rules } from './rules.ts';
import { Books } from './safety.ts';
import { Stream } from './stream.ts';
import { SimulatedTable } from './table.ts';
import { Time } from './time.ts';
import { type Trace, traceOf } from './trace.ts';
import { Violation } from './violation.ts';
import { type Scope, Worlds } from './worlds/choice.ts';
import { Lists } from './worlds/lists.ts';
import { Pg } from './worlds/pg.ts';
import { Shop } from './worlds/shop.ts';
import { Throttle } from './worlds/throttle.ts';

const doors = {
  complete,
  mobile: mobileRedirect,
  webhook,
  confirm,
  orders,
  refunds,
  close: closeOrder,
} satisfies Record<string, Door>;
export type DoorName = keyof typeof doors;

/** Unix seconds; when every schedule begins. */
const beginning = 1_795_000_000;
const minute = 60_000;
/** Whoever does something has begun to by then. */
export const everybodyHasBegunMs = 30 * minute;
/** A run makes about so many calls though nothing is due and nothing has changed; and so many for what is due, or has changed. */
const callsOfARun = 150;
const callsForOne = 12;
/** How far back a run reads the lists again. */
const lookBackMs = 40 * minute;
/** An instance's clock is off by no more. Seconds. */
const clockIsOffBy = 5;

export class World {
  readonly time = new Time(beginning * 1000);
  readonly chance: Chance;
  readonly weather: Weather;
  readonly iamport;
  readonly tables;
  /** How orders lie in their table. */
  readonly layout: Layout;
  readonly worlds: Worlds;
  readonly judge: Judge;
  readonly rules: Rules;
  readonly lists: Lists;
  readonly shop: Shop;
  readonly stream: Stream;
  readonly lambda: Lambda;
  /** Iamport answers 429 now. */
  readonly isThrottled: () => boolean;
  /** Unix seconds. */
  readonly began = beginning;
  readonly books: Books;
  readonly reached: Reached;
  readonly trace: Trace | undefined;
  readonly policy;
  /** How long things go wrong: sometimes until the first buyers have paid, sometimes until everybody has had his turn. */
  badForMs;
  /** Something has happened that only a long walk, or a late attempt, puts right. */
  hasLongWait = false;
  /** Nothing goes wrong any more. */
  isCalm = false;
  /** Until when the reconciler runs by its schedule, beyond what goes wrong; milliseconds after the beginning. */
  #runsUntil = 0;
  #lastRunBegan = 0;
  #lastRunFinished = false;
  /** Milliseconds since 1970. */
  #calmSince = Number.POSITIVE_INFINITY;

  constructor(seed: number, reached: Reached, scope: Scope = {}, line?: (line: string) => void) {
    this.chance = new Chance(seed);
    this.reached = reached;
    this.badForMs = this.chance.whole(5, 35) * minute;
    this.weather = new Weather(this.chance, reached);
    this.trace = line && traceOf(this.time, line);
    this.policy = {
      acceptTestPayments: this.chance.is(0.15),
      reversals: this.chance.is(0.15) ? 'manual' : 'automatic',
    } as const;
    const { time, chance, weather, policy, trace } = this;
    const worlds = new Worlds(seed, scope, reached);
    trace?.('worlds', worlds.names.join(', ') || 'none');
    this.worlds = worlds;
    this.judge = new Judge(reached, scope.pending ?? false);
    this.layout = worlds.has('shop table') ? shopTable(shopColumns) : ownTable;
    const tables = {
      orders: new SimulatedTable(this.layout.key, this.layout.prefix),
      reversals: new SimulatedTable('imp_uid'),
      state: new SimulatedTable('id', '', beginning),
    };
    this.tables = tables;
    this.lists = new Lists(worlds, reached);
    const throttle = new Throttle(worlds, { time, judge: this.judge, reached }, this.badForMs);
    this.isThrottled = () => throttle.waits() !== undefined;
    const pg = new Pg(worlds, time, reached);
    const circumstances = { pg, lists: this.lists, throttle, isNoisy: worlds.has('float noise') };
    const iamport = simulatedIamport(time, chance, weather, circumstances);
    this.iamport = iamport;
    const startedAt = (impUid: string) => iamport.ledger.payment(impUid).started_at;
    const rules = new Rules(this.judge, startedAt, this.layout.isShops);
    this.rules = rules;
    const books = new Books(iamport, tables, {
      acceptsTests: policy.acceptTestPayments,
      now: () => time.now,
      rules,
    });
    this.books = books;
    this.#connect();
    if (worlds.has('slow pg') || worlds.has('late bank')) {
      this.hasLongWait = true;
      this.extendTo(4 * 24 * 60 * minute);
    }
    if (worlds.has('backlog')) this.extendTo(180 * minute);
    if (worlds.has('backlog') || worlds.has('many attempts')) time.mostEvents *= 20;
    this.stream = new Stream(this);
    this.shop = new Shop(this);
    const network = new Network({ time, chance, weather, reached, trace });
    this.lambda = new Lambda({
      ...{ time, chance, weather, network, iamport, tables, policy, layout: this.layout },
      slowness: worlds.has('backlog') ? 2 : 1,
      observer: this.#observer(throttle),
      take: (name, detail) => {
        trace?.('bus', name, detail);
        books.told(name, detail);
      },
      written: (table, by) => {
        trace?.(by.name, `wrote ${table}`, tables[table].changes.at(-1)?.after);
        books.written(table, by);
        if (table !== 'state') this.stream.soon(table);
      },
    });
  }

  /** What happens at Iamport because we asked is judged there and then. */
  #connect(): void {
    const { iamport, books, rules } = this;
    iamport.onUndo = (impUid, from, cancel) => books.undoing(impUid, from, cancel);
    iamport.onAccepted = (impUid, key, isPending, isRevocation) => {
      rules.once.accepted(key === undefined ? impUid : `${impUid}/${key}`, isPending);
      if (key === undefined && !isRevocation) rules.ownership.cancelAccepted(impUid);
    };
    iamport.onCancelled = (impUid, key) => books.undone(impUid, key);
    iamport.onPrepare = (merchantUid, isChange) => {
      if (isChange) rules.ownership.amountChanged(merchantUid);
      else rules.ownership.amountRegistered(merchantUid);
    };
    iamport.onAsked = (impUid, from) => {
      const merchantUid = iamport.truths(impUid).at(-1)?.merchantUid ?? '';
      if (!from.name.startsWith('reconcile')) return;
      const recorded = books.reversal(impUid);
      rules.attempted.asked(impUid, recorded, books.entry(merchantUid) !== undefined, this.time.now / 1000);
    };
    const rows = new Rows({
      orders: this.tables.orders,
      layout: this.layout,
      policy: this.policy,
      reached: this.reached,
    });
    iamport.onShown = (payment) => rows.shown(payment);
  }

  #observer(throttle: Throttle): Observer {
    const { rules, time } = this;
    return {
      sending: (from) => throttle.sending(from),
      heard: (by, { accepted, retryAfter }) => {
        if (accepted !== undefined) rules.once.heard(accepted, by);
        if (retryAfter !== undefined) throttle.heard(by, Number(retryAfter));
      },
      looked: (table, key, by) => {
        const name = table === 'state' ? undefined : key[this.tables[table].keyAttribute]?.S;
        if (name !== undefined) rules.attempted.looked(name, by, time.now / 1000);
      },
    };
  }

  /** The reconciler runs by its schedule until then at least. @param ms after the beginning */
  extendTo(ms: number): void {
    this.#runsUntil = Math.max(this.#runsUntil, ms);
  }

  /** A request through a door. */
  async request(name: DoorName, sent: Sent): Promise<Heard> {
    const heard = await this.lambda.request(name, doors[name], eventOf(sent));
    this.trace?.(name, `answered ${heard.status}`, heard.body || heard.headers.location);
    return heard;
  }

  /** One run of the reconciler. */
  async reconcile(): Promise<void> {
    const { iamport, time } = this;
    const began = time.now;
    const wasDown = iamport.isDown;
    const dueBefore = this.#awaited().filter(({ dueAt }) => dueAt * 1000 <= began).length;
    const { value, calls, isAlive } = await this.lambda.run('reconcile', 120_000, ({ rooms }) =>
      reconcile(rooms, deadlineIn(rooms.clock, 115_000)),
    );
    this.trace?.('reconcile', value ? 'ended' : 'did not end', value);
    if (value?.finished) this.#lastRunBegan = began;
    this.#lastRunFinished = value?.finished ?? false;
    const wasCalm = this.isCalm && began > this.#calmSince;
    if (wasCalm && !value) this.judge.broken('L18', 'a run did not come to its end, and nothing was wrong');
    // A run that ended by a fault of its own took place: what it left is its own fault.
    const tookPlace = isAlive && (value !== undefined || wasCalm);
    if (tookPlace && !wasDown && !iamport.isDown) this.#ran(began, dueBefore, calls);
  }

  #awaited() {
    return [...this.tables.orders.awaited(), ...this.tables.reversals.awaited()];
  }

  /** A run has taken place, and found Iamport. */
  #ran(began: number, dueBefore: number, calls: number): void {
    const { rules, books, time, iamport, shop } = this;
    // Reading the lists takes a few calls a page, a page has four payments, and three spans may be due in one run.
    const pages = 3 * iamport.payments().length;
    const most = callsOfARun + pages + callsForOne * (dueBefore + iamport.changedSince(began - lookBackMs));
    rules.attempted.ran(began / 1000, time.now / 1000, this.#awaited(), { made: calls, most });
    // A check of an item that cannot be written is made an hour later.
    rules.deposits.ran(began / 1000, (merchantUid) =>
      shop.wereBroken.has(merchantUid) ? undefined : books.entry(merchantUid),
    );
  }

  /** Again and again while things go wrong or happen; then, when nothing happens any more, until the books must agree. */
  async run(): Promise<void> {
    const { badForMs } = this;
    // Every five minutes as it is deployed, or more seldom: what one run misses is not to be hidden by the next.
    const every = this.chance.whole(5, 20) * minute;
    for (let at = 0; at < Math.max(badForMs, everybodyHasBegunMs); at += every) {
      this.time.after(at, () => this.#runOfTheSchedule());
    }
    for (let at = Math.max(badForMs, everybodyHasBegunMs); at < this.#runsUntil; ) {
      // For days, now and then is enough: what must be known at a certain time is known at the next run after it.
      at += (at < 8 * 60 * minute ? this.worlds.chance.whole(15, 70) : this.worlds.chance.whole(60, 300)) * minute;
      this.time.after(at, () => this.time.begin(() => this.reconcile()));
    }
    this.time.after(badForMs, () => {
      this.trace?.('weather', 'calm');
      this.weather.calm();
      this.iamport.unreadable.clear();
      this.lists.isCalm = true;
      this.isCalm = true;
      this.#calmSince = this.time.now;
    });
    await this.time.runUntil(Number.POSITIVE_INFINITY);
    await this.#runAfter(10 * minute);
    const isBalanced = this.#isBalanced();
    // The attempts of what was refused come ever more seldom.
    if (!isBalanced) await this.#runAfter(70 * minute);
    // What slipped through the short walk is found by the longer ones.
    if (!this.hasLongWait) {
      if (!isBalanced) this.#balance();
      // Nothing should move any more. That it does not is looked at now and then: two days of walks cost half a schedule.
      if (!this.chance.is(0.07)) return;
    }
    for (const later of [24 * 60 + 10, 48 * 60]) await this.#runAfter(later * minute);
    this.#balance();
  }

  async #runAfter(ms: number): Promise<void> {
    await this.time.runUntil(this.time.now + ms);
    this.time.begin(() => this.reconcile());
    await this.time.runUntil(Number.POSITIVE_INFINITY);
  }

  #isBalanced(): boolean {
    try {
      this.#balance();
      return true;
    } catch (error) {
      if (error instanceof Violation) return false;
      throw error;
    }
  }

  #balance(): void {
    const { books, iamport, tables, rules, shop, lists } = this;
    if (!this.#lastRunFinished) throw new Violation('L7', 'the last run had no time to come to its end');
    balance({
      ...{ books, iamport, tables, rules },
      readUntil: Math.floor(this.#lastRunBegan / 1000) - clockIsOffBy,
      isBroken: (merchantUid) => shop.isBroken(merchantUid) || rules.restored.lost.has(merchantUid),
      isHidden: (impUid) => lists.hides(impUid),
    });
  }

  #runOfTheSchedule(): void {
    if (this.weather.strikes('run skipped')) return;
    this.time.begin(() => this.reconcile());
    if (this.weather.strikes('run twice'))
      this.time.after(this.chance.whole(0, 20_000), () => this.time.begin(() => this.reconcile()));
  }
}

/**
 * One schedule: a few orders and what buyers, banks, strangers and the shop do to them, against the real doors, reconciler and
 * publisher, while everything in between goes wrong. All of it from one seed.
 */

import type { DynamoDBRecord } from 'aws-lambda';
import type { UnreadableRecord } from '../../functions/bus/bus.ts';
import { closeOrder } from '../../functions/close-order.ts';
import { complete } from '../../functions/complete.ts';
import { confirm } from '../../functions/confirm.ts';
import { deadlineIn } from '../../functions/edge/clock.ts';
import { paymentOf } from '../../functions/iamport/wire.ts';
import { mobileRedirect } from '../../functions/mobile-redirect.ts';
import { orders } from '../../functions/orders.ts';
import { decide } from '../../functions/payment/decide.ts';
import { publish } from '../../functions/publish.ts';
import { reconcile } from '../../functions/reconcile.ts';
import { refunds } from '../../functions/refunds.ts';
import type { Door } from '../../functions/serve.ts';
import { orderOf } from '../../functions/store/order-item.ts';
import { webhook } from '../../functions/webhook.ts';
import { eventOf, type Sent } from '../functions/event.ts';
import { balance } from './balance.ts';
import { Books } from './books.ts';
import { Chance } from './chance.ts';
import { simulatedIamport } from './iamport.ts';
import { type Heard, Lambda } from './lambda.ts';
import { Network } from './network.ts';
import type { Reached } from './reached.ts';
import { SimulatedTable } from './table.ts';
import { Time } from './time.ts';
import { type Trace, traceOf } from './trace.ts';
import { Violation } from './violation.ts';
import { Weather } from './weather.ts';

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
/** No item here is unreadable: the record would fail for ever, and its events would be missing in the end. */
const unreadable = { keep: ({ reason }: UnreadableRecord) => Promise.reject(new Error(reason)) };
const minute = 60_000;
/** Whoever does something has begun to by then. */
export const everybodyHasBegunMs = 30 * minute;
/** An instance's clock is off by no more. Seconds. */
const clockIsOffBy = 5;

export class World {
  readonly time = new Time(beginning * 1000);
  readonly chance: Chance;
  readonly weather: Weather;
  readonly iamport;
  readonly tables = {
    orders: new SimulatedTable('merchant_uid'),
    reversals: new SimulatedTable('imp_uid'),
    state: new SimulatedTable('id', '', beginning),
  };
  readonly books: Books;
  readonly reached: Reached;
  readonly trace: Trace | undefined;
  readonly policy;
  readonly #lambda: Lambda;
  readonly #delivered = { orders: 0, reversals: 0 };
  readonly #delivering = { orders: false, reversals: false };
  /** How long things go wrong: sometimes until the first buyers have paid, sometimes until everybody has had his turn. */
  badForMs;
  /** Something has happened that only a long walk, or a late attempt, puts right. */
  hasLongWait = false;
  /** Nothing goes wrong any more. */
  isCalm = false;
  #lastRunBegan = 0;
  #shown = 0;

  constructor(seed: number, reached: Reached, line?: (line: string) => void) {
    this.chance = new Chance(seed);
    this.reached = reached;
    this.badForMs = this.chance.whole(5, 35) * minute;
    this.weather = new Weather(this.chance, reached);
    this.trace = line && traceOf(this.time, line);
    this.policy = {
      acceptTestPayments: this.chance.is(0.15),
      reversals: this.chance.is(0.15) ? 'manual' : 'automatic',
    } as const;
    this.iamport = simulatedIamport(this.time, this.chance, this.weather);
    this.books = new Books(this.iamport, this.tables, {
      acceptsTests: this.policy.acceptTestPayments,
      now: () => this.time.now,
    });
    this.iamport.onUndo = (impUid, cancel) => this.books.undoing(impUid, cancel);
    this.iamport.onCancelled = (impUid) => this.books.undone(impUid);
    this.iamport.onShown = (payment) => this.#countRow(payment);
    const { time, chance, weather, iamport, tables, policy, trace, books } = this;
    const network = new Network({ time, chance, weather, reached, trace });
    this.#lambda = new Lambda({
      time,
      chance,
      weather,
      network,
      iamport,
      tables,
      policy,
      take: (name, detail) => {
        trace?.('bus', name, detail);
        books.told(name, detail);
      },
      written: (table, by) => {
        trace?.(by.name, `wrote ${table}`, tables[table].changes.at(-1)?.after);
        books.written(table, by);
        if (table !== 'state') this.#deliverSoon(table);
      },
    });
  }

  /** A request through a door. */
  async request(name: DoorName, sent: Sent): Promise<Heard> {
    const heard = await this.#lambda.request(name, doors[name], eventOf(sent));
    this.trace?.(name, `answered ${heard.status}`, heard.body || heard.headers.location);
    return heard;
  }

  /** One run of the reconciler. */
  async reconcile(): Promise<void> {
    const began = this.time.now;
    const { value } = await this.#lambda.run('reconcile', 120_000, ({ rooms }) =>
      reconcile(rooms, deadlineIn(rooms.clock, 115_000)),
    );
    this.trace?.('reconcile', value ? 'ended' : 'did not end', value);
    if (value?.finished) this.#lastRunBegan = began;
  }

  /** Again and again while things go wrong or happen; then, when nothing happens any more, until the books must agree. */
  async run(): Promise<void> {
    const { badForMs } = this;
    // Every five minutes as it is deployed, or more seldom: what one run misses is not to be hidden by the next.
    const every = this.chance.whole(5, 20) * minute;
    for (let at = 0; at < Math.max(badForMs, everybodyHasBegunMs); at += every) {
      this.time.after(at, () => this.#runOfTheSchedule());
    }
    this.time.after(badForMs, () => {
      this.trace?.('weather', 'calm');
      this.weather.calm();
      this.iamport.unreadable.clear();
      this.isCalm = true;
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
    void this.reconcile();
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
    const { books, iamport, tables } = this;
    balance({ books, iamport, tables, readUntil: Math.floor(this.#lastRunBegan / 1000) - clockIsOffBy });
  }

  /** Which row of the rules a payment is in when somebody is shown it: counted now and then, since it takes time. */
  #countRow(shown: string): void {
    this.#shown += 1;
    if (this.#shown % 4 !== 0) return;
    const payment = paymentOf(JSON.parse(shown));
    const item = this.tables.orders.read({ merchant_uid: { S: payment.merchantUid } });
    const decision = decide(item && orderOf(item), payment, this.policy);
    const what =
      decision.kind === 'change'
        ? decision.next.status
        : decision.kind === 'reject'
          ? `${decision.reason}, ${decision.reversal?.kind ?? 'nothing to undo'}`
          : decision.kind;
    this.reached.count(`row: ${payment.state.kind} → ${what}`);
  }

  #runOfTheSchedule(): void {
    if (this.weather.strikes('run skipped')) return;
    void this.reconcile();
    if (this.weather.strikes('run twice')) this.time.after(this.chance.whole(0, 20_000), () => void this.reconcile());
  }

  /** The event source mapping: batches in order, and again from the first record that was not told. */
  #deliverSoon(table: 'orders' | 'reversals'): void {
    if (this.#delivering[table]) return;
    this.#delivering[table] = true;
    this.time.after(this.chance.whole(100, 1_000), () => void this.#deliver(table));
  }

  async #deliver(table: 'orders' | 'reversals'): Promise<void> {
    const from = this.#delivered[table];
    const batch = this.tables[table].changes.slice(from, from + this.chance.whole(1, 5));
    const Records = batch.map(
      ({ sequence, before, after }): DynamoDBRecord =>
        ({
          dynamodb: {
            SequenceNumber: String(sequence),
            ApproximateCreationDateTime: beginning,
            ...(before && { OldImage: before as NonNullable<DynamoDBRecord['dynamodb']>['OldImage'] }),
            NewImage: after as NonNullable<DynamoDBRecord['dynamodb']>['NewImage'],
          },
        }) as DynamoDBRecord,
    );
    const { value } = await this.#lambda.run('publish', 60_000, ({ rooms, bus }) =>
      publish({ bus, clock: rooms.clock, count: () => undefined, reversals: rooms.reversals, unreadable }, { Records }),
    );
    const failed = value?.batchItemFailures[0]?.itemIdentifier;
    const isAgain = this.weather.strikes('batch again');
    if (value && !isAgain) this.#delivered[table] = failed === undefined ? from + batch.length : Number(failed);
    this.#delivering[table] = false;
    if (this.#delivered[table] < this.tables[table].changes.length) this.#deliverSoon(table);
  }
}

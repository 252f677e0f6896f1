/**
 * Publishes the events of the changes in the tables: at least once, and in order for each item. Subscribers recognise
 * repeats by the event's id.
 *
 * It also requests the revocation of virtual accounts that an order no longer uses. In the shop's own table it restores
 * our attributes.
 */

import { orderEvents, type PaymentEvent, refundEvents, reversalEvents, staleAccount } from '../payment/events.ts';
import { majorUnits } from '../payment/money.ts';
import { type NotificationEvent, notificationEvent } from '../payment/notification.ts';
import type { ReversalRequest } from '../payment/reversal.ts';
import { type Clock, unixSeconds } from '../shared/clock.ts';
import { causesOf, type LogLine } from '../shared/log-line.ts';
import { type Counts, moneyEvents } from '../shared/metrics.ts';
import { EventRefused, StoreRefused, StoreThrottled, StoreUnavailable, StoreUnexpected } from './faults.ts';
import type { EventPublisher, ItemChange, UnreadableRecords, Versions } from './ports/delivery.ts';
import type { Heartbeat, Heartbeats, Reversals } from './ports/stores.ts';

export interface PublishDependencies {
  readonly events: EventPublisher;
  readonly reversals: Pick<Reversals, 'request'>;
  readonly heartbeats: Pick<Heartbeats, 'received'>;
  readonly unreadable: UnreadableRecords;
  readonly clock: Clock;
  /** Adds to metrics. @param by the value of each dimension */
  readonly count: (counts: Counts, by: Readonly<Record<string, string>>) => void;
  /** Writes a log line of one change. */
  readonly log: (line: LogLine, isFault: boolean) => void;
}

type PublishedEvent = PaymentEvent | NotificationEvent;

interface ChangeEvents {
  readonly events: readonly PublishedEvent[];
  /** The revocation of an account that the order no longer uses. */
  readonly stale?: ReversalRequest | undefined;
  /** The change is a heartbeat of the reconciler. */
  readonly heartbeat?: Heartbeat;
}

/**
 * Publishes the events of changes, one change after the other.
 * @returns the first change that failed, from which the caller must retry; undefined when all are published
 */
export async function publishEvents(
  deps: PublishDependencies,
  changes: readonly ItemChange[],
): Promise<ItemChange | undefined> {
  const published: PublishedEvent[] = [];
  const failed = await firstFailed(deps, changes, published);
  count(deps, published);
  return failed;
}

/** @param published the events that the bus accepted are added to it */
async function firstFailed(
  deps: PublishDependencies,
  changes: readonly ItemChange[],
  published: PublishedEvent[],
): Promise<ItemChange | undefined> {
  for (const change of changes) {
    const record = change.sequenceNumber;
    try {
      if (await publishChange(deps, change, published)) continue;
      deps.log({ record, code: 'event_not_accepted' }, true);
    } catch (error) {
      deps.log({ record, causes: causesOf(error) }, true);
    }
    return change;
  }
  return undefined;
}

/**
 * Publishes the events of one change. A change that is itself at fault goes to the operator's queue, since no retry
 * would make it readable; the changes behind it are published. Every other error is an outage, and the caller retries.
 * @returns false when the bus did not accept an event
 */
async function publishChange(
  deps: PublishDependencies,
  change: ItemChange,
  published: PublishedEvent[],
): Promise<boolean> {
  try {
    if (await isRestored(deps, change)) return true;
    const { events, stale, heartbeat } = eventsOf(change.versions());
    if (heartbeat) await recordReceipt(deps, change, heartbeat);
    if (stale) await requestRevocation(deps, change, stale);
    // One call for each event: from a call with several, the bus might accept the second and not the first.
    for (const event of events) {
      if (!(await deps.events.publish(event, change.changedAt))) return false;
      published.push(event);
    }
    return true;
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await sendToOperator(deps, change, error);
    return true;
  }
}

const isFaultOfRecord = (error: unknown): error is Error =>
  error instanceof StoreUnexpected || error instanceof StoreRefused || error instanceof EventRefused;

/** A receipt that could not be written is only logged: the changes behind it must not wait for it. */
async function recordReceipt(deps: PublishDependencies, change: ItemChange, heartbeat: Heartbeat): Promise<void> {
  try {
    await deps.heartbeats.received(heartbeat);
  } catch (error) {
    if (!isFaultOfRecord(error) && !(error instanceof StoreUnavailable)) throw error;
    deps.log({ record: change.sequenceNumber, code: 'heartbeat_not_recorded', causes: causesOf(error) }, true);
  }
}

/**
 * An unreadable reversal of the account goes to the operator's queue; the events of the order are published all the
 * same.
 */
async function requestRevocation(deps: PublishDependencies, change: ItemChange, stale: ReversalRequest): Promise<void> {
  try {
    await deps.reversals.request(stale, unixSeconds(deps.clock), 0);
  } catch (error) {
    if (!isFaultOfRecord(error)) throw error;
    await sendToOperator(deps, change, error);
  }
}

/** @throws QueueUnavailable, so that the change counts as failed and is not lost */
async function sendToOperator(deps: PublishDependencies, change: ItemChange, error: Error): Promise<void> {
  const { table, key, sequenceNumber, changedAt } = change;
  const causes = causesOf(error);
  deps.log({ record: sequenceNumber, code: 'unreadable_record', key: JSON.stringify(key), causes }, true);
  await deps.unreadable.send({ table, key, sequenceNumber, changedAt, reason: causes.join(': ') });
  deps.count({ UnreadableRecords: 1 }, {});
}

/** The changes of other orders wait no longer than this for an item that DynamoDB throttles. */
const maxThrottledSeconds = 900;

/**
 * The shop may overwrite a whole item of its own table, without our attributes or with older ones. Then they are
 * written again.
 * @returns true for such a write of the shop, and for our own restoration: neither changes the order's state
 */
async function isRestored(deps: PublishDependencies, change: ItemChange): Promise<boolean> {
  const restoration = await change.restoreIfOverwritten().catch((error: unknown) => {
    const isOld = unixSeconds(deps.clock) - change.changedAt > maxThrottledSeconds;
    if (!(error instanceof StoreThrottled) || !isOld) throw error;
    const minutes = maxThrottledSeconds / 60;
    throw new StoreRefused(`DynamoDB throttled the restoration for ${minutes} minutes`, { cause: error });
  });
  if (!restoration) return false;
  if (restoration === 'is_restoration') return true;
  // The table has no other key than the order number.
  const [merchantUid] = Object.values(change.key);
  const line = { record: change.sequenceNumber, merchantUid, code: `overwritten_item_${restoration}` };
  deps.log(line, restoration === 'lost');
  deps.count(
    { RestoredItems: Number(restoration === 'restored'), UnrestoredItems: Number(restoration === 'lost') },
    {},
  );
  return true;
}

/** Counts events by name, and adds up the amounts of events about money. */
function count(deps: PublishDependencies, published: readonly PublishedEvent[]): void {
  for (const [Event, events = []] of Object.entries(Object.groupBy(published, ({ name }) => name))) {
    deps.count({ Events: events.length }, { Event });
    if (!moneyEvents.includes(Event)) continue;
    const payments = events.filter((event) => 'amount' in event);
    for (const [Currency, inCurrency = []] of Object.entries(Object.groupBy(payments, ({ currency }) => currency))) {
      const Money = inCurrency.reduce((sum, { amount }) => sum + majorUnits(amount, Currency), 0);
      deps.count({ Money }, { Event, Currency });
    }
  }
}

function eventsOf(versions: Versions | undefined): ChangeEvents {
  switch (versions?.kind) {
    case undefined:
      return { events: [] };
    case 'heartbeat':
      return { events: [], heartbeat: versions.heartbeat };
    case 'notification':
      return { events: [notificationEvent(versions.after)] };
    case 'refund':
      return { events: refundEvents(versions.before, versions.after) };
    case 'reversal':
      return { events: reversalEvents(versions.before, versions.after) };
    case 'order': {
      const { before, after } = versions;
      return { events: orderEvents(before, after), stale: staleAccount(before, after) };
    }
  }
}

import type { QueueMessage } from '../functions/adapters/sqs.ts';
import { StoreUnexpected } from '../functions/application/faults.ts';
import type { BusEntry } from '../functions/application/ports.ts';
import { eventJson } from '../functions/events/event-json.ts';
import type { PaymentEvent } from '../functions/payment/events.ts';
import { isRefundId } from '../functions/payment/refund.ts';
import { orderEventsAgain, refundEventsAgain, reversalEventsAgain } from '../functions/payment/republish.ts';
import type { Rooms } from '../functions/runtime/dependencies.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import { jsonIn } from '../functions/shared/json-text.ts';
import type { Call, Command } from './command.ts';
import type { Publishing } from './deployment.ts';
import { exit, Misuse } from './terminal.ts';
import { patienceMs } from './why.ts';

/** What can be made again of one item. `problem`: why there is nothing that is certain to be right. */
interface Again {
  readonly item: string;
  readonly entries: readonly BusEntry[];
  readonly problem?: string;
}

/** Longer than it takes to work off what is received at once. Seconds. */
const hiddenSeconds = 120;

export const republish: Command = async (call) => {
  const { subject, options, deployment } = call;
  if ((subject === '') !== options.queue) throw new Misuse('republish takes a merchant_uid, an imp_uid, or --queue');
  const publishing = await deployment.publishing();
  const results = options.queue
    ? await workOffQueue(call, publishing)
    : await published(publishing, await itemsOf(call, subject));
  const sent = results.flatMap(({ item, entries }) =>
    entries.map(({ detailType, detail }) => ({ item, name: detailType, detail })),
  );
  const left = results.flatMap(({ item, problem }) => (problem === undefined ? [] : [{ item, problem }]));
  const lines = [
    ...sent.map(({ name, detail }) => `${call.say('published')}: ${name} ${(detail as { id: string }).id}`),
    ...left.map(({ item, problem }) => `${call.say('notPublished')}: ${item}: ${problem}`),
    ...(results.length === 0 ? [call.say('nothingToPublish')] : []),
  ];
  call.answer(lines.map((line) => `${line}\n`).join(''), {
    published: sent.map(({ name, detail }) => ({ name, detail })),
    left,
  });
  if (left.length > 0) return exit.found;
  return results.length === 0 && !options.queue ? exit.refused : exit.done;
};

/** An item that cannot be read does not keep the others from being published. */
async function readable(item: string, read: () => Promise<Again | undefined>): Promise<Again[]> {
  try {
    const again = await read();
    return again ? [again] : [];
  } catch (error) {
    if (!(error instanceof StoreUnexpected)) throw error;
    return [{ item, entries: [], problem: error.message }];
  }
}

/** Every item of the order that the subject names, by itself or by one of its payments. */
async function itemsOf(call: Call, subject: string): Promise<Again[]> {
  const { rooms } = call.deployment;
  const found = await itemsOfOrder(call, subject);
  if (found.length > 0) return found;
  const reversal = await rooms.reversals.read(subject);
  const payment = reversal ?? (await rooms.iamport.payment(subject, deadlineIn(rooms.clock, patienceMs)));
  return payment ? itemsOfOrder(call, payment.merchantUid) : [];
}

async function itemsOfOrder(call: Call, merchantUid: string): Promise<Again[]> {
  const { rooms } = call.deployment;
  const orders = await readable(merchantUid, () => orderAgain(rooms, merchantUid));
  const others = await readable(merchantUid, async () => {
    const { reversals, refunds } = await rooms.reversals.ofOrder(merchantUid);
    const ids = [...reversals.map(({ impUid }) => impUid), ...refunds.map(({ impUid, key }) => `${impUid}/${key}`)];
    const items = await Promise.all(ids.map((id) => givenBackAgain(call, id)));
    orders.push(...items.filter((item) => item !== undefined));
    return undefined;
  });
  return [...orders, ...others];
}

async function orderAgain({ orders }: Rooms, merchantUid: string): Promise<Again | undefined> {
  const order = await orders.read(merchantUid);
  return order && { item: merchantUid, entries: entriesOf(orderEventsAgain(order), order.updatedAt) };
}

/** @param id of a reversal, or of a refund */
async function givenBackAgain({ deployment: { rooms }, say }: Call, id: string): Promise<Again | undefined> {
  if (isRefundId(id)) {
    const refund = await rooms.refunds.read(id);
    return refund && { item: id, entries: entriesOf(refundEventsAgain(refund), refund.updatedAt) };
  }
  const reversal = await rooms.reversals.read(id);
  if (!reversal) return undefined;
  const events = reversalEventsAgain(reversal);
  if (!events) return { item: id, entries: [], problem: say('idNotKnown') };
  return { item: id, entries: entriesOf(events, reversal.updatedAt) };
}

const entriesOf = (events: readonly PaymentEvent[], time: number): BusEntry[] =>
  events.map((event) => ({ detailType: event.name, detail: eventJson(event), time }));

/** @throws Error when the bus does not take an event; the command can be repeated */
async function published({ bus }: Publishing, items: readonly Again[]): Promise<readonly Again[]> {
  for (const { item, entries } of items) {
    const isTaken = await bus.put(entries);
    if (!isTaken.every(Boolean)) throw new Error(`The event bus did not take the events of ${item}: run this again`);
  }
  return items;
}

/** Deletes each message once its events are on the bus. What cannot be made again stays in the queue. */
async function workOffQueue(call: Call, publishing: Publishing): Promise<Again[]> {
  const { queue } = publishing;
  const results: Again[] = [];
  for (;;) {
    const messages = await queue.receive(hiddenSeconds);
    if (messages.length === 0) return results;
    for (const message of messages) {
      const items = await itemsIn(call, message);
      results.push(...(await published(publishing, items)));
      if (items.every(({ problem }) => problem === undefined)) await queue.remove(message);
    }
  }
}

interface Unpublished {
  /** Of a record that the publisher could not read. */
  readonly key?: Readonly<Record<string, string>>;
  /** Of a batch that Lambda gave up. DynamoDB keeps its records no longer. */
  readonly DDBStreamBatchInfo?: {
    readonly streamArn: string;
    readonly approximateArrivalOfFirstRecord: string;
    readonly approximateArrivalOfLastRecord: string;
  };
}

function itemsIn(call: Call, { body }: QueueMessage): Promise<Again[]> | Again[] {
  const { key = {}, DDBStreamBatchInfo: batch } = (jsonIn(body) ?? {}) as Unpublished;
  if (batch) {
    const [first, last] = [batch.approximateArrivalOfFirstRecord, batch.approximateArrivalOfLastRecord];
    return [{ item: batch.streamArn, entries: [], problem: `${call.say('changedBetween')} ${first} … ${last}` }];
  }
  const [[name, id = ''] = []] = Object.entries(key);
  if (name === undefined) return [{ item: body.slice(0, 100), entries: [], problem: call.say('noKey') }];
  // A notification that nothing confirms is beside the reversals, and cannot be read by their keys.
  if (name === 'imp_uid' && id.includes('#')) return [{ item: id, entries: [], problem: call.say('onlyNotification') }];
  return readable(id, () => (name === 'imp_uid' ? givenBackAgain(call, id) : orderAgain(call.deployment.rooms, id)));
}

/**
 * `npm run ops -- republish`: publishes the events of an item again, with their old ids, from its current state. With `--queue` the
 * items are those of the queue of unpublished records.
 */

import type { QueueMessage } from '../functions/adapters/sqs.ts';
import { StoreUnexpected } from '../functions/application/faults.ts';
import type { BusEntry } from '../functions/application/ports/delivery.ts';
import { eventJson } from '../functions/events/event-json.ts';
import type { PaymentEvent } from '../functions/payment/events.ts';
import { isRefundId } from '../functions/payment/refund.ts';
import { orderEventsAgain, refundEventsAgain, reversalEventsAgain } from '../functions/payment/republish.ts';
import type { HandlerDependencies } from '../functions/runtime/dependencies.ts';
import { deadlineIn } from '../functions/shared/clock.ts';
import { jsonIn } from '../functions/shared/json-text.ts';
import type { Call, Command } from './command.ts';
import type { Publishing } from './deployment.ts';
import { exit, Misuse, OperatorError } from './terminal.ts';
import { timeoutMs } from './why.ts';

/** The events rebuilt from one item, also for redeliver.ts. `problem`: why no correct event can be rebuilt. */
export interface Rebuilt {
  readonly item: string;
  readonly entries: readonly BusEntry[];
  readonly problem?: string;
}

/** The visibility timeout of received messages: longer than it takes to process them. Seconds. */
export const visibilitySeconds = 120;

export const republish: Command = async (call) => {
  const { subject, options, deployment } = call;
  if ((subject === '') !== options.queue)
    throw new Misuse({
      ko: 'republish에는 merchant_uid, imp_uid, --queue 중 하나가 필요합니다',
      en: 'republish takes a merchant_uid, an imp_uid, or --queue',
    });
  const publishing = await deployment.publishing();
  const results = options.queue
    ? await processQueue(call, publishing)
    : await published(publishing, await itemsOf(call, subject));
  const sent = results.flatMap(({ item, entries }) =>
    entries.map(({ detailType, detail }) => ({ item, name: detailType, detail })),
  );
  const left = results.flatMap(({ item, problem }) => (problem === undefined ? [] : [{ item, problem }]));
  const isHidden = options.queue && results.length === 0 && (await publishing.waiting()) > 0;
  const lines = [
    ...sent.map(({ name, detail }) => `${call.messageFor('published')}: ${name} ${(detail as { id: string }).id}`),
    ...left.map(({ item, problem }) => `${call.messageFor('notPublished')}: ${item}: ${problem}`),
    ...(results.length === 0 ? [call.messageFor(isHidden ? 'hiddenMessages' : 'nothingToPublish')] : []),
  ];
  call.print(lines.map((line) => `${line}\n`).join(''), {
    published: sent.map(({ name, detail }) => ({ name, detail })),
    left,
  });
  if (left.length > 0 || isHidden) return exit.found;
  return results.length === 0 && !options.queue ? exit.refused : exit.done;
};

/** Turns an unreadable item into a problem, so that the others are still published. */
async function readable(item: string, read: () => Promise<Rebuilt | undefined>): Promise<Rebuilt[]> {
  try {
    const rebuilt = await read();
    return rebuilt ? [rebuilt] : [];
  } catch (error) {
    if (!(error instanceof StoreUnexpected)) throw error;
    return [{ item, entries: [], problem: error.message }];
  }
}

/** Every item of an order. @param subject its merchant_uid, or the imp_uid of one of its payments */
export async function itemsOf(call: Call, subject: string): Promise<Rebuilt[]> {
  const { deps } = call.deployment;
  const found = await itemsOfOrder(call, subject);
  if (found.length > 0) return found;
  const reversal = await deps.reversals.read(subject);
  const payment = reversal ?? (await deps.iamport.payment(subject, deadlineIn(deps.clock, timeoutMs)));
  return payment ? itemsOfOrder(call, payment.merchantUid) : [];
}

async function itemsOfOrder(call: Call, merchantUid: string): Promise<Rebuilt[]> {
  const { deps } = call.deployment;
  const orders = await readable(merchantUid, () => rebuiltOrder(deps, merchantUid));
  const others = await readable(merchantUid, async () => {
    const { reversals, refunds } = await deps.reversals.ofOrder(merchantUid);
    const ids = [...reversals.map(({ impUid }) => impUid), ...refunds.map(({ impUid, key }) => `${impUid}/${key}`)];
    const items = await Promise.all(ids.map((id) => rebuiltReversal(call, id)));
    orders.push(...items.filter((item) => item !== undefined));
    return undefined;
  });
  return [...orders, ...others];
}

async function rebuiltOrder({ orders }: HandlerDependencies, merchantUid: string): Promise<Rebuilt | undefined> {
  const order = await orders.read(merchantUid);
  return order && { item: merchantUid, entries: entriesOf(orderEventsAgain(order), order.updatedAt) };
}

/** @param id of a reversal, or of a refund */
async function rebuiltReversal({ deployment: { deps }, messageFor }: Call, id: string): Promise<Rebuilt | undefined> {
  if (isRefundId(id)) {
    const refund = await deps.refunds.read(id);
    return refund && { item: id, entries: entriesOf(refundEventsAgain(refund), refund.updatedAt) };
  }
  const reversal = await deps.reversals.read(id);
  if (!reversal) return undefined;
  const events = reversalEventsAgain(reversal);
  if (!events) return { item: id, entries: [], problem: messageFor('idNotKnown') };
  return { item: id, entries: entriesOf(events, reversal.updatedAt) };
}

const entriesOf = (events: readonly PaymentEvent[], time: number): BusEntry[] =>
  events.map((event) => ({ detailType: event.name, detail: eventJson(event), time }));

/** @throws Error when the bus rejects an event; the command can be repeated */
async function published({ bus }: Publishing, items: readonly Rebuilt[]): Promise<readonly Rebuilt[]> {
  for (const { item, entries } of items) {
    const isAccepted = await bus.put(entries);
    if (!isAccepted.every(Boolean)) {
      throw new OperatorError({
        ko: `이벤트 버스가 ${item}의 이벤트를 받지 않았습니다. 명령을 다시 실행하세요`,
        en: `The event bus did not accept the events of ${item}. Run this command again`,
      });
    }
  }
  return items;
}

/** Deletes each message after its events are published. A message whose events cannot be rebuilt stays in the queue. */
async function processQueue(call: Call, publishing: Publishing): Promise<Rebuilt[]> {
  const { queue } = publishing;
  const results: Rebuilt[] = [];
  for (;;) {
    const messages = await queue.receive(visibilitySeconds);
    if (messages.length === 0) return results;
    for (const message of messages) {
      const items = await itemsIn(call, message);
      results.push(...(await published(publishing, items)));
      if (items.every(({ problem }) => problem === undefined)) await queue.remove(message);
    }
  }
}

interface Unpublished {
  /** The key of a record that the publisher could not read. */
  readonly key?: Readonly<Record<string, string>>;
  /** A batch that Lambda gave up. DynamoDB has deleted its records. */
  readonly DDBStreamBatchInfo?: {
    readonly streamArn: string;
    readonly approximateArrivalOfFirstRecord: string;
    readonly approximateArrivalOfLastRecord: string;
  };
}

function itemsIn(call: Call, { body }: QueueMessage): Promise<Rebuilt[]> | Rebuilt[] {
  const { key = {}, DDBStreamBatchInfo: batch } = (jsonIn(body) ?? {}) as Unpublished;
  if (batch) {
    const [first, last] = [batch.approximateArrivalOfFirstRecord, batch.approximateArrivalOfLastRecord];
    return [{ item: batch.streamArn, entries: [], problem: `${call.messageFor('changedBetween')} ${first} … ${last}` }];
  }
  const [[name, id = ''] = []] = Object.entries(key);
  if (name === undefined) return [{ item: body.slice(0, 100), entries: [], problem: call.messageFor('noKey') }];
  // Unconfirmed notifications are in the table of reversals, and are not read as reversals.
  if (name === 'imp_uid' && id.includes('#'))
    return [{ item: id, entries: [], problem: call.messageFor('onlyNotification') }];
  return readable(id, () => (name === 'imp_uid' ? rebuiltReversal(call, id) : rebuiltOrder(call.deployment.deps, id)));
}

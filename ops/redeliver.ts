/**
 * `redeliver`: puts events into the queues of webhooks again, with the same ids. Other subscribers of the bus get nothing;
 * `republish` is for all of them.
 */

import { randomUUID } from 'node:crypto';
import type { MessageQueue, QueueMessage } from '../functions/adapters/sqs.ts';
import type { BusEntry } from '../functions/application/ports/delivery.ts';
import { eventSource } from '../functions/events/event-schema.ts';
import { webhookOf } from '../functions/events/webhook-json.ts';
import { isRefundId } from '../functions/payment/refund.ts';
import type { Call, Command } from './command.ts';
import { undeliveredWebhooks, type WebhookDestination } from './destinations.ts';
import { itemsOf, type Rebuilt, visibilitySeconds } from './republish.ts';
import { exit, Misuse } from './terminal.ts';

/** `<key of the item>:<revision>`, perhaps with `:<suffix>`. */
const eventId = /^(.+?):\d+(?::[a-z]+)?$/;

export const redeliver: Command = async (call) => {
  const { subject, options, deployment, messageFor, print } = call;
  if ((subject === '') !== options.queue)
    throw new Misuse({
      ko: 'redeliver에는 이벤트 id, merchant_uid, imp_uid, --queue 중 하나가 필요합니다',
      en: 'redeliver takes an event id, a merchant_uid, an imp_uid, or --queue',
    });
  const destinations = await deployment.webhooks();
  if (destinations.length === 0) {
    print(`${messageFor('noWebhooks')}\n`, { sent: [], left: [] });
    return exit.refused;
  }
  const { sent, left } = options.queue ? await moved(destinations) : await sentAgain(call, destinations);
  const isHidden = options.queue && sent.length === 0 && (await undeliveredWebhooks(destinations)).length > 0;
  const lines = [
    ...sent.map(({ receiver, name, id }) => `${messageFor('sentAgain')}: ${receiver}: ${name} ${id}`),
    ...left.map(({ item, problem }) => `${messageFor('notSentAgain')}: ${item}: ${problem}`),
    ...(sent.length + left.length === 0 ? [messageFor(isHidden ? 'hiddenMessages' : 'nothingToSend')] : []),
  ];
  print(lines.map((line) => `${line}\n`).join(''), { sent, left });
  if (left.length > 0 || isHidden) return exit.found;
  return sent.length === 0 && !options.queue ? exit.refused : exit.done;
};

interface Sent {
  readonly receiver: string;
  readonly name: string;
  readonly id: string;
}

interface Result {
  readonly sent: readonly Sent[];
  readonly left: readonly { readonly item: string; readonly problem: string }[];
}

async function sentAgain(call: Call, destinations: readonly WebhookDestination[]): Promise<Result> {
  const items = await itemsNamed(call);
  const sent: Sent[] = [];
  const left = items.flatMap(({ item, problem }) => (problem === undefined ? [] : [{ item, problem }]));
  for (const { item, entries } of items) {
    for (const entry of entries) {
      const receivers = destinations.filter(({ receives }) => receives(entry.detailType));
      if (receivers.length === 0) left.push({ item, problem: call.messageFor('notSubscribed') });
      for (const { receiver, queue } of receivers) {
        await queue.send(messageOf(entry));
        sent.push({ receiver, name: entry.detailType, id: idOf(entry) });
      }
    }
  }
  return { sent, left };
}

/** The items of an order or a payment, or the one event with this id. An order number may look like an event id. */
async function itemsNamed(call: Call): Promise<readonly Rebuilt[]> {
  const { subject, deployment, messageFor } = call;
  const [, key] = eventId.exec(subject) ?? [];
  if (key === undefined || (await deployment.deps.orders.read(subject))) return itemsOf(call, subject);
  const items = await itemsOf(call, isRefundId(key) ? (key.split('/')[0] ?? '') : key);
  const found = items.flatMap(({ item, entries }) => {
    const entry = entries.find((one) => idOf(one) === subject);
    return entry ? [{ item, entries: [entry] }] : [];
  });
  if (found.length > 0 || items.length === 0) return found;
  return [{ item: subject, entries: [], problem: messageFor('notLastEvent') }];
}

const idOf = ({ detail }: BusEntry): string => (detail as { id: string }).id;

/** The event in the form in which EventBridge puts it into the queue. */
const messageOf = ({ detailType, detail, time }: BusEntry): object => ({
  version: '0',
  id: randomUUID(),
  source: eventSource,
  'detail-type': detailType,
  time: new Date(time * 1000).toISOString().replace('.000Z', 'Z'),
  detail,
});

/**
 * Moves the dead letters of every URL back into its queue. Each is deleted after it is in the queue. All are received first: a
 * server that still answers 410 puts them back at once.
 */
async function moved(destinations: readonly WebhookDestination[]): Promise<Result> {
  const sent: Sent[] = [];
  for (const { receiver, queue, deadLetters, undelivered } of destinations) {
    for (const message of await received(deadLetters, await undelivered())) {
      await queue.send(message.body);
      await deadLetters.remove(message);
      sent.push({ receiver, ...namesIn(message.body) });
    }
  }
  return { sent, left: [] };
}

/** @param count of the messages at the start: those that arrive meanwhile stay, so that a growing queue comes to an end */
async function received(queue: MessageQueue, count: number): Promise<QueueMessage[]> {
  const all: QueueMessage[] = [];
  do {
    const messages = await queue.receive(visibilitySeconds);
    if (messages.length === 0) return all;
    all.push(...messages);
  } while (all.length < count);
  return all;
}

function namesIn(body: string): Pick<Sent, 'name' | 'id'> {
  const webhook = webhookOf(body);
  return { name: webhook?.type ?? '', id: webhook?.id ?? body.slice(0, 100) };
}

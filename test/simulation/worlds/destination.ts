/**
 * One URL of the shop: its SQS queue, its dead-letter queue, its Lambda function and the server that receives the webhooks. Judges S28
 * to S30, L21 and L22 (invariants.ts).
 */

import type { SQSRecord } from 'aws-lambda';
import { QueueUnavailable, WebhookNoResponse } from '../../../functions/application/faults.ts';
import { type DeliverDependencies, deliverMessages } from '../../../functions/handlers/deliver.ts';
import type { Coverage } from '../coverage.ts';
import type { Faults } from '../faults.ts';
import type { Judge } from '../judge.ts';
import { runUntilDeath } from '../lambda.ts';
import { Instance, type Network } from '../network.ts';
import type { SeededRandom } from '../random.ts';
import type { Time } from '../time.ts';
import type { Trace } from '../trace.ts';
import { hour, minute, second } from '../units.ts';
import { Receiver } from './receiver.ts';

/** As in infra/webhooks.ts and infra/function-table.ts; milliseconds. */
const template = { retention: 96 * hour, visibility: 180 * second, functionTimeout: 30 * second } as const;
const concurrency = 2;
/** SQS hides a message for 12 hours at most. */
const maxHiddenSeconds = 12 * 3_600;

/** Attempts end after three days. */
const triedForMs = 72 * hour;
/** The intervals double up to six hours, so three days have about 25 attempts. Each death and each lost call to SQS adds one. */
const maxAttempts = 60;
/** A server that answers at once receives an event within this time, however often our instances die. */
const promptMs = hour;

interface Message {
  readonly id: string;
  readonly body: string;
  readonly messageId: string;
  readonly sentAt: number;
  visibleAt: number;
  /** The receipt of the last receive; an older one has no effect. */
  receipt: string;
  attempts: number;
}

export interface DestinationParts {
  readonly time: Time;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly network: Network;
  readonly coverage: Coverage;
  readonly judge: Judge;
  readonly trace: Trace | undefined;
}

export class Destination {
  readonly #name: string;
  readonly #parts: DestinationParts;
  readonly #receiver: Receiver;
  readonly #messages = new Map<string, Message>();
  readonly #deadLetters = new Set<string>();
  /** When each event was queued first, by its id; milliseconds since 1970. */
  readonly #queuedAt = new Map<string, number>();
  #running = 0;
  #count = 0;

  constructor(name: string, parts: DestinationParts) {
    this.#name = name;
    this.#parts = parts;
    this.#receiver = new Receiver(parts);
    parts.trace?.(`url ${name}`, this.#receiver.kind);
  }

  #nextId(): string {
    this.#count += 1;
    return `${this.#name}${this.#count}`;
  }

  /** EventBridge sends an event to the queue. */
  queued(id: string, body: string): void {
    const { now } = this.#parts.time;
    const messageId = this.#nextId();
    if (!this.#queuedAt.has(id)) this.#queuedAt.set(id, now);
    this.#messages.set(messageId, { id, body, messageId, sentAt: now, visibleAt: now, receipt: '', attempts: 0 });
    this.#poll();
  }

  /** The event source mapping receives visible messages, and the queue drops those that are too old. */
  #poll(): void {
    const { time } = this.#parts;
    for (const message of this.#messages.values()) {
      if (time.now - message.sentAt >= template.retention) this.#messages.delete(message.messageId);
      else if (this.#running < concurrency && message.visibleAt <= time.now) this.#receive(message);
    }
  }

  #receive(message: Message): void {
    const { time } = this.#parts;
    message.visibleAt = time.now + template.visibility;
    message.receipt = this.#nextId();
    this.#running += 1;
    time.after(template.visibility, () => this.#poll());
    time.begin(() => this.#invoke(message));
  }

  async #invoke(message: Message): Promise<void> {
    const { time, faults, judge, trace } = this.#parts;
    const instance = new Instance(`deliver#${message.receipt}`);
    const seen: { status?: number } = {};
    const attributes = { SentTimestamp: String(message.sentAt) };
    const record = { messageId: message.messageId, receiptHandle: message.receipt, body: message.body, attributes };
    const deps = this.#dependencies(instance, message, seen);
    const response = await runUntilDeath(time, instance, template.functionTimeout, () =>
      deliverMessages(deps, { Records: [record as unknown as SQSRecord] }, 'request'),
    );
    this.#running -= 1;
    trace?.(instance.name, response ? 'ended' : 'did not end', response);
    const isOver = response?.batchItemFailures.length === 0;
    if (response && !isOver && isFinal(seen.status)) {
      judge.broken('S28', `${message.id} is to be sent again after a ${seen.status}`);
    }
    // The call that deletes the message can be lost, and then SQS delivers it again.
    if (isOver && !faults.happens('batch again')) this.#messages.delete(message.messageId);
    this.#poll();
  }

  #dependencies(instance: Instance, message: Message, seen: { status?: number }): DeliverDependencies {
    const { time, random, network } = this.#parts;
    const queueIsLost = () => new QueueUnavailable('No response');
    const toQueue = { takes: [5, 60], timeoutMs: 4_000, lost: queueIsLost } as const;
    return {
      clock: { now: () => time.now, sleep: (ms) => time.sleep(ms) },
      random: () => random.number(),
      receiver: { post: async (webhook) => ({ status: await this.#post(instance, message, webhook.id, seen) }) },
      hide: (receipt, seconds) =>
        network.call(instance, { ...toQueue, what: () => 'sqs hide', effect: () => this.#hide(receipt, seconds) }),
      deadLetters: {
        send: (body) =>
          network.call(instance, {
            ...toQueue,
            what: () => 'sqs dead letter',
            effect: () => this.#buried(message, String(body), seen.status),
          }),
      },
      count: () => undefined,
      receiverHost: 'shop.example',
    };
  }

  async #post(instance: Instance, message: Message, id: string, seen: { status?: number }): Promise<number> {
    const { time, network, judge, coverage } = this.#parts;
    message.attempts += 1;
    // The code under test would take an error here for a failed attempt.
    time.check(() => {
      if (message.attempts > maxAttempts) judge.broken('S30', `${id} was tried ${message.attempts} times`);
    });
    const reaction = this.#receiver.reaction();
    coverage.count(`webhook: ${reaction.kind}`);
    const status = await network.call(instance, {
      what: () => 'webhook post',
      effect: () => this.#receiver.receive(id, reaction),
      takes: reaction.takes,
      timeoutMs: 10 * second,
      lost: () => new WebhookNoResponse('No answer within 10 s'),
      isDown: reaction.kind === 'refused',
    });
    seen.status = status;
    return status;
  }

  /** Changes the visibility of a message. @throws nothing; SQS refuses a longer time without an effect */
  #hide(receipt: string, seconds: number): void {
    const { time, judge } = this.#parts;
    if (seconds > maxHiddenSeconds) {
      judge.broken('S30', `SQS hides a message for 12 hours at most, not for ${seconds} s`);
      return;
    }
    for (const message of this.#messages.values()) {
      if (message.receipt !== receipt) continue;
      message.visibleAt = time.now + seconds * second;
      time.after(seconds * second, () => this.#poll());
    }
  }

  /** A message arrives in the dead-letter queue. @param status of the last answer */
  #buried({ id, sentAt }: Message, body: string, status: number | undefined): void {
    const { time, judge, coverage } = this.#parts;
    const isOld = time.now - sentAt >= triedForMs;
    if (status !== 410 && !(isOld && !isFinal(status))) {
      judge.broken('S29', `${id} is dead after ${(time.now - sentAt) / minute} minutes and a ${status}`);
    }
    if (!body.includes(JSON.stringify(id))) judge.broken('S29', `the dead letter of ${id} is ${body}`);
    coverage.count(`dead letter: ${status === 410 ? 'after a 410' : 'after three days'}`);
    this.#deadLetters.add(id);
  }

  /** Nothing happens any more. */
  checkLiveness(): void {
    const { judge } = this.#parts;
    for (const [id, queuedAt] of this.#queuedAt) {
      const acceptedAt = this.#receiver.accepted.get(id);
      judge.judged('L21');
      if (acceptedAt === undefined && !this.#deadLetters.has(id)) {
        judge.broken('L21', `${id} reached neither the URL nor its dead letters`);
      }
      if (this.#receiver.kind !== 'healthy') continue;
      judge.judged('L22');
      if (acceptedAt === undefined || acceptedAt - queuedAt > promptMs) {
        judge.broken('L22', `${id} was accepted ${acceptedAt && (acceptedAt - queuedAt) / minute} minutes later`);
      }
    }
    if (this.#messages.size > 0) judge.broken('L21', `${this.#messages.size} messages are left in the queue`);
  }
}

/** The receiver has accepted the event, or wants no more. */
const isFinal = (status = 0): boolean => (status >= 200 && status < 300) || status === 410;

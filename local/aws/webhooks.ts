/**
 * Webhooks of the local system: the template's rules put events into local queues, and the queues invoke the function
 * `deliver`. Every URL of the template is replaced, so that no event of the local system reaches the shop's real server.
 */

import { setTimeout as wait } from 'node:timers/promises';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { LocalEvent } from './bus.ts';
import type { LambdaFunction } from './lambda.ts';
import { type LocalQueue, type Received, startQueue } from './queue.ts';
import { type CloudAssembly, idOfArn, region } from './template.ts';

export interface WebhookReceiver {
  /** http or https, on this machine, or https at a public address. */
  readonly url: string;
  /** `whsec_…`. */
  readonly secret: string;
  /** The secret before it, as while a secret is changed. */
  readonly previousSecret?: string;
}

/** For the live page. */
export interface WebhookObserver {
  /** An event came into the queue of a destination. */
  queued(event: LocalEvent): void;
  /** A message goes to the function `deliver`. */
  received(body: string, receiveCount: number): void;
}

interface Destination {
  /** The logical id of the queue. */
  readonly id: string;
  readonly functionId: string;
  readonly queue: LocalQueue;
  readonly deadLetters: LocalQueue;
  /** Variables that the local system changes in the environment of the function. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface LocalWebhooks {
  /** Empty without a receiver. */
  readonly destinations: readonly Destination[];
  /** The values of the signing secrets, by ARN. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Puts an event into the queue of every rule that matches it. */
  put(event: LocalEvent): void;
  /** Overrides of a function's environment; empty for other functions than `deliver`. */
  environmentOf(functionId: string): Readonly<Record<string, string>>;
  /** Invokes the functions with the messages of their queues. */
  follow(functions: ReadonlyMap<string, LambdaFunction>, report: (problem: string) => void): { close(): Promise<void> };
  close(): Promise<void>;
}

/** @throws Error when there is a receiver, and the template has no webhooks */
export async function startWebhooks(
  assembly: CloudAssembly,
  receiver: WebhookReceiver | undefined,
  observer: WebhookObserver,
): Promise<LocalWebhooks> {
  const functions = receiver ? deliverFunctions(assembly) : [];
  if (receiver && functions.length === 0) throw new Error('The template has no webhooks: add a URL to `webhooks`.');
  const destinations = await Promise.all(
    functions.map(async ({ functionId, variables }): Promise<Destination> => {
      const { WEBHOOK_QUEUE_URL: id = '', WEBHOOK_DEAD_LETTERS_URL: deadLettersId = '' } = variables;
      const [queue, deadLetters] = [await startQueue(id), await startQueue(deadLettersId)];
      const environment = {
        WEBHOOK_URL: receiver?.url ?? '',
        WEBHOOK_LOOPBACK: 'allow',
        WEBHOOK_SECRET_ARN: variables.WEBHOOK_SECRET_ARN ?? '',
        WEBHOOK_QUEUE_URL: queue.url,
        WEBHOOK_DEAD_LETTERS_URL: deadLetters.url,
        ...(variables.WEBHOOK_EVENTS && { WEBHOOK_EVENTS: variables.WEBHOOK_EVENTS }),
      };
      return { id, functionId, queue, deadLetters, environment };
    }),
  );
  const secret = JSON.stringify({ current: receiver?.secret, previous: receiver?.previousSecret ?? '' });
  const rules = assembly.ofType('AWS::Events::Rule').map(({ properties }) => ruleIn(properties));
  return {
    destinations,
    secrets: new Map(destinations.map(({ environment }) => [environment.WEBHOOK_SECRET_ARN ?? '', secret])),
    put(event) {
      const targets = rules.filter(({ matches }) => matches(event)).flatMap(({ queueIds }) => queueIds);
      for (const { id, queue } of destinations) {
        if (!targets.includes(id)) continue;
        queue.send(JSON.stringify(event));
        observer.queued(event);
      }
    },
    environmentOf: (functionId) => destinations.find((one) => one.functionId === functionId)?.environment ?? {},
    follow: (lambdas, report) => followQueues(destinations, lambdas, report, observer),
    async close() {
      await Promise.all(destinations.flatMap(({ queue, deadLetters }) => [queue.close(), deadLetters.close()]));
    },
  };
}

function deliverFunctions(assembly: CloudAssembly) {
  return assembly.ofType('AWS::Lambda::Function').flatMap(({ id: functionId, properties }) => {
    const { Variables: variables = {} } = (properties.Environment ?? {}) as { Variables?: Record<string, string> };
    return variables.WEBHOOK_URL ? [{ functionId, variables }] : [];
  });
}

/** A rule, as far as the template has one: patterns of `source` and `detail-type`, and queues as targets. */
function ruleIn(properties: Readonly<Record<string, unknown>>) {
  const { EventPattern, Targets } = properties as {
    EventPattern: { source: string[]; 'detail-type'?: string[] };
    Targets: { Arn: string }[];
  };
  return {
    queueIds: Targets.map(({ Arn }) => idOfArn(Arn)),
    matches: (event: LocalEvent) =>
      EventPattern.source.includes(event.source) &&
      (EventPattern['detail-type']?.includes(event['detail-type']) ?? true),
  };
}

const pollMs = 100;
/** More than the template's two per URL: locally they share no account quota. */
const concurrency = 10;
/** A message whose function ended without a result is delivered again after this. The template waits six times the function's timeout. */
const visibilitySeconds = 30;

function followQueues(
  destinations: readonly Destination[],
  functions: ReadonlyMap<string, LambdaFunction>,
  report: (problem: string) => void,
  observer: WebhookObserver,
) {
  const ending = new AbortController();
  const followed = destinations.map(async ({ id, queue, functionId }) => {
    const lambda = functions.get(functionId);
    if (!lambda) throw new Error(`The template has no function ${functionId}`);
    const running = new Set<Promise<void>>();
    while (!ending.signal.aborted) {
      for (const message of queue.receive(concurrency - running.size, visibilitySeconds)) {
        observer.received(message.body, message.receiveCount);
        const delivery = invokeWith(lambda, queue, id, message).catch((error: unknown) => report(String(error)));
        running.add(delivery);
        void delivery.then(() => running.delete(delivery));
      }
      await wait(pollMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  });
  return {
    async close() {
      ending.abort();
      await Promise.all(followed);
    },
  };
}

/** @throws FunctionError; the message is then delivered again */
async function invokeWith(lambda: LambdaFunction, queue: LocalQueue, id: string, message: Received): Promise<void> {
  const returned = (await lambda.invoke({ Records: [recordOf(message, id)] })) as SQSBatchResponse | undefined;
  if (!returned?.batchItemFailures.length) queue.remove(message.id);
}

const recordOf = ({ id, body, sentAt, receiveCount }: Received, queueId: string): SQSRecord => ({
  messageId: id,
  receiptHandle: id,
  body,
  attributes: {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: String(sentAt),
    SenderId: 'events',
    ApproximateFirstReceiveTimestamp: String(sentAt),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: `arn:aws:sqs:${region}:000000000000:${queueId}`,
  awsRegion: region,
});

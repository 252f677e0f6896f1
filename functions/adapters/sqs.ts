/**
 * One SQS queue, by a few calls of SQS's JSON protocol.
 * Source: "Amazon SQS API Reference", AWS JSON protocol.
 */

import { QueueUnavailable } from '../application/faults.ts';
import { jsonIn } from '../shared/json-text.ts';
import { type AwsClient, signedPost } from './signed-call.ts';

export interface QueueMessage {
  readonly body: string;
  /** The receipt handle of this delivery, which deletes the message. */
  readonly receipt: string;
}

/** @throws QueueUnavailable in every call that SQS refuses or returns no response to */
export interface MessageQueue {
  /** @param body an object is sent as JSON */
  send(body: object | string): Promise<void>;
  /** Up to 10 messages, which SQS then hides for `hiddenSeconds`. */
  receive(hiddenSeconds: number): Promise<readonly QueueMessage[]>;
  remove(message: QueueMessage): Promise<void>;
}

type QueueAction =
  | 'SendMessage'
  | 'ReceiveMessage'
  | 'DeleteMessage'
  | 'ChangeMessageVisibility'
  | 'GetQueueAttributes'
  | 'DeleteQueue';
type Action = QueueAction | 'CreateQueue';

/**
 * @param endpoint any URL of SQS in the region, such as that of a queue
 * @returns a function that calls an action
 */
function sqsCaller(client: AwsClient, endpoint: string) {
  const url = new URL('/', endpoint);
  const send = async (action: Action, parameters: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
    const body = JSON.stringify(parameters);
    const response = await signedPost(client, { service: 'sqs', url, headers, body });
    const text = Buffer.concat(await response.body.toArray()).toString();
    if (response.statusCode !== 200) throw new Error(`SQS returned ${response.statusCode}: ${text.slice(0, 300)}`);
    return jsonIn(text);
  };
  return (action: Action, parameters: object) =>
    send(action, parameters).catch((cause: unknown) => {
      throw new QueueUnavailable(`${action} failed`, { cause });
    });
}

/** @returns a function that calls an action on the queue */
function queueCaller(client: AwsClient, QueueUrl: string) {
  const call = sqsCaller(client, QueueUrl);
  return (action: QueueAction, parameters: object) => call(action, { QueueUrl, ...parameters });
}

/** @param client its credentials, region, hash and HTTP handler (with its time-outs) are used */
export function messageQueue(client: AwsClient, queueUrl: string): MessageQueue {
  const callQueue = queueCaller(client, queueUrl);
  return {
    async send(body) {
      await callQueue('SendMessage', { MessageBody: typeof body === 'string' ? body : JSON.stringify(body) });
    },
    async receive(hiddenSeconds) {
      const parameters = { MaxNumberOfMessages: 10, VisibilityTimeout: hiddenSeconds, WaitTimeSeconds: 1 };
      const response = (await callQueue('ReceiveMessage', parameters)) as {
        Messages?: { Body: string; ReceiptHandle: string }[];
      };
      return (response?.Messages ?? []).map(({ Body, ReceiptHandle }) => ({ body: Body, receipt: ReceiptHandle }));
    },
    async remove({ receipt }) {
      await callQueue('DeleteMessage', { ReceiptHandle: receipt });
    },
  };
}

/**
 * @returns a function that hides a received message from now on, for 12 hours at most
 * @throws QueueUnavailable as in MessageQueue
 */
export function messageHider(client: AwsClient, queueUrl: string) {
  const callQueue = queueCaller(client, queueUrl);
  return async (receipt: string, seconds: number): Promise<void> => {
    await callQueue('ChangeMessageVisibility', { ReceiptHandle: receipt, VisibilityTimeout: seconds });
  };
}

/**
 * @returns about how many messages are in the queue: those that can be received now, and those that a receiver has hidden
 * @throws QueueUnavailable as in MessageQueue
 */
export async function messageCount(client: AwsClient, queueUrl: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
  const response = await queueCaller(client, queueUrl)('GetQueueAttributes', { AttributeNames: names });
  const { Attributes = {} } = (response ?? {}) as { Attributes?: Readonly<Record<string, string>> };
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/**
 * @param endpoint any URL of SQS in the region
 * @param Attributes as SQS names them
 * @returns the URL of the new queue
 * @throws QueueUnavailable as in MessageQueue
 */
export async function createQueue(
  client: AwsClient,
  endpoint: string,
  QueueName: string,
  Attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await sqsCaller(client, endpoint)('CreateQueue', { QueueName, Attributes });
  return (response as { QueueUrl: string }).QueueUrl;
}

/** @throws QueueUnavailable as in MessageQueue */
export async function deleteQueue(client: AwsClient, queueUrl: string): Promise<void> {
  await queueCaller(client, queueUrl)('DeleteQueue', {});
}

/**
 * One SQS queue, by three calls of SQS's JSON protocol. The SDK's client for SQS would be one more dependency; the signer and the
 * HTTP handler of the client for EventBridge are in the bundle already. Source: "Amazon SQS API Reference", AWS JSON protocol.
 */

import type { Readable } from 'node:stream';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SignatureV4 } from '@smithy/signature-v4';
import { QueueUnavailable } from '../application/faults.ts';
import { jsonIn } from '../shared/json-text.ts';

export interface QueueMessage {
  readonly body: string;
  /** By which this delivery of the message is deleted. */
  readonly receipt: string;
}

/** @throws QueueUnavailable in every call that SQS refuses or does not answer */
export interface MessageQueue {
  send(body: object): Promise<void>;
  /** Up to 10 messages, which SQS then hides for `hiddenSeconds`. */
  receive(hiddenSeconds: number): Promise<readonly QueueMessage[]>;
  remove(message: QueueMessage): Promise<void>;
}

type Action = 'SendMessage' | 'ReceiveMessage' | 'DeleteMessage';

/** @param client lends its credentials, its region, its hash and its HTTP handler with the time-outs of that */
export function messageQueue(client: EventBridgeClient, QueueUrl: string): MessageQueue {
  const { config } = client;
  const url = new URL(QueueUrl);
  const call = async (action: Action, parameters: object): Promise<unknown> => {
    const { credentials, region, sha256 } = config;
    const signer = new SignatureV4({ service: 'sqs', region: await region(), credentials, sha256 });
    const signed = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port && { port: Number(url.port) }),
      path: '/',
      headers: { host: url.host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
      body: JSON.stringify({ QueueUrl, ...parameters }),
    });
    const { response } = await config.requestHandler.handle(
      signed as Parameters<typeof config.requestHandler.handle>[0],
    );
    const text = Buffer.concat(await (response.body as Readable).toArray()).toString();
    if (response.statusCode !== 200) throw new Error(`SQS answered ${response.statusCode}: ${text.slice(0, 300)}`);
    return jsonIn(text);
  };
  const asked = (action: Action, parameters: object) =>
    call(action, parameters).catch((cause: unknown) => {
      throw new QueueUnavailable(`${action} did not succeed`, { cause });
    });

  return {
    async send(body) {
      await asked('SendMessage', { MessageBody: JSON.stringify(body) });
    },
    async receive(hiddenSeconds) {
      const parameters = { MaxNumberOfMessages: 10, VisibilityTimeout: hiddenSeconds, WaitTimeSeconds: 1 };
      const answer = (await asked('ReceiveMessage', parameters)) as {
        Messages?: { Body: string; ReceiptHandle: string }[];
      };
      return (answer?.Messages ?? []).map(({ Body, ReceiptHandle }) => ({ body: Body, receipt: ReceiptHandle }));
    },
    async remove({ receipt }) {
      await asked('DeleteMessage', { ReceiptHandle: receipt });
    },
  };
}

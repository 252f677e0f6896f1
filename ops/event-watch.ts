/**
 * Receives the event of one order from the bus of a deployment. Only a rule's targets see events, so a rule and a queue are created
 * for the time of `verify`, with the operator's credentials.
 *
 * A run that was killed leaves both behind. They are harmless: the rule matches the order of that run only, and no other sender may
 * send to the queue. Both are named `<stack>-verify-<random>`.
 */

import { randomBytes } from 'node:crypto';
import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  type PutTargetsCommandOutput,
  RemoveTargetsCommand,
  type RemoveTargetsCommandOutput,
} from '@aws-sdk/client-eventbridge';
import { createQueue, deleteQueue, messageQueue } from '../functions/adapters/sqs.ts';
import { eventSource } from '../functions/events/event-source.ts';
import { jsonIn } from '../functions/shared/json-text.ts';
import type { Localized } from '../functions/shared/language.ts';
import { isWithoutRight, messageOf, OperatorError } from './terminal.ts';

export interface EventWatch {
  /**
   * @returns events that are new on the bus, also repeated ones; waits up to a second for them
   * @throws RightMissing
   */
  receive(): Promise<readonly unknown[]>;
  /** Removes what was created. Never throws. @returns what could not be removed, as a text for the operator */
  remove(): Promise<Localized | undefined>;
}

export interface WatchedBus {
  readonly stack: string;
  /** The name or ARN of the bus. */
  readonly eventBus: string;
  /** Any URL of SQS in the region. */
  readonly sqs: string;
}

/** The rights of the calls of this file and of its queue. */
export const WATCH_RIGHTS = [
  'events:PutRule',
  'events:PutTargets',
  'events:RemoveTargets',
  'events:DeleteRule',
  'sqs:CreateQueue',
  'sqs:ReceiveMessage',
  'sqs:DeleteQueue',
] as const;
type Right = (typeof WATCH_RIGHTS)[number];

/** AWS refused a call because the credentials lack a right. */
export class RightMissing extends OperatorError {
  constructor(right: Right, options: ErrorOptions) {
    const all = WATCH_RIGHTS.join(', ');
    super(
      {
        ko: `이 명령의 자격 증명에 ${right} 권한이 없습니다. 이 점검에 필요한 권한은 ${all}입니다`,
        en: `the credentials of this command lack the right ${right}. This check needs ${all}`,
      },
      options,
    );
  }
}

/** EventBridge's limit for the name of a rule is 64: this, `-verify-` and the random part. */
const maxStackLength = 48;
/** A message that was left behind is deleted after this time. SQS's minimum, and longer than `verify` waits. Seconds. */
const retentionSeconds = 60;
/** A received message stays in the queue, which is deleted soon. Seconds. */
const hiddenSeconds = 60;
const targetId = 'queue';
/** A call without a response must not delay the removal of the rest. */
const requestHandler = { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/**
 * Creates a rule on the bus for `Order Closed` of an order, with a queue as its target. EventBridge needs some seconds until a new
 * rule matches.
 * @param order the `merchant_uid`
 * @throws RightMissing, or the error of AWS; what was created until then is removed
 */
export async function watchBus({ stack, eventBus, sqs }: WatchedBus, order: string): Promise<EventWatch> {
  const client = new EventBridgeClient({ requestHandler });
  const name = `${stack.slice(0, maxStackLength)}-verify-${randomBytes(4).toString('hex')}`;
  const rule = { EventBusName: eventBus };
  const created: Created[] = [];
  const remove = () => removed(created, name);
  try {
    const { RuleArn = '' } = await allowed(
      'events:PutRule',
      client.send(
        new PutRuleCommand({
          ...rule,
          Name: name,
          Description: 'Temporary, of npm run verify',
          EventPattern: JSON.stringify({
            source: [eventSource],
            'detail-type': ['Order Closed'],
            detail: { merchant_uid: [order] },
          }),
        }),
      ),
    );
    created.push({
      right: 'events:DeleteRule',
      remove: () => client.send(new DeleteRuleCommand({ ...rule, Name: name })),
    });
    const queueArn = queueArnBeside(RuleArn, name);
    const url = await allowed('sqs:CreateQueue', createQueue(client, sqs, name, queueAttributes(queueArn, RuleArn)));
    created.push({ right: 'sqs:DeleteQueue', remove: () => deleteQueue(client, url) });
    await allowed(
      'events:PutTargets',
      // A call may succeed although its target was refused.
      client
        .send(new PutTargetsCommand({ ...rule, Rule: name, Targets: [{ Id: targetId, Arn: queueArn }] }))
        .then(failIfAnyFailed),
    );
    created.push({
      right: 'events:RemoveTargets',
      remove: () =>
        client.send(new RemoveTargetsCommand({ ...rule, Rule: name, Ids: [targetId] })).then(failIfAnyFailed),
    });
    const queue = messageQueue(client, url);
    return {
      async receive() {
        const messages = await allowed('sqs:ReceiveMessage', queue.receive(hiddenSeconds));
        return messages.map(({ body }) => jsonIn(body));
      },
      remove,
    };
  } catch (error) {
    const left = await remove();
    if (!left) throw error;
    const texts = textsOf(error);
    throw new OperatorError({ ko: `${texts.ko}. ${left.ko}`, en: `${texts.en}. ${left.en}` }, { cause: error });
  }
}

/** A text for the operator, of any error. */
export const textsOf = (error: unknown): Localized =>
  error instanceof OperatorError ? error.texts : { ko: messageOf(error), en: messageOf(error) };

/** Something that was created, with the right that its removal needs. */
interface Created {
  readonly right: Right;
  remove(): Promise<unknown>;
}

/** Removes all, the newest first: EventBridge deletes no rule that has targets. */
async function removed(created: Created[], name: string): Promise<Localized | undefined> {
  const faults: string[] = [];
  for (let last = created.pop(); last; last = created.pop()) {
    const { right } = last;
    await allowed(right, last.remove()).catch((error: unknown) =>
      faults.push(error instanceof RightMissing ? right : messageOf(error)),
    );
  }
  if (faults.length === 0) return undefined;
  const causes = faults.join('; ');
  return {
    ko: `규칙이나 큐 ${name}을(를) 지우지 못했습니다(${causes}). 지우는 명령은 docs/operate.ko.md에 있습니다`,
    en: `The rule or the queue ${name} could not be removed (${causes}). docs/operate.md has the commands that remove them`,
  };
}

const allowed = <Value>(right: Right, call: Promise<Value>): Promise<Value> =>
  call.catch((cause: unknown) => {
    throw isWithoutRight(cause) ? new RightMissing(right, { cause }) : cause;
  });

function failIfAnyFailed({ FailedEntries: [failed] = [] }: PutTargetsCommandOutput | RemoveTargetsCommandOutput): void {
  if (failed) throw new Error(failed.ErrorMessage ?? 'EventBridge refused the target');
}

/** The ARN of a queue in the region and account of a rule. */
function queueArnBeside(ruleArn: string, queueName: string): string {
  const [, partition, , region, account] = ruleArn.split(':');
  return ['arn', partition, 'sqs', region, account, queueName].join(':');
}

/** Only the rule may send, besides the account itself. */
const queueAttributes = (queueArn: string, ruleArn: string) => ({
  MessageRetentionPeriod: String(retentionSeconds),
  Policy: JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
      },
    ],
  }),
});

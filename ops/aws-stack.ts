/** The state of a stack's resources, for `doctor`. Reads only. Each read needs one right, which its check names. */

import { CloudFormationClient, DescribeStacksCommand, GetStackPolicyCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { GetAccountSettingsCommand, GetEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { paginateListSubscriptionsByTopic, SNSClient } from '@aws-sdk/client-sns';
import { messageCount } from '../functions/adapters/sqs.ts';

/** A resource of a stack. */
export interface Resource {
  /** The logical id. */
  readonly id: string;
  readonly type: string;
  readonly physicalId: string;
}

/** Reads the state of the deployed stack. Every method calls AWS. */
export interface StackReader {
  /** How many functions of the account run at once, at most. */
  concurrencyLimit(): Promise<number>;
  isProtected(): Promise<boolean>;
  /** The stack policy as JSON; undefined when there is none. */
  policy(): Promise<string | undefined>;
  /** The e-mail addresses and other receivers of our topic of alarms; undefined when the alarms use a topic of the shop. */
  alarmReceivers(): Promise<readonly AlarmReceiver[] | undefined>;
  /** The names of our alarms that are in ALARM. */
  inAlarm(): Promise<readonly string[]>;
  /** The queues of what could not be published or delivered. */
  failureQueues(): Promise<readonly FailureQueue[]>;
  /** The event source mappings of the publisher and of webhooks. */
  sources(): Promise<readonly EventSource[]>;
  /** The schedules of the reconciler, and of `keepWarm`. */
  schedules(): Promise<readonly Schedule[]>;
}

export interface AlarmReceiver {
  readonly address: string;
  readonly isConfirmed: boolean;
}

export interface FailureQueue {
  /** The logical id. */
  readonly name: string;
  /** About how many messages it has. */
  readonly messages: number;
}

export interface EventSource {
  readonly name: string;
  /** `Enabled`, `Disabled`, or a change between them, as Lambda names it. */
  readonly state: string;
  /** Lambda's text, such as `OK` or `PROBLEM: Function call failed`; empty before the first batch. */
  readonly lastResult: string;
}

export interface Schedule {
  readonly name: string;
  readonly isEnabled: boolean;
}

/** The most names in one call of CloudWatch. */
const maxAlarmNames = 100;

/** @param resources of the stack. Its other resources may be the shop's, so ours are found by our logical ids */
export function stackReader(stack: string, resources: readonly Resource[]): StackReader {
  const StackName = stack;
  const ours = (type: string, id: RegExp) => resources.filter((of) => of.type === type && id.test(of.id));
  const cloudFormation = new CloudFormationClient({});
  const lambda = new LambdaClient({});
  return {
    async concurrencyLimit() {
      const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
      return AccountLimit?.ConcurrentExecutions ?? 0;
    },
    async isProtected() {
      const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
      return Stacks[0]?.EnableTerminationProtection ?? false;
    },
    async policy() {
      return (await cloudFormation.send(new GetStackPolicyCommand({ StackName }))).StackPolicyBody;
    },
    async alarmReceivers() {
      const [topic] = ours('AWS::SNS::Topic', /AlarmsTopic/);
      if (!topic) return undefined;
      const found: AlarmReceiver[] = [];
      const pages = paginateListSubscriptionsByTopic({ client: new SNSClient({}) }, { TopicArn: topic.physicalId });
      for await (const { Subscriptions = [] } of pages) {
        for (const { Endpoint = '', SubscriptionArn } of Subscriptions)
          found.push({ address: Endpoint, isConfirmed: SubscriptionArn !== 'PendingConfirmation' });
      }
      return found;
    },
    async inAlarm() {
      const names = ours('AWS::CloudWatch::Alarm', /Alarms|webhookundelivered|webhookstopped|subscribermissed/).map(
        ({ physicalId }) => physicalId,
      );
      const client = new CloudWatchClient({});
      const found: string[] = [];
      for (let from = 0; from < names.length; from += maxAlarmNames) {
        const AlarmNames = names.slice(from, from + maxAlarmNames);
        const query = { AlarmNames, StateValue: 'ALARM' as const, MaxRecords: maxAlarmNames };
        const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand(query));
        found.push(...MetricAlarms.map(({ AlarmName = '' }) => AlarmName));
      }
      return found;
    },
    failureQueues: () =>
      Promise.all(
        ours('AWS::SQS::Queue', /(?:Unpublished|DeadLetters)[0-9A-F]{8}$/).map(async ({ id, physicalId }) => ({
          name: nameOf(id),
          messages: await messageCount(lambda, physicalId),
        })),
      ),
    sources: () =>
      Promise.all(
        ours('AWS::Lambda::EventSourceMapping', /Workers(?:Orders|Reversals)|Deliveries/).map(
          async ({ id, physicalId }) => {
            const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID: physicalId }));
            return { name: nameOf(id), state: mapping.State ?? '', lastResult: mapping.LastProcessingResult ?? '' };
          },
        ),
      ),
    async schedules() {
      const client = new SchedulerClient({});
      return Promise.all(
        ours('AWS::Scheduler::Schedule', /Workers/).map(async ({ id, physicalId }) => {
          const { State } = await client.send(new GetScheduleCommand({ Name: physicalId }));
          return { name: nameOf(id), isEnabled: State === 'ENABLED' };
        }),
      );
    },
  };
}

/** A logical id without the hash that the CDK appends. */
const nameOf = (id: string): string => id.replace(/[0-9A-F]{8}$/, '');

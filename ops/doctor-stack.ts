/**
 * The checks of `doctor` that read the stack in the AWS account. A check that the credentials may not make is a warning that names
 * the right. The local system has none of these resources, so all of them are left out there.
 */

import type { StackReader } from './aws-stack.ts';
import type { Call } from './command.ts';
import { type CheckResult, check, localized, type RunCheck } from './doctor-check.ts';
import { isWithoutRight } from './terminal.ts';

/** Lambda's usual quota is 1,000. A new account may have 10, and all functions of the account share them. */
const minConcurrency = 100;
const quotaRequest =
  'aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000';

/** The rights that the checks need, besides those of the command. */
export const STACK_RIGHTS = [
  'lambda:GetAccountSettings',
  'cloudformation:DescribeStacks',
  'cloudformation:GetStackPolicy',
  'sns:ListSubscriptionsByTopic',
  'cloudwatch:DescribeAlarms',
  'sqs:GetQueueAttributes',
  'lambda:GetEventSourceMapping',
  'scheduler:GetSchedule',
] as const;

/**
 * @param right that the read needs
 * @param run undefined in the result: the stack has no such resource
 */
const stackCheck = (
  name: readonly [string, string],
  remedy: readonly [string, string],
  right: (typeof STACK_RIGHTS)[number],
  run: (stack: StackReader, call: Call) => Promise<CheckResult | undefined>,
): RunCheck =>
  check(name, remedy, async (call) => {
    const { aws } = call.deployment;
    if (!aws) return undefined;
    return run(aws, call).catch((error: unknown) => {
      if (!isWithoutRight(error)) throw error;
      const ko = `점검하지 못했습니다. 이 명령의 자격 증명에 ${right} 권한을 주세요`;
      const en = `not checked. Allow ${right} to the credentials of this command`;
      return { ok: true, isWarning: true, found: localized(call, ko, en), remedy: '' };
    });
  });

/** @param faults the resources that are not as they should be, each with its state */
const resultOf = (faults: readonly string[], good: string): CheckResult => ({
  ok: faults.length === 0,
  found: faults.length === 0 ? good : faults.join(', '),
});

export const STACK_CHECKS: readonly RunCheck[] = [
  stackCheck(
    ['동시 실행 한도', 'concurrency'],
    [`한도를 늘려 달라고 AWS에 요청하세요: ${quotaRequest}`, `Request a higher quota: ${quotaRequest}`],
    'lambda:GetAccountSettings',
    async (aws, call) => {
      const limit = await aws.concurrencyLimit();
      const ko = `이 계정의 모든 함수를 합해 동시에 ${limit}개까지 실행됩니다`;
      const en = `all functions of the account together run ${limit} times at once, at most`;
      return { ok: true, isWarning: limit < minConcurrency, found: localized(call, ko, en) };
    },
  ),
  stackCheck(
    ['삭제 방지', 'termination protection'],
    [
      '주문을 보관하는 배포라면 켜세요: aws cloudformation update-termination-protection --enable-termination-protection --stack-name 스택',
      'Set it, unless this is a test deployment: aws cloudformation update-termination-protection --enable-termination-protection --stack-name STACK',
    ],
    'cloudformation:DescribeStacks',
    async (aws, call) => {
      const isOn = await aws.isProtected();
      return {
        ok: true,
        isWarning: !isOn,
        found: isOn ? localized(call, '켜짐', 'on') : localized(call, '꺼짐', 'off'),
      };
    },
  ),
  stackCheck(
    ['스택 정책', 'stack policy'],
    [
      'npm run deploy가 설정합니다. 직접 만든 앱에서는: aws cloudformation set-stack-policy --stack-policy-body file://docs/stack-policy.json --stack-name 스택',
      'npm run deploy sets it. In an app of your own: aws cloudformation set-stack-policy --stack-policy-body file://docs/stack-policy.json --stack-name STACK',
    ],
    'cloudformation:GetStackPolicy',
    async (aws, call) => {
      const isSet = /"Deny"/.test((await aws.policy()) ?? '');
      const [yes, no] = [localized(call, '있음', 'set'), localized(call, '없음', 'none that denies anything')];
      return { ok: true, isWarning: !isSet, found: isSet ? yes : no };
    },
  ),
  stackCheck(
    ['경보 수신자', 'alarm receivers'],
    [
      'AWS가 보낸 메일에서 구독을 확인하거나, 설정 alarmEmails에 주소를 추가하세요. 메일이 없으면 SNS 콘솔에서 확인 메일을 다시 보내세요',
      'Confirm the mail that AWS has sent, or add an address to alarmEmails. If there is no mail, request another one in the console of SNS',
    ],
    'sns:ListSubscriptionsByTopic',
    async (aws, call) => {
      const receivers = await aws.alarmReceivers();
      if (!receivers) return undefined;
      const pending = receivers.filter(({ isConfirmed }) => !isConfirmed).map(({ address }) => address);
      const confirmed = receivers.length - pending.length;
      const ko = `확인됨 ${confirmed}${pending.length > 0 ? `, 확인되지 않음: ${pending.join(', ')}` : ''}`;
      const en = `${confirmed} confirmed${pending.length > 0 ? `, not confirmed: ${pending.join(', ')}` : ''}`;
      return {
        ok: pending.length === 0,
        isWarning: receivers.length === 0,
        found: localized(call, ko, en),
      };
    },
  ),
  stackCheck(
    ['경보', 'alarms'],
    [
      '경보 대응서에서 각 경보의 조치를 확인하세요: docs/runbook.ko.md',
      'Each alarm has a section in the runbook: docs/runbook.md',
    ],
    'cloudwatch:DescribeAlarms',
    async (aws, call) => resultOf(await aws.inAlarm(), localized(call, 'ALARM 상태인 경보 없음', 'none in ALARM')),
  ),
  stackCheck(
    ['실패 큐', 'failure queues'],
    [
      'Unpublished는 republish --queue로, 웹훅은 redeliver --queue로 처리하세요. 쇼핑몰 함수의 큐는 경보 대응서의 subscriber-missed를 보세요',
      'Process Unpublished with republish --queue, webhooks with redeliver --queue, and the queue of a function of the shop by the section subscriber-missed of the runbook',
    ],
    'sqs:GetQueueAttributes',
    async (aws, call) => {
      const filled = (await aws.failureQueues()).filter(({ messages }) => messages > 0);
      return resultOf(
        filled.map(({ name, messages }) => `${name} (${messages})`),
        localized(call, '비어 있음', 'empty'),
      );
    },
  ),
  stackCheck(
    ['이벤트 소스 매핑', 'event source mappings'],
    [
      'Lambda 콘솔에서 매핑을 켜고, PROBLEM이면 그 함수의 로그를 확인하세요',
      'Enable the mapping in the console of Lambda. After a PROBLEM read the log of its function',
    ],
    'lambda:GetEventSourceMapping',
    async (aws, call) => {
      const sources = await aws.sources();
      const faulty = sources.filter(({ state, lastResult }) => state !== 'Enabled' || /^PROBLEM/.test(lastResult));
      return resultOf(
        faulty.map(({ name, state, lastResult }) => `${name}: ${[state, lastResult].filter(Boolean).join(', ')}`),
        localized(call, `${sources.length}개 모두 켜짐`, `all ${sources.length} enabled`),
      );
    },
  ),
  stackCheck(
    ['스케줄', 'schedules'],
    [
      'EventBridge Scheduler 콘솔에서 스케줄을 켜세요. 꺼져 있으면 대사가 실행되지 않습니다',
      'Enable the schedule in the console of EventBridge Scheduler: without it the reconciler does not run',
    ],
    'scheduler:GetSchedule',
    async (aws, call) => {
      const off = (await aws.schedules()).filter(({ isEnabled }) => !isEnabled);
      return resultOf(
        off.map(({ name }) => name),
        localized(call, '켜짐', 'enabled'),
      );
    },
  ),
];

/** Alarms and the dashboard use metrics that the functions write, and the runbook has every alarm in both languages. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, describe, expect, test } from 'vitest';
import { eventNames } from '../../functions/events/event-schema.ts';
import { planRefundCheck } from '../../functions/payment/refund-steps.ts';
import { planReversalCheck, type Reversal } from '../../functions/payment/reversal.ts';
import { metrics, moneyEvents, namespace } from '../../functions/shared/metrics.ts';
import type { Configuration } from '../../infra/config.ts';
import { IamportPayments, type IamportPaymentsProps } from '../../infra/iamport-payments.ts';
import { ofType, synthesized, writeEmptyBundles } from './synthesized.ts';

const bundles = mkdtempSync(join(tmpdir(), 'alarms-'));
writeEmptyBundles(bundles);
afterAll(() => rmSync(bundles, { recursive: true }));

const configuration: Configuration = {
  storefront: { origins: ['https://shop.example'] },
  alarmEmails: ['owner@shop.example'],
};
const template = synthesized(configuration);

interface AlarmProperties {
  AlarmDescription: string;
  AlarmActions: unknown[];
  OKActions?: unknown[];
  Namespace?: string;
  MetricName?: string;
  Dimensions?: { Name: string; Value: unknown }[];
  Metrics?: { Expression?: string; MetricStat?: { Metric: { Namespace: string; MetricName: string } } }[];
  TreatMissingData: string;
  Period?: number;
  EvaluationPeriods: number;
  DatapointsToAlarm: number;
  Threshold: number;
}

function shopStack(more: (stack: Stack) => Partial<IamportPaymentsProps> = () => ({})): {
  payments: IamportPayments;
  stack: Stack;
  template: () => Template;
} {
  const app = new App({ outdir: mkdtempSync(join(bundles, 'cdk-')), analyticsReporting: false });
  const stack = new Stack(app, 'Shop');
  const payments = new IamportPayments(stack, 'Payments', { ...configuration, bundles, ...more(stack) });
  const functionArn = 'arn:aws:lambda:ap-northeast-2:123456789012:function:ship';
  payments.onPaid(LambdaFunction.fromFunctionAttributes(stack, 'Ship', { functionArn, sameEnvironment: true }));
  payments.notify('https://api.shop.example/webhooks');
  payments.onConfirm(LambdaFunction.fromFunctionAttributes(stack, 'Stock', { functionArn, sameEnvironment: true }));
  return { payments, stack, template: () => Template.fromStack(stack) };
}

const shop = shopStack().template();
const alarms = Object.values(shop.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => Properties as AlarmProperties,
);
const nameOf = ({ AlarmDescription }: AlarmProperties) =>
  /docs\/runbook\.md#([\w-]+)/.exec(AlarmDescription)?.[1] ?? '';

const moreAlarms = () => alarms.filter(({ AlarmDescription }) => AlarmDescription.includes('More have come.'));

describe('the alarms', () => {
  test('have these metrics, thresholds, periods and treatments of missing data', () => {
    const facts = alarms.map((alarm) => [
      nameOf(alarm),
      alarm.MetricName ?? 'a formula',
      alarm.Threshold,
      `${alarm.DatapointsToAlarm} of ${alarm.EvaluationPeriods} x ${(alarm.Period ?? 300) / 60} min`,
      alarm.TreatMissingData,
    ]);
    expect(facts).toEqual([
      ['refund-waiting', 'RefundsOverdue', 1, '1 of 26 x 60 min', 'notBreaching'],
      ['money-without-order', 'Events', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['deposit-reversed', 'Events', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['payment-unreadable', 'UnreadablePayments', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['unsettled', 'ReconcilerFaults', 1, '3 of 3 x 60 min', 'notBreaching'],
      ['items-overdue', 'OldestOverdueItem', 3600, '2 of 2 x 15 min', 'notBreaching'],
      ['items-skipped', 'SkippedItems', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['order-overwritten', 'UnrestoredItems', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['keys-refused', 'KeysRefused', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['reconciler-late', 'ScanLag', 1500, '2 of 2 x 15 min', 'breaching'],
      ['server-errors', 'a formula', 1, '3 of 3 x 5 min', 'notBreaching'],
      ['requests-failing', 'a formula', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['requests-throttled', 'ThrottledRequests', 10, '1 of 1 x 15 min', 'notBreaching'],
      ['notifications-missing', 'a formula', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['events-late', 'IteratorAge', 900_000, '2 of 2 x 5 min', 'notBreaching'],
      ['events-stopped', 'PublishLag', 900, '1 of 1 x 15 min', 'notBreaching'],
      ['events-lost', 'ApproximateNumberOfMessagesVisible', 1, '1 of 1 x 5 min', 'ignore'],
      ['events-lost', 'a formula', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['webhook-late', 'WebhooksLate', 1, '1 of 8 x 60 min', 'notBreaching'],
      ['confirm-unanswered', 'ConfirmsUnanswered', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['subscriber-missed', 'ApproximateNumberOfMessagesVisible', 1, '1 of 1 x 5 min', 'ignore'],
      ['subscriber-missed', 'a formula', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['webhook-undelivered', 'ApproximateNumberOfMessagesVisible', 1, '1 of 1 x 5 min', 'ignore'],
      ['webhook-undelivered', 'a formula', 1, '1 of 1 x 5 min', 'notBreaching'],
      ['webhook-stopped', 'a formula', 1, '3 of 3 x 5 min', 'notBreaching'],
    ]);
  });

  test('[T497] refund-waiting stays on between two checks of a refund that still waits', () => {
    const [begin, day] = [1_795_456_668, 86_400];
    const reversal = { kind: 'cancel', state: 'manual', createdAt: begin } as Reversal;
    const plans: readonly ((now: number, checks: number) => number | undefined)[] = [
      (now) => planRefundCheck(begin, now),
      (now, attempts) => planReversalCheck({ ...reversal, attempts, updatedAt: now }),
      (now, attempts) => planReversalCheck({ ...reversal, attempts, updatedAt: now, acceptedAt: begin }),
    ];
    const gaps = plans.flatMap((next) => {
      const found: number[] = [];
      for (let now = begin; now < begin + 30 * day; now += found.at(-1) ?? 0)
        found.push((next(now, found.length) ?? 0) - now);
      return found;
    });
    const { EvaluationPeriods, Period = 0 } = alarms.find((alarm) => nameOf(alarm) === 'refund-waiting') ?? {};
    const run = 300;
    // The current hour is not over, and a check may be at the end of one hour and the next at the beginning of another.
    expect(((EvaluationPeriods ?? 0) - 1) * Period).toBeGreaterThanOrEqual(Math.max(...gaps) + run);
  });

  test('[T500] an hour in which most requests fail sets off an alarm, however the requests are spread', () => {
    const formulaOf = (name: string) => {
      const { Metrics = [] } = alarms.find((alarm) => nameOf(alarm) === name) ?? {};
      const [, condition = ''] =
        /^IF\((.*), 1, 0\)$/.exec(Metrics.flatMap(({ Expression }) => Expression ?? [])[0] ?? '') ?? [];
      return (errors: number, requests: number) =>
        condition.split(' AND ').every((part) => {
          const [, name = '', sign = '', limit = ''] = /^([a-z /]+) (>=|>|<) ([\d.]+)$/.exec(part) ?? [];
          const value = { errors, requests, 'errors / requests': errors / requests }[name];
          if (value === undefined) throw new Error(`The test cannot evaluate ${part}`);
          const bound = Number(limit);
          return { '>=': value >= bound, '>': value > bound, '<': value < bound }[sign];
        });
    };
    const [soon, within] = [formulaOf('server-errors'), formulaOf('requests-failing')];
    const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
    const burst = [500, 500, ...Array(10).fill(0)];
    for (const requests of [Array(12).fill(8), Array(12).fill(1), burst]) {
      const errors = requests.map((count) => count * 0.6);
      const isSoon = requests.some((_, at) =>
        [0, 1, 2].every((more) => at + more < 12 && soon(errors[at + more] ?? 0, requests[at + more] ?? 0)),
      );
      expect([isSoon, within(sum(errors), sum(requests))]).toEqual([false, true]);
    }
    for (const [errors, requests] of [
      [2, 2],
      [50, 100],
    ] as const)
      expect(within(errors, requests)).toBe(false);
  });

  test.each([
    ['docs/watching.md', /(\d+) alarms with (\d+) metrics\. .* URL three alarms with five metrics/],
    ['docs/watching.ko.md', /경보는 (\d+)개이고 그 지표는 (\d+)개입니다\. .* URL마다 경보 셋\(지표 다섯\)/],
  ])('[T519] %s has the number of metrics that AWS bills for the alarms', (doc, written) => {
    const text = readFileSync(join(import.meta.dirname, '../..', doc), 'utf8');
    const metricsOf = (of: readonly AlarmProperties[]) =>
      of.flatMap<unknown>(
        ({ MetricName, Metrics = [] }) => MetricName ?? Metrics.filter(({ MetricStat }) => MetricStat),
      ).length;
    const base = Object.values(ofType(template, 'AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties as unknown as AlarmProperties,
    );
    const [, alarmCount, metricCount] = written.exec(text) ?? [];
    expect([alarmCount, metricCount].map(Number)).toEqual([base.length, metricsOf(base)]);
    const ofUrl = alarms.filter((alarm) => /^webhook-(?:undelivered|stopped)$/.test(nameOf(alarm)));
    expect([ofUrl.length, metricsOf(ofUrl)]).toEqual([3, 5]);
  });

  test('[T492] each queue of failures has a second alarm, which goes off when messages join others', () => {
    const [empty, more] = [alarms.filter(({ TreatMissingData }) => TreatMissingData === 'ignore'), moreAlarms()];
    expect(more.map(nameOf)).toEqual(empty.map(nameOf));
    for (const { Metrics = [], EvaluationPeriods, Threshold } of more) {
      expect([EvaluationPeriods, Threshold]).toEqual([1, 1]);
      expect(Metrics.map(({ Expression }) => Expression).filter(Boolean)).toEqual([
        'IF(DIFF(waiting) > 0 AND waiting > DIFF(waiting), 1, 0)',
      ]);
      expect(Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? [])).toEqual([
        'ApproximateNumberOfMessagesVisible',
      ]);
    }
  });

  test.each(['docs/runbook.md', 'docs/runbook.ko.md'])(
    'each have a section in %s, which has no other sections',
    (doc) => {
      const text = readFileSync(join(import.meta.dirname, '../..', doc), 'utf8');
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect(headings.sort()).toEqual([...new Set(alarms.map(nameOf))].sort());
      for (const section of text.split(/^## /m).slice(1)) {
        expect(section.match(/^\*\*[^*]+\*\*/gm), section.slice(0, 30)).toHaveLength(4);
      }
      for (const { AlarmDescription } of alarms) expect(AlarmDescription).toContain(`${doc}#`);
    },
  );

  test('publish to one topic, which accepts TLS only, and CloudWatch only for this account', () => {
    const [[topic = '', ...others] = []] = [Object.keys(shop.findResources('AWS::SNS::Topic'))];
    expect(others).toEqual([]);
    for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([{ Ref: topic }]);
    shop.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'owner@shop.example' });
    shop.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  test('publish to the shop’s own topic, if it passes one', () => {
    const own = shopStack((stack) => ({ alarmTopic: new Topic(stack, 'Oncall'), alarmEmails: [] })).template();
    const [topic = ''] = Object.keys(own.findResources('AWS::SNS::Topic'));
    expect(topic).toMatch(/^Oncall/);
    own.resourceCountIs('AWS::SNS::Topic', 1);
    own.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [{ Ref: topic }] });
  });

  test('publish to the topic of the configuration', () => {
    const alarmTopicArn = 'arn:aws:sns:ap-northeast-2:123456789012:payments-alarms';
    const own = shopStack(() => ({ alarmTopicArn, alarmEmails: [] })).template();
    own.resourceCountIs('AWS::SNS::Topic', 0);
    own.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [alarmTopicArn] });
  });

  test('report when they are over, except for those that count single events', () => {
    const silent = alarms.filter(({ OKActions }) => OKActions === undefined);
    const ofMore = moreAlarms();
    expect(ofMore.map(nameOf)).toEqual(['events-lost', 'subscriber-missed', 'webhook-undelivered']);
    expect(silent.filter((alarm) => !ofMore.includes(alarm)).map(nameOf)).toEqual([
      'money-without-order',
      'deposit-reversed',
      'order-overwritten',
      'confirm-unanswered',
    ]);
    for (const { AlarmActions, OKActions = AlarmActions } of alarms) expect(OKActions).toEqual(AlarmActions);
  });
});

test.each<[string, (stack: Stack) => Partial<IamportPaymentsProps>, string[]]>([
  [
    'without a recipient',
    () => ({ alarmEmails: [] }),
    ['Alarms have no recipient: add an address to `alarmEmails`, or set `alarmTopicArn`.'],
  ],
  ['with an address', () => ({}), []],
  ['with a topic', (stack) => ({ alarmTopic: new Topic(stack, 'Oncall'), alarmEmails: [] }), []],
])('%s a deployment reports a missing recipient as an info, not as a warning', (_recipients, more, texts) => {
  const annotations = Annotations.fromStack(shopStack(more).stack);
  const alarms = '/Shop/Payments/Alarms';
  expect(annotations.findInfo(alarms, Match.anyValue()).map(({ entry }) => entry.data)).toEqual(texts);
  expect(annotations.findWarning(alarms, Match.anyValue())).toEqual([]);
});

describe('the dashboard', () => {
  const [dashboard] = Object.values(ofType(template, 'AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard?.Properties.DashboardBody).replaceAll('\\"', '"');

  test('shows payments by outcome, rejected and refunded money, the reconciler, latency and cold starts', () => {
    expect(dashboard?.Properties.DashboardName).toEqual({
      'Fn::Join': ['', ['IamportPayments-Payments-', { Ref: 'AWS::Region' }]],
    });
    for (const shown of ['Payment Paid', 'Payment Rejected', 'Refund Completed', 'SettledByReconciler', 'ScanLag'])
      expect(body).toContain(`"${shown}"`);
    for (const shown of ['"Latency"', '"ColdStarts"', '"p95"']) expect(body).toContain(shown);
  });

  test('is left out with `dashboard: false`, and the alarms stay', () => {
    const without = synthesized({ ...configuration, dashboard: false });
    expect(ofType(without, 'AWS::CloudWatch::Dashboard')).toEqual({});
    expect(Object.keys(ofType(without, 'AWS::CloudWatch::Alarm'))).toHaveLength(18);
  });

  test('and the alarms use only metrics that the functions write, with the dimensions that they write', () => {
    const onPage = [...body.matchAll(/\["iamport-serverless","(\w+)"((?:,"[^"]*")*)/g)].map(
      ([, name = '', rest = '']) => ({
        name,
        dimensions: [...rest.matchAll(/"([^"]*)"/g)].map(([, word = '']) => word),
      }),
    );
    const inAlarms = alarms
      .filter(({ Namespace }) => Namespace === namespace)
      .map(({ MetricName = '', Dimensions = [] }) => ({
        name: MetricName,
        dimensions: Dimensions.flatMap(({ Name, Value }) => [Name, String(Value)]),
      }));
    expect(onPage.length).toBeGreaterThan(15);
    expect(inAlarms).toHaveLength(14);
    for (const { name, dimensions } of [...onPage, ...inAlarms]) {
      expect(Object.keys(metrics)).toContain(name);
      const { by } = metrics[name as keyof typeof metrics];
      const given = Object.fromEntries(dimensions.flatMap((word, at) => (at % 2 ? [] : [[word, dimensions[at + 1]]])));
      expect(Object.keys(given).sort()).toEqual(['Deployment', ...by].sort());
      if (given.Event) expect(eventNames).toContain(given.Event);
      if (name === 'Money') expect(moneyEvents).toContain(given.Event);
    }
  });
});

test('every function sends traces and has the stack and the construct as the deployment of its metrics', () => {
  for (const { Properties } of Object.values(ofType(template, 'AWS::Lambda::Function'))) {
    expect(Properties).toMatchObject({
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { DEPLOYMENT: 'IamportPayments/Payments' } },
    });
  }
});

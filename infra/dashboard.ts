/** A CloudWatch dashboard for the owner of the shop: sales, rejected and refunded payments, and the state of the system. */
import { Aws, Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { EventName } from '../functions/payment/events.ts';
import { type MetricName, moneyEvents } from '../functions/shared/metrics.ts';
import { physicalName } from './functions.ts';
import { apiMetric, eventsMetric, moneyMetric, ownMetric } from './metrics.ts';

export interface DashboardProps {
  readonly deployment: string;
  readonly api: HttpApi;
  readonly complete: IFunction;
}

const HALF = { width: 12, height: 6 };
const WHOLE_DAY = { statistic: 'Sum', minutes: 1_440 };
const HOUR = { statistic: 'Sum', minutes: 60 };

const OUTCOMES: Partial<Record<EventName, string>> = {
  'Payment Paid': '결제 완료 paid',
  'Virtual Account Issued': '가상계좌 발급 account issued',
  'Payment Failed': '결제 실패 failed',
  'Payment Rejected': '거절 rejected',
  'Payment Cancelled': '취소 cancelled',
  'Payment Partially Cancelled': '부분 취소 partly cancelled',
  'Deposit Reversed': '입금 취소 deposit reversed',
  'Order Expired': '기한 만료 expired',
};

const MONEY: Partial<Record<EventName, string>> = {
  'Payment Rejected': '거절된 금액 rejected',
  'Refund Required': '운영자가 환불할 금액 to be refunded by hand',
  'Refund Completed': '환불한 금액 given back',
  'Refund Refused': '환불 거절 refunds refused',
  'Payment Without Order': '주문 없는 금액 without an order',
};

const FINDINGS = {
  SettledByReconciler: '통지 없이 찾은 결제 found without a notification',
  ReconcilerFaults: '처리하지 못한 항목 could not be done',
  UnreadablePayments: '읽을 수 없는 결제 unreadable',
  SkippedItems: '건너뛴 항목 skipped',
  UnreadableRecords: '이벤트를 만들 수 없는 변경 changes without an event',
  RestoredItems: '복원한 주문 항목 restored order items',
  RefundsOverdue: '지연된 환불 refunds overdue',
  KeysRefused: '키 거부 keys refused',
} as const satisfies Partial<Record<MetricName, string>>;

const entries = <Name extends string>(words: Partial<Record<Name, string>>) =>
  Object.entries(words) as [Name, string][];

export class Dashboard extends Construct {
  readonly page: CloudWatchDashboard;

  constructor(scope: Construct, id: string, { deployment, api, complete }: DashboardProps) {
    super(scope, id);
    const graph = (title: string, left: IMetric[], more: object = {}) =>
      new GraphWidget({ title, left, ...HALF, leftYAxis: { min: 0 }, ...more });
    const paid = (currency: string) =>
      moneyMetric('Payment Paid', currency, deployment, { ...WHOLE_DAY, label: currency });
    const money = entries<EventName>(MONEY).filter(([name]) => moneyEvents.includes(name));
    const page = new CloudWatchDashboard(this, 'Page', {
      // Dashboards are global, so the name must be unique in the account. Source: PutDashboard, CloudWatch API reference.
      dashboardName: `${physicalName(deployment)}-${Aws.REGION}`,
      defaultInterval: Duration.days(7),
    });
    this.page = page;
    page.addWidgets(
      new TextWidget({
        markdown: `# ${deployment} (${Aws.REGION})\n지표와 경보 설명: docs/watching.ko.md, docs/runbook.ko.md · Metrics and alarms: docs/watching.md, docs/runbook.md`,
        width: 24,
        height: 2,
      }),
    );
    page.addWidgets(
      new SingleValueWidget({
        title: '하루 매출 Paid in a day',
        metrics: ['KRW', 'USD'].map(paid),
        ...HALF,
        sparkline: true,
      }),
      graph(
        '결제 결과 Payments by outcome',
        entries<EventName>(OUTCOMES).map(([name, label]) => eventsMetric(name, deployment, { ...HOUR, label })),
        { stacked: true },
      ),
    );
    page.addWidgets(
      graph(
        '거절하거나 환불한 금액 (KRW) Money rejected and given back',
        money.map(([name, label]) => moneyMetric(name, 'KRW', deployment, { ...WHOLE_DAY, label })),
      ),
      graph(
        '대사에서 찾은 항목 Found by the reconciler',
        entries<keyof typeof FINDINGS>(FINDINGS).map(([name, label]) =>
          ownMetric(name, deployment, { ...HOUR, label }),
        ),
        {
          right: [
            ownMetric('ScanLag', deployment, {
              statistic: 'Maximum',
              minutes: 15,
              label: '대사 지연(초) seconds behind',
            }),
          ],
        },
      ),
    );
    page.addWidgets(
      graph('응답 시간 (ms) Response times', [
        apiMetric('Latency', api, { statistic: 'p50', minutes: 60, label: '절반 half (p50)' }),
        apiMetric('Latency', api, { statistic: 'p95', minutes: 60, label: 'p95' }),
        complete.metricDuration({
          statistic: 'p95',
          period: Duration.hours(1),
          label: '결제 완료 함수 complete (p95)',
        }),
      ]),
      graph('요청과 콜드 스타트 Requests and cold starts', [
        apiMetric('Count', api, { ...HOUR, label: '요청 requests' }),
        apiMetric('4xx', api, { ...HOUR, label: '잘못된 요청 refused requests' }),
        ownMetric('ThrottledRequests', deployment, { ...HOUR, label: '한도 초과 throttled requests' }),
        apiMetric('5xx', api, { ...HOUR, label: '서버 오류 server errors' }),
        ownMetric('ColdStarts', deployment, { ...HOUR, label: '콜드 스타트 cold starts' }),
        ownMetric('WebhookFromUnknownSender', deployment, {
          ...HOUR,
          label: '모르는 IP의 웹훅 webhooks from elsewhere',
        }),
      ]),
    );
  }
}

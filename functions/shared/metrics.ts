/**
 * Every metric by its name, and its log format. Alarms and the dashboard import the names from here, so that each of
 * them refers to a metric that exists. Writes nothing itself.
 */

export const namespace = 'iamport-serverless';

/** `by`: the dimensions that a metric has besides the deployment. Each combination is billed as a metric of its own. */
export const metrics = {
  /** Events that EventBridge accepted, by name. Counted at least once, as events are delivered at least once. */
  Events: { unit: 'Count', by: ['Event'] },
  /** The amounts of the events in `moneyEvents`, in major units of their currency. */
  Money: { unit: 'None', by: ['Event', 'Currency'] },
  /** Requests that waited for a Lambda instance to start. */
  ColdStarts: { unit: 'Count', by: [] },
  /** Requests above the limit of their route. Counted by a metric filter on the access log. */
  ThrottledRequests: { unit: 'Count', by: [] },
  /** Webhooks from outside Iamport's published addresses. */
  WebhookFromUnknownSender: { unit: 'Count', by: [] },
  /** Payments that the reconciler settled, since no webhook or request had settled them. */
  SettledByReconciler: { unit: 'Count', by: [] },
  /** Payments of Iamport's lists in an unknown form. */
  UnreadablePayments: { unit: 'Count', by: [] },
  /** Faults of a run; the next run tries again. */
  ReconcilerFaults: { unit: 'Count', by: [] },
  /** Runs in which Iamport refused the shop's keys. */
  KeysRefused: { unit: 'Count', by: [] },
  /** Refunds that have waited too long for the operator, the shop or the PG. Counted at each check. */
  RefundsOverdue: { unit: 'Count', by: [] },
  /**
   * How far the scan of Iamport's lists is behind. Written in every run, so that a missing value means a missing run.
   */
  ScanLag: { unit: 'Seconds', by: [], zeroes: true },
  /** How long the oldest due order, reversal or refund is overdue. */
  OldestOverdueItem: { unit: 'Seconds', by: [] },
  /** Payments, pages and reversals that a scan skipped because they could not be read. */
  SkippedItems: { unit: 'Count', by: [] },
  /** Payments of Iamport's list that name an order of ours. */
  MatchedPayments: { unit: 'Count', by: [] },
  /** Payments of Iamport's list that name no order of ours. */
  UnmatchedPayments: { unit: 'Count', by: [] },
  /** How far the publisher is behind the heartbeats that the reconciler writes into the tables. */
  PublishLag: { unit: 'Seconds', by: [] },
  /** Stream records from which no event could be computed. Each is in the queue `Unpublished`. */
  UnreadableRecords: { unit: 'Count', by: [] },
  /** Failed attempts to deliver a webhook whose event is at least an hour old. */
  WebhooksLate: { unit: 'Count', by: [] },
  /** Payments before whose approval the shop was asked and gave no readable answer in time. */
  ConfirmsUnanswered: { unit: 'Count', by: [] },
  /** Items of the shop's own table whose attributes we restored, after the shop had overwritten them. */
  RestoredItems: { unit: 'Count', by: [] },
  /** Items whose attributes could not be restored, because another payment had settled them in the meantime. */
  UnrestoredItems: { unit: 'Count', by: [] },
} as const satisfies Record<string, MetricDefinition>;

interface MetricDefinition {
  readonly unit: 'Count' | 'None' | 'Seconds';
  readonly by: readonly string[];
  /** A value of 0 is written as well. */
  readonly zeroes?: true;
}

export type MetricName = keyof typeof metrics;
export type Counts = Readonly<Partial<Record<MetricName, number>>>;

/** The dimension that every metric has. It separates several deployments in one AWS account. */
export const ofDeployment = 'Deployment';

/** The events whose amounts are summed: money received, money rejected, and money refunded. */
export const moneyEvents: readonly string[] = [
  'Payment Paid',
  'Payment Rejected',
  'Payment Without Order',
  'Refund Required',
  'Refund Completed',
  'Refund Refused',
  'Deposit Reversed',
];

/**
 * One line in CloudWatch's embedded metric format. Counts of 0 are left out, since a metric that is never written costs
 * nothing. Source: "Embedding metrics within logs", Amazon CloudWatch User Guide.
 * @param by the value of each further dimension
 * @param now milliseconds since 1970
 * @returns undefined when there is nothing to write
 */
export function embedded(
  counts: Counts,
  by: Readonly<Record<string, string>>,
  deployment: string,
  now: number,
): string | undefined {
  const written = (Object.entries(counts) as [MetricName, number][]).filter(
    ([name, value]) => value > 0 || 'zeroes' in metrics[name],
  );
  if (written.length === 0) return undefined;
  const dimensions = { [ofDeployment]: deployment, ...by };
  const Metrics = written.map(([Name]) => ({ Name, Unit: metrics[Name].unit }));
  const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics }];
  return JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics }, ...dimensions, ...Object.fromEntries(written) });
}

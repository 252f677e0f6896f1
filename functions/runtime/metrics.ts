/**
 * Every metric by its name, and its form on the wire. Alarms and the dashboard take the names from here, so none of them can
 * wait for a metric that nobody writes. Writes nothing itself.
 */

export const namespace = 'iamport-serverless';

/** `by`: the dimensions that a metric has besides the deployment. Each combination is billed as a metric of its own. */
export const metrics = {
  /** Events that the bus took, by what happened. At least once, as the events themselves. */
  Events: { unit: 'Count', by: ['Event'] },
  /** The amounts in those events, in major units of their currency. */
  Money: { unit: 'None', by: ['Event', 'Currency'] },
  /** Requests that had to wait for an instance to start. */
  ColdStarts: { unit: 'Count', by: [] },
  /** Webhooks from outside Iamport's published addresses. */
  WebhookFromStranger: { unit: 'Count', by: [] },
  /** Payments of which no notification had come, or none that worked. */
  SettledByReconciler: { unit: 'Count', by: [] },
  /** Payments of the ledger in a form that we do not know. */
  UnreadablePayments: { unit: 'Count', by: [] },
  /** What a run could not do and left to the next one. */
  ReconcilerFaults: { unit: 'Count', by: [] },
  /** Runs in which Iamport did not accept the shop's keys. */
  KeysRefused: { unit: 'Count', by: [] },
  /** Refunds that have waited too long for an operator, for the shop or for the PG, each counted when it is looked at. */
  RefundsOverdue: { unit: 'Count', by: [] },
  /** How far behind now the ledger is settled. Written in every run, so that a missing value means a missing run. */
  LedgerLate: { unit: 'Seconds', by: [], zeroes: true },
  /** How long the oldest due order, reversal or refund has waited past its time. */
  OldestOverdueItem: { unit: 'Seconds', by: [] },
  /** Payments, pages and reversals that a scan passed over because they could not be read. */
  SkippedItems: { unit: 'Count', by: [] },
  /** Payments of Iamport's list that name an order of ours. */
  MatchedPayments: { unit: 'Count', by: [] },
  /** Payments of Iamport's list that name no order of ours. */
  UnmatchedPayments: { unit: 'Count', by: [] },
  /** Changes of items of which no event could be made. Each is in the queue `Unpublished`. */
  UnreadableRecords: { unit: 'Count', by: [] },
  /** Items of the shop's own table into which our attributes were written again, after the shop had overwritten them. */
  RestoredItems: { unit: 'Count', by: [] },
  /** Items whose attributes could not be restored, because another payment had settled them in the meantime. */
  UnrestoredItems: { unit: 'Count', by: [] },
} as const satisfies Record<string, MetricDefinition>;

interface MetricDefinition {
  readonly unit: 'Count' | 'None' | 'Seconds';
  readonly by: readonly string[];
  /** A value of 0 is written too. */
  readonly zeroes?: true;
}

export type MetricName = keyof typeof metrics;
export type Counts = Readonly<Partial<Record<MetricName, number>>>;

/** The dimension that every metric has: several deployments in one account are told apart by it. */
export const ofDeployment = 'Deployment';

/** Whose events' amounts are added up: money that came, that may not stay, and that went back. */
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
 * One line in CloudWatch's embedded metric format. Counts of nothing are left out, since a metric that is never written
 * costs nothing. Source: "Embedding metrics within logs", Amazon CloudWatch User Guide.
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
  const told = (Object.entries(counts) as [MetricName, number][]).filter(
    ([name, value]) => value > 0 || 'zeroes' in metrics[name],
  );
  if (told.length === 0) return undefined;
  const dimensions = { [ofDeployment]: deployment, ...by };
  const Metrics = told.map(([Name]) => ({ Name, Unit: metrics[Name].unit }));
  const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [Object.keys(dimensions)], Metrics }];
  return JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics }, ...dimensions, ...Object.fromEntries(told) });
}

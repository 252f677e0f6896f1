/** The CloudWatch metrics of alarms and dashboard: our own, named by functions/shared/metrics.ts, and those of AWS. */
import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventName } from '../functions/payment/events.ts';
import { type MetricName, namespace, ofDeployment } from '../functions/shared/metrics.ts';

/** How CloudWatch aggregates data points. */
export interface Points {
  /** `Sum`, `Maximum`, or a percentile such as `p95`. */
  readonly statistic: string;
  readonly minutes: number;
  readonly label?: string;
}

const of = (ns: string, metricName: string, dimensionsMap: Record<string, string>, points: Points): Metric =>
  new Metric({
    namespace: ns,
    metricName,
    dimensionsMap,
    statistic: points.statistic,
    period: Duration.minutes(points.minutes),
    ...(points.label && { label: points.label }),
  });

/** A metric of a deployment that has no dimension of its own. */
export const ownMetric = (name: Exclude<MetricName, 'Events' | 'Money'>, deployment: string, points: Points): Metric =>
  of(namespace, name, { [ofDeployment]: deployment }, points);

export const eventsMetric = (Event: EventName, deployment: string, points: Points): Metric =>
  of(namespace, 'Events' satisfies MetricName, { [ofDeployment]: deployment, Event }, points);

export const moneyMetric = (Event: EventName, Currency: string, deployment: string, points: Points): Metric =>
  of(namespace, 'Money' satisfies MetricName, { [ofDeployment]: deployment, Event, Currency }, points);

/** For all routes together. Source: "Working with metrics for HTTP APIs", API Gateway developer guide. */
export const apiMetric = (name: 'Count' | '4xx' | '5xx' | 'Latency', { apiId }: HttpApi, points: Points): Metric =>
  of('AWS/ApiGateway', name, { ApiId: apiId }, points);

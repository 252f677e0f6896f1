/** functions/runtime/log.ts with the metrics of Powertools in place of the embedded format by hand. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

export { causesOf, writeLog } from '../../../functions/runtime/log.ts';

const metrics = new Metrics({ namespace: 'iamport-serverless', serviceName: 'payments' });

export function writeCounts(line) {
  if (!line) return;
  const { _aws, Deployment, ...counts } = JSON.parse(line);
  for (const [name, value] of Object.entries(counts)) metrics.addMetric(name, MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}

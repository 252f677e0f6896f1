/** One line of JSON a request. Ids, outcomes and durations only: no bodies, no tokens, nothing personal. */

export type LogLine = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Lambda's JSON log format makes an object of it; errors go to the error level. */
export function writeLog(line: LogLine, isFault: boolean): void {
  if (isFault) console.error(line);
  else console.info(line);
}

/** An error and its causes, outermost first, without stacks. Our own messages name ids and fields, never values. */
export function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  // A handful is enough, and a chain could go round.
  for (let cause = error; cause instanceof Error && causes.length < 6; cause = cause.cause) {
    causes.push(`${cause.name}: ${cause.message}`);
  }
  return causes;
}

/**
 * Counts in CloudWatch's embedded metric format. Written past the console, since Lambda's JSON log format would wrap it and
 * CloudWatch would not find it. Source: "Embedding metrics within logs", Amazon CloudWatch User Guide.
 * @param now milliseconds since 1970
 */
export function writeCounts(counts: Readonly<Record<string, number>>, now: number): void {
  const Metrics = Object.keys(counts).map((Name) => ({ Name, Unit: 'Count' }));
  const CloudWatchMetrics = [{ Namespace: 'iamport-serverless', Dimensions: [[]], Metrics }];
  process.stdout.write(`${JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics }, ...counts })}\n`);
}

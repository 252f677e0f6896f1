/**
 * Writes one line of JSON a request: ids, outcomes and durations. Bodies, tokens and personal data are never logged.
 */

export type LogLine = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Lambda's JSON log format turns the line into an object. Faults are logged at level ERROR, all else at INFO. */
export function writeLog(line: LogLine, isFault: boolean): void {
  if (isFault) console.error(line);
  else console.info(line);
}

/**
 * @returns an error and its causes, outermost first, without stacks. Our messages contain ids and fields, never values.
 */
export function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  // Six at most: a chain of causes can be a cycle.
  for (let cause = error; cause instanceof Error && causes.length < 6; cause = cause.cause) {
    causes.push(`${cause.name}: ${cause.message}`);
  }
  return causes;
}

/**
 * Writes metrics to stdout. Lambda's JSON log format would wrap a line of the console, and CloudWatch would not find
 * it.
 */
export function writeCounts(line: string | undefined): void {
  if (line) process.stdout.write(`${line}\n`);
}

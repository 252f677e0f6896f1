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

/** Writes counts past the console, since Lambda's JSON log format would wrap the line and CloudWatch would not find it. */
export function writeCounts(line: string | undefined): void {
  if (line) process.stdout.write(`${line}\n`);
}

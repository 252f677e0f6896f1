/**
 * Writes one line of JSON a request: ids, outcomes and durations. Bodies, tokens and personal data are never logged.
 */

import type { LogLine } from '../shared/log-line.ts';
import { version } from './config.ts';

/** Lambda's JSON log format turns the line into an object. Faults are logged at level ERROR, all else at INFO. */
export function writeLog(line: LogLine, isFault: boolean): void {
  const stamped = version ? { ...line, version } : line;
  if (isFault) console.error(stamped);
  else console.info(stamped);
}

/**
 * Writes metrics to stdout. Lambda's JSON log format would wrap a line of the console, and CloudWatch would not find
 * it.
 */
export function writeCounts(line: string | undefined): void {
  if (line) process.stdout.write(`${line}\n`);
}

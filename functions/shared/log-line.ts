/** The fields of a log line. runtime/log.ts writes the lines. */

/** Ids, outcomes and durations. No bodies, no tokens and no personal data. */
export type LogLine = Record<string, string | number | boolean | readonly string[] | undefined>;

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

/** Prints the events of a scenario for a developer who replays a seed. */

import type { Time } from './time.ts';

/** @param details printed as JSON */
export type Trace = (who: string, what: string, details?: unknown) => void;

/** @param line prints one line */
export function traceOf(time: Time, line: (line: string) => void): Trace {
  const begin = time.now;
  return (who, what, details) => {
    const seconds = ((time.now - begin) / 1000).toFixed(3).padStart(10);
    const printed = details === undefined ? '' : ` ${JSON.stringify(details, undefined, 0).slice(0, 400)}`;
    line(`${seconds}  ${who.padEnd(18)} ${what}${printed}`);
  };
}

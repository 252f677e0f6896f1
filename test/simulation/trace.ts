/** What happened, for a person who replays a seed. */

import type { Time } from './time.ts';

/** @param details told as JSON */
export type Trace = (who: string, what: string, details?: unknown) => void;

/** @param line takes each line as it is */
export function traceOf(time: Time, line: (line: string) => void): Trace {
  const begin = time.now;
  return (who, what, details) => {
    const seconds = ((time.now - begin) / 1000).toFixed(3).padStart(10);
    const told = details === undefined ? '' : ` ${JSON.stringify(details, undefined, 0).slice(0, 400)}`;
    line(`${seconds}  ${who.padEnd(18)} ${what}${told}`);
  };
}

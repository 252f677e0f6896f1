/** Time, as a port: what runs in Lambda asks this and never the global clock, so that a simulation can be the time. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Numbers in [0, 1), for jitter. */
export type Random = () => number;

/** The one time budget of a request, which every call in it draws on. */
export interface Deadline {
  /** Milliseconds left; negative when it is over. */
  leftMs(): number;
}

export function deadlineIn(clock: Clock, ms: number): Deadline {
  const end = clock.now() + ms;
  return { leftMs: () => end - clock.now() };
}

/** Unix seconds, the unit of every time that is stored or sent. */
export const unixSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);

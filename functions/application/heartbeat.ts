/** Sends a heartbeat through the tables' streams to the publisher, and counts how far the publisher is behind. */

import { unixSeconds } from '../shared/clock.ts';
import { causesOf, type LogLine } from '../shared/log-line.ts';
import type { Heartbeats } from './ports/stores.ts';
import type { Ports } from './ports.ts';

export interface HeartbeatDependencies extends Pick<Ports, 'clock' | 'count'> {
  readonly heartbeats: Pick<Heartbeats, 'send'>;
  /** Writes a log line of the run. */
  readonly log: (line: LogLine, isFault: boolean) => void;
}

/**
 * Runs before each run of the reconciler. The lag is that of the heartbeats of earlier runs, since a stream takes a
 * moment. It never rejects: the run does not depend on it.
 */
export async function sendHeartbeat({ heartbeats, clock, count, log }: HeartbeatDependencies): Promise<void> {
  try {
    count({ PublishLag: await heartbeats.send(unixSeconds(clock)) });
  } catch (error) {
    log({ code: 'heartbeat_not_sent', causes: causesOf(error) }, true);
  }
}

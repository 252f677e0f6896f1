/** The event bus, as a port. */

export interface BusEntry {
  readonly detailType: string;
  readonly detail: object;
  /** Unix seconds. */
  readonly time: number;
}

export interface Bus {
  /**
   * @returns for each entry, in order, whether the bus took it
   * @throws BusUnavailable when the bus gives no answer
   * @throws EventRefused when the bus refuses an entry for its content, so that it would refuse it every time
   */
  put(entries: readonly BusEntry[]): Promise<readonly boolean[]>;
}

/** The bus gave no answer: what was sent may or may not be on it. Sending again is safe, since events carry ids. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
}

/** EventBridge refuses the event itself. Sending it again changes nothing. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}

/** SQS refused a call, or did not answer: the message may or may not be in the queue. */
export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** A record of a stream of which no event can be made. */
export interface UnreadableRecord {
  readonly table: string;
  /** The key of the item, without anything else of it. */
  readonly key: Readonly<Record<string, string>>;
  readonly sequenceNumber: string;
  /** When the item changed. Unix seconds. */
  readonly changedAt: number;
  readonly reason: string;
}

/** Keeps unreadable records for the operator, so that the records behind them are published. */
export interface UnreadableRecords {
  /** @throws QueueUnavailable when the record may not have been kept */
  keep(record: UnreadableRecord): Promise<void>;
}

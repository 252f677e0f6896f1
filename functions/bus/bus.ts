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
   * @throws BusUnavailable when nobody knows
   */
  put(entries: readonly BusEntry[]): Promise<readonly boolean[]>;
}

/** The bus gave no answer: what was sent may or may not be on it. Sending again is safe, since events carry ids. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
}

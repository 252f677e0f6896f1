/** The contestants of the bench, and what is measured of each. */

export interface Contestant {
  readonly name: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Size of the code that Node.js loads. */
  readonly bytes: number;
  /** Whether the table has a valid access token of this project. */
  readonly sharedToken: boolean;
  /** Its event and the response that it must send, in JSON; by default the completion of a new payment. */
  readonly call?: { event(payment: number): object; readonly response: RegExp };
}

export interface ColdStart {
  readonly initMs: number;
  readonly firstResponseMs: number;
  /** CPU time of all threads until the first response. Other load on the machine changes it little. */
  readonly cpuMs: number | undefined;
  /** Peak memory until the first response. */
  readonly peakMemoryMb: number | undefined;
}

/** Calls of an instance by their place, from 1 on: `first` to `last`. */
export interface CallWindow {
  readonly first: number;
  readonly last: number;
}

/** The first call is the cold start. Of the early calls V8 has not optimized the code yet. */
export const earlyCalls: CallWindow = { first: 6, last: 21 };
export const lateCalls: CallWindow = { first: 60, last: 90 };

/** The calls of one window, of all instances. */
export interface WarmCalls {
  readonly responsesMs: number[];
  /** Of each call, the time in which at least one upstream call was pending. */
  readonly upstreamMs: number[];
  /** CPU time a call of all threads, one value an instance. */
  readonly cpuMs: number[];
}

export interface Warm {
  readonly early: WarmCalls;
  readonly late: WarmCalls;
}

export interface Measured {
  readonly contestant: Contestant;
  /** By memory size in MB. */
  readonly cold: ReadonlyMap<number, ColdStart[]>;
  readonly warm: ReadonlyMap<number, Warm>;
}

import type { Contestant } from './contestants.ts';
import type { Call } from './upstreams.ts';

export interface ColdStart {
  readonly initMs: number;
  readonly firstResponseMs: number;
  /** CPU time of all threads until the first response. Other load on the machine changes it little. */
  readonly cpuMs: number | undefined;
  /** Peak memory until the first response. */
  readonly peakMemoryMb: number | undefined;
}

export interface Warm {
  readonly responsesMs: readonly number[];
  /** Of each call, the time in which at least one upstream call was pending. */
  readonly upstreamMs: readonly number[];
  readonly cpuMsPerCall: number | undefined;
  readonly peakMemoryMb: number | undefined;
  readonly calls: readonly Call[];
}

export interface Measured {
  readonly contestant: Contestant;
  /** By memory size in MB. */
  readonly cold: ReadonlyMap<number, ColdStart[]>;
  coldCalls: readonly Call[];
  coldConnections: number;
  warm: Warm | undefined;
}

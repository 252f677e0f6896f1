/** The state of one scenario, as its parts use it. `World` implements it. The parts import this file, so no import circle arises. */

import type { TableMapping } from '../../functions/adapters/dynamodb/table-mapping.ts';
import type { Sent } from '../support/event.ts';
import type { Coverage } from './coverage.ts';
import type { Faults } from './faults.ts';
import type { SimulatedIamport } from './iamport.ts';
import type { Judge } from './judge.ts';
import type { FunctionResponse, Lambda, TableName } from './lambda.ts';
import type { SeededRandom } from './random.ts';
import type { Rules } from './rules.ts';
import type { SafetyChecks } from './safety.ts';
import type { SimulatedTable } from './table.ts';
import type { Time } from './time.ts';
import type { Trace } from './trace.ts';
import { minute } from './units.ts';
import type { Wanted } from './workload/wanted.ts';
import type { Worlds } from './worlds/choice.ts';
import type { Lists } from './worlds/lists.ts';

/** Every actor has begun by then. */
export const actorsBegunByMs = 30 * minute;

export type HttpFunctionName = 'complete' | 'mobile' | 'webhook' | 'confirm' | 'orders' | 'refunds' | 'close';

/** The tables whose streams the publisher reads. */
export type StreamedTable = 'orders' | 'reversals';

/** The event source mappings of the publisher. */
export interface PublisherStream {
  /** Plans a delivery after a write. */
  soon(table: StreamedTable): void;
  /** Marks every change until now as delivered before the scenario began. */
  skip(): void;
}

/** The shop's own table, and the shop's writes to it. */
export interface ShopTableOwner {
  /** Orders whose items could not be read or written for a while, or were deleted. By `merchant_uid`. */
  readonly wereBroken: ReadonlySet<string>;
  /** The item cannot be read or written, or is deleted. */
  isBroken(merchantUid: string): boolean;
  /** The shop writes a new order into its table. */
  create(wanted: Wanted): void;
  /** The shop does one random thing to the item of an order. */
  act(wanted: Wanted): Promise<void>;
  /** A buyer has just paid this order. */
  paid(wanted: Wanted, impUid: string): void;
}

export interface SimulationContext {
  readonly time: Time;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly iamport: SimulatedIamport;
  readonly tables: Readonly<Record<TableName, SimulatedTable>>;
  /** Maps orders to the items of their table. */
  readonly mapping: TableMapping;
  readonly worlds: Worlds;
  readonly judge: Judge;
  readonly rules: Rules;
  readonly lists: Lists;
  readonly shop: ShopTableOwner;
  readonly stream: PublisherStream;
  readonly lambda: Lambda;
  readonly safety: SafetyChecks;
  readonly coverage: Coverage;
  readonly trace: Trace | undefined;
  /** When the scenario began; Unix seconds. */
  readonly began: number;
  /** When the shop deploys again; milliseconds since 1970. */
  readonly deploysAt: readonly number[];
  /** Iamport answers 429 now. */
  readonly isThrottled: () => boolean;
  /** How long faults happen; milliseconds after the beginning. */
  readonly faultsForMs: number;
  /** Faults have ended. */
  readonly isCalm: boolean;
  /** Only a longer scan, or a later attempt, repairs what has happened. */
  hasLongWait: boolean;
  /** Sends a request to an HTTP function. */
  request(name: HttpFunctionName, sent: Sent): Promise<FunctionResponse>;
  /** Keeps the reconciler on its schedule until then at least. @param ms after the beginning */
  extendTo(ms: number): void;
}

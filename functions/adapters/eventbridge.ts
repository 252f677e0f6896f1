/** Events on EventBridge. */

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { BusUnavailable, EventRefused } from '../application/faults.ts';
import type { Bus } from '../application/ports.ts';
import { eventSource } from '../events/event-schema.ts';
import { dateOf } from '../runtime/clock.ts';

/** EventBridge's own limit. */
const mostAtOnce = 10;
/** Error codes that lie in the entry. Every other one may pass. Source: PutEventsResultEntry, EventBridge API reference. */
const refusals: readonly string[] = ['InvalidArgument', 'MalformedDetail', 'RedactionFailure'];

export function eventBridge(client: EventBridgeClient, EventBusName: string): Bus {
  return {
    async put(entries) {
      const taken: boolean[] = [];
      for (let from = 0; from < entries.length; from += mostAtOnce) {
        const Entries = entries.slice(from, from + mostAtOnce).map(({ detailType, detail, time }) => ({
          EventBusName,
          Source: eventSource,
          DetailType: detailType,
          Detail: JSON.stringify(detail),
          Time: dateOf(time),
        }));
        const answer = await client.send(new PutEventsCommand({ Entries })).catch((cause: unknown) => {
          throw new BusUnavailable('EventBridge gave no answer', { cause });
        });
        const refused = answer.Entries?.find(({ ErrorCode = '' }) => refusals.includes(ErrorCode));
        if (refused) throw new EventRefused(`${refused.ErrorCode}: ${refused.ErrorMessage}`);
        // A call may succeed and some of its entries not: each has its own result.
        taken.push(...Entries.map((_entry, index) => answer.Entries?.[index]?.EventId !== undefined));
      }
      return taken;
    },
  };
}

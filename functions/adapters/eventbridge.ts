/** Publishes events on an EventBridge bus. */

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { BusUnavailable, EventRefused } from '../application/faults.ts';
import type { Bus } from '../application/ports/delivery.ts';
import { dateOf } from '../shared/clock.ts';

/** EventBridge's limit of a call. */
const maxEntries = 10;
/**
 * Error codes that the content of an entry causes. Every other error may be temporary.
 * Source: PutEventsResultEntry, EventBridge API reference.
 */
const refusals: readonly string[] = ['InvalidArgument', 'MalformedDetail', 'RedactionFailure'];

export function eventBridge(client: EventBridgeClient, EventBusName: string, source: string): Bus {
  return {
    async put(entries) {
      const published: boolean[] = [];
      for (let from = 0; from < entries.length; from += maxEntries) {
        const Entries = entries.slice(from, from + maxEntries).map(({ detailType, detail, time }) => ({
          EventBusName,
          Source: source,
          DetailType: detailType,
          Detail: JSON.stringify(detail),
          Time: dateOf(time),
        }));
        const response = await client.send(new PutEventsCommand({ Entries })).catch((cause: unknown) => {
          throw new BusUnavailable('EventBridge returned no response', { cause });
        });
        const refused = response.Entries?.find(({ ErrorCode = '' }) => refusals.includes(ErrorCode));
        if (refused) throw new EventRefused(`${refused.ErrorCode}: ${refused.ErrorMessage}`);
        // A call may succeed although some of its entries failed: each entry has its own result.
        published.push(...Entries.map((_entry, index) => response.Entries?.[index]?.EventId !== undefined));
      }
      return published;
    },
  };
}

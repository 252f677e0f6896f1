/** What the local system serves beside the API: the demo shop, and what the operator's command and the live page read. */

import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { LocalBus } from './aws/bus.ts';
import type { Gateway } from './aws/gateway.ts';
import type { LambdaFunction } from './aws/lambda.ts';
import { type CloudAssembly, region } from './aws/template.ts';
import type { LocalWebhooks } from './aws/webhooks.ts';
import { confirmerIn, publisherIn, refunderIn, scheduledIn } from './functions.ts';
import type { Fact, Live } from './live/live.ts';
import { demoShop } from './shop/demo-shop.ts';

interface SiteParts {
  readonly assembly: CloudAssembly;
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  readonly gateway: Gateway;
  readonly webhooks: Pick<LocalWebhooks, 'destinations'>;
  readonly bus: Pick<LocalBus, 'events'>;
  readonly live: Live;
  readonly shop: Parameters<typeof demoShop>[0];
  reconcile(): Promise<unknown>;
}

export function siteOf({ assembly, functions, gateway, webhooks, bus, live, shop, reconcile }: SiteParts): Hono {
  const site = new Hono();
  site.post('/__local/reconcile', async (c) => c.json(await reconcile()));
  // The operator's command reads this where it would call CloudFormation and Lambda.
  const environment = {
    ...refunderIn(functions).variables,
    ...publisherIn(assembly, functions).variables,
    ...scheduledIn(assembly, functions).variables,
    AWS_REGION: region,
  };
  site.get('/__local/deployment', (c) =>
    c.json({
      pid: process.pid,
      environment,
      confirm: confirmerIn(functions).variables,
      webhooks: webhooks.destinations.map((destination) => destination.environment),
      origins: gateway.allowedOrigins,
    }),
  );
  site.get('/__local/events', (c) => c.json({ events: bus.events }));
  site.get('/__local/live', (c) => streamSSE(c, (stream) => sendFacts(stream, live)));
  site.route('/', demoShop(shop));
  return site;
}

/** Sends the facts so far, then each new one, until the client disconnects. */
async function sendFacts(stream: SSEStreamingApi, live: Live): Promise<void> {
  const send = (fact: Fact) => void stream.writeSSE({ data: JSON.stringify(fact), id: String(fact.id) });
  live.facts.forEach(send);
  const stop = live.listen(send);
  await new Promise<void>((resolve) => stream.onAbort(resolve));
  stop();
}

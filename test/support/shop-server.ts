/** A shop's server that receives webhooks, and the assembly of a deployment with one URL for them. */

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localAssembly } from '../../local/assembly.ts';
import { shippedContext } from '../infra/shipped.ts';

export interface SeenWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
}

export interface ShopServer {
  readonly url: string;
  readonly secret: string;
  readonly seen: SeenWebhook[];
  /** Answers to the next webhooks. After them, each is answered 204. */
  readonly answers: ((response: ServerResponse) => void)[];
  close(): Promise<void>;
}

export async function startShopServer(): Promise<ShopServer> {
  const seen: SeenWebhook[] = [];
  const answers: ShopServer['answers'] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    seen.push({ headers: request.headers, body, event: JSON.parse(body) });
    const answer = answers.shift();
    if (answer) answer(response);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/webhooks`,
    secret: `whsec_${randomBytes(32).toString('base64')}`,
    seen,
    answers,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Synthesizes once: the result is cached like that of `npm start`, which uses the same context. */
export const webhooksAssembly = (): Promise<string> =>
  localAssembly({ iamport: { ...shippedContext.iamport, webhooks: [{ url: 'https://shop.invalid/' }] } });

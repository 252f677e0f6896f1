/**
 * Serves the route file of examples/nextjs without Next.js: `node test/support/next-route.ts`, with PORT in the
 * environment. A route file is a module of functions from `Request` to `Response`, named by their methods.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from '@hono/node-server';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');

type Route = Readonly<Record<string, ((request: Request) => Promise<Response>) | undefined>>;

/** Bundles the route file as Next.js does, with the client of this repository in place of the installed package. */
async function loadRoute(): Promise<Route> {
  const directory = await mkdtemp(join(tmpdir(), 'next-route-'));
  const outfile = join(directory, 'route.mjs');
  await build({
    entryPoints: [join(root, 'examples/nextjs/app/[[...path]]/route.ts')],
    alias: { 'iamport-serverless/client': join(root, 'client/index.ts') },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const route = await import(pathToFileURL(outfile).href);
  await rm(directory, { recursive: true });
  return route;
}

const route = await loadRoute();
serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  // Next.js too answers 405 for a method that the file does not export.
  fetch: (request) => route[request.method]?.(request) ?? new Response(null, { status: 405 }),
});

/** The HTTP server of the local system: the demo shop and the API of the gateway on one port. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Gateway } from './aws/gateway.ts';

/**
 * Listens at once, so that a port in use fails before anything else starts. Answers 503 until `serve` is called.
 * @param port 0 for any free one
 */
export async function listening(port: number) {
  const server: Server = createServer(answerStarting);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    serve(gateway: Gateway, shop: (request: Request) => Response | Promise<Response>) {
      const serveShop = getRequestListener(shop, { overrideGlobalObjects: false });
      server.removeListener('request', answerStarting);
      server.on('request', (request, response) => {
        const isOfShop = isShopPath(request.url ?? '/', request.method);
        if (gateway.answers(request) || !(isOfShop || isNavigation(request))) void gateway.serve(request, response);
        else if (isOfShop) void serveShop(request, response);
        else response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(unknownPage);
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers until the system is ready, so that a client that waits for it asks again, and a browser reloads the page. */
function answerStarting({ method, url = '/' }: IncomingMessage, response: ServerResponse): void {
  const isPage = method === 'GET' && isShopPath(url) && !url.startsWith('/__');
  const message = 'The local system is starting. Ask again in a second.';
  // A second `npm start` on this port prints which process listens.
  const listener = url === '/__local/deployment' && { pid: process.pid, isStarting: true };
  const [type, body] = isPage
    ? ['text/html; charset=utf-8', startingPage]
    : ['application/json', JSON.stringify({ message, ...listener })];
  response.writeHead(503, { 'content-type': type, 'retry-after': '1', connection: 'close' }).end(body);
}

const startingPage = `<!doctype html>
<html lang="ko" style="color-scheme: light dark"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>시작하는 중 · Starting</title>
<body style="font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center">
<p>시작하는 중입니다…</p><p lang="en">Starting…</p>
`;

/** A browser that opens an address. API Gateway has no page for an unknown one, so the local system adds a way to the shop. */
const isNavigation = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && /\btext\/html\b/.test(headers.accept ?? '');

const unknownPage = `<!doctype html>
<html lang="ko" style="color-scheme: light dark"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>없는 주소 · Not found</title>
<body style="font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center; word-break: keep-all">
<p>이 주소에는 아무것도 없습니다. <a href="/">데모 상점으로</a></p><p lang="en">Nothing is at this address. <a href="/">To the demo shop</a></p>
`;

/** Pages and the shop's own server. The gateway answers every other path, unknown ones with a 404. */
const isShopPath = (url: string, method = 'GET'): boolean =>
  /^\/__(shop|local)\//.test(url) || (method === 'GET' && /^\/([\w.-]+\.\w+)?(\?|$)/.test(url));

/** `npm start`: synthesizes the stack, runs all of it locally and prints every URL. Ctrl-C ends it. */

import { randomBytes } from 'node:crypto';
import { webhookUrlProblem } from '../functions/adapters/webhooks/address.ts';
import { keyOf, secretPrefix } from '../functions/adapters/webhooks/signature.ts';
import { cdkContext } from '../infra/context.ts';
import { localAssembly } from './assembly.ts';
import { localShopKey } from './aws/secrets.ts';
import type { WebhookReceiver } from './aws/webhooks.ts';
import { type LocalSystem, startLocal } from './system.ts';

async function main(): Promise<void> {
  const { PORT = '3000', IAMPORT_API_URL, IMP_KEY, IMP_SECRET, DYNAMODB } = process.env;
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_534)
    throw new Error(`PORT must be a port number, and is "${PORT}".`);
  if (IAMPORT_API_URL && !(IMP_KEY && IMP_SECRET)) {
    throw new Error('IAMPORT_API_URL needs the keys for that server: set IMP_KEY and IMP_SECRET.');
  }
  const webhooks = receiverIn('SHOP_WEBHOOK', 'http://localhost:8080/webhooks');
  const confirm = receiverIn('SHOP_CONFIRM', 'http://localhost:8080/confirm');
  console.log('Starting the database and the functions …');
  const assembly = localAssembly(contextWith(cdkContext(), webhooks, confirm), () =>
    console.log('Synthesizing the stack, which the next start skips if nothing has changed …'),
  );
  // `startLocal` awaits the assembly later and reports its error. Until then a rejection must not count as unhandled.
  assembly.catch(() => undefined);
  const starting = startLocal({
    assembly,
    port,
    iamportApiUrl: IAMPORT_API_URL,
    dynamodb: DYNAMODB,
    webhooks,
    confirm,
    ...(IMP_KEY && IMP_SECRET && { keys: { impKey: IMP_KEY, impSecret: IMP_SECRET } }),
  });
  const signal = firstSignal();
  // A signal during the start waits for the start to finish, so that no started process stays behind.
  void signal.then(() => starting.then((system) => system.close())).finally(() => process.exit(0));
  const system = await Promise.race([starting, signal]);
  if (system) console.log(welcome(system, webhooks, confirm));
}

/**
 * Reads the URL of the shop's server and the secret that signs requests to it: `<prefix>_URL`, `<prefix>_SECRET`.
 * @throws Error that names the variable and the rule
 */
function receiverIn(prefix: 'SHOP_WEBHOOK' | 'SHOP_CONFIRM', example: string): WebhookReceiver | undefined {
  const { [`${prefix}_URL`]: url, [`${prefix}_SECRET`]: configured } = process.env;
  if (!url) return undefined;
  const problem = webhookUrlProblem(url, true);
  if (problem) throw new Error(`${prefix}_URL ${problem}, or be on this machine: ${example}`);
  const secret = configured ?? secretPrefix + randomBytes(32).toString('base64');
  try {
    keyOf(secret);
  } catch (cause) {
    throw new Error(`${prefix}_SECRET: ${(cause as Error).message}`, { cause });
  }
  return { url, secret };
}

/**
 * The configuration with URLs that the local system replaces, or with none, and without a domain. The URLs and the domain of the
 * configuration are those of the shop's real servers.
 */
function contextWith(
  context: Record<string, unknown>,
  receiver: WebhookReceiver | undefined,
  confirming: WebhookReceiver | undefined,
) {
  const url = 'https://shop.invalid/';
  const { confirm: configured, ...iamport } = Object(context.iamport);
  const confirm = confirming && { ...Object(configured), url };
  const webhooks = receiver ? [{ url }] : [];
  return { ...context, iamport: { ...iamport, webhooks, domain: undefined, ...(confirm && { confirm }) } };
}

/** The signals after the first are not fatal: a terminal and npm both pass on the same Ctrl-C. */
const firstSignal = () =>
  new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => resolve());
  });

/** The routes that only the server of the shop may call. */
const isOfShop = (path: string): boolean => path.startsWith('/orders/');

function welcome(
  { url, iamport, database, tables, gateway }: LocalSystem,
  webhooks: WebhookReceiver | undefined,
  confirm: WebhookReceiver | undefined,
): string {
  const line = (name: string, text: string) => `  ${name.padEnd(10)} ${text}`;
  return [
    '',
    line('shop', `${url}/`),
    line(
      'Iamport',
      iamport
        ? `${iamport.url}/  (the fake Iamport: deposits, cancels, webhooks)`
        : (process.env.IAMPORT_API_URL ?? ''),
    ),
    ...gateway.routes.map(({ key }) => {
      const [method = '', path = ''] = key.split(' ');
      return line(method, `${url}${path}${isOfShop(path) ? '  (with a key)' : ''}`);
    }),
    line('live', `${url}/live.html  (what happens, as it happens)`),
    line('events', `${url}/__local/events`),
    ...(webhooks
      ? [line('webhooks', `${webhooks.url}  (every event, signed)`), line('secret', webhooks.secret)]
      : [line('webhooks', 'SHOP_WEBHOOK_URL=http://localhost:8080/webhooks npm start  (sends every event there)')]),
    ...(confirm
      ? [line('confirm', `${confirm.url}  (asked before an approval, signed)`), line('secret', confirm.secret)]
      : []),
    line('reconcile', `curl -X POST ${url}/__local/reconcile  (runs every five minutes by itself)`),
    line('key', `curl -H "authorization: Bearer ${localShopKey}" ${url}/orders/<merchant_uid>`),
    line('database', `${database.engine}, ${database.endpoint}`),
    line('tables', tables.join(', ')),
    '',
    `ready: open ${url}/ and buy something. Ctrl-C ends everything.`,
  ].join('\n');
}

await main().catch(async (error: NodeJS.ErrnoException & { readonly port?: number }) => {
  console.error(error.code === 'EADDRINUSE' ? await taken(error.port) : error.message);
  // Exits without waiting for the synthesis, which may still run.
  process.exit(1);
});

async function taken(port = 0): Promise<string> {
  const configured = Number(process.env.PORT ?? 3000);
  const url = `http://127.0.0.1:${configured}`;
  const running = await processAt(url);
  const other = `Choose another: PORT=${configured + 100} npm start`;
  if (running !== undefined) return `npm start already runs at ${url}/ (process ${running}). ${other}`;
  const use = port === configured ? '' : ', where the fake Iamport would be (PORT + 1)';
  return `Something else listens on port ${port}${use}. ${other}`;
}

/** @returns the process id of a local system at the address, if one responds */
async function processAt(url: string): Promise<number | undefined> {
  const found = await fetch(`${url}/__local/deployment`, { signal: AbortSignal.timeout(1_000) })
    .then(async (response) => (await response.json()) as { pid?: number })
    .catch(() => undefined);
  return found?.pid;
}

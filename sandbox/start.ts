/** `npm start`: synthesizes the stack, runs it whole, and says where everything is. Ctrl-C ends it. */

import { join } from 'node:path';
import { stop as stopBundler } from 'esbuild';
import { synthesize } from '../infra/app.ts';
import { cdkContext } from '../infra/context.ts';
import { type LocalSystem, startLocal } from './local/system.ts';

const root = join(import.meta.dirname, '..');

async function main(): Promise<void> {
  const { PORT = '3000', IAMPORT_API_URL, IMP_KEY, IMP_SECRET, DYNAMODB } = process.env;
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_534)
    throw new Error(`PORT must be a port number, and is "${PORT}".`);
  if (IAMPORT_API_URL && !(IMP_KEY && IMP_SECRET)) {
    throw new Error('IAMPORT_API_URL needs the keys for that server: set IMP_KEY and IMP_SECRET.');
  }
  const assembly = await synthesize(cdkContext(), join(root, 'cdk.out'));
  // Its process would stay as long as this one does.
  await stopBundler();
  const starting = startLocal({
    assembly,
    port,
    iamportApiUrl: IAMPORT_API_URL,
    dynamodb: DYNAMODB,
    ...(IMP_KEY && IMP_SECRET && { keys: { impKey: IMP_KEY, impSecret: IMP_SECRET } }),
  });
  // A signal while it still starts waits for that, so that nothing half-started stays behind.
  const end = () => starting.then((system) => system.close()).finally(() => process.exit(0));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
  const system = await starting;
  console.log(welcome(system));
}

function welcome({ url, iamport, database, tables, gateway }: LocalSystem): string {
  const line = (name: string, text: string) => `  ${name.padEnd(10)} ${text}`;
  const call = `curl --aws-sigv4 "aws:amz:ap-northeast-2:execute-api" --user local:local`;
  return [
    '',
    line('shop', `${url}/`),
    line(
      'Iamport',
      iamport ? `${iamport.url}/  (a stand-in: deposits, cancels, webhooks)` : (process.env.IAMPORT_API_URL ?? ''),
    ),
    ...gateway.routes.map(({ key, signed }) => {
      const [method = '', path = ''] = key.split(' ');
      return line(method, `${url}${path}${signed ? '  (signed)' : ''}`);
    }),
    line('signed', `${call} ${url}/orders/<merchant_uid>`),
    line('database', `${database.engine}, ${database.endpoint}`),
    line('tables', tables.join(', ')),
    '',
    `ready: open ${url}/ and buy something. Ctrl-C ends everything.`,
  ].join('\n');
}

await main().catch((error: NodeJS.ErrnoException) => {
  const isTaken = error.code === 'EADDRINUSE';
  const words = isTaken
    ? `Something else listens on ${/:(\d+)/.exec(error.message)?.[0] ?? 'the port'}. Choose another with PORT=3100 npm start.`
    : error.message;
  console.error(words);
  process.exitCode = 1;
});

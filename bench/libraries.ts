/**
 * Measures the cost of each library in the bundle of `complete`: `npm run bench:libraries`. Each library is bundled with the same
 * options through the module of functions/ that uses it, and loaded in new processes, in turns. The results are medians of CPU time,
 * which other load on the machine changes least, minus those of a module without a library. `--rounds N` makes a shorter run.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'esbuild';
import { optionsFor } from '../infra/bundle.ts';
import { tableOf } from '../scripts/generated.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** `code` is the entry point of the bundle, `use` the first use of the library. */
const parts = [
  { name: 'none', code: 'export {};', use: '' },
  {
    name: 'Node.js’s own modules for TLS',
    code: "export { Agent } from 'node:https'; export { createHash } from 'node:crypto';",
    use: "module.createHash('sha256').update('').digest(); new module.Agent();",
  },
  {
    name: 'zod/mini',
    code: "export * from './functions/adapters/iamport/wire.ts'; export * from './functions/http/request.ts';",
    use: `module.paymentOf(${JSON.stringify({ imp_uid: 'imp_1', merchant_uid: 'a', status: 'paid', amount: 1, cancel_amount: 0, currency: 'KRW', paid_at: 1, failed_at: 0, cancelled_at: 0, sandbox: false })});`,
  },
  {
    name: 'undici',
    code: "export * from './functions/adapters/iamport/transport.ts';",
    use: "module.undiciTransport('https://api.iamport.kr', 1);",
  },
  {
    name: '@aws-sdk/client-dynamodb',
    code: "export { DynamoDBClient } from '@aws-sdk/client-dynamodb'; export * from './functions/adapters/dynamodb/table.ts';",
    use: `const handle = async () => ({ response: { statusCode: 200, headers: {}, body: process.getBuiltinModule('stream').Readable.from([Buffer.from('{}')]) } });
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
      const collected = async (stream) => Buffer.concat(await stream.toArray());
      const client = new module.DynamoDBClient({ region: 'a', credentials, requestHandler: { handle }, streamCollector: collected });
      await module.table(client, 'a').read({ id: { S: 'a' } });
      await module.table(client, 'a').write({ key: { id: { S: 'a' } }, set: { a: { S: 'a' } }, conditions: { isNew: 'attribute_not_exists(id)' } });`,
  },
] as const;

interface Loaded {
  readonly name: (typeof parts)[number]['name'];
  readonly bytes: number;
  readonly file: string;
  readonly use: string;
  /** CPU milliseconds of each run: for the load, and for the first use. */
  readonly runs: { readonly load: number; readonly use: number }[];
}

async function bundled(part: (typeof parts)[number], into: string): Promise<Loaded> {
  const { entryPoints: _, ...options } = optionsFor('complete');
  const directory = join(into, part.name.replace(/\W+/g, '-'));
  await mkdir(directory);
  const file = join(directory, 'index.mjs');
  await build({
    ...options,
    stdin: { contents: part.code, resolveDir: root },
    outfile: file,
    write: true,
    sourcemap: false,
  });
  return { name: part.name, bytes: (await stat(file)).size, file, use: part.use, runs: [] };
}

async function loaded({ file, use }: Loaded): Promise<{ load: number; use: number }> {
  const script = `const spent = (since) => { const { user, system } = process.cpuUsage(since); return (user + system) / 1000; };
    const before = process.cpuUsage();
    const module = await import(${JSON.stringify(file)});
    const load = spent(before);
    const between = process.cpuUsage();
    ${use}
    console.log(JSON.stringify({ load, use: spent(between) })); process.exit();`;
  const flags = ['--expose-gc', '--max-semi-space-size=12', '--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, flags);
  return JSON.parse(stdout);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function table(all: readonly Loaded[]): string {
  const [none, ...rest] = all;
  const floor = {
    load: median(none?.runs.map(({ load }) => load) ?? []),
    use: median(none?.runs.map(({ use }) => use) ?? []),
  };
  const rows = rest.map(({ name, bytes, runs }) => [
    name,
    (bytes / 1024).toFixed(0),
    Math.max(0, median(runs.map(({ load }) => load)) - floor.load).toFixed(1),
    Math.max(0, median(runs.map(({ use }) => use)) - floor.use).toFixed(1),
  ]);
  return tableOf(['library, as it is used', 'KB', 'to load, CPU ms', 'first use, CPU ms'], rows);
}

const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
const directory = await mkdtemp(join(tmpdir(), 'bench-libraries-'));
try {
  const all: Loaded[] = [];
  for (const part of parts) all.push(await bundled(part, directory));
  for (let round = 0; round < Number(values.rounds ?? 21); round += 1) {
    for (const one of all) one.runs.push(await loaded(one));
  }
  console.log(table(all));
} finally {
  await rm(directory, { recursive: true });
}

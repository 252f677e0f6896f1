/**
 * What Powertools' logger, metrics and tracer would add to the cold start: `npm run bench:watching`. The bundle that deploys, and the
 * same with functions/runtime/log.ts replaced by a variant of contestants/watching/; a fresh process for every cold start, in turns.
 * `--rounds N` makes a shorter run, which writes nothing.
 */

import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { optionsFor } from '../infra/bundle.ts';
import { Bench, type ColdStart, type Measured } from './cold-start.ts';
import { type Contestant, contestants } from './contestants.ts';
import { startUpstreams } from './upstreams.ts';

const variants = ['logger', 'metrics', 'tracer', 'all'] as const;
const rounds = 11;

/** The module through which every function writes its lines, from anywhere in functions/. */
const swapped = (variant: string): Plugin => ({
  name: 'swapped-log',
  setup({ onResolve }) {
    onResolve({ filter: /\/log\.ts$/ }, ({ importer }) =>
      importer.includes('/functions/')
        ? { path: join(import.meta.dirname, `contestants/watching/${variant}.mjs`) }
        : null,
    );
  },
});

/** Packages in CommonJS, such as the X-Ray SDK, ask for Node's modules by it. */
const requireForEsm = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

async function withVariant(deployed: Contestant, variant: string, into: string): Promise<Contestant> {
  const codeDirectory = join(into, `watching-${variant}`);
  await mkdir(codeDirectory);
  const { plugins = [], banner, ...options } = optionsFor('complete');
  const outfile = join(codeDirectory, 'index.mjs');
  await build({
    ...options,
    outfile,
    write: true,
    sourcemap: false,
    banner: { js: `${banner?.js ?? ''}${requireForEsm}` },
    plugins: [swapped(variant), ...plugins],
  });
  return { ...deployed, name: variant, codeDirectory, bytes: (await stat(outfile)).size };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const wholeMs = ({ initMs, firstAnswerMs }: ColdStart) => initMs + firstAnswerMs;

const words = {
  en: { deploys: 'as it deploys', all: 'all three', head: 'bundle', cpu: 'CPU, ms' },
  ko: { deploys: '배포되는 그대로', all: '셋 모두', head: '번들', cpu: 'CPU, ms' },
} as const;

/** Medians, and in brackets how much more than without. */
function table(measured: readonly Measured[], sizes: readonly number[], language: keyof typeof words): string[] {
  const { deploys, all, head, cpu } = words[language];
  const columns: ((one: Measured) => number)[] = [
    ({ cold }) => median([...cold.values()].flat().flatMap(({ cpuMs }) => cpuMs ?? [])),
    ...sizes.map((size) => (one: Measured) => median((one.cold.get(size) ?? []).map(wholeMs))),
  ];
  const [without, ...rest] = measured;
  if (!without) return [];
  const row = (name: string, one: Measured, cell: (column: (of: Measured) => number) => string) => [
    ...[name, (one.contestant.bytes / 1024).toFixed(0)],
    ...columns.map(cell),
  ];
  const rows = [
    row(deploys, without, (column) => column(without).toFixed(0)),
    ...rest.map((one) =>
      row(one.contestant.name === 'all' ? all : `+ ${one.contestant.name}`, one, (column) => {
        const more = Math.round(column(one)) - Math.round(column(without));
        return `${column(one).toFixed(0)} (${more < 0 ? '−' : '+'}${Math.abs(more)})`;
      }),
    ),
  ];
  const heads = [head, 'KB', cpu, ...sizes.map((size) => `${size} MB, ms`)];
  return [heads, heads.map((_, at) => (at === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

const begin = '<!-- npm run bench:watching writes from here -->';
const end = '<!-- to here -->';

async function publish(measured: readonly Measured[], sizes: readonly number[]): Promise<void> {
  for (const [file, language] of [
    ['watching.md', 'en'],
    ['watching.ko.md', 'ko'],
  ] as const) {
    const path = join(import.meta.dirname, '../docs', file);
    const [before, rest] = (await readFile(path, 'utf8')).split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`${file} has no place for the table`);
    await writeFile(path, `${before}${begin}\n\n${table(measured, sizes, language).join('\n')}\n\n${end}${after}`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
  const directory = await mkdtemp(join(tmpdir(), 'bench-watching-'));
  const upstreams = await startUpstreams(() => true);
  try {
    const deployed = (await contestants(upstreams, directory)).find(({ name }) => name === 'this project');
    if (!deployed) throw new Error('This project is not among the contestants');
    const field = [deployed];
    for (const variant of variants) field.push(await withVariant(deployed, variant, directory));
    const bench = new Bench(upstreams, field, { token: true });
    try {
      await bench.cold(Number(values.rounds ?? rounds));
    } finally {
      bench.close();
    }
    console.log(table(bench.measured, bench.sizes, 'en').join('\n'));
    if (values.rounds === undefined) await publish(bench.measured, bench.sizes);
  } finally {
    await upstreams.close();
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) await main();

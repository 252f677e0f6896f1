/**
 * Measures what Powertools' logger, metrics and tracer would add to the cold start: `npm run bench:watching`. It compares the deployed
 * bundle with bundles that have a variant of contestants/watching/ in place of functions/runtime/log.ts. Every cold start is a new
 * process, in turns. `--rounds N` makes a shorter run, which writes no docs.
 */

import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import type { Language } from '../functions/shared/language.ts';
import { optionsFor } from '../infra/bundle.ts';
import { writeParts } from '../scripts/generated.ts';
import { Bench } from './cold-start.ts';
import { contestants } from './contestants.ts';
import type { ColdStart, Contestant, Measured } from './measured.ts';
import { startUpstreams } from './upstreams.ts';

const variants = ['logger', 'metrics', 'tracer', 'all'] as const;
const rounds = 11;

/** Replaces log.ts, through which every function logs, for all imports in functions/. */
const swappedLog = (variant: string): Plugin => ({
  name: 'swapped-log',
  setup({ onResolve }) {
    onResolve({ filter: /\/log\.ts$/ }, ({ importer }) =>
      importer.includes('/functions/')
        ? { path: join(import.meta.dirname, `contestants/watching/${variant}.mjs`) }
        : null,
    );
  },
});

/** Packages in CommonJS, such as the X-Ray SDK, load Node's modules with `require`. */
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
    plugins: [swappedLog(variant), ...plugins],
  });
  return { ...deployed, name: variant, codeDirectory, bytes: (await stat(outfile)).size };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const wholeMs = ({ initMs, firstResponseMs }: ColdStart) => initMs + firstResponseMs;

const labels = {
  en: { deploys: 'as it deploys', all: 'all three', head: 'bundle', cpu: 'CPU, ms' },
  ko: { deploys: '배포되는 그대로', all: '셋 모두', head: '번들', cpu: 'CPU, ms' },
} as const;

/** Medians, and in brackets the difference from the deployed bundle. */
function table(measured: readonly Measured[], sizes: readonly number[], language: Language): string {
  const { deploys, all, head, cpu } = labels[language];
  const columns: ((one: Measured) => number)[] = [
    ({ cold }) => median([...cold.values()].flat().flatMap(({ cpuMs }) => cpuMs ?? [])),
    ...sizes.map((size) => (one: Measured) => median((one.cold.get(size) ?? []).map(wholeMs))),
  ];
  const [without, ...rest] = measured;
  if (!without) return '';
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
  const ruler = heads.map((_, at) => (at === 0 ? '---' : '---:'));
  return [heads, ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
  const directory = await mkdtemp(join(tmpdir(), 'bench-watching-'));
  const upstreams = await startUpstreams(() => true);
  try {
    const deployed = (await contestants(upstreams, directory)).find(({ name }) => name === 'this project');
    if (!deployed) throw new Error('This project is not among the contestants');
    const compared = [deployed];
    for (const variant of variants) compared.push(await withVariant(deployed, variant, directory));
    const bench = new Bench(upstreams, compared, { token: true });
    await bench.cold(Number(values.rounds ?? rounds));
    const tableIn = (language: Language) => table(bench.measured, bench.sizes, language);
    console.log(tableIn('en'));
    if (values.rounds === undefined) {
      const docs = { en: 'docs/watching.md', ko: 'docs/watching.ko.md' };
      writeParts(docs, (language) => ({ 'bench:watching': tableIn(language) }));
    }
  } finally {
    await upstreams.close();
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) await main();

/**
 * `npm run simulate:mutations`: plants each bug of `mutations.ts` in a copy of the code, and lets the simulation look for it.
 * Prints a table, and exits 1 when one was not found. `-- --only <text>` takes those whose name has the text in it, or
 * one of several texts with | between them; `-- --seeds <count>` looks through other than 20,000 schedules.
 */

import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutation.ts';
import { mutations } from './mutations.ts';

/** What the simulation imports, and nothing else. */
const copied = ['package.json', 'functions', 'local/iamport', 'test/simulation', 'test/support/event.ts'];
const root = new URL('../../../', import.meta.url).pathname;

interface Found {
  readonly seed: number;
  readonly invariant: string;
}

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seeds: { type: 'string', default: '20000' } },
});
const { seeds } = values;
const copy = await mkdtemp(join(tmpdir(), 'mutations-'));
let missed = 0;
try {
  for (const path of copied) await cp(join(root, path), join(copy, path), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  console.log('| planted | found by | at seed | after |\n|---|---|---|---|');
  for (const mutation of mutations.filter(({ name }) => values.only.split('|').some((text) => name.includes(text)))) {
    const begun = performance.now();
    const found = await planted(mutation);
    if (!found) missed += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`| ${mutation.name} | ${found?.invariant ?? '**not found**'} | ${found?.seed ?? ''} | ${seconds} s |`);
  }
} finally {
  await rm(copy, { recursive: true });
}
console.log(missed === 0 ? `All found within ${seeds} seeds.` : `${missed} not found within ${seeds} seeds.`);
process.exitCode = missed === 0 ? 0 : 1;

/** @throws Error when the text to change is not there exactly once: then the code has moved on, and the bug must too */
async function planted({ name, file, find, replace }: Mutation): Promise<Found | undefined> {
  const path = join(copy, file);
  const code = await readFile(path, 'utf8');
  if (code.split(find).length !== 2) throw new Error(`${name}: this must stand in ${file} exactly once: ${find}`);
  await writeFile(
    path,
    code.replace(find, () => replace),
  );
  try {
    return foundIn(await simulated());
  } finally {
    await writeFile(path, code);
  }
}

function simulated(): Promise<string> {
  return new Promise((resolve, reject) => {
    const run = spawn(process.execPath, ['test/simulation/run.ts', '--seeds', seeds, '--until-first'], {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    run.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    run.on('error', reject);
    run.on('close', () => resolve(printed));
  });
}

/** A bug that breaks the program is no proof that the invariants see anything. */
function foundIn(printed: string): Found | undefined {
  const failures = [...printed.matchAll(/^SIM FAIL seed=(\d+) invariant=(\S+)/gm)];
  const seen = failures.map(([, seed, invariant = '']) => ({ seed: Number(seed), invariant }));
  return seen.filter(({ invariant }) => invariant !== 'broken').sort((one, other) => one.seed - other.seed)[0];
}

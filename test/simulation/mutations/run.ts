/**
 * `npm run simulate:mutations`: plants each bug of `mutations.ts` in a copy of the code, and runs the simulation on the copy. Prints a
 * table, and exits 1 when a bug was not found. `-- --only <text>` selects the mutations whose name contains the text, or one of several
 * texts with | between them. `-- --seeds <count>` runs another number of scenarios than 20,000.
 */

import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Mutation } from './mutation.ts';
import { mutations } from './mutations.ts';

/** The files that the simulation imports. */
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
    const found = await runWith(mutation);
    if (!found) missed += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`| ${mutation.name} | ${found?.invariant ?? '**not found**'} | ${found?.seed ?? ''} | ${seconds} s |`);
  }
} finally {
  await rm(copy, { recursive: true });
}
console.log(missed === 0 ? `All found within ${seeds} seeds.` : `${missed} not found within ${seeds} seeds.`);
process.exitCode = missed === 0 ? 0 : 1;

/** @throws Error when the file does not contain the text exactly once: the code has changed, and the mutation must too */
async function runWith({ name, file, find, replace }: Mutation): Promise<Found | undefined> {
  const path = join(copy, file);
  const code = await readFile(path, 'utf8');
  if (code.split(find).length !== 2) throw new Error(`${name}: ${file} must contain this exactly once: ${find}`);
  await writeFile(
    path,
    code.replace(find, () => replace),
  );
  try {
    return firstViolation(await simulate());
  } finally {
    await writeFile(path, code);
  }
}

function simulate(): Promise<string> {
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

/** The violation with the smallest seed. A crash of the simulation does not prove that an invariant detects the bug. */
function firstViolation(printed: string): Found | undefined {
  const failures = [...printed.matchAll(/^SIM FAIL seed=(\d+) invariant=(\S+)/gm)];
  const seen = failures.map(([, seed, invariant = '']) => ({ seed: Number(seed), invariant }));
  return seen.filter(({ invariant }) => invariant !== 'broken').sort((one, other) => one.seed - other.seed)[0];
}

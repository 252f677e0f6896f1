/** The walls between the rooms hold: the linter refuses each of these, and lets the house as it is stand. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const breaches: readonly [file: string, code: string, rule: string][] = [
  [
    'functions/payment/breach-1.ts',
    "import * as z from 'zod/mini';\nexport const breach = z;\n",
    'noRestrictedImports',
  ],
  [
    'functions/payment/breach-2.ts',
    "import { table } from '../store/table.ts';\nexport const breach = table;\n",
    'noRestrictedImports',
  ],
  ['functions/edge/breach-3.ts', 'export const breach = Date.now();\n', 'noRestrictedGlobals'],
  ['functions/edge/breach-4.ts', 'export const breach = new Date();\n', 'noRestrictedGlobals'],
  ['functions/adapters/dynamodb/breach-5.ts', 'export const breach = Math.random();\n', 'noJsRestrictedProperties'],
  ['functions/adapters/iamport/breach-6.ts', "export const breach = () => fetch('/');\n", 'noRestrictedGlobals'],
  ['functions/breach-7.ts', 'export const breach = setTimeout;\n', 'noRestrictedGlobals'],
  ['functions/breach-8.ts', 'export const breach = process.env.BREACH;\n', 'noProcessEnv'],
  [
    'functions/breach-9.ts',
    "import { complete } from './complete.ts';\nexport const breach = complete;\n",
    'noRestrictedImports',
  ],
  [
    'functions/edge/breach-10.ts',
    "import { webhook } from '../webhook.ts';\nexport const breach = webhook;\n",
    'noRestrictedImports',
  ],
  [
    'functions/breach-11.ts',
    "import { PaymentsStack } from '../infra/stack.ts';\nexport const breach = PaymentsStack;\n",
    'noRestrictedImports',
  ],
  [
    'functions/adapters/dynamodb/breach-12.ts',
    "import { startLocal } from '../../local/system.ts';\nexport const breach = startLocal;\n",
    'noRestrictedImports',
  ],
];

/** What the linter says of each file. */
let said: { readonly path: string; readonly rule: string }[];
let copy: string;

beforeAll(async () => {
  // In a copy, so that nobody else who reads the project meanwhile meets the breaches.
  copy = await mkdtemp(join(tmpdir(), 'walls-'));
  const run = promisify(execFile);
  await run('cp', ['-r', 'functions', 'biome.json', copy], { cwd: root });
  for (const [file, code] of breaches) await writeFile(join(copy, file), code);
  const linted = await run(
    join(root, 'node_modules/.bin/biome'),
    ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', 'functions'],
    {
      cwd: copy,
      maxBuffer: 2 ** 24,
    },
  ).catch((failed: { stdout: string }) => failed);
  const { diagnostics } = JSON.parse(linted.stdout.slice(linted.stdout.indexOf('{')));
  said = diagnostics.map(
    ({ category, location }: { category: string; location: { path: string | { file: string } } }) => ({
      rule: category.split('/').at(-1) ?? '',
      path: typeof location.path === 'string' ? location.path : location.path.file,
    }),
  );
}, 60_000);
afterAll(() => rm(copy, { recursive: true }));

test.each(breaches)('%s is refused', (file, _code, rule) => {
  expect(said.filter(({ path }) => path.endsWith(file)).map((one) => one.rule)).toContain(rule);
});

test('and nothing else is', () => {
  expect(said.filter(({ path }) => !path.includes('breach-'))).toEqual([]);
});

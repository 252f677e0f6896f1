/** The import boundaries: the linter refuses each breach below, and reports nothing for the current code. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
/** For each folder of functions/ the modules that it must not import, each by an existing file. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  payment: ['shared/defined.ts', 'application/ports/stores.ts', 'adapters/dynamodb/table.ts', 'zod/mini'],
  shared: ['application/ports/stores.ts', 'adapters/dynamodb/table.ts', 'http/problem.ts', 'runtime/log.ts'],
  application: [
    'adapters/dynamodb/table.ts',
    'adapters/iamport/client.ts',
    'http/problem.ts',
    'events/event-json.ts',
    'runtime/log.ts',
    'handlers/webhook.ts',
    '@aws-sdk/client-dynamodb',
    'aws-lambda',
    'zod/mini',
    'node:fs',
    'lodash',
  ],
  'application/reconcile': ['adapters/dynamodb/table.ts', 'runtime/log.ts', 'handlers/webhook.ts'],
  'adapters/dynamodb': ['application/settle.ts', 'http/problem.ts', 'events/event-json.ts', 'runtime/log.ts'],
  'adapters/iamport': ['application/refund.ts', 'application/ports.ts', 'http/problem.ts', 'handlers/webhook.ts'],
  http: ['application/settle.ts', 'adapters/dynamodb/table.ts', 'events/event-json.ts', 'runtime/log.ts'],
  events: ['application/settle.ts', 'adapters/dynamodb/table.ts', 'http/problem.ts', 'runtime/log.ts'],
  runtime: ['handlers/webhook.ts'],
  handlers: ['handlers/webhook.ts'],
};
const folders = Object.keys(forbidden);
/** Code that runs in Lambda must not import from outside functions/. */
const outside = [
  'infra/stack.ts',
  'local/system.ts',
  'ops/cli.ts',
  'storefront/build.ts',
  'client/index.ts',
  'bench/cpu.ts',
  'scripts/openapi.ts',
];

/** The client imports no package and no code of the functions. */
const forbiddenInClient = [
  '../functions/payment/order.ts',
  '../functions/application/ports/stores.ts',
  '../functions/shared/defined.ts',
  '../infra/events.ts',
  '../storefront/checkout/index.ts',
  'zod/mini',
  'node:crypto',
];

interface Breach {
  readonly file: string;
  readonly code: string;
  readonly rule: string;
}

const importing = (folder: string, path: string, index: number): Breach => {
  const isPackage = !path.endsWith('.ts');
  const specifier = isPackage ? path : relative(join('functions', folder), path);
  return {
    file: `functions/${folder}/breach-import-${index}.ts`,
    code: `import * as it from '${specifier.startsWith('.') || isPackage ? specifier : `./${specifier}`}';\nexport const breach = it;\n`,
    rule: 'noRestrictedImports',
  };
};

const imports = folders.flatMap((folder) =>
  [...(forbidden[folder] ?? []).map((path) => (path.endsWith('.ts') ? `functions/${path}` : path)), ...outside].map(
    (path, index) => importing(folder, path, index),
  ),
);

const importsOfClient = forbiddenInClient.map((path, index) => ({
  file: `client/breach-import-${index}.ts`,
  code: `import * as it from '${path}';\nexport const breach = it;\n`,
  rule: 'noRestrictedImports',
}));

const breaches: readonly Breach[] = [
  ...imports,
  ...importsOfClient,
  { file: 'client/breach-1.ts', code: 'export const breach = process.version;\n', rule: 'noRestrictedGlobals' },
  { file: 'client/breach-2.ts', code: "export const breach = Buffer.from('');\n", rule: 'noRestrictedGlobals' },
  { file: 'functions/http/breach-1.ts', code: 'export const breach = Date.now();\n', rule: 'noRestrictedGlobals' },
  {
    file: 'functions/application/breach-2.ts',
    code: 'export const breach = new Date();\n',
    rule: 'noRestrictedGlobals',
  },
  {
    file: 'functions/adapters/dynamodb/breach-3.ts',
    code: 'export const breach = Math.random();\n',
    rule: 'noJsRestrictedProperties',
  },
  {
    file: 'functions/adapters/iamport/breach-4.ts',
    code: "export const breach = () => fetch('/');\n",
    rule: 'noRestrictedGlobals',
  },
  { file: 'functions/runtime/breach-5.ts', code: 'export const breach = setTimeout;\n', rule: 'noRestrictedGlobals' },
  { file: 'functions/handlers/breach-6.ts', code: 'export const breach = process.env.BREACH;\n', rule: 'noProcessEnv' },
  {
    file: 'functions/payment/breach-7.ts',
    code: "import type { breach } from './breach-8.ts';\nexport type Breach = typeof breach;\n",
    rule: 'noImportCycles',
  },
  {
    file: 'functions/payment/breach-8.ts',
    code: "import type { Breach } from './breach-7.ts';\nexport const breach: Breach | 1 = 1;\n",
    rule: 'noImportCycles',
  },
];

/** The diagnostics of the linter. */
let diagnosed: { readonly path: string; readonly rule: string }[];
let copy: string;

beforeAll(async () => {
  // Works on a copy, because other test files read the project at the same time.
  copy = await mkdtemp(join(tmpdir(), 'boundaries-'));
  const run = promisify(execFile);
  await run('cp', ['-r', 'functions', 'client', 'biome.json', copy], { cwd: root });
  for (const { file, code } of breaches) await writeFile(join(copy, file), code);
  const linted = await run(
    join(root, 'node_modules/.bin/biome'),
    ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', 'functions', 'client'],
    {
      cwd: copy,
      maxBuffer: 2 ** 24,
    },
  ).catch((failed: { stdout: string }) => failed);
  const { diagnostics } = JSON.parse(linted.stdout.slice(linted.stdout.indexOf('{')));
  diagnosed = diagnostics.map(
    ({ category, location }: { category: string; location: { path: string | { file: string } } }) => ({
      rule: category.split('/').at(-1) ?? '',
      path: typeof location.path === 'string' ? location.path : location.path.file,
    }),
  );
});
afterAll(() => rm(copy, { recursive: true }));

test.each(breaches)('refuses $file ($rule): $code', ({ file, rule }) => {
  expect(diagnosed.filter(({ path }) => path.endsWith(file)).map((one) => one.rule)).toContain(rule);
});

test('reports nothing for the current code', () => {
  expect(diagnosed.filter(({ path }) => !path.includes('breach-'))).toEqual([]);
});

test('the client imports only types from functions/', async () => {
  const files = (await readdir(join(root, 'client'))).filter((file) => file.endsWith('.ts'));
  const sources = await Promise.all(files.map((file) => readFile(join(root, 'client', file), 'utf8')));
  const imports = sources.flatMap(
    (source) => source.match(/^(?:import|export)\b[^;]*'\.\.\/functions\/[^;]*;/gm) ?? [],
  );
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter((statement) => !/^(?:import|export) type\b/.test(statement))).toEqual([]);
});

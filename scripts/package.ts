/**
 * `npm run package`: makes dist/iamport-serverless-<version>.tgz, which a shop installs into its own CDK app. In it are the construct
 * as JavaScript with types, the functions as they deploy, and the papers; so a shop's synth runs no bundler and asks no network.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleFunctions } from '../infra/bundle.ts';
import { BUNDLES, PROJECT_ROOT } from '../infra/context.ts';

const run = promisify(execFile);
/** What is packed, laid out as the project itself is, so that everything finds everything at the same place. */
const STAGE = join(PROJECT_ROOT, 'dist/package');
const PAPERS = /^(LICENSE|[A-Za-z.]+\.md|docs\/[^/]+\.(md|json))$/;

/** @returns the path of the tarball */
export async function makePackage(): Promise<string> {
  await rm(STAGE, { recursive: true, force: true });
  await Promise.all([bundleFunctions(), compile()]);
  await cp(BUNDLES, join(STAGE, 'dist/functions'), { recursive: true });
  for (const paper of await papers()) await copy(paper);
  const bin = await command();
  await writeFile(join(STAGE, 'package.json'), `${JSON.stringify({ ...(await manifest()), ...bin }, null, 2)}\n`);
  const { stdout } = await npm(['pack', '--json', '--pack-destination', join(PROJECT_ROOT, 'dist')]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(PROJECT_ROOT, 'dist', filename);
}

/** The construct and the events, with what they import: nothing that runs in Lambda is compiled here. */
async function compile(): Promise<void> {
  const compiler = join(PROJECT_ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', join(PROJECT_ROOT, 'infra/tsconfig.package.json')]);
}

/** The operator's command, in one file with all that it needs, where this version has one. @returns its entry in the manifest */
async function command(): Promise<{ bin?: Record<string, string> }> {
  if (!existsSync(join(PROJECT_ROOT, 'ops/cli.ts'))) return {};
  const contents = `import { main } from './ops/cli.ts'; process.exitCode = await main(process.argv.slice(2));`;
  const require = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  await build({
    stdin: { contents, resolveDir: PROJECT_ROOT },
    // It is a module of the bundle, and a Node.js of the shop's may not know the word.
    define: { 'import.meta.main': 'false' },
    outfile: join(STAGE, 'dist/cli.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    mainFields: ['module', 'main'],
    banner: { js: `#!/usr/bin/env node\n${require}` },
    logLevel: 'warning',
  });
  return { bin: { 'iamport-serverless': './dist/cli.js' } };
}

/** The papers, and every picture, file and folder that one of them links to. */
async function papers(): Promise<string[]> {
  const docs = (await readdir(join(PROJECT_ROOT, 'docs'))).map((file) => `docs/${file}`);
  const found = [...(await readdir(PROJECT_ROOT)), ...docs].filter((file) => PAPERS.test(file));
  const linked = await Promise.all(found.filter((file) => file.endsWith('.md')).map(linksOf));
  return [...new Set([...found, ...linked.flat()])];
}

async function linksOf(paper: string): Promise<string[]> {
  const text = await readFile(join(PROJECT_ROOT, paper), 'utf8');
  return [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => join(dirname(paper), path));
}

async function copy(path: string): Promise<void> {
  await mkdir(dirname(join(STAGE, path)), { recursive: true });
  const isOurs = (source: string) => basename(source) !== 'node_modules';
  await cp(join(PROJECT_ROOT, path), join(STAGE, path), { recursive: true, filter: isOurs });
}

/** The functions bring their own dependencies in their bundles; the construct needs zod, and the CDK of the app that it is in. */
async function manifest(): Promise<object> {
  const { name, version, description, license, dependencies } = JSON.parse(
    await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8'),
  );
  const entry = (file: string) => ({ types: `./${file}.d.ts`, default: `./${file}.js` });
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    // The construct uses URL.parse, and an app of CommonJS requires it as it is.
    engines: { node: '>=22.12' },
    main: './infra/index.js',
    types: './infra/index.d.ts',
    exports: {
      '.': entry('infra/index'),
      './events': entry('infra/events'),
      './events.schema.json': './docs/events.schema.json',
      './package.json': './package.json',
    },
    dependencies: { zod: dependencies.zod },
    peerDependencies: { 'aws-cdk-lib': '^2.276.0', constructs: '^10.5.0' },
  };
}

const npm = (commandLine: string[]) => run('npm', commandLine, { cwd: STAGE });

if (import.meta.main) console.log(`Packed into ${relative(PROJECT_ROOT, await makePackage())}.`);

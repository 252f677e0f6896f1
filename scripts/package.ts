/**
 * `npm run package`: packs dist/iamport-serverless-<version>.tgz, which a shop installs into its own CDK app. It contains the construct
 * as JavaScript with types, the bundled functions, and the docs. So the synth of a shop runs no bundler and needs no network.
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
/** The directory that is packed. It has the layout of the project, so relative paths stay valid. */
const PACKAGE = join(PROJECT_ROOT, 'dist/package');
const DOCS = /^(LICENSE|[A-Za-z.]+\.md|docs\/[^/]+\.(md|json))$/;

/** @returns the path of the tarball */
export async function makePackage(): Promise<string> {
  await rm(PACKAGE, { recursive: true, force: true });
  await Promise.all([bundleFunctions(), compile()]);
  await cp(BUNDLES, join(PACKAGE, 'dist/functions'), { recursive: true });
  for (const doc of await docs()) await copy(doc);
  const bin = await command();
  await writeFile(join(PACKAGE, 'package.json'), `${JSON.stringify({ ...(await manifest()), ...bin }, null, 2)}\n`);
  const { stdout } = await npm(['pack', '--json', '--pack-destination', join(PROJECT_ROOT, 'dist')]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(PROJECT_ROOT, 'dist', filename);
}

/** Compiles the construct and the events with their imports. The functions are bundled, not compiled here. */
async function compile(): Promise<void> {
  const compiler = join(PROJECT_ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', join(PROJECT_ROOT, 'infra/tsconfig.package.json')]);
}

/** Bundles the operator's command with its dependencies into one file. @returns its entry in the manifest */
async function command(): Promise<{ bin?: Record<string, string> }> {
  if (!existsSync(join(PROJECT_ROOT, 'ops/cli.ts'))) return {};
  const contents = `import { main } from './ops/cli.ts'; process.exitCode = await main(process.argv.slice(2));`;
  const require = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  await build({
    stdin: { contents, resolveDir: PROJECT_ROOT },
    // The command is not the entry point, and older versions of Node.js lack `import.meta.main`.
    define: { 'import.meta.main': 'false' },
    outfile: join(PACKAGE, 'dist/cli.js'),
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

/** The docs, and every image, file and directory that one of them links to. */
async function docs(): Promise<string[]> {
  const inDocs = (await readdir(join(PROJECT_ROOT, 'docs'))).map((file) => `docs/${file}`);
  const found = [...(await readdir(PROJECT_ROOT)), ...inDocs].filter((file) => DOCS.test(file));
  const linked = await Promise.all(found.filter((file) => file.endsWith('.md')).map(linksOf));
  return [...new Set([...found, ...linked.flat()])];
}

async function linksOf(doc: string): Promise<string[]> {
  const text = await readFile(join(PROJECT_ROOT, doc), 'utf8');
  return [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => join(dirname(doc), path));
}

async function copy(path: string): Promise<void> {
  await mkdir(dirname(join(PACKAGE, path)), { recursive: true });
  const isOurs = (source: string) => basename(source) !== 'node_modules';
  await cp(join(PROJECT_ROOT, path), join(PACKAGE, path), { recursive: true, filter: isOurs });
}

/** The bundles contain the dependencies of the functions. The construct needs zod, and the CDK of the app. */
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
    // The construct uses URL.parse, and a CommonJS app loads its ES modules with `require`.
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

const npm = (commandLine: string[]) => run('npm', commandLine, { cwd: PACKAGE });

if (import.meta.main) console.log(`Packed into ${relative(PROJECT_ROOT, await makePackage())}.`);

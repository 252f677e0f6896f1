/**
 * `npm run package`: packs dist/iamport-serverless-<version>.tgz, which a shop installs into its own CDK app, server and pages. It
 * contains the construct as JavaScript with types, the bundled functions, the client, the modules of pages and apps, and the docs. So
 * the synth of a shop runs no bundler and needs no network.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleFunctions } from '../infra/bundle.ts';
import { BUNDLES, PROJECT_ROOT } from '../infra/context.ts';
import { bundleCheckout } from '../storefront/build.ts';

const run = promisify(execFile);
/** The directory that is packed. It has the layout of the project, so relative paths stay valid. */
const PACKAGE = join(PROJECT_ROOT, 'dist/package');
const DOCS = /^(LICENSE|(?!CONTRIBUTING)[A-Za-z.]+\.md|docs\/[^/]+\.(md|json))$/;
/** The images of the docs. Links to other files of this repository are removed from the packed docs. */
const LINKED = /^(LICENSE|(?!CONTRIBUTING)[A-Za-z.]+\.md|docs\/.+)$/;

/** The lowest Node.js of the package: the HTTP client of the operator's command needs it, the construct an older one. */
const LOWEST_NODE = '22.19.0';

/** Each export of the package, by its source without the extension. */
const EXPORTS = {
  '.': 'infra/index',
  './events': 'infra/events',
  './client': 'client/index',
  './checkout': 'storefront/checkout/index',
  './webview': 'storefront/webview/index',
} as const;
/** The build of the checkout for a plain script tag. */
const SCRIPT = 'storefront/checkout.global.js';
/** The folder of the CommonJS builds and their types. It has a package.json of its own, so that `.js` means CommonJS there. */
const COMMONJS = 'cjs';

/** @returns the path of the tarball */
export async function makePackage(): Promise<string> {
  await rm(PACKAGE, { recursive: true, force: true });
  await Promise.all([bundleFunctions(), compile(), bundleModules(), bundleCommonjs()]);
  await copyTypesForCommonjs();
  await cp(BUNDLES, join(PACKAGE, 'dist/functions'), { recursive: true });
  for (const doc of await docs()) await copyDoc(doc);
  const bin = await command();
  await writeFile(join(PACKAGE, 'package.json'), `${JSON.stringify({ ...(await manifest()), ...bin }, null, 2)}\n`);
  const { stdout } = await npm(['pack', '--json', '--pack-destination', join(PROJECT_ROOT, 'dist')]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(PROJECT_ROOT, 'dist', filename);
}

/**
 * Compiles the construct and the events with their imports, and the types of the other modules. The functions are bundled, not
 * compiled here.
 */
async function compile(): Promise<void> {
  const compiler = join(PROJECT_ROOT, 'node_modules/typescript/bin/tsc');
  for (const folder of ['infra', 'client', 'storefront'])
    await run(process.execPath, [compiler, '-p', join(PROJECT_ROOT, folder, 'tsconfig.package.json')]);
}

/** The modules that run on a server, in a page or in an app. Not minified: the bundler of the shop does that. */
const portable = {
  absWorkingDir: PROJECT_ROOT,
  outbase: PROJECT_ROOT,
  bundle: true,
  packages: 'external',
  platform: 'neutral',
  target: 'es2020',
  charset: 'utf8',
  logLevel: 'warning',
} as const;

/** The client and the modules of pages and apps as ES modules, and the checkout as a plain script. */
async function bundleModules(): Promise<void> {
  const entryPoints = [EXPORTS['./client'], EXPORTS['./checkout'], EXPORTS['./webview']].map((file) => `${file}.ts`);
  await build({ ...portable, entryPoints, outdir: PACKAGE, format: 'esm' });
  await writeFile(join(PACKAGE, SCRIPT), bundleCheckout()['checkout.global.js']);
}

/** All exports as CommonJS, for apps that Node.js or a bundler loads with `require`. */
async function bundleCommonjs(): Promise<void> {
  const outdir = join(PACKAGE, COMMONJS);
  const { '.': construct, ...others } = EXPORTS;
  const entryPoints = Object.values(others).map((file) => `${file}.ts`);
  await build({ ...portable, entryPoints, outdir, format: 'cjs' });
  await build({
    ...portable,
    entryPoints: [`${construct}.ts`],
    outdir,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    // The construct finds the bundled functions from the folder of its ES modules.
    define: { 'import.meta.dirname': 'constructFolder' },
    banner: { js: `const constructFolder = require('node:path').join(__dirname, '../../infra');` },
  });
  await writeFile(join(outdir, 'package.json'), `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`);
}

/** The same declarations are the types of a CommonJS module when they lie in a CommonJS folder. */
async function copyTypesForCommonjs(): Promise<void> {
  const folders = ['infra', 'functions', 'client', 'storefront'];
  const filter = (source: string) => !extname(source) || source.endsWith('.d.ts');
  for (const folder of folders)
    await cp(join(PACKAGE, folder), join(PACKAGE, COMMONJS, folder), { recursive: true, filter });
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
    banner: { js: `#!/usr/bin/env node\n${CHECK_NODE}\n${require}` },
    logLevel: 'warning',
  });
  return { bin: { 'iamport-serverless': './dist/cli.js' } };
}

/** An older Node.js would fail in a library, with an error that does not name the cause. */
const CHECK_NODE = `{
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [lowest, lowestMinor] = [${LOWEST_NODE.split('.').slice(0, 2).join(', ')}];
  if (major < lowest || (major === lowest && minor < lowestMinor)) {
    console.error('iamport-serverless needs Node.js ${LOWEST_NODE} or newer, and this is ' + process.versions.node + '.');
    process.exit(1);
  }
}`;

/** The docs, and every image that one of them links to. */
async function docs(): Promise<string[]> {
  const inDocs = (await readdir(join(PROJECT_ROOT, 'docs'))).map((file) => `docs/${file}`);
  const found = [...(await readdir(PROJECT_ROOT)), ...inDocs].filter((file) => DOCS.test(file));
  const linked = await Promise.all(found.filter((file) => file.endsWith('.md')).map(linksOf));
  return [...new Set([...found, ...linked.flat()])].filter((file) => LINKED.test(file));
}

const LINKS = /\[([^\]]*)\]\((?!https?:)([^)#]+)[^)]*\)/g;

async function linksOf(doc: string): Promise<string[]> {
  const text = await readFile(join(PROJECT_ROOT, doc), 'utf8');
  return [...text.matchAll(LINKS)].map(([, , path = '']) => join(dirname(doc), path));
}

/** Copies a document. A link to a file that is not in the package becomes its text. */
async function copyDoc(path: string): Promise<void> {
  const [from, to] = [join(PROJECT_ROOT, path), join(PACKAGE, path)];
  await mkdir(dirname(to), { recursive: true });
  if (!path.endsWith('.md')) return cp(from, to);
  const text = await readFile(from, 'utf8');
  const packed = text.replace(LINKS, (link, shown: string, target: string) =>
    LINKED.test(join(dirname(path), target)) ? link : shown,
  );
  await writeFile(to, packed);
}

/**
 * The bundles contain the dependencies of the functions. The construct and the events need zod. The CDK of the app is an optional peer:
 * a server or a page that imports the other modules must not install it.
 */
async function manifest(): Promise<object> {
  const { name, version, description, keywords, license, repository, homepage, bugs, dependencies } = JSON.parse(
    await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8'),
  );
  const entry = (file: string) => ({
    import: { types: `./${file}.d.ts`, default: `./${file}.js` },
    require: { types: `./${COMMONJS}/${file}.d.ts`, default: `./${COMMONJS}/${file}.js` },
  });
  const subpaths = Object.entries(EXPORTS).filter(([name]) => name !== '.');
  return {
    name,
    version,
    description,
    keywords,
    license,
    // JSON leaves out those that the owner of the repository has not filled in.
    repository,
    homepage,
    bugs,
    type: 'module',
    // The script defines the global variable IamportCheckout.
    sideEffects: [`./${SCRIPT}`],
    engines: { node: `>=${LOWEST_NODE}` },
    main: `./${COMMONJS}/${EXPORTS['.']}.js`,
    types: `./${COMMONJS}/${EXPORTS['.']}.d.ts`,
    // For compilers that do not read `exports`: `moduleResolution` node10.
    typesVersions: {
      '*': Object.fromEntries(subpaths.map(([name, file]) => [name.slice(2), [`./${COMMONJS}/${file}.d.ts`]])),
    },
    exports: {
      ...Object.fromEntries(Object.entries(EXPORTS).map(([name, file]) => [name, entry(file)])),
      './checkout.global.js': `./${SCRIPT}`,
      './events.schema.json': './docs/events.schema.json',
      './openapi.json': './docs/openapi.json',
      './package.json': './package.json',
    },
    dependencies: { zod: dependencies.zod },
    peerDependencies: { 'aws-cdk-lib': '^2.276.0', constructs: '^10.5.0' },
    peerDependenciesMeta: { 'aws-cdk-lib': { optional: true }, constructs: { optional: true } },
  };
}

const npm = (commandLine: string[]) => run('npm', commandLine, { cwd: PACKAGE });

if (import.meta.main) {
  const tarball = await makePackage();
  const kilobytes = Math.round((await stat(tarball)).size / 1000);
  console.log(
    `${relative(PROJECT_ROOT, tarball)}  ${kilobytes} kB. Install it in your CDK app: npm install ${tarball}`,
  );
}

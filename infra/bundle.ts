/**
 * Bundles each function: `npm run bundle`. The output depends only on the sources, not on the place or time of the build, so
 * CloudFormation does not deploy an unchanged function again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';
import { BUNDLES, PROJECT_ROOT } from './context.ts';
import { BUNDLE_NAMES, type BundleName } from './function-table.ts';

/** A written bundle; sizes in bytes. */
export interface Bundle {
  name: BundleName;
  file: string;
  bytes: number;
  gzipBytes: number;
}

/**
 * Bundles every function into `<directory>/<name>/index.mjs`.
 * @throws esbuild's error when a source does not build
 * @throws Error when a stub replaced no file in any bundle
 */
export async function bundleFunctions(directory = BUNDLES): Promise<Bundle[]> {
  const usedStubs = new Set<Stub>();
  // One build for all: each file of a package is read and parsed once, and not once for each function.
  const { outputFiles } = await build({
    ...sharedOptions(usedStubs),
    entryPoints: BUNDLE_NAMES.map((name) => ({ in: sourceOf(name), out: `${name}/index` })),
    outdir: 'dist/functions',
    outExtension: { '.js': '.mjs' },
  });
  const bundles = await Promise.all(
    BUNDLE_NAMES.map((name) => {
      const files = outputFiles.filter(({ path }) => basename(dirname(path)) === name);
      return writeBundle(name, join(directory, name), files);
    }),
  );
  const unused = STUBS.filter((stub) => !usedStubs.has(stub)).map(({ name }) => name);
  if (unused.length > 0) {
    throw new Error(`Stubs in infra/bundle.ts that match no file of any bundle: ${unused.join(', ')}.`);
  }
  return bundles;
}

const sourceOf = (name: BundleName): string => join('functions/handlers', `${name}.ts`);

/** The build of one function, for the benchmarks, which change it and measure the cost. Its output is the same as in the build of all. */
export const optionsFor = (name: BundleName) =>
  ({
    ...sharedOptions(new Set()),
    entryPoints: [sourceOf(name)],
    outfile: `dist/functions/${name}/index.mjs`,
  }) satisfies BuildOptions;

/** @param usedStubs receives every stub that replaced a file */
const sharedOptions = (usedStubs: Set<Stub>) =>
  ({
    absWorkingDir: PROJECT_ROOT,
    // The files are written below. Paths in the source map are relative to the output paths, which are the same in every build.
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    // Node.js reads it only with NODE_OPTIONS=--enable-source-maps, which can be set on a deployed function when needed.
    // Always on, that would add a sixth to the start of a function.
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: USE_BUILT_IN_CODE },
    // undici's own switch. It leaves out the second parser for HTTP/1, which is experimental and 160 KB.
    define: { esbuildDetection: '"1"' },
    plugins: [leanPackages, stubPlugin(usedStubs), builtinsWithoutNamespace],
    logLevel: 'warning',
  }) satisfies BuildOptions;

async function writeBundle(name: BundleName, into: string, files: readonly OutputFile[]): Promise<Bundle> {
  await mkdir(into, { recursive: true });
  for (const { path, contents } of files) await replaceFile(join(into, basename(path)), contents);
  const code = files.find(({ path }) => path.endsWith('.mjs'))?.contents ?? new Uint8Array();
  return { name, file: join(into, 'index.mjs'), bytes: code.length, gzipBytes: gzipSync(code).length };
}

/** Packages of which a function needs little, and the file that replaces each. */
const LEAN: Record<string, string> = {
  '@aws-sdk/credential-provider-node': join(import.meta.dirname, 'lambda-credentials.ts'),
  undici: join(import.meta.dirname, 'undici-pool.cjs'),
};

const leanPackages: Plugin = {
  name: 'lean-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[@\w]/ }, ({ path }) => {
      const lean = LEAN[path];
      return lean ? { path: lean } : null;
    });
  },
};

/** Replaces the files of a package that a function loads and never calls. */
interface Stub {
  readonly name: string;
  readonly file: RegExp;
  readonly contents: string;
}

const EMPTY_MODULE = 'module.exports = {};';

const STUBS: readonly Stub[] = [
  {
    // It also loads node:http2.
    name: 'HTTP/2 of undici',
    file: /[\\/]undici[\\/]lib[\\/]dispatcher[\\/]client-h2\.js$/,
    contents: EMPTY_MODULE,
  },
  {
    name: "undici's HTTP/1 parser for processors without SIMD",
    file: /[\\/]undici[\\/]lib[\\/]llhttp[\\/]llhttp-wasm\.js$/,
    contents: EMPTY_MODULE,
  },
  {
    // With it, a body that is a form or a web stream is a TypeError.
    name: 'fetch, forms and web streams of undici',
    file: /[\\/]undici[\\/]lib[\\/]web[\\/].*\.js$/,
    contents: EMPTY_MODULE,
  },
  {
    // No service that the functions call has event streams. The SDK imports this code dynamically, and for a dynamic import esbuild
    // wraps every module shared with the rest and keeps all of it: a twelfth of the CPU of init.
    name: 'event streams of the SDK',
    file: /[\\/]@smithy[\\/]core[\\/].*[\\/]event-streams[\\/]index\.js$/,
    contents: EMPTY_MODULE,
  },
  {
    // The SDK reads these files in the home directory for settings that are not in the environment.
    name: 'shared config files of the SDK',
    file: /[\\/]@smithy[\\/]core[\\/].*[\\/]shared-ini-file-loader[\\/]loadSharedConfigFiles\.js$/,
    contents: `
      export { CONFIG_PREFIX_SEPARATOR } from './constants';
      export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });`,
  },
];

const stubPlugin = (usedStubs: Set<Stub>): Plugin => ({
  name: 'stubs',
  setup({ onLoad }) {
    for (const stub of STUBS) {
      onLoad({ filter: stub.file }, ({ path }) => {
        usedStubs.add(stub);
        return { contents: stub.contents, resolveDir: dirname(path) };
      });
    }
  },
});

/**
 * Lambda starts Node.js with --expose-gc. With other flags than at its build, Node.js does not use the compiled code of its
 * built-in modules. Most of those load after this line.
 */
const USE_BUILT_IN_CODE = "process.getBuiltinModule('node:v8').setFlagsFromString('--no-expose-gc');";

/**
 * Loads Node's own modules with `process.getBuiltinModule` instead of a static import. For a static import of `node:http` Node
 * builds the module's namespace. That reads the lazy properties, and so loads all of the built-in undici: a tenth of the start of a
 * function.
 */
const builtinsWithoutNamespace: Plugin = {
  name: 'builtins-without-namespace',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Replaces a file by an atomic rename if its contents differ, so that a concurrent reader never sees half of a bundle. The
 * temporary file is outside the bundle's directory, because all of that is deployed.
 */
async function replaceFile(file: string, contents: Uint8Array): Promise<void> {
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(contents)) return;
  const temporary = join(dirname(file), '..', `.${randomUUID()}`);
  await writeFile(temporary, contents);
  await rename(temporary, file);
}

if (import.meta.main) {
  for (const { name, bytes, gzipBytes } of await bundleFunctions()) {
    console.log(`${name.padEnd(16)} ${kilobytes(bytes)} KB  ${kilobytes(gzipBytes)} KB gzip`);
  }
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(1).padStart(8);
}

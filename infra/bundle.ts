/**
 * Bundles the functions, one each: `npm run bundle`. The output depends on the sources alone, never on where or when
 * it was made, so an unchanged function is not deployed again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { BUNDLES, PROJECT_ROOT } from './context.ts';
import { type FunctionName, functionNames } from './function-table.ts';

/** A bundle as it was written; sizes in bytes. */
export interface Bundle {
  name: FunctionName;
  file: string;
  bytes: number;
  gzipBytes: number;
}

/**
 * Bundles every function into `<directory>/<name>/index.mjs`.
 * @throws esbuild's error when a source does not build.
 */
export async function bundleFunctions(directory = BUNDLES): Promise<Bundle[]> {
  return Promise.all(functionNames.map((name) => bundle(name, directory)));
}

/** How every function is bundled: also for whoever measures what a change of it would cost. */
export const optionsFor = (name: FunctionName) =>
  ({
    absWorkingDir: PROJECT_ROOT,
    entryPoints: [join('functions/handlers', `${name}.ts`)],
    // Only a name: the files are written below. Paths in the source map are relative to it, so they are always the same.
    outfile: 'dist/functions/door/index.mjs',
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    // Read only with NODE_OPTIONS=--enable-source-maps, which can be set on a deployed function when it is needed:
    // always on, it would add a sixth to the time in which a function starts.
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: USE_BUILT_IN_CODE },
    // undici's own word for it: without its second parser for HTTP/1, which is an experiment and 160 KB.
    define: { esbuildDetection: '"1"' },
    plugins: [leanPackages, stubs, builtinsWithoutNamespace],
    logLevel: 'warning',
  }) satisfies BuildOptions;

async function bundle(name: FunctionName, directory: string): Promise<Bundle> {
  const { outputFiles } = await build(optionsFor(name));
  const into = join(directory, name);
  await mkdir(into, { recursive: true });
  for (const { path, contents } of outputFiles) {
    await replaceFile(join(into, path.endsWith('.map') ? 'index.mjs.map' : 'index.mjs'), contents);
  }
  const code = outputFiles.find(({ path }) => path.endsWith('.mjs'))?.contents ?? new Uint8Array();
  return { name, file: join(into, 'index.mjs'), bytes: code.length, gzipBytes: gzipSync(code).length };
}

/** Packages of which a function needs little, and what takes their place. */
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

/**
 * What stands in for single files of packages that a function loads and never needs.
 * - undici: HTTP/2 (and node:http2 with it), the parser for processors without SIMD, bodies that are forms or streams.
 *   Calling one of them is a TypeError.
 * - the SDK: configuration files in a home directory, which it reads for settings that the environment does not hold; and streams of
 *   events, which no service here has. Those are behind the one module of its own that it imports while it runs, for whose sake
 *   esbuild would wrap every module that they share with the rest, and keep all of each: a twelfth of the CPU of init.
 */
const STUBS: readonly { file: RegExp; contents: string }[] = [
  {
    file: /[\\/]undici[\\/]lib[\\/](?:dispatcher[\\/]client-h2|llhttp[\\/]llhttp-wasm|web[\\/].*)\.js$/,
    contents: 'module.exports = {};',
  },
  {
    file: /[\\/]@smithy[\\/]core[\\/].*[\\/]event-streams[\\/]index\.js$/,
    contents: 'module.exports = {};',
  },
  {
    file: /[\\/]@smithy[\\/]core[\\/].*[\\/]shared-ini-file-loader[\\/]loadSharedConfigFiles\.js$/,
    contents: `
      export { CONFIG_PREFIX_SEPARATOR } from './constants';
      export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });`,
  },
];

const stubs: Plugin = {
  name: 'stubs',
  setup({ onLoad }) {
    for (const { file, contents } of STUBS) {
      onLoad({ filter: file }, ({ path }) => ({ contents, resolveDir: dirname(path) }));
    }
  },
};

/**
 * Lambda starts Node.js with --expose-gc, and with another set of flags than it was built with Node.js does not use its own
 * compiled code of its built-in modules, most of which load after this line.
 */
const USE_BUILT_IN_CODE = "process.getBuiltinModule('node:v8').setFlagsFromString('--no-expose-gc');";

/**
 * Takes Node's own modules from `process.getBuiltinModule` instead of a static import. A static import of `node:http`
 * makes Node build the module's namespace, which reads its lazy properties and so loads all of its built-in undici: a
 * tenth of the time in which a function starts.
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
 * Leaves an equal file alone and puts a new one into place whole, so whoever reads the bundles while they are made again
 * never sees half of one. The file is written outside the bundle's directory, all of which is deployed.
 */
async function replaceFile(file: string, contents: Uint8Array): Promise<void> {
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(contents)) return;
  const unfinished = join(dirname(file), '..', `.${randomUUID()}`);
  await writeFile(unfinished, contents);
  await rename(unfinished, file);
}

if (import.meta.main) {
  for (const { name, bytes, gzipBytes } of await bundleFunctions()) {
    console.log(`${name.padEnd(16)} ${kilobytes(bytes)} KB  ${kilobytes(gzipBytes)} KB gzip`);
  }
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(1).padStart(8);
}

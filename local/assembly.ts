/**
 * The cloud assembly that the local system runs. A synthesis takes seconds, so each assembly is cached in dist/local
 * under the SHA-256 of its inputs. `npm start` synthesizes only after an input has changed, and bundles the functions only
 * after a source has changed, because every configuration has the same bundles.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../infra/context.ts';

const cacheDirectory = join(PROJECT_ROOT, 'dist/local');

/**
 * Files and directories that a synthesis reads: the sources, the versions of the packages, the settings of the bundler.
 */
const inputs = ['functions', 'infra', 'package-lock.json', 'tsconfig.json'];

/** A synthesis removes assemblies older than this. Milliseconds. */
const maxAgeMs = 7 * 24 * 3_600_000;

/**
 * @param context as in cdk.json
 * @param onSynthesis called before a synthesis, which takes seconds
 * @returns the directory of the assembly
 * @throws Error with every problem of the configuration, or with the error of the bundler or the CDK
 */
export async function localAssembly(context: Record<string, unknown>, onSynthesis = () => {}): Promise<string> {
  const sources = await digestOfSources();
  const directory = join(cacheDirectory, digestOf(sources, context));
  if (existsSync(directory)) return directory;
  onSynthesis();
  await removeOld();
  const unfinished = `${directory}.${process.pid}`;
  // A child process frees the memory of the CDK and of the bundler when it ends.
  const script = join(import.meta.dirname, 'synthesize.ts');
  const bundles = join(cacheDirectory, `bundles-${sources}`);
  const run = promisify(execFile)(process.execPath, [script, JSON.stringify(context), unfinished, bundles], {
    cwd: PROJECT_ROOT,
    // The CDK's validation of the template takes most of a synthesis. `npm run synth` and a deployment have it.
    env: { ...process.env, CDK_VALIDATION: 'false' },
  });
  await run.catch(({ stderr }: { stderr: string }) => {
    throw new Error(stderr.trim());
  });
  if ((await digestOfSources()) !== sources) {
    // A source was saved during the synthesis, so the results may be those of either version.
    for (const result of [unfinished, bundles]) await rm(result, { recursive: true, force: true });
    return localAssembly(context, onSynthesis);
  }
  await moveUnlessPresent(unfinished, directory);
  return directory;
}

/** Moves a complete directory to its place. Deletes it if another process has put the same there meanwhile. */
export async function moveUnlessPresent(complete: string, place: string): Promise<void> {
  await rename(complete, place).catch(async (error: unknown) => {
    if (!existsSync(place)) throw error;
    await rm(complete, { recursive: true });
  });
}

function digestOf(sources: string, context: Record<string, unknown>): string {
  // The CDK reads CDK_CONTEXT_JSON too, below `context`.
  const { CDK_CONTEXT_JSON = '' } = process.env;
  return createHash('sha256')
    .update(`${sources}\0${JSON.stringify(context)}\0${CDK_CONTEXT_JSON}`)
    .digest('hex')
    .slice(0, 16);
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const input of inputs) {
    for (const file of await filesIn(join(PROJECT_ROOT, input))) {
      hash.update(`\0${file.slice(PROJECT_ROOT.length)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** @returns the files below the path, or the path itself if it is a file; sorted */
async function filesIn(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function removeOld(): Promise<void> {
  await mkdir(cacheDirectory, { recursive: true });
  for (const name of await readdir(cacheDirectory)) {
    const path = join(cacheDirectory, name);
    // Another process may have renamed its directory since it was listed.
    const made = await stat(path).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > maxAgeMs) await rm(path, { recursive: true, force: true });
  }
}

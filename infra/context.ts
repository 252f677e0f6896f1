/** Paths of the project, and its configuration: iamport.json, another file, or the context of cdk.json. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigurationError } from './config.ts';
import { readJsonFile } from './json-file.ts';

/** The directory of cdk.json and package.json. */
export const PROJECT_ROOT = join(import.meta.dirname, '..');

/** The default directory of the bundles: `<function>/index.mjs` and its source map. The package has the same layout. */
export const BUNDLES = join(PROJECT_ROOT, 'dist/functions');

/** The description of this repository's own stack. `npm run deploy` changes no stack that has another one. */
export const STACK_DESCRIPTION = 'Payment completion for a shop that sells through Iamport.';

/** The configuration of a shop. Git ignores it, so that an update of this project changes nothing in it. */
const CONFIGURATION_FILE = 'iamport.json';

export interface ConfigurationSource {
  /** The file, for errors. */
  readonly file: string;
  /** The configuration, unchecked. Undefined when no file has one. */
  readonly iamport: unknown;
}

/**
 * Reads the configuration: the named file; else iamport.json; else the context `iamport` of cdk.json.
 * @param config the value of `-c config=<file>`, relative to the directory
 * @param directory the project, or an app with the package
 * @throws ConfigurationError that names the file, and for broken JSON the line and the column
 */
export function configurationSource(config?: string, directory = PROJECT_ROOT): ConfigurationSource {
  const file = config ?? CONFIGURATION_FILE;
  const iamport = readJsonFile(resolve(directory, file), file);
  if (iamport !== undefined) return { file, iamport };
  if (config !== undefined) {
    throw new ConfigurationError([
      `${file} does not exist. -c config=<file> names a JSON file, relative to ${directory}`,
    ]);
  }
  return { file: 'cdk.json', iamport: cdkJson(directory).iamport };
}

/**
 * The `context` of cdk.json, with the configuration as `iamport`.
 * @param config the value of `-c config=<file>`
 * @throws ConfigurationError as `configurationSource`
 */
export function cdkContext(config?: string): Record<string, unknown> {
  return { ...cdkJson(PROJECT_ROOT), iamport: configurationSource(config).iamport };
}

/**
 * @param commandLine the arguments of `npm run deploy`, `npm run synth` or the CDK
 * @returns the file of `-c config=<file>` or `--context config=<file>`
 */
export function configOf(commandLine: readonly string[]): string | undefined {
  const context = { type: 'string', short: 'c', multiple: true } as const;
  const { values } = parseArgs({ args: [...commandLine], options: { context }, strict: false });
  const [config] = (values.context ?? []).filter((value) => String(value).startsWith('config=')).slice(-1);
  return config === undefined ? undefined : String(config).slice('config='.length);
}

/**
 * The CDK's feature flags in cdk.json: those of the version with which this project began. A new version of the library adds flags,
 * which would change resources of deployments that exist.
 */
export function featureFlags(): Record<string, unknown> {
  const { iamport: _, ...flags } = cdkJson(PROJECT_ROOT);
  return flags;
}

function cdkJson(directory: string): Record<string, unknown> {
  return Object(Object(readJsonFile(join(directory, 'cdk.json'), 'cdk.json')).context);
}

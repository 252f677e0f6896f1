/**
 * Paths of the project, and the context of cdk.json. The CDK's command line passes the context to the app; all other callers read
 * it here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The directory of cdk.json and package.json. */
export const PROJECT_ROOT = join(import.meta.dirname, '..');

/** The default directory of the bundles: `<function>/index.mjs` and its source map. The package has the same layout. */
export const BUNDLES = join(PROJECT_ROOT, 'dist/functions');

/** The `context` of cdk.json. */
export function cdkContext(): Record<string, unknown> {
  const { context = {} } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'cdk.json'), 'utf8'));
  return context;
}

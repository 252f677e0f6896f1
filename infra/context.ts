/** Where things are, and what cdk.json says. The CDK's command line hands its context to the app by itself; everything else asks here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The directory that holds cdk.json, package.json and everything else. */
export const PROJECT_ROOT = join(import.meta.dirname, '..');

/** Where the bundles are unless told otherwise: `<function>/index.mjs` and its source map. The package has them at the same place. */
export const BUNDLES = join(PROJECT_ROOT, 'dist/functions');

/** The `context` of cdk.json. */
export function cdkContext(): Record<string, unknown> {
  const { context = {} } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'cdk.json'), 'utf8'));
  return context;
}

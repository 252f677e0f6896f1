/**
 * Synthesizes this project's stack without a shop's additions:
 * `node synthesize.ts <context as JSON> <directory> <directory of the bundles>`. Bundles the functions if the second directory is
 * missing.
 */

import { existsSync } from 'node:fs';
import { synthesize } from '../infra/app.ts';
import { bundleFunctions } from '../infra/bundle.ts';
import { moveUnlessPresent } from './assembly.ts';

const [context = '{}', directory = '', bundles = ''] = process.argv.slice(2);
try {
  if (!existsSync(bundles)) await bundle();
  await synthesize(JSON.parse(context), directory, { bundles });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

/** The directory appears when every bundle is complete. */
async function bundle(): Promise<void> {
  const unfinished = `${bundles}.${process.pid}`;
  await bundleFunctions(unfinished);
  await moveUnlessPresent(unfinished, bundles);
}

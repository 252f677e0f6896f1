/** The version of this project, which is stamped into a deployment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './context.ts';

/** The `version` of package.json, of this repository or of the package. */
export const VERSION: string = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')).version;

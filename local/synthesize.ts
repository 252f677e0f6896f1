/** Synthesizes this project's stack without a shop's additions: `node synthesize.ts <context as JSON> <directory>`. */

import { synthesize } from '../infra/app.ts';

const [context = '{}', directory = ''] = process.argv.slice(2);
await synthesize(JSON.parse(context), directory).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

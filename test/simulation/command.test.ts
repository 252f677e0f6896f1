/** `npm run simulate`, as in docs/proof.md. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const simulate = async (...args: string[]) => {
  const script = join(import.meta.dirname, 'run.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { maxBuffer: 2 ** 26 });
  return stdout;
};

test('prints the calls of one scenario', async () => {
  const printed = await simulate('--seed', '30', '--trace');
  expect(printed).toMatch(/reconcile#\d+ +← /);
  expect(printed).toMatch(/^seed 30: no violation;/m);
});

test('prints the number of scenarios', async () => {
  expect(await simulate('--seeds', '50', '--from', '1')).toMatch(/^50 scenarios, /m);
});

test('prints its options', async () => {
  expect(await simulate('--help')).toMatch(/--seed N --trace +prints every event/);
});

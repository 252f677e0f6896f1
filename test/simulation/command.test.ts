/** `npm run simulate`, as docs/proof.md tells a stranger to type it. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const simulate = async (...args: string[]) => {
  const script = join(import.meta.dirname, 'run.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { maxBuffer: 2 ** 26 });
  return stdout;
};

test('one schedule is told call by call, and the same at every run', async () => {
  const told = await simulate('--seed', '30', '--trace');
  expect(told).toMatch(/reconcile#\d+ +← /);
  expect(told).toMatch(/^seed 30: nothing wrong;/m);
});

test('many schedules end with how many they were', async () => {
  expect(await simulate('--seeds', '50', '--from', '1')).toMatch(/\b50\b/);
});

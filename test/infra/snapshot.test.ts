/**
 * The whole template compared with the last reviewed one, template.snapshot.json. After an intended change,
 * `npx vitest run test/infra/snapshot.test.ts -u` writes the snapshot, and `npm run diagram` the docs.
 */
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { templateIn } from '../../scripts/infrastructure-docs.ts';

test('the template equals the reviewed snapshot', async () => {
  const { Resources, ...rest } = templateIn(inject('assembly')) as unknown as Record<string, unknown>;
  const text = JSON.stringify({ Resources, ...rest }, null, 1);
  // The code of the functions is not part of the snapshot.
  const masked = text.replace(/"[0-9a-f]{64}\.zip"/g, '"<code>.zip"');
  await expect(`${masked}\n`).toMatchFileSnapshot(join(import.meta.dirname, 'template.snapshot.json'));
});

/**
 * The whole template, as it was reviewed last. A change of it shows in the diff of template.snapshot.json; when it is meant,
 * `npx vitest run test/infra/snapshot.test.ts -u` writes it, and `npm run diagram` the papers.
 */
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { templateIn } from '../../scripts/infrastructure-docs.ts';

test('the template is the one that was reviewed', async () => {
  const { Resources, ...rest } = templateIn(inject('assembly')) as unknown as Record<string, unknown>;
  const text = JSON.stringify({ Resources, ...rest }, null, 1);
  // Which code is deployed is no matter of the infrastructure.
  const masked = text.replace(/"[0-9a-f]{64}\.zip"/g, '"<code>.zip"');
  await expect(`${masked}\n`).toMatchFileSnapshot(join(import.meta.dirname, 'template.snapshot.json'));
});

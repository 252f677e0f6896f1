/** The bundles: complete, equal wherever they are made, and without what a cold start must not pay for. */
import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Bundle, bundleFunctions } from '../../infra/bundle.ts';

const scratch = await mkdtemp(join(tmpdir(), 'bundle-'));
afterAll(() => rm(scratch, { recursive: true }));
const bundles = await bundleFunctions(join(scratch, 'one'));

test('there is one for each door, with its source map and nothing else', async () => {
  expect(bundles.map(({ name }) => name)).toEqual(['complete', 'mobile-redirect', 'webhook', 'orders']);
  for (const { name } of bundles) {
    expect(await readdir(join(scratch, 'one', name))).toEqual(['index.mjs', 'index.mjs.map']);
  }
});

test('bundling into another directory gives the same bytes', async () => {
  const again = await bundleFunctions(join(scratch, 'elsewhere/deeper'));
  for (const [index, bundle] of bundles.entries()) {
    const other = again[index]?.file ?? '';
    expect(await digest(other)).toBe(await digest(bundle.file));
    expect(await digest(`${other}.map`)).toBe(await digest(`${bundle.file}.map`));
  }
});

test('a bundle is one file that imports nothing', async () => {
  for (const bundle of bundles) {
    // A match is all that a failure shows, not the bundle.
    expect((await code(bundle)).match(/(?:^|[;}])import\s*[\w${*"'][^;]*;/g)).toBeNull();
  }
});

test('a bundle exports its handler', async () => {
  for (const bundle of bundles) {
    expect((await code(bundle)).match(/export\{.*?\};/g)).toEqual([expect.stringMatching(/ as handler[,}]/)]);
  }
});

test('the SDK’s credential chain stays out', async () => {
  for (const bundle of bundles) {
    const { sources } = JSON.parse(await readFile(`${bundle.file}.map`, 'utf8')) as { sources: string[] };
    expect(sources.filter((source) => /credential-provider|token-providers/.test(source))).toEqual([]);
  }
});

test('a source map names the sources and does not repeat them', async () => {
  for (const bundle of bundles) {
    expect((await code(bundle)).slice(-36)).toBe('//# sourceMappingURL=index.mjs.map\n'.padStart(36, '\n'));
    expect(JSON.parse(await readFile(`${bundle.file}.map`, 'utf8'))).not.toHaveProperty('sourcesContent');
  }
});

const digest = async (file: string) => hash('sha256', await readFile(file), 'hex');
const code = ({ file }: Bundle) => readFile(file, 'utf8');

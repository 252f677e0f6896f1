/**
 * `npm run storefront`: builds the files that a shop's page loads. `dist/storefront/checkout.mjs` with its types for
 * bundlers and `<script type="module">`; `checkout.global.js` for a plain script tag, with the global
 * `IamportCheckout`; and `webview.mjs` with its types, for the app around a page.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');
const target = join(root, 'dist/storefront');

/** The two builds of the checkout, by file name. Minified; for browsers from 2020 on. */
export function bundleCheckout(): Record<'checkout.mjs' | 'checkout.global.js', string> {
  const bundle = (format: 'esm' | 'iife') => {
    const { outputFiles } = buildSync({
      entryPoints: [join(import.meta.dirname, 'checkout/index.ts')],
      bundle: true,
      minify: true,
      format,
      target: 'es2020',
      // Browsers read a module as UTF-8, and a plain script in the encoding of its page, which may be EUC-KR.
      charset: format === 'esm' ? 'utf8' : 'ascii',
      write: false,
      ...(format === 'iife' && { globalName: 'IamportCheckout' }),
    });
    const [file] = outputFiles;
    if (!file) throw new Error('esbuild made no file');
    return file.text;
  };
  return { 'checkout.mjs': bundle('esm'), 'checkout.global.js': bundle('iife') };
}

/**
 * The WebView kit for React Native, Capacitor and any other JavaScript. Not minified, so that its readers can port it.
 */
export function bundleWebview(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(import.meta.dirname, 'webview/index.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2020',
    charset: 'utf8',
    write: false,
  });
  const [file] = outputFiles;
  if (!file) throw new Error('esbuild made no file');
  return file.text;
}

/** Writes the bundles and their types into `dist/storefront`. @returns the folder */
export function buildStorefront(): string {
  mkdirSync(target, { recursive: true });
  const files = { ...bundleCheckout(), 'webview.mjs': bundleWebview() };
  for (const [name, code] of Object.entries(files)) writeFileSync(join(target, name), code);
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', join(import.meta.dirname, 'tsconfig.build.json')]);
  writeFileSync(join(target, 'checkout.d.mts'), "export * from './types/checkout/index.js';\n");
  writeFileSync(join(target, 'webview.d.mts'), "export * from './types/webview/index.js';\n");
  return target;
}

if (import.meta.main) {
  const folder = buildStorefront();
  for (const name of readdirSync(folder).filter((file) => /\.m?js$/.test(file)))
    console.log(`${relative(root, join(folder, name))}  ${statSync(join(folder, name)).size} bytes`);
  console.log('Put checkout.mjs or checkout.global.js where your pages are: docs/storefront.md has both uses.');
}

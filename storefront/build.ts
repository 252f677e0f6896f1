/**
 * `npm run storefront`: makes what a shop's page loads. `dist/storefront/checkout.mjs` with its types for bundlers and
 * `<script type="module">`, and `checkout.global.js` for a plain script tag, where it is `IamportCheckout`; and `webview.mjs` with its types, for
 * the app around a page.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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
      // A module is always read as UTF-8; a plain script as its page is, and there are Korean pages in EUC-KR.
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

/** The WebView kit, as it is imported in React Native, Capacitor and any other JavaScript. Not minified: its readers port it. */
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

/** Writes them, and the types, into `dist/storefront`. @returns the folder */
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

if (import.meta.main) console.log(`Built into ${relative(root, buildStorefront())}.`);

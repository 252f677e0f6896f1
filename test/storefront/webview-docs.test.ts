/** The TypeScript of docs/webview.md compiles and works, with mocks of the packages that it imports. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const examples = (file: string) =>
  [...read(file).matchAll(/```tsx?\n\/\/ (\S+)\n(.*?)```/gs)].map(([, name = '', code = '']) => ({ name, code }));

/** Types of the packages' parts that the examples use. */
const TYPES = `
declare module 'react' {
  export function useState<T>(value: T): [T, (next: T) => void];
  export function useRef<T>(value: T): { current: T };
  export function useEffect(effect: () => () => void, on: unknown[]): void;
}
declare module 'react-native' {
  export const Platform: { OS: 'ios' | 'android' | 'windows' | 'macos' | 'web' };
  export const Linking: {
    openURL(url: string): Promise<unknown>;
    addEventListener(type: 'url', handler: (event: { url: string }) => void): { remove(): void };
  };
  export const Alert: { alert(title: string, message?: string, buttons?: { text?: string; onPress?: () => void }[]): void };
}
declare module 'react-native-webview' {
  export function WebView(props: {
    source: { uri: string }; originWhitelist?: string[]; thirdPartyCookiesEnabled?: boolean; sharedCookiesEnabled?: boolean;
    setSupportMultipleWindows?: boolean; onShouldStartLoadWithRequest?: (event: { url: string }) => boolean;
  }): unknown;
}
declare module '@capacitor/core' { export const Capacitor: { getPlatform(): string } }
declare module '@capacitor/app' {
  export const App: {
    addListener(name: 'appUrlOpen', listener: (event: { url: string }) => void): Promise<{ remove(): Promise<void> }>;
  };
}
declare module '@capacitor/app-launcher' {
  export const AppLauncher: { openUrl(options: { url: string }): Promise<{ completed: boolean }> };
}
interface InAppBrowser {
  executeScript(script: { code: string }, done: (result: unknown) => void): void;
  close(): void;
  addEventListener(type: 'exit' | 'beforeload', listener: (event: { url: string }, load: (url: string) => void) => void): void;
}
declare const cordova: { InAppBrowser: { open(url: string, target: string, options: string): InAppBrowser } };
declare namespace JSX { interface IntrinsicElements { [tag: string]: unknown } }
declare const React: { createElement(type: unknown, props: unknown): unknown };
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'webview-docs-'));
  for (const { name, code } of examples('docs/webview.md')) writeFileSync(join(folder, name), code);
  cpSync(join(root, 'storefront/webview'), join(folder, 'kit'), { recursive: true });
  writeFileSync(join(folder, 'webview.mts'), "export * from './kit/index.ts';\n");
  writeFileSync(join(folder, 'packages.d.ts'), TYPES);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const { compilerOptions } = JSON.parse(read('tsconfig.json'));
  const own = { types: [], jsx: 'react', lib: ['es2022', 'dom'], rewriteRelativeImportExtensions: true };
  const options = { ...compilerOptions, ...own };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['.'] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('both languages have the same code', () => {
  const code = (file: string) => read(file).match(/```(?:tsx?|kotlin|swift)\n.*?```/gs);
  expect(code('docs/webview.ko.md')).toEqual(code('docs/webview.md'));
  expect(examples('docs/webview.md').map(({ name }) => name)).toEqual(['payment-screen.tsx', 'payment.ts']);
});

test('the examples compile', () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const run = () => execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8', stdio: 'pipe' });
  expect(run).not.toThrow();
});

/** Loads the example as a module. Its packages are the global `packages`. */
async function loadExample(name: string, packages: object): Promise<Record<string, (...args: never[]) => unknown>> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, name)],
    bundle: true,
    format: 'esm',
    write: false,
    jsx: 'transform',
    plugins: [
      {
        name: 'packages',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === 'entry-point' ? undefined : { path, namespace: 'packages' },
          );
          onLoad({ filter: /.*/, namespace: 'packages' }, () => ({ contents: 'module.exports = globalThis.packages' }));
        },
      },
    ],
  });
  Object.assign(globalThis, { packages, ...packages });
  const [file] = outputFiles;
  return import(`data:text/javascript;base64,${Buffer.from(file?.contents ?? '').toString('base64')}`);
}

const returnAddress = `iamporttest://?imp_uid=imp_1&merchant_uid=order-1&m_redirect_url=${encodeURIComponent('https://api.my-shop.kr/payments/complete/mobile')}`;
const target = 'https://api.my-shop.kr/payments/complete/mobile?imp_uid=imp_1&merchant_uid=order-1';
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('React Native', () => {
  test('opens the apps, and loads the return address', async () => {
    const actions: unknown[] = [];
    let opened = (_event: { url: string }) => {};
    const example = await loadExample('payment-screen.tsx', {
      useState: (value: unknown) => [value, (next: unknown) => actions.push(['load', next])],
      useRef: (current: unknown) => ({ current }),
      useEffect: (effect: () => void) => effect(),
      Platform: { OS: 'ios' },
      Linking: {
        openURL: async (url: string) => {
          actions.push(url);
          if (url.startsWith('ispmobile')) throw new Error('No app');
        },
        addEventListener: (_type: string, handler: typeof opened) => {
          opened = handler;
        },
      },
      Alert: { alert: (title: string) => actions.push(title) },
      WebView: 'WebView',
      React: { createElement: (_type: unknown, props: unknown) => props },
    });
    const screen = example.PaymentScreen as unknown as (props: object) => {
      originWhitelist: string[];
      onShouldStartLoadWithRequest(event: { url: string }): boolean;
    };
    const props = screen({
      page: 'https://www.my-shop.kr/checkout',
      onResult: (result: object) => actions.push(result),
    });
    expect(props.originWhitelist).toEqual(['*']);
    expect(props.onShouldStartLoadWithRequest({ url: 'https://mobile.inicis.com/' })).toBe(true);
    expect(props.onShouldStartLoadWithRequest({ url: 'ispmobile://TID=1' })).toBe(false);
    await settled();
    expect(props.onShouldStartLoadWithRequest({ url: 'evilapp://x' })).toBe(false);
    opened({ url: returnAddress });
    opened({ url: 'iamporttest://result?merchant_uid=order-1&status=paid' });
    expect(actions).toEqual([
      'ispmobile://TID=1',
      'itms-apps://apps.apple.com/app/id369125087',
      'Open another app?',
      ['load', target],
      { merchant_uid: 'order-1', status: 'paid' },
    ]);
  });
});

describe('Capacitor', () => {
  test('opens the apps, loads the return address, and ends with the result', async () => {
    const actions: unknown[] = [];
    const listeners: Record<string, (event: { url: string }, load?: (url: string) => void) => void> = {};
    const example = await loadExample('payment.ts', {
      Capacitor: { getPlatform: () => 'android' },
      App: {
        addListener: async (name: string, listener: (event: { url: string }) => void) => {
          listeners[name] = listener;
          return { remove: async () => actions.push('removed') };
        },
      },
      AppLauncher: {
        openUrl: async ({ url }: { url: string }) => {
          actions.push(url);
          return { completed: url.startsWith('market:') };
        },
      },
      confirm: () => false,
      cordova: {
        InAppBrowser: {
          open: (_url: string, _target: string, options: string) => {
            actions.push(options);
            return {
              executeScript: ({ code }: { code: string }) => actions.push(code),
              close: () => listeners.exit?.({ url: '' }),
              addEventListener: (type: string, listener: (typeof listeners)[string]) => {
                listeners[type] = listener;
              },
            };
          },
        },
      },
    });
    const result = (example.openPayment as unknown as (page: string) => Promise<unknown>)('https://www.my-shop.kr/pay');
    await settled();
    const load = (url: string) => actions.push(['load', url]);
    listeners.beforeload?.({ url: 'https://mobile.inicis.com/' }, load);
    listeners.beforeload?.({ url: 'intent://x#Intent;scheme=kb-acp;package=com.kbcard.cxh.appcard;end' }, load);
    await settled();
    listeners.beforeload?.({ url: 'evilapp://x' }, load);
    listeners.appUrlOpen?.({ url: returnAddress });
    listeners.appUrlOpen?.({ url: 'iamporttest://result?merchant_uid=order-1' });
    expect(await result).toEqual({ merchant_uid: 'order-1' });
    expect(actions).toEqual([
      'location=no,beforeload=get',
      ['load', 'https://mobile.inicis.com/'],
      'kb-acp://x',
      'market://details?id=com.kbcard.cxh.appcard',
      `location.href = ${JSON.stringify(target)}`,
      'removed',
    ]);
  });
});

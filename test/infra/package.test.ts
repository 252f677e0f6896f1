/**
 * The packed package, installed by npm into an app outside this project and synthesized there, without network and child
 * processes.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { makePackage } from '../../scripts/package.ts';
import { COMPILERS, CONSUMER, FOREIGN_FILES, MODULES, publintMessages, SECRETS, typeProblems } from './packed.ts';
import { shippedContext } from './shipped.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const modules = join(root, 'node_modules');
let app: string;
let tarball: string;

beforeAll(async () => {
  tarball = await makePackage();
  app = await mkdtemp(join(tmpdir(), 'shop-app-'));
  const dependencies = { 'iamport-serverless': `file:${tarball}`, zod: `file:${join(modules, 'zod')}` };
  await write('package.json', JSON.stringify({ name: 'shop', private: true, dependencies }));
  await run('npm', ['install', '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund'], { cwd: app });
  // The peer dependencies of a CDK app, linked here; npm would download them.
  for (const name of ['aws-cdk-lib', 'constructs', '@types'])
    await symlink(join(modules, name), join(app, 'node_modules', name));
  await write('offline.mjs', OFFLINE);
});
afterAll(() => rm(app, { recursive: true }));

test('the template equals that of this repository, function by function', async () => {
  await write('app.mjs', appOf(`import { IamportPayments } from 'iamport-serverless';`));
  await synthesize('app.mjs', 'cdk.out');
  const theirs = await template(join(app, 'cdk.out'));
  expect(theirs.Resources).toEqual((await template(inject('assembly'))).Resources);
});

test('a CommonJS app can require it', async () => {
  await write(
    'app.cjs',
    `const { App, Stack } = require('aws-cdk-lib');
     const { IamportPayments } = require('iamport-serverless');
     const app = new App({ outdir: 'cdk.cjs', analyticsReporting: false });
     new IamportPayments(new Stack(app, 'Shop'), 'Payments', ${JSON.stringify(shippedContext.iamport)});
     app.synth();`,
  );
  await synthesize('app.cjs', 'cdk.cjs');
  expect(Object.keys((await template(join(app, 'cdk.cjs'), 'Shop')).Resources)).toContain(
    'PaymentsTablesOrdersD7E07471',
  );
});

test('the code of docs/construct.md and docs/client.md is the same in both languages', async () => {
  for (const doc of ['docs/construct', 'docs/client'])
    expect(await codeOf(`${doc}.ko.md`)).toEqual(await codeOf(`${doc}.md`));
});

test('its types compile in an app, a subscriber and the code of the docs, and reject unknown names', async () => {
  await write(
    'app.ts',
    `import { App, Stack } from 'aws-cdk-lib';
     import type { IFunction } from 'aws-cdk-lib/aws-lambda';
     import { ConfigurationError, IamportPayments, type IamportPaymentsProps } from 'iamport-serverless';
     import { type PaymentsEvent, readEvent } from 'iamport-serverless/events';

     declare const deliver: IFunction;
     const props: IamportPaymentsProps = { storefront: { origins: ['https://shop.example'] } };
     const payments = new IamportPayments(new Stack(new App(), 'Shop'), 'Payments', props);
     export const url: string = payments.url;
     export const queue: string = payments.onPaid(deliver).deadLetters.queueArn;
     export const problems = (error: ConfigurationError): readonly string[] => error.problems;
     // @ts-expect-error: the origins are required.
     new IamportPayments(payments, 'Second', {});
     // @ts-expect-error: not an allowed value.
     new IamportPayments(payments, 'Third', { ...props, reversals: 'sometimes' });
     // @ts-expect-error: not an event name.
     payments.on('Payment Made', deliver);

     export async function handler({ detail }: PaymentsEvent<'Virtual Account Issued'>): Promise<string> {
       // @ts-expect-error: the name of the bank is optional.
       const bank: string = detail.virtual_account.bank;
       return bank + detail.virtual_account.number + detail.amount.toFixed();
     }
     export const receipt = (event: unknown): string => readEvent('Payment Paid', event).imp_uid;
     // @ts-expect-error: an expired order may have no payment.
     export const expired = (event: unknown): string => readEvent('Order Expired', event).imp_uid;`,
  );
  await write(
    'module.mts',
    `import type { IamportPayments } from 'iamport-serverless';
     export const url = (payments: IamportPayments): string => payments.url;
     // @ts-expect-error: not a property.
     export const other = (payments: IamportPayments) => payments.uri;`,
  );
  const [calls = '', webhooks = ''] = await codeOf('docs/client.md');
  await write('calls.ts', calls);
  await write('webhooks.ts', webhooks);
  const [first = '', subscriptions = '', subscriber = '', confirmation = '', twoStacks = '', ownTable = ''] =
    await codeOf('docs/construct.md');
  const named = [...`${subscriptions}${confirmation}`.matchAll(/\((?:'[^']*', )?(\w+)(?:, \{.*\})?\);/g)]
    .map(([, name]) => name)
    .join(': IFunction, ');
  const cdk = "import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';";
  const head = `import { Function, type FunctionProps, type IFunction } from 'aws-cdk-lib/aws-lambda';
    declare const ${named}: IFunction;
    declare const code: FunctionProps;
    declare class Payments extends Stack { readonly payments: IamportPayments }`;
  await write('first.ts', `${cdk}${head}${first}${subscriptions}${confirmation}{${twoStacks}}{${ownTable}}`);
  await write('second.ts', subscriber);
  // One compilation: each one reads the types of the CDK, which takes most of its time.
  expect(await compiled(['app.ts', 'module.mts', 'first.ts', 'second.ts', 'calls.ts', 'webhooks.ts'])).toBe('');
});

test('a subscriber checks the event of its invocation', async () => {
  const detail = { version: 1, id: 'order-1:2', merchant_uid: 'order-1', amount: 14_000, currency: 'KRW' };
  await write(
    'subscriber.mjs',
    `import { readEvent } from 'iamport-serverless/events';
     const detail = { ...${JSON.stringify(detail)}, imp_uid: 'imp_1', status: 'paid', future: true };
     const event = { source: 'iamport-serverless', 'detail-type': 'Payment Paid', detail };
     const tried = (name, event) => { try { return readEvent(name, event); } catch (error) { return error.message; } };
     console.log(JSON.stringify([
       tried('Payment Paid', event).imp_uid,
       tried('Payment Failed', event),
       tried('Payment Paid', { ...event, source: 'another-source' }),
       JSON.parse(tried('Payment Paid', { ...event, detail: { ...detail, version: 2, imp_uid: undefined } })).map(({ path }) => path[0]),
     ]));`,
  );
  const { stdout } = await run(process.execPath, ['subscriber.mjs'], { cwd: app });
  expect(JSON.parse(stdout)).toEqual([
    'imp_1',
    'Expected "Payment Failed" of iamport-serverless, and got "Payment Paid" of iamport-serverless',
    'Expected "Payment Paid" of iamport-serverless, and got "Payment Paid" of another-source',
    ['version', 'imp_uid'],
  ]);
});

test('it has no install scripts, and one dependency', async () => {
  const manifest = JSON.parse(await readFile(join(app, 'node_modules/iamport-serverless/package.json'), 'utf8'));
  expect(Object.keys(manifest.dependencies)).toEqual(['zod']);
  // Optional: npm installs no CDK into a server or a page that imports only the client or the checkout.
  expect(Object.keys(manifest.peerDependencies)).toEqual(['aws-cdk-lib', 'constructs']);
  expect(manifest.peerDependenciesMeta).toEqual({ 'aws-cdk-lib': { optional: true }, constructs: { optional: true } });
  expect(manifest).not.toHaveProperty('scripts');
  expect(manifest).not.toHaveProperty('optionalDependencies');
});

test('publint has no message about the tarball', async () => {
  expect(await publintMessages(tarball)).toEqual([]);
});

test('attw finds the types of every module under every resolution of modules', async () => {
  const { modules, problems } = await typeProblems(tarball);
  expect(modules.map((name) => name.replace('.', 'iamport-serverless'))).toEqual(Object.keys(MODULES));
  expect(problems).toEqual([]);
});

test('every module loads with import and with require, with the same exports', async () => {
  await write(
    'load.mjs',
    `import { createRequire } from 'node:module';
     const require = createRequire(import.meta.url);
     const loaded = {};
     for (const name of ${JSON.stringify(Object.keys(MODULES))}) {
       const [imported, required] = [await import(name), require(name)];
       loaded[name] = { imported: Object.keys(imported), required: Object.keys(required), isOneFile: imported === required };
     }
     console.log(JSON.stringify(loaded));`,
  );
  const { stdout } = await run(process.execPath, ['load.mjs'], { cwd: app });
  const loaded: Record<string, { imported: string[]; required: string[]; isOneFile: boolean }> = JSON.parse(stdout);
  for (const [name, names] of Object.entries(MODULES)) {
    expect(loaded[name]?.imported).toEqual(expect.arrayContaining([...names]));
    expect(loaded[name]?.required.sort()).toEqual(loaded[name]?.imported.sort());
    // Two builds: a bundler that knows no ES modules reads the second one.
    expect(loaded[name]?.isOneFile).toBe(false);
  }
});

test.each(Object.entries(COMPILERS))('the types of all modules but the construct compile in %s', async (_kind, by) => {
  for (const file of by.files) await write(file, CONSUMER);
  const strict = { lib: ['es2022', 'dom'], types: [], skipLibCheck: false };
  expect(await compiled([...by.files], { ...by.options, ...strict })).toBe('');
});

test('the client is bundled for an edge runtime without another package', async () => {
  await write('edge.mjs', `export { createPayments, verifyWebhook } from 'iamport-serverless/client';`);
  const { metafile } = await build({
    entryPoints: [join(app, 'edge.mjs')],
    absWorkingDir: app,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  expect(Object.keys(metafile.inputs)).toEqual(['node_modules/iamport-serverless/client/index.js', 'edge.mjs']);
});

test('the plain script defines IamportCheckout', async () => {
  const script = await readFile(join(app, 'node_modules/iamport-serverless/storefront/checkout.global.js'), 'utf8');
  const names = runInNewContext(`${script}; Object.keys(IamportCheckout).sort()`, {});
  expect([...names]).toEqual(['confirm', 'pay', 'resume']);
});

test('it has no files of development, no lock files and no secrets', async () => {
  const packed = join(app, 'node_modules/iamport-serverless');
  const entries = await readdir(packed, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  expect(files.length).toBeGreaterThan(100);
  const names = files.map((file) => relative(packed, file));
  expect(names.filter((file) => FOREIGN_FILES.test(file))).toEqual([]);
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const));
  const leaking = texts.filter(([, text]) => SECRETS.test(text) || text.includes(root));
  expect(leaking.map(([file]) => relative(packed, file))).toEqual([]);
});

test('the docs in it link only to files in it', async () => {
  const packed = join(app, 'node_modules/iamport-serverless');
  const names = await readdir(packed, { recursive: true });
  const docs = names.filter((name) => /^(docs\/)?[^/]+\.md$/.test(name));
  expect(docs.length).toBeGreaterThan(30);
  for (const doc of docs) {
    const links = (await readFile(join(packed, doc), 'utf8')).matchAll(/\]\((?!https?:)([^)#]+)/g);
    const targets = [...links].map(([, target = '']) => join(dirname(doc), target));
    expect(
      targets.filter((target) => !names.includes(target)),
      doc,
    ).toEqual([]);
  }
});

test('npx iamport-serverless prints its help, and the declarations of an app', async () => {
  const bin = join(app, 'node_modules/.bin/iamport-serverless');
  expect((await run(bin, ['--help', '--lang', 'en'], { cwd: app })).stdout).toContain('why <merchant_uid>');
  expect((await run(bin, ['native', '--scheme', 'iamporttest'], { cwd: app })).stdout).toContain('iamporttest');
  const lost = run(bin, ['why', 'order-1', '--local', '--url', 'http://127.0.0.1:9'], { cwd: app });
  await expect(lost).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('No local system responds') });
});

test.each([
  ['20.20.2', 'iamport-serverless needs Node.js 22.19.0 or newer, and this is 20.20.2.\n'],
  ['22.18.0', 'iamport-serverless needs Node.js 22.19.0 or newer, and this is 22.18.0.\n'],
  ['22.19.0', ''],
])('the command on Node.js %s prints what it needs', async (node, message) => {
  const asNode = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`;
  const bin = join(app, 'node_modules/iamport-serverless/dist/cli.js');
  const args = ['--import', `data:text/javascript,${encodeURIComponent(asNode)}`, bin, '--help'];
  const ended = await run(process.execPath, args).catch((error: { stderr: string }) => error);
  expect(ended.stderr).toBe(message);
  expect('code' in ended).toBe(message !== '');
});

/** Makes every attempt to open a connection fail. */
const OFFLINE = `import net from 'node:net';
net.Socket.prototype.connect = () => { throw new Error('a connection was opened'); };`;

/** The source of a shop's app with this repository's stack. */
const appOf = (imports: string) => `import { App, Stack } from 'aws-cdk-lib';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
${imports}
const app = new App({ postCliContext: flags, outdir: 'cdk.out', analyticsReporting: false });
new IamportPayments(new Stack(app, 'IamportPayments'), 'Payments', ${JSON.stringify(shippedContext.iamport)});
app.synth();`;

/** Runs the app without the permission to start a process, so it cannot start a bundler or npm. */
async function synthesize(file: string, outdir: string): Promise<void> {
  await mkdir(join(app, outdir));
  const rights = ['--permission', '--allow-fs-read=*', `--allow-fs-write=${app}/*`, `--allow-fs-write=${tmpdir()}/*`];
  const environment = { PATH: process.env.PATH, HOME: app, CDK_DISABLE_VERSION_CHECK: '1', CDK_VALIDATION: 'false' };
  await run(process.execPath, [...rights, '--import', './offline.mjs', file], { cwd: app, env: environment });
}

/** The blocks of TypeScript in a document. */
async function codeOf(doc: string): Promise<(string | undefined)[]> {
  const text = await readFile(join(import.meta.dirname, '../..', doc), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
}

/** Compiles in strict mode. @returns the output of the compiler, empty without errors */
async function compiled(files: string[], options: object = {}): Promise<string> {
  const compilerOptions = {
    module: 'nodenext',
    lib: ['es2024', 'esnext.disposable'],
    strict: true,
    noEmit: true,
    types: ['node'],
    ...options,
  };
  await write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  const { stdout } = await run(process.execPath, [join(modules, 'typescript/bin/tsc')], { cwd: app }).catch(
    (failed: { stdout: string }) => failed,
  );
  return stdout;
}

async function template(directory: string, stack = 'IamportPayments'): Promise<{ Resources: object }> {
  return JSON.parse(await readFile(join(directory, `${stack}.template.json`), 'utf8'));
}

const write = (file: string, text: string) => writeFile(join(app, file), text);

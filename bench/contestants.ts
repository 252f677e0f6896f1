/** The measured implementations: others, bundled from contestants/, and this project with its deployed bundle. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { synthesize } from '../infra/app.ts';
import { cdkContext } from '../infra/context.ts';
import { CloudAssembly, region } from '../local/aws/template.ts';
import { confirmation, queuedEvent } from './events.ts';
import type { Contestant } from './measured.ts';
import type { Upstreams } from './upstreams.ts';

const others = [
  { file: 'constant.mjs', name: 'constant' },
  { file: 'hand-written.cjs', name: 'hand-written' },
  { file: 'express.cjs', name: 'express, bundled' },
  { file: 'iamport-client.cjs', name: 'iamport-client' },
  { file: 'powertools.mjs', name: 'powertools' },
] as const;

const folder = join(import.meta.dirname, 'contestants');
const run = promisify(execFile);

/** Installs the dependencies of the other implementations from their own lock file. */
async function install(): Promise<void> {
  const stamp = join(folder, 'node_modules/.package-lock.json');
  const lock = join(folder, 'package-lock.json');
  if (existsSync(stamp) && (await stat(stamp)).mtimeMs > (await stat(lock)).mtimeMs) return;
  console.error('Installing the contestants’ dependencies');
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, shell: true });
}

/** The environment variables that Lambda sets for every function, and the addresses of the stubs. */
function baseEnvironment(upstreams: Upstreams, certificateFile: string): Record<string, string> {
  return {
    PATH: '/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'ASIABENCHBENCHBENCH0',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_SESSION_TOKEN: 't'.repeat(700),
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: 'JSON',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/bench',
    AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
    AWS_ENDPOINT_URL_DYNAMODB: upstreams.urls.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: upstreams.urls.secrets,
    IAMPORT_API_URL: upstreams.urls.iamport,
    NODE_EXTRA_CA_CERTS: certificateFile,
  };
}

async function bundled({ file, name }: (typeof others)[number], into: string, environment: Record<string, string>) {
  const codeDirectory = join(into, name);
  const isEsm = file.endsWith('.mjs');
  const outfile = join(codeDirectory, isEsm ? 'index.mjs' : 'code.cjs');
  await mkdir(codeDirectory, { recursive: true });
  await build({
    entryPoints: [join(folder, file)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: isEsm ? 'esm' : 'cjs',
    minify: true,
    logLevel: 'error',
    // CommonJS packages inside an ES module call `require`.
    ...(isEsm && { banner: { js: requireForEsm } }),
  });
  if (!isEsm) {
    await writeFile(join(codeDirectory, 'index.mjs'), requiring('./code.cjs'));
  }
  const { size } = await stat(outfile);
  return {
    name,
    codeDirectory,
    handler: 'index.handler',
    bytes: size,
    sharedToken: false,
    environment: { ...keys, ...environment },
  };
}

const keys = { IMP_KEY: 'bench', IMP_SECRET: 'bench', ORDERS_TABLE: 'orders', STATE_TABLE: 'state' };

/** Loads CommonJS as Lambda does. A plain import would also start the parser for CommonJS exports. */
const requiring = (file: string) =>
  `export const { handler } = process.getBuiltinModule('node:module').createRequire(import.meta.url)(${JSON.stringify(file)});\n`;

const requireForEsm = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

/** Deployed like the official samples: the source, and node_modules beside it. */
async function unbundledExpress(into: string, environment: Record<string, string>): Promise<Contestant> {
  const codeDirectory = join(into, 'express-as-deployed');
  await mkdir(codeDirectory);
  const source = join(folder, 'express.cjs');
  await writeFile(join(codeDirectory, 'index.mjs'), requiring(source));
  const list =
    'let bytes = 0; for (const file of Object.keys(require.cache)) bytes += fs.statSync(file).size; console.log(bytes);';
  const { stdout } = await run(process.execPath, ['-e', `require(${JSON.stringify(source)}); ${list}`], {
    env: { ...environment, ...keys },
  });
  return {
    name: 'express',
    codeDirectory,
    handler: 'index.handler',
    bytes: Number(stdout),
    sharedToken: false,
    environment: { ...keys, ...environment },
  };
}

/** The bundle and the environment of a function, as the synthesized template has them. @throws Error if it has none */
async function deployedFunction(assembly: CloudAssembly, idPart: string, environment: Record<string, string>) {
  const found = assembly.ofType('AWS::Lambda::Function').find(({ id }) => id.includes(idPart));
  if (!found) throw new Error(`The template has no function ${idPart}`);
  const { Code, Environment, Handler } = found.properties as unknown as {
    Code: { S3Key: string };
    Environment: { Variables: Record<string, string> };
    Handler: string;
  };
  const codeDirectory = assembly.codeDirectory(Code.S3Key);
  const bytes = (await readFile(join(codeDirectory, 'index.mjs'))).length;
  return { codeDirectory, handler: Handler, bytes, environment: { ...Environment.Variables, ...environment } };
}

/** The function of `POST /payments/complete`. */
async function ours(into: string, environment: Record<string, string>): Promise<Contestant[]> {
  const assembly = CloudAssembly.read(await synthesize(cdkContext(), join(into, 'cdk.out')));
  const deployed = await deployedFunction(assembly, 'FunctionsComplete', environment);
  return [
    {
      ...deployed,
      name: 'this project',
      sharedToken: true,
    },
    {
      ...deployed,
      name: 'this project, no token',
      sharedToken: false,
    },
  ];
}

/**
 * `complete`, and the two functions that send requests to the shop's server: `confirm` with a URL, and `deliver`.
 * @param into an empty directory for the bundles
 */
export async function functionsOfStack(upstreams: Upstreams, into: string): Promise<Contestant[]> {
  const certificateFile = join(into, 'certificate.pem');
  await writeFile(certificateFile, upstreams.certificate);
  const url = `${upstreams.urls.shop}/`;
  const environment = {
    ...baseEnvironment(upstreams, certificateFile),
    ...{
      CONFIRM_URL: url,
      CONFIRM_LOOPBACK: 'allow',
      CONFIRM_OTHERWISE: 'refuse',
      WEBHOOK_URL: url,
      WEBHOOK_LOOPBACK: 'allow',
    },
    ...{ WEBHOOK_QUEUE_URL: url, WEBHOOK_DEAD_LETTERS_URL: url },
  };
  const shop = 'https://shop.invalid/';
  const { iamport, ...context } = cdkContext();
  const settings = { ...Object(iamport), webhooks: [{ url: shop }], confirm: { url: shop } };
  const assembly = CloudAssembly.read(await synthesize({ ...context, iamport: settings }, join(into, 'cdk.out')));
  const measured = async (name: string, idPart: string, call?: Contestant['call']): Promise<Contestant> => ({
    ...(await deployedFunction(assembly, idPart, environment)),
    name,
    sharedToken: true,
    ...(call && { call }),
  });
  return [
    await measured('complete', 'FunctionsComplete'),
    await measured('confirm', 'FunctionsConfirm', { event: confirmation, response: /"statusCode":200/ }),
    await measured('deliver', 'DeliverFunction', { event: queuedEvent, response: /^\{"batchItemFailures":\[\]\}$/ }),
  ];
}

/** @param into an empty directory for the bundles */
export async function contestants(upstreams: Upstreams, into: string): Promise<Contestant[]> {
  await install();
  const certificateFile = join(into, 'certificate.pem');
  await writeFile(certificateFile, upstreams.certificate);
  const environment = baseEnvironment(upstreams, certificateFile);
  const built = await Promise.all(others.map((other) => bundled(other, into, environment)));
  return [...built, await unbundledExpress(into, environment), ...(await ours(into, environment))];
}

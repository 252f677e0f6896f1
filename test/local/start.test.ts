/** `npm start` as a person runs it: the words it prints, and that nothing of it is left afterwards. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../local/aws/free-port.ts';

const root = join(import.meta.dirname, '../..');

/** The last line; the address of the shop is the first. */
const ready = /shop +(http:\/\/127\.0\.0\.1:\d+)\/.*\nready.*\n/s;

interface Run {
  readonly child: ChildProcess;
  /** Everything that it has printed. */
  printed(): string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

const runs: Run[] = [];
afterEach(async () => {
  for (const { child, ended } of runs.splice(0)) {
    // Of a test that failed; after all others there is nobody left.
    if (isAlive(-(child.pid ?? 0))) process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended;
  }
});

function start(environment: Record<string, string>): Run {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...environment };
  // A process group of its own, as from a terminal.
  const child = spawn(process.execPath, ['local/start.ts'], { cwd: root, env, detached: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, killedBy) => resolve(killedBy ?? code)),
  );
  const run = { child, printed: () => Buffer.concat(chunks).toString(), ended };
  runs.push(run);
  return run;
}

/** Waits until it prints this. */
async function until(run: Run, words: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = words.exec(run.printed());
    if (found) return found;
    if (run.child.exitCode !== null) throw new Error(`It ended before it said ${words}:\n${run.printed()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The processes that descend from this one, from the parents that Linux tells of. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return [{ pid: Number(entry), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
    } catch {
      // It ended while we read.
      return [];
    }
  });
  const children = parents.filter(({ parent }) => parent === pid).map((child) => child.pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// After a change of cdk.json the first one synthesizes the stack, perhaps beside all the other tests.
describe('npm start', { timeout: 180_000 }, () => {
  it.each([
    // A terminal gives it to all its processes, and npm passes it on once more.
    ['a Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT') && process.kill(pid, 'SIGINT')],
    ['SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
  ])('says where everything is, and ends on %s with all that it started, and no word', async (_signal, end) => {
    const run = start({});
    const [, url = ''] = await until(run, ready);
    const printed = run.printed();
    for (const words of [
      /Iamport +http/,
      /POST +\S+\/payments\/complete\n/,
      /\(signed\)/,
      /--aws-sigv4/,
      /DynamoDB Local/,
    ]) {
      expect(printed).toMatch(words);
    }
    // A function runs now, too.
    const answer = await fetch(`${url}/payments/complete`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(415);
    const pids = descendants(run.child.pid ?? 0);
    expect(pids.filter(isAlive).length).toBeGreaterThanOrEqual(2);
    end(run.child.pid ?? 0);
    expect(await run.ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(run.printed()).toBe(printed);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('that is told to end while it still starts leaves nothing either', async () => {
    const run = start({});
    let pids: number[] = [];
    while (pids.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      pids = descendants(run.child.pid ?? 0).filter((pid) => {
        try {
          return /java/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
        } catch {
          return false;
        }
      });
    }
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(run.printed()).toMatch(/^Starting .*\n(Synthesizing .*\n)?$/);
  });

  it('leaves no function behind when it is killed', async () => {
    const run = start({ DYNAMODB: 'dynalite' });
    const [, url = ''] = await until(run, ready);
    await fetch(`${url}/payments/complete`, { method: 'POST', body: '{}' });
    const pids = descendants(run.child.pid ?? 0);
    // That of the door, and where the machine is slow, one of a schedule.
    expect(pids.filter(isAlive)).not.toEqual([]);
    run.child.kill('SIGKILL');
    expect(await run.ended).toBe('SIGKILL');
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('runs without Java, and says so', async () => {
    const run = start({ PATH: '/nowhere' });
    await until(run, /dynalite \(no Java 17 found.*\n.*ready/s);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it.each([
    [
      'without Java for the DynamoDB Local that was asked for',
      { PATH: '/nowhere', DYNAMODB: 'local' },
      /needs Java 17 or newer \(found: none\)/,
    ],
    ['with a database that is not known', { DYNAMODB: 'postgres' }, /^DYNAMODB must be "local", "dynalite"/m],
    ['with a port that is none', { PORT: 'http' }, /^PORT must be a port number, and is "http"\.$/m],
    ['with an Iamport of its own and no keys', { IAMPORT_API_URL: 'http://127.0.0.1:9' }, /set IMP_KEY and IMP_SECRET/],
  ])('%s says what is wrong and ends with 1', async (_what, environment, words) => {
    const run = start(environment);
    expect(await run.ended).toBe(1);
    expect(run.printed()).toMatch(words);
    expect(run.printed()).not.toMatch(/\n +at /);
  });

  it.each([
    ['PORT', 0, /^Something else listens on port (\d+)\. Choose another: PORT=\d+ npm start$/m],
    [
      'the port after it',
      1,
      /^Something else listens on port (\d+), where the stand-in Iamport would be \(PORT \+ 1\)/m,
    ],
  ])('says so when %s is taken, and ends with 1', async (_which, offset, words) => {
    // Of a port that the system hands out, the one before it may be in use.
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const run = start({ PORT: String(port - offset) });
    expect(await run.ended).toBe(1);
    expect(words.exec(run.printed())?.[1]).toBe(String(port));
    await new Promise((resolve) => other.close(resolve));
  });
});

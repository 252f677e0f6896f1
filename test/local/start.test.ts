/** `npm start` in a terminal: its output, and that no process stays behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, inject, it, test, vi } from 'vitest';
import { freePort } from '../../local/aws/free-port.ts';
import { startLocal } from '../../local/system.ts';
import { runOperator } from '../support/operator.ts';

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
    // Only a failed test leaves processes here.
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
async function until(run: Run, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = pattern.exec(run.printed());
    if (found) return found;
    if (run.child.exitCode !== null) throw new Error(`It ended before it printed ${pattern}:\n${run.printed()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The descendants of a process, from the parent ids in /proc of Linux. */
function descendants(pid: number): number[] {
  const parents = readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return [{ pid: Number(entry), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }];
    } catch {
      // The process ended during the read.
      return [];
    }
  });
  const children = parents.filter(({ parent }) => parent === pid).map((child) => child.pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** @returns a free port; the one before it and the two after it, which the test uses too, are free as well */
async function portWithFreeNeighbours(): Promise<number> {
  for (;;) {
    const port = await freePort();
    const areFree = await Promise.all([port - 1, port + 1, port + 2].map(isFree));
    if (areFree.every(Boolean)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// After a change of cdk.json the first test synthesizes the stack, possibly while other tests run.
describe('npm start', { timeout: 180_000 }, () => {
  it.each([
    // A terminal sends it to the whole process group, and npm forwards it once more.
    ['a Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT') && process.kill(pid, 'SIGINT')],
    ['SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
  ])('prints every URL, and ends on %s with all its processes and without output', async (_signal, end) => {
    const run = start({});
    const [, url = ''] = await until(run, ready);
    const printed = run.printed();
    for (const pattern of [
      /Iamport +http/,
      /POST +\S+\/payments\/complete\n/,
      /\(with a key\)/,
      /GET +\S+\/payments {2}\(for mistyped addresses\)\n/,
      /Bearer sk_money_local/,
      /DynamoDB Local/,
    ]) {
      expect(printed).toMatch(pattern);
    }
    // Starts the process of a function, too.
    const response = await fetch(`${url}/payments/complete`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(415);
    const pids = descendants(run.child.pid ?? 0);
    expect(pids.filter(isAlive).length).toBeGreaterThanOrEqual(2);
    end(run.child.pid ?? 0);
    expect(await run.ended).toBe(0);
    // A process that has ended exists until its parent has waited for it.
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    expect(run.printed()).toBe(printed);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('leaves no process behind when it is ended during its start', async () => {
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
    // A process that has ended exists until its parent has waited for it.
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    expect(run.printed()).toMatch(/^Starting .*\n(Synthesizing .*\n)?$/);
  });

  it.each(['local', 'dynalite'])('leaves no process behind when it is killed, with DYNAMODB=%s', async (DYNAMODB) => {
    const run = start({ DYNAMODB });
    const [, url = ''] = await until(run, ready);
    await fetch(`${url}/payments/complete`, { method: 'POST', body: '{}' });
    const pids = descendants(run.child.pid ?? 0);
    // The database, the process of the endpoint, and on a slow machine that of the schedule.
    expect(pids.filter(isAlive)).not.toEqual([]);
    run.child.kill('SIGKILL');
    expect(await run.ended).toBe('SIGKILL');
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('prints Korean for a Korean terminal', async () => {
    const run = start({ DYNAMODB: 'dynalite', LANG: 'ko_KR.UTF-8' });
    const [printed, url = ''] = await until(run, ready);
    expect(printed).toMatch(/ dynalite, http/);
    expect(printed).toContain(`${url}/live.html  (결제 처리 과정을 실시간으로)`);
    expect(printed).toContain(`ready: ${url}/ 에서 결제해 보세요.`);
    const second = start({ LC_ALL: 'ko_KR.UTF-8', PORT: new URL(url).port });
    expect(await second.ended).toBe(1);
    expect(second.printed()).toContain(
      `npm start가 이미 ${url}/ 에서 실행 중입니다(프로세스 ${run.child.pid}). 다른 포트로`,
    );
    const { port } = new URL(`${/(http:\S+)\/ +\(가짜/.exec(printed)?.[1]}`);
    const third = start({ LC_ALL: 'ko_KR.UTF-8', PORT: port });
    expect(await third.ended).toBe(1);
    expect(third.printed()).toContain(`(프로세스 ${run.child.pid}). 포트 ${port}도 씁니다. 다른 포트로`);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it('prints the URLs of the webhooks and of the question before an approval, each with the secret that signs it', async () => {
    const run = start({
      DYNAMODB: 'dynalite',
      SHOP_WEBHOOK_URL: 'http://localhost:9/webhooks',
      SHOP_CONFIRM_URL: 'http://localhost:9/confirm',
    });
    await until(run, ready);
    const secret = String.raw`.*\n +secret +whsec_[A-Za-z0-9+/]{43}=\n`;
    expect(run.printed()).toMatch(new RegExp(`webhooks +http://localhost:9/webhooks ${secret}`));
    expect(run.printed()).toMatch(new RegExp(`confirm +http://localhost:9/confirm ${secret}`));
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it('runs without Java, and prints that', async () => {
    const run = start({ PATH: '/nowhere' });
    await until(run, /dynalite \(no Java 17 found.*\n.*ready/s);
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it.each([
    [
      'without Java for the chosen DynamoDB Local',
      { PATH: '/nowhere', DYNAMODB: 'local' },
      /needs Java 17 or newer \(found: none\)/,
    ],
    ['with an unknown database', { DYNAMODB: 'postgres' }, /^DYNAMODB must be "local", "dynalite"/m],
    ['with an invalid port', { PORT: 'http' }, /^PORT must be a port number, and is "http"\.$/m],
    [
      'with a webhook URL in the network',
      { SHOP_WEBHOOK_URL: 'http://192.168.0.10/' },
      /^SHOP_WEBHOOK_URL must begin with https:\/\/, or be on this machine: http:\/\/localhost:8080\/webhooks$/m,
    ],
    [
      'with a URL of confirmations in the network',
      { SHOP_CONFIRM_URL: 'http://192.168.0.10/' },
      /^SHOP_CONFIRM_URL must begin with https:\/\/, or be on this machine: http:\/\/localhost:8080\/confirm$/m,
    ],
    [
      'with a webhook secret that is too short',
      { SHOP_WEBHOOK_URL: 'http://localhost:9/', SHOP_WEBHOOK_SECRET: 'whsec_c2VjcmV0' },
      /^SHOP_WEBHOOK_SECRET: A webhook secret must be whsec_ and base64 of 24 to 64 random bytes$/m,
    ],
    ['with another Iamport and no keys', { IAMPORT_API_URL: 'http://127.0.0.1:9' }, /set IMP_KEY and IMP_SECRET/],
  ])('%s prints the error and exits with 1', async (_case, environment, pattern) => {
    const run = start(environment);
    expect(await run.ended).toBe(1);
    expect(run.printed()).toMatch(pattern);
    expect(run.printed()).not.toMatch(/\n +at /);
  });

  it.each([
    ['PORT', 0, /^Something else listens on port (\d+)\. Choose another: PORT=\d+ npm start$/m],
    ['the port after it', 1, /^Something else listens on port (\d+), where the fake Iamport would be \(PORT \+ 1\)/m],
  ])('prints when %s is in use, and exits with 1', async (_case, offset, pattern) => {
    // The port before an ephemeral one may be in use.
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const run = start({ PORT: String(port - offset) });
    expect(await run.ended).toBe(1);
    expect(pattern.exec(run.printed())?.[1]).toBe(String(port));
    await new Promise((resolve) => other.close(resolve));
  });

  it('[T498] prints that another one is still starting, at its port and at the ports beside it', async () => {
    const { promise: assembly, resolve: synthesized } = Promise.withResolvers<string>();
    const port = await portWithFreeNeighbours();
    const url = `http://127.0.0.1:${port}`;
    const starting = startLocal({ assembly, port, dynamodb: inject('dynamodbEndpoint'), schedules: false });
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port + 1}`), { timeout: 10_000 });
    for (const offset of [0, 1, -1]) {
      const second = start({ PORT: String(port + offset) });
      expect(await second.ended).toBe(1);
      expect(second.printed()).toMatch(
        new RegExp(
          `npm start is still starting at ${url}/ \\(process ${process.pid}\\).*\\. Wait for it\\. Choose another: PORT=`,
        ),
      );
    }
    expect(await runOperator(['attention', '--local', '--url', url])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`The local system at ${url} is still starting.`),
    });
    synthesized(inject('assembly'));
    await (await starting).close();
  });

  it('prints that it already runs, at its port and at the ports beside it', async () => {
    const port = await portWithFreeNeighbours();
    const running = start({ DYNAMODB: 'dynalite', PORT: String(port) });
    const [, url = ''] = await until(running, ready);
    const pid = running.child.pid;
    for (const [PORT, printed] of [
      [port, `npm start already runs at ${url}/ (process ${pid}). Choose another: PORT=${port + 100} npm start`],
      [port + 1, `npm start already runs at ${url}/ (process ${pid}) and uses port ${port + 1}. Choose another: `],
      [
        port - 1,
        `npm start already runs at ${url}/ (process ${pid}) and uses port ${port} (PORT + 1). Choose another: `,
      ],
    ] as const) {
      const second = start({ PORT: String(PORT) });
      expect(await second.ended).toBe(1);
      expect(second.printed()).toContain(printed);
    }
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
  });
});

test('a request before the system is ready is answered with 503', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { promise: assembly, resolve: synthesized } = Promise.withResolvers<string>();
  const starting = startLocal({ assembly, port, dynamodb: inject('dynamodbEndpoint'), schedules: false });
  const answer = (path: string) => vi.waitFor(() => fetch(url + path), { timeout: 10_000 });
  const page = await answer('/');
  expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await page.text()).toContain('<meta http-equiv="refresh" content="1">');
  const api = await answer('/orders/order-1');
  expect([api.status, await api.json()]).toEqual([
    503,
    { message: 'The local system is starting. Ask again in a second.' },
  ]);
  synthesized(inject('assembly'));
  const system = await starting;
  expect((await fetch(url)).status).toBe(200);
  await system.close();
});

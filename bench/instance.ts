/**
 * One instance of a function in its own process, timed from its spawn on, and the server of the Lambda Runtime API for it. As in
 * Lambda, init has a whole CPU; after `limit()` the process has the CPU of its memory size.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type CpuLimits, cpuUsedMs, peakMemoryMb } from './cpu.ts';

const bootstrap = join(import.meta.dirname, '../local/aws/bootstrap.mjs');
/** Far above every measured time: a call that takes this long has failed. */
const timeoutMs = 30_000;

export interface Start {
  /** Lambda's task root; `handler` is a file in it and an export. */
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly limits: CpuLimits | undefined;
}

/** Milliseconds. */
export interface Timed {
  readonly ms: number;
  readonly response: unknown;
}

/** Lambda's flags for Node.js. Source: the bootstrap of the nodejs24.x runtime. */
const flagsFor = (memoryMb: number) => [
  '--expose-gc',
  `--max-semi-space-size=${Math.max(1, Math.floor(memoryMb / 20))}`,
  `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
];

export class Instance {
  readonly #start: Start;
  readonly #api: Server;
  #child: ChildProcess | undefined;
  #spawnedAt = 0;
  #deliveredAt = 0;
  #next: ((response: ServerResponse) => void) | undefined;
  #waiting: ServerResponse | undefined;
  #responded: ((timed: Timed) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #log = '';

  private constructor(start: Start) {
    this.#start = start;
    this.#api = createServer((request, response) => void this.#serve(request, response));
    this.#api.keepAliveTimeout = 0;
  }

  /** @returns the instance when it requests its first event, and the milliseconds until then */
  static async start(start: Start): Promise<{ instance: Instance; initMs: number }> {
    const instance = new Instance(start);
    await new Promise<void>((resolve) => instance.#api.listen(0, '127.0.0.1', resolve));
    const { port } = instance.#api.address() as AddressInfo;
    const ready = new Promise<void>((resolve, reject) => {
      instance.#failed = reject;
      instance.#next = () => resolve();
    });
    instance.#spawn(port);
    await instance.#inTime(ready);
    return { instance, initMs: performance.now() - instance.#spawnedAt };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  cpuUsedMs = () => cpuUsedMs(this.pid);
  peakMemoryMb = () => peakMemoryMb(this.pid);

  /** Limits the CPU by the memory size from now on. */
  limit(): void {
    this.#start.limits?.apply(this.pid, this.#start.memoryMb);
  }

  /** @throws Error with the function's log when it fails or sends no response */
  async invoke(event: unknown): Promise<Timed> {
    const next =
      this.#waiting ?? (await this.#inTime(new Promise<ServerResponse>((resolve) => (this.#next = resolve))));
    this.#waiting = undefined;
    const timed = new Promise<Timed>((resolve, reject) => {
      this.#responded = resolve;
      this.#failed = reject;
    });
    const body = Buffer.from(JSON.stringify(event));
    this.#deliveredAt = performance.now();
    next.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'lambda-runtime-aws-request-id': crypto.randomUUID(),
      'lambda-runtime-deadline-ms': String(Date.now() + 12_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:ap-northeast-2:000000000000:function:bench',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
    });
    next.end(body);
    return this.#inTime(timed);
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#failed = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exit;
    }
    this.#api.closeAllConnections();
    await new Promise((resolve) => this.#api.close(resolve));
  }

  #spawn(port: number): void {
    const { codeDirectory, handler, memoryMb, environment } = this.#start;
    this.#spawnedAt = performance.now();
    const child = spawn(process.execPath, [...flagsFor(memoryMb), bootstrap], {
      env: {
        ...environment,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        LAMBDA_TASK_ROOT: codeDirectory,
        _HANDLER: handler,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('exit', () => this.#failed?.(new Error(`The instance exited before it sent a response:\n${this.#log}`)));
    this.#child = child;
  }

  async #inTime<Value>(value: Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`No response within ${timeoutMs} ms:\n${this.#log}`)), timeoutMs);
    });
    return Promise.race([value, late]).finally(() => clearTimeout(timer));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path.endsWith('/invocation/next')) {
      this.#waiting = response;
      this.#next?.(response);
      this.#next = undefined;
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const ms = performance.now() - this.#deliveredAt;
    response.writeHead(202, { 'content-length': 0 }).end();
    const text = Buffer.concat(chunks).toString();
    if (path.endsWith('/response')) this.#responded?.({ ms, response: JSON.parse(text) });
    else this.#failed?.(new Error(`The function failed: ${text.slice(0, 2_000)}`));
  }
}

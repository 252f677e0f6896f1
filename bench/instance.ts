/**
 * One instance of a function in a process of its own, timed from its spawn on: the side of the Lambda Runtime API that Lambda
 * is on. Init has the whole CPU, as in Lambda; from the first invocation on there is what the memory size gives.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type CpuLimits, cpuUsedMs, peakMemoryMb } from './cpu.ts';

const bootstrap = join(import.meta.dirname, '../local/aws/bootstrap.mjs');
/** Nothing here takes as long, so whatever does is broken. */
const patienceMs = 30_000;

export interface Start {
  /** The directory and the name of the file in it, as Lambda has them. */
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly limits: CpuLimits | undefined;
}

/** Milliseconds. */
export interface Timed {
  readonly ms: number;
  readonly answer: unknown;
}

/** What the wrapped Node.js of Lambda is started with. Source: the bootstrap of the nodejs24.x runtime. */
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
  #answered: ((timed: Timed) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #log = '';

  private constructor(start: Start) {
    this.#start = start;
    this.#api = createServer((request, response) => void this.#serve(request, response));
    this.#api.keepAliveTimeout = 0;
  }

  /** @returns the instance when it asks for its first event, and how long it took to come so far */
  static async start(start: Start): Promise<{ instance: Instance; initMs: number }> {
    const instance = new Instance(start);
    await new Promise<void>((resolve) => instance.#api.listen(0, '127.0.0.1', resolve));
    const { port } = instance.#api.address() as AddressInfo;
    const asked = new Promise<void>((resolve, reject) => {
      instance.#failed = reject;
      instance.#next = () => resolve();
    });
    instance.#spawn(port);
    await instance.#inTime(asked);
    return { instance, initMs: performance.now() - instance.#spawnedAt };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  cpuUsedMs = () => cpuUsedMs(this.pid);
  peakMemoryMb = () => peakMemoryMb(this.pid);

  /** The memory size holds from now on. */
  limit(): void {
    this.#start.limits?.apply(this.pid, this.#start.memoryMb);
  }

  /** @throws Error with the function's log when it does not answer */
  async invoke(event: unknown): Promise<Timed> {
    const response =
      this.#waiting ?? (await this.#inTime(new Promise<ServerResponse>((resolve) => (this.#next = resolve))));
    this.#waiting = undefined;
    const answer = new Promise<Timed>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
    const body = Buffer.from(JSON.stringify(event));
    this.#deliveredAt = performance.now();
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'lambda-runtime-aws-request-id': crypto.randomUUID(),
      'lambda-runtime-deadline-ms': String(Date.now() + 12_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:ap-northeast-2:000000000000:function:bench',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
    });
    response.end(body);
    return this.#inTime(answer);
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
    child.once('exit', () => this.#failed?.(new Error(`The instance ended before it answered:\n${this.#log}`)));
    this.#child = child;
  }

  async #inTime<Value>(value: Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`No answer within ${patienceMs} ms:\n${this.#log}`)), patienceMs);
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
    if (path.endsWith('/response')) this.#answered?.({ ms, answer: JSON.parse(text) });
    else this.#failed?.(new Error(`The function failed: ${text.slice(0, 2_000)}`));
  }
}

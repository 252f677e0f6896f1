/**
 * One instance of a function in its own process and control group, timed from its spawn on. As in Lambda, init has a whole CPU;
 * after `limit()` the process has the CPU of its memory size.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type InvocationResult, RuntimeApi } from '../local/aws/runtime-api.ts';
import { type CpuGroup, type CpuLimits, cpuUsedMs, peakMemoryMb } from './cpu.ts';

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
  readonly #api = new RuntimeApi((result) => this.#receive(result));
  #child: ChildProcess | undefined;
  #group: CpuGroup | undefined;
  #spawnedAt = 0;
  #sentAt = 0;
  #responded: ((timed: Timed) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #log = '';

  private constructor(start: Start) {
    this.#start = start;
  }

  /** @returns the instance when it requests its first event, and the milliseconds until then */
  static async start(start: Start): Promise<{ instance: Instance; initMs: number }> {
    const instance = new Instance(start);
    instance.#spawn(await instance.#api.listen());
    const failed = new Promise<never>((_, reject) => {
      instance.#failed = reject;
    });
    await instance.#inTime(Promise.race([instance.#api.next(), failed]));
    return { instance, initMs: performance.now() - instance.#spawnedAt };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  cpuUsedMs = () => cpuUsedMs(this.pid);
  peakMemoryMb = () => peakMemoryMb(this.pid);

  /** Limits the CPU by the memory size from now on. */
  limit(): void {
    this.#group?.limit(this.#start.memoryMb);
  }

  /** @throws Error with the function's log when it fails or sends no response */
  async invoke(event: unknown): Promise<Timed> {
    await this.#inTime(this.#api.next());
    const timed = new Promise<Timed>((resolve, reject) => {
      this.#responded = resolve;
      this.#failed = reject;
    });
    this.#sentAt = this.#api.send({
      functionName: 'bench',
      event,
      deadline: Date.now() + 12_000,
      traceId: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
    });
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
    this.#group?.remove();
    await this.#api.close();
  }

  #spawn(address: string): void {
    const { codeDirectory, handler, memoryMb, environment } = this.#start;
    this.#spawnedAt = performance.now();
    const child = spawn(process.execPath, [...flagsFor(memoryMb), bootstrap], {
      env: {
        ...environment,
        AWS_LAMBDA_RUNTIME_API: address,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        LAMBDA_TASK_ROOT: codeDirectory,
        _HANDLER: handler,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#group = child.pid === undefined ? undefined : this.#start.limits?.groupOf(child.pid);
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

  #receive({ kind, text, receivedAt }: InvocationResult): void {
    if (kind === 'response') this.#responded?.({ ms: receivedAt - this.#sentAt, response: JSON.parse(text) });
    else this.#failed?.(new Error(`The function failed: ${text.slice(0, 2_000)}`));
  }
}

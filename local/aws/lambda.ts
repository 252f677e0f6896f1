/**
 * Runs a function as Lambda does, one process per instance and one invocation at a time per instance. Starts a new
 * instance when none is idle, and kills it at the timeout.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type InvocationResult, RuntimeApi } from './runtime-api.ts';
import { region } from './template.ts';

export interface FunctionDefinition {
  readonly name: string;
  readonly codeDirectory: string;
  /** `index.handler`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** The environment variables, besides those that Lambda itself sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Receives the log output of the function. */
  readonly log: (text: string, isError: boolean) => void;
  /** Called when an invocation has ended, with or without a result. */
  readonly onReturned?: () => void;
}

/** A failure of the function: it threw, did not load, exited, or timed out. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
}

/** The callbacks of the invocation that an instance handles. */
interface Pending {
  readonly resolve: (returned: unknown) => void;
  readonly reject: (error: FunctionError) => void;
}

/**
 * Lambda starts an instance per concurrent invocation. A laptop has fewer cores: further invocations wait for an idle
 * instance.
 */
const maxInstances = 16;
/** The start of a process takes most of a core for half a second. Of sixteen at once, some are not ready before their timeout. */
const maxStarting = 4;
const longInvocationMs = 200;

export class LambdaFunction {
  readonly #definition: FunctionDefinition;
  readonly #instances = new Set<Instance>();
  /** Invocations that wait for an idle instance, oldest first. */
  readonly #queue: (() => void)[] = [];
  /** The number of instances that have not requested their first invocation. */
  #starting = 0;
  #closed = false;

  constructor(definition: FunctionDefinition) {
    this.#definition = definition;
  }

  /** The environment variables of the function. */
  get variables(): Readonly<Record<string, string>> {
    return this.#definition.environment;
  }

  /** The ids of the processes that run now. */
  get processIds(): number[] {
    return [...this.#instances].map(({ pid }) => pid);
  }

  /** @throws FunctionError */
  async invoke(event: unknown): Promise<unknown> {
    for (;;) {
      if (this.#closed) throw new FunctionError(`${this.#definition.name} is shut down`);
      const instance = [...this.#instances].find(({ isIdle }) => isIdle) ?? this.#start();
      if (instance) {
        return await instance.invoke(event).finally(() => {
          this.#definition.onReturned?.();
          this.#queue.shift()?.();
        });
      }
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const resume of this.#queue.splice(0)) resume();
    await Promise.all([...this.#instances].map((instance) => instance.end()));
  }

  /** @returns undefined at the maximum number of instances */
  #start(): Instance | undefined {
    if (this.#instances.size >= maxInstances || this.#starting >= maxStarting) return undefined;
    this.#starting += 1;
    const instance = new Instance(this.#definition, () => this.#instances.delete(instance));
    this.#instances.add(instance);
    void instance.started.then(() => {
      this.#starting -= 1;
      // Most invocations end sooner, and the waiting ones take that instance. Only for a longer one another process is worth it.
      setTimeout(() => this.#queue.shift()?.(), longInvocationMs);
    });
    return instance;
  }
}

class Instance {
  readonly #definition: FunctionDefinition;
  readonly #api = new RuntimeApi((result) => this.#receive(result));
  readonly #spawned: Promise<ChildProcess>;
  /** Resolves when the process requests its first invocation, or ends before. */
  readonly started: Promise<unknown>;
  #child: ChildProcess | undefined;
  #current: Pending | undefined;
  #isEnding = false;

  constructor(definition: FunctionDefinition, onEnd: () => void) {
    this.#definition = definition;
    const ended = Promise.withResolvers<void>();
    this.#spawned = this.#spawn(() => {
      onEnd();
      ended.resolve();
    });
    this.started = Promise.race([this.#api.firstNext, ended.promise]);
  }

  get isIdle(): boolean {
    return this.#current === undefined && !this.#isEnding;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  invoke(event: unknown): Promise<unknown> {
    const { name, timeoutSeconds } = this.#definition;
    return new Promise((resolve, reject) => {
      // In Lambda init has its own ten seconds; here init and the invocation share the function's timeout.
      const timer = setTimeout(() => {
        void this.end();
        this.#fail(`${name} took longer than ${timeoutSeconds} s`);
      }, timeoutSeconds * 1000);
      const settle = <Value>(then: (value: Value) => void) => {
        return (value: Value) => {
          clearTimeout(timer);
          this.#current = undefined;
          then(value);
        };
      };
      const deadline = Date.now() + timeoutSeconds * 1000;
      this.#current = { resolve: settle(resolve), reject: settle(reject) };
      void this.#api.next().then(() => this.#api.send({ functionName: name, event, deadline }));
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    const child = await this.#spawned;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exit;
    }
  }

  async #spawn(onEnd: () => void): Promise<ChildProcess> {
    const address = await this.#api.listen();
    const child = spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.mjs')], {
      env: this.#environment(address),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => this.#definition.log(chunk.toString(), false));
    child.stderr.on('data', (chunk: Buffer) => this.#definition.log(chunk.toString(), true));
    child.once('exit', (code, signal) => {
      this.#fail(`${this.#definition.name} ended (${signal ?? code}) before it returned`);
      void this.#api.close();
      onEnd();
    });
    return child;
  }

  /** Passes on no variable of this process's own environment, since Lambda has no variable of a laptop either. */
  #environment(address: string): Record<string, string> {
    const { name, codeDirectory, handler, memoryMb, environment } = this.#definition;
    return {
      ...environment,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
      AWS_LAMBDA_RUNTIME_API: address,
      LAMBDA_TASK_ROOT: codeDirectory,
      _HANDLER: handler,
      TZ: ':UTC',
    };
  }

  #receive({ kind, text }: InvocationResult): void {
    const body: unknown = JSON.parse(text || 'null');
    this.#isEnding ||= kind === 'init error';
    if (kind === 'response') this.#current?.resolve(body ?? undefined);
    else this.#fail(errorMessageOf(this.#definition.name, body));
  }

  #fail(message: string): void {
    this.#current?.reject(new FunctionError(message));
  }
}

function errorMessageOf(name: string, body: unknown): string {
  const { errorType, errorMessage, trace } = (body ?? {}) as {
    errorType?: string;
    errorMessage?: string;
    trace?: string[];
  };
  const stack = trace?.slice(1).join('\n');
  return `${name} failed: ${errorType}: ${errorMessage}${stack ? `\n${stack}` : ''}`;
}

/**
 * Runs a function as Lambda does, one process per instance and one invocation at a time per instance. Starts a new
 * instance when none is idle, and kills it at the timeout. Serves the Lambda Runtime API to the instances.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
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
}

/** A failure of the function: it threw, did not load, exited, or timed out. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
}

interface Invocation {
  readonly id: string;
  readonly event: unknown;
  readonly deadline: number;
  readonly resolve: (returned: unknown) => void;
  readonly reject: (error: FunctionError) => void;
}

/**
 * Lambda starts an instance per concurrent invocation. A laptop has fewer cores: further invocations wait for an idle
 * instance.
 */
const maxInstances = 16;

export class LambdaFunction {
  readonly #definition: FunctionDefinition;
  readonly #instances = new Set<Instance>();
  /** Invocations that wait for an idle instance, oldest first. */
  readonly #queue: (() => void)[] = [];
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
        return await instance.invoke(event).finally(() => this.#queue.shift()?.());
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
    if (this.#instances.size >= maxInstances) return undefined;
    const instance = new Instance(this.#definition, () => this.#instances.delete(instance));
    this.#instances.add(instance);
    return instance;
  }
}

class Instance {
  readonly #definition: FunctionDefinition;
  readonly #api: Server;
  readonly #started: Promise<ChildProcess>;
  #child: ChildProcess | undefined;
  #current: Invocation | undefined;
  /** The pending response to `invocation/next`: Lambda's runtime polls before there is an invocation, and waits. */
  #waiting: ServerResponse | undefined;
  #isEnding = false;

  constructor(definition: FunctionDefinition, onEnd: () => void) {
    this.#definition = definition;
    this.#api = createServer((request, response) => void this.#serve(request, response));
    // The connection is idle while the function handles an invocation, so it must not time out.
    this.#api.keepAliveTimeout = 0;
    this.#started = this.#spawn(onEnd);
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
      this.#current = { id: randomUUID(), event, deadline, resolve: settle(resolve), reject: settle(reject) };
      this.#deliver();
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    const child = await this.#started;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exit;
    }
  }

  async #spawn(onEnd: () => void): Promise<ChildProcess> {
    await new Promise<void>((resolve) => this.#api.listen(0, '127.0.0.1', resolve));
    const { port } = this.#api.address() as AddressInfo;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.mjs')], {
      env: this.#environment(port),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => this.#definition.log(chunk.toString(), false));
    child.stderr.on('data', (chunk: Buffer) => this.#definition.log(chunk.toString(), true));
    child.once('exit', (code, signal) => {
      this.#fail(`${this.#definition.name} ended (${signal ?? code}) before it returned`);
      this.#api.closeAllConnections();
      this.#api.close();
      onEnd();
    });
    return child;
  }

  /** Passes on no variable of this process's own environment, since Lambda has no variable of a laptop either. */
  #environment(port: number): Record<string, string> {
    const { name, codeDirectory, handler, memoryMb, environment } = this.#definition;
    return {
      ...environment,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      LAMBDA_TASK_ROOT: codeDirectory,
      _HANDLER: handler,
      TZ: ':UTC',
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path.endsWith('/invocation/next')) {
      this.#waiting = response;
      this.#deliver();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || 'null');
    // Responds first: the caller may end this instance as soon as its invocation resolves.
    response.writeHead(202, { 'content-length': 0 }).end();
    this.#isEnding ||= path.endsWith('/init/error');
    if (path.endsWith('/response')) this.#current?.resolve(body ?? undefined);
    else this.#fail(errorMessageOf(this.#definition.name, body));
  }

  #deliver(): void {
    const [response, invocation] = [this.#waiting, this.#current];
    if (!response || !invocation) return;
    this.#waiting = undefined;
    const event = Buffer.from(JSON.stringify(invocation.event));
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': event.length,
      'lambda-runtime-aws-request-id': invocation.id,
      'lambda-runtime-deadline-ms': String(invocation.deadline),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:${region}:000000000000:function:${this.#definition.name}`,
    });
    response.end(event);
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

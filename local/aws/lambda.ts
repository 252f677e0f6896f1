/**
 * A function as Lambda runs it: instances in processes of their own, one invocation at a time each, a cold start when none is
 * idle, killed when the time is up. Speaks the Lambda Runtime API to them.
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
  /** Everything that the function is told, besides what Lambda itself sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Gets what the function writes to its log. */
  readonly log: (text: string, isError: boolean) => void;
}

/** What the function did wrong: it threw, did not load, ended, or took too long. */
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

/** Lambda starts as many as are asked for at once. A laptop has fewer cores, so what comes on top of this waits for one to be idle. */
const mostInstances = 16;

export class LambdaFunction {
  readonly #definition: FunctionDefinition;
  readonly #instances = new Set<Instance>();
  /** Who waits for an idle instance, the longest first. */
  readonly #queue: (() => void)[] = [];
  #closed = false;

  constructor(definition: FunctionDefinition) {
    this.#definition = definition;
  }

  /** What the function is told. */
  get variables(): Readonly<Record<string, string>> {
    return this.#definition.environment;
  }

  /** The processes that run now. */
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
    for (const goOn of this.#queue.splice(0)) goOn();
    await Promise.all([...this.#instances].map((instance) => instance.end()));
  }

  /** @returns undefined when there are as many as there may be */
  #start(): Instance | undefined {
    if (this.#instances.size >= mostInstances) return undefined;
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
  /** Lambda's runtime asks for work before there is any, and waits. */
  #waiting: ServerResponse | undefined;
  #isEnding = false;

  constructor(definition: FunctionDefinition, onEnd: () => void) {
    this.#definition = definition;
    this.#api = createServer((request, response) => void this.#serve(request, response));
    // The connection rests for as long as the function works.
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
      // Init has its own ten seconds in Lambda; here both share the time and a little more.
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
      this.#fail(`${this.#definition.name} ended (${signal ?? code}) before it answered`);
      this.#api.closeAllConnections();
      this.#api.close();
      onEnd();
    });
    return child;
  }

  /** Nothing of this process's own environment gets in, as nothing of a laptop's would be there in Lambda. */
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
    // Answered first: the caller may end this instance as soon as it has its own answer.
    response.writeHead(202, { 'content-length': 0 }).end();
    this.#isEnding ||= path.endsWith('/init/error');
    if (path.endsWith('/response')) this.#current?.resolve(body ?? undefined);
    else this.#fail(reported(this.#definition.name, body));
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

function reported(name: string, body: unknown): string {
  const { errorType, errorMessage, trace } = (body ?? {}) as {
    errorType?: string;
    errorMessage?: string;
    trace?: string[];
  };
  const stack = trace?.slice(1).join('\n');
  return `${name} failed: ${errorType}: ${errorMessage}${stack ? `\n${stack}` : ''}`;
}

/** The server of the Lambda Runtime API for one process of a function: it sends invocations and receives their results. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { region } from './template.ts';

export interface Invocation {
  readonly functionName: string;
  readonly event: unknown;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** The header of AWS X-Ray; left out without tracing. */
  readonly traceId?: string;
}

export interface InvocationResult {
  readonly kind: 'response' | 'error' | 'init error';
  /** JSON, or empty. */
  readonly text: string;
  /** When the whole result was here; as `performance.now()`. */
  readonly receivedAt: number;
}

export class RuntimeApi {
  readonly #onResult: (result: InvocationResult) => void;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  /** The pending response to `invocation/next`: Lambda's runtime polls before there is an invocation, and waits. */
  #waiting: ServerResponse | undefined;
  #onNext: (() => void) | undefined;
  readonly #first = Promise.withResolvers<void>();

  constructor(onResult: (result: InvocationResult) => void) {
    this.#onResult = onResult;
    // The connection is idle while the function handles an invocation, so it must not time out.
    this.#server.keepAliveTimeout = 0;
  }

  /** @returns the value of AWS_LAMBDA_RUNTIME_API */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the function requests its next invocation, after init or after a result. One caller at a time. */
  async next(): Promise<void> {
    if (!this.#waiting) await new Promise<void>((resolve) => (this.#onNext = resolve));
  }

  /** Resolves when the function requests its first invocation, after init. */
  get firstNext(): Promise<void> {
    return this.#first.promise;
  }

  /** Sends an invocation. Call it after `next`. @returns when it was sent; as `performance.now()` */
  send({ functionName, event, deadline, traceId }: Invocation): number {
    const response = this.#waiting;
    if (!response) throw new Error('The function has not requested its next invocation');
    this.#waiting = undefined;
    const body = Buffer.from(JSON.stringify(event));
    const sentAt = performance.now();
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'lambda-runtime-aws-request-id': randomUUID(),
      'lambda-runtime-deadline-ms': String(deadline),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:${region}:000000000000:function:${functionName}`,
      ...(traceId && { 'lambda-runtime-trace-id': traceId }),
    });
    response.end(body);
    return sentAt;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path.endsWith('/invocation/next')) {
      this.#waiting = response;
      this.#first.resolve();
      this.#onNext?.();
      this.#onNext = undefined;
      return;
    }
    const text = Buffer.concat(await request.toArray()).toString();
    const receivedAt = performance.now();
    // Responds first: the caller may end the process as soon as it has the result.
    response.writeHead(202, { 'content-length': 0 }).end();
    const kind = path.endsWith('/response') ? 'response' : path.endsWith('/init/error') ? 'init error' : 'error';
    this.#onResult({ kind, text, receivedAt });
  }
}

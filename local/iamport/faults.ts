/** Makes the API misbehave for a while, and counts what it was asked. Stands before the API and knows nothing of it. */

import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import * as z from 'zod';

export const faultFields = z.strictObject({
  /** The beginning of the paths it applies to. */
  path: z.string().default('/'),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).optional(),
  /** For how many calls. */
  times: z.int().min(1).default(1),
  /** Waits before anything else. Alone, the answer is right and late. */
  delayMs: z.number().min(0).default(0),
  /** Answers an error envelope with this HTTP status. */
  status: z.int().min(200).max(599).optional(),
  /** The header `retry-after` of that answer. */
  retryAfter: z.string().optional(),
  /** Answers something that is not JSON, half of the true answer (the call is then performed), or resets the connection. */
  answer: z.enum(['garbage', 'half', 'reset']).optional(),
  /** The call does its work first, so that only its answer is lost. */
  performed: z.boolean().default(false),
});

export type Fault = z.input<typeof faultFields>;
type ActiveFault = z.output<typeof faultFields>;

export type Fetch = (request: Request, env: HttpBindings) => Promise<Response> | Response;

export class Faults {
  readonly #ending = new AbortController();
  #active: ActiveFault[] = [];
  /** What was called, oldest first, as `GET /payments/imp_1`: without query. */
  readonly calls: string[] = [];

  /** @param fault applies from the next call on, behind those already there */
  add(fault: Fault): void {
    this.#active.push(faultFields.parse(fault));
  }

  clear(): void {
    this.#active = [];
  }

  forgetCalls(): void {
    this.calls.length = 0;
  }

  /** How often each path was called since the calls were last forgotten. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const call of this.calls) counts[call] = (counts[call] ?? 0) + 1;
    return counts;
  }

  close(): void {
    this.#ending.abort();
  }

  /** Puts the faults before `serve`. */
  before(serve: Fetch): Fetch {
    return async (request, env) => {
      const { pathname } = new URL(request.url);
      this.calls.push(`${request.method} ${pathname}`);
      const fault = this.#next(request.method, pathname);
      if (!fault) return serve(request, env);
      const { signal } = this.#ending;
      // Only the end of the stand-in interrupts the waiting: nobody is answered then.
      await wait(fault.delayMs, undefined, { signal }).catch(() => env.outgoing.destroy());
      return signal.aborted ? RESPONSE_ALREADY_SENT : spoiled(fault, () => serve(request, env), env);
    };
  }

  #next(method: string, path: string): ActiveFault | undefined {
    const fault = this.#active.find((one) => path.startsWith(one.path) && (one.method ?? method) === method);
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.#active = this.#active.filter((one) => one !== fault);
    return fault;
  }
}

async function spoiled(
  fault: ActiveFault,
  serve: () => Promise<Response> | Response,
  { outgoing }: HttpBindings,
): Promise<Response> {
  const done =
    fault.performed || fault.answer === 'half' || (!fault.answer && !fault.status) ? await serve() : undefined;
  if (fault.answer === 'reset') {
    outgoing.socket?.resetAndDestroy();
    return RESPONSE_ALREADY_SENT;
  }
  if (fault.answer === 'half' && done) {
    const whole = Buffer.from(await done.arrayBuffer());
    outgoing.writeHead(done.status, { 'content-type': 'application/json', 'content-length': whole.length });
    outgoing.write(whole.subarray(0, Math.floor(whole.length / 2)), () => outgoing.destroy());
    return RESPONSE_ALREADY_SENT;
  }
  const status = fault.status ?? 200;
  if (fault.answer === 'garbage') return new Response('<html>점검 중입니다', { status });
  const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
  if (fault.status)
    return Response.json({ code: -1, message: '일시적인 오류입니다.', response: null }, { status, headers });
  return done ?? serve();
}

/** A layer in front of the API that injects faults and counts calls. Independent of the API. */

import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import * as z from 'zod';

export const faultFields = z.strictObject({
  /** The prefix of the paths that it applies to. */
  path: z.string().default('/'),
  /** Only calls with this code in the header `Tier`. */
  tier: z.string().optional(),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).optional(),
  /** The number of calls that it applies to. */
  times: z.int().min(1).default(1),
  /** A delay before the call. Alone, it returns the correct response late. */
  delayMs: z.number().min(0).default(0),
  /** Responds with an error envelope and this HTTP status. */
  status: z.int().min(200).max(599).optional(),
  /** The header `retry-after` of that response. */
  retryAfter: z.string().optional(),
  /** Sends a body that is not JSON, or half of the real response (after the call), or resets the connection. */
  answer: z.enum(['garbage', 'half', 'reset']).optional(),
  /** Performs the call first, so that only its response is lost. */
  performed: z.boolean().default(false),
});

export type Fault = z.input<typeof faultFields>;
type ActiveFault = z.output<typeof faultFields>;

export type Fetch = (request: Request, env: HttpBindings) => Promise<Response> | Response;

export class Faults {
  readonly #ending = new AbortController();
  #active: ActiveFault[] = [];
  /** The calls, oldest first, such as `GET /payments/imp_1`: without query. */
  readonly calls: string[] = [];

  /** @param fault applies from the next call on, after the faults added before */
  add(fault: Fault): void {
    this.#active.push(faultFields.parse(fault));
  }

  clear(): void {
    this.#active = [];
  }

  forgetCalls(): void {
    this.calls.length = 0;
  }

  /** The number of calls of each path since the last `forgetCalls`. */
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
      const fault = this.#next(request, pathname);
      if (!fault) return serve(request, env);
      const { signal } = this.#ending;
      // Only `close()` aborts the delay. The client then gets no response.
      await wait(fault.delayMs, undefined, { signal }).catch(() => env.outgoing.destroy());
      return signal.aborted ? RESPONSE_ALREADY_SENT : applyFault(fault, () => serve(request, env), env);
    };
  }

  #next({ method, headers }: Request, path: string): ActiveFault | undefined {
    const tier = headers.get('tier') ?? undefined;
    const fault = this.#active.find(
      (one) => path.startsWith(one.path) && (one.method ?? method) === method && (one.tier ?? tier) === tier,
    );
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.#active = this.#active.filter((one) => one !== fault);
    return fault;
  }
}

async function applyFault(
  fault: ActiveFault,
  serve: () => Promise<Response> | Response,
  { outgoing }: HttpBindings,
): Promise<Response> {
  const response =
    fault.performed || fault.answer === 'half' || (!fault.answer && !fault.status) ? await serve() : undefined;
  if (fault.answer === 'reset') {
    outgoing.socket?.resetAndDestroy();
    return RESPONSE_ALREADY_SENT;
  }
  if (fault.answer === 'half' && response) {
    const whole = Buffer.from(await response.arrayBuffer());
    outgoing.writeHead(response.status, { 'content-type': 'application/json', 'content-length': whole.length });
    outgoing.write(whole.subarray(0, Math.floor(whole.length / 2)), () => outgoing.destroy());
    return RESPONSE_ALREADY_SENT;
  }
  const status = fault.status ?? 200;
  if (fault.answer === 'garbage') return new Response('<html>점검 중입니다', { status });
  const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
  if (fault.status)
    return Response.json({ code: -1, message: '일시적인 오류입니다.', response: null }, { status, headers });
  return response ?? serve();
}

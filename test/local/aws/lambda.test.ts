/**
 * Functions as Lambda runs them: one process per instance, one invocation at a time, a failure only for its own caller.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LambdaFunction } from '../../../local/aws/lambda.ts';
import { functionIn, send, startGateway } from './fixture.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lambda-'));
});
afterAll(() => rm(directory, { recursive: true }));

const started: LambdaFunction[] = [];
afterEach(async () => {
  for (const lambda of started.splice(0)) await lambda.close();
});
async function lambda(code: string, options: { timeoutSeconds?: number; environment?: Record<string, string> } = {}) {
  const created = await functionIn(directory, { routes: [], code, ...options });
  started.push(created);
  return created;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Counts its invocations; each takes `wait` milliseconds. */
const counting = `let count = 0;
export const handler = async ({ wait = 0 }) => {
  count += 1;
  await new Promise((resolve) => setTimeout(resolve, wait));
  return { pid: process.pid, count };
};`;

describe('an instance', () => {
  it('is its own process, reused for the next invocation', async () => {
    const counter = await lambda(counting);
    const first = await counter.invoke({});
    expect(first).toEqual({ pid: counter.processIds[0], count: 1 });
    expect(await counter.invoke({})).toEqual({ pid: counter.processIds[0], count: 2 });
    expect(counter.processIds).not.toContain(process.pid);
  });

  it('handles one invocation at a time: a concurrent one starts a second instance', async () => {
    const counter = await lambda(counting);
    const both = await Promise.all([counter.invoke({ wait: 300 }), counter.invoke({ wait: 300 })]);
    expect(both).toMatchObject([{ count: 1 }, { count: 1 }]);
    expect(counter.processIds).toHaveLength(2);
  });

  it('starts beside at most three others, and the remaining invocations wait', async () => {
    const slow = await lambda(`await new Promise((resolve) => setTimeout(resolve, 300));\n${counting}`);
    const all = Promise.all([...Array(12)].map(() => slow.invoke({ wait: 50 })));
    expect(slow.processIds).toHaveLength(4);
    expect(await all).toHaveLength(12);
    expect(slow.processIds.length).toBeLessThan(12);
  });

  it('has the given environment and the variables of Lambda, none of the laptop', async () => {
    const showing = await lambda('export const handler = async () => process.env;', {
      environment: { ORDERS_TABLE: 'o' },
    });
    const environment = (await showing.invoke({})) as Record<string, string>;
    const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, ...rest } = environment;
    expect(rest).toEqual({
      ORDERS_TABLE: 'o',
      AWS_REGION: 'ap-northeast-2',
      AWS_DEFAULT_REGION: 'ap-northeast-2',
      AWS_LAMBDA_FUNCTION_NAME: 'Function',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      _HANDLER: 'index.handler',
      TZ: ':UTC',
    });
    expect(AWS_LAMBDA_RUNTIME_API).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(LAMBDA_TASK_ROOT).toContain(directory);
  });

  it('gets its request id, its function name and its remaining time', async () => {
    const code = `export const handler = async (event, { awsRequestId, functionName, getRemainingTimeInMillis }) =>
      ({ awsRequestId, functionName, left: getRemainingTimeInMillis() });`;
    const context = (await (await lambda(code, { timeoutSeconds: 70 })).invoke({})) as Record<string, unknown>;
    expect(context).toMatchObject({ awsRequestId: expect.stringMatching(/^[\w-]{36}$/), functionName: 'Function' });
    expect(context.left).toBeGreaterThan(3_000);
    expect(context.left).toBeLessThanOrEqual(70_000);
  });

  it('receives and returns text intact when the network splits it within a character', async () => {
    const echoing = await lambda('export const handler = async (event) => event;');
    const long = { text: '결제 완료 '.repeat(100_000) };
    expect(await echoing.invoke(long)).toEqual(long);
  });

  it('returns after a long invocation over the same connection', async () => {
    const counter = await lambda(counting);
    expect(await counter.invoke({ wait: 6_000 })).toMatchObject({ count: 1 });
    expect(await counter.invoke({})).toMatchObject({ count: 2 });
  });
});

describe('a failure', () => {
  it('that is thrown names the function, the error and its place, and the instance stays usable', async () => {
    const failing = await lambda(`let count = 0;
      export const handler = async () => { count += 1; if (count === 1) throw new RangeError('no such order'); return count; };`);
    await expect(failing.invoke({})).rejects.toThrow(/^Function failed: RangeError: no such order\n.*index\.mjs:2/);
    expect(await failing.invoke({})).toBe(2);
  });

  it('in init names the function and the error', async () => {
    const broken = await lambda(`throw new Error('ORDERS_TABLE is missing'); export const handler = 1;`);
    await expect(broken.invoke({})).rejects.toThrow(/^Function failed: Error: ORDERS_TABLE is missing\n.*index\.mjs:1/);
    await expect(broken.invoke({})).rejects.toThrow(/ORDERS_TABLE is missing/);
  });

  it.each([
    ['without the handler', 'export const other = 1;', /index\.handler is not a function/],
    ['that does not parse', 'export const handler = ;', /SyntaxError/],
    [
      'that ends its process',
      'export const handler = async () => process.exit(3);',
      /^Function ended \(3\) before it returned/,
    ],
    [
      'that is killed',
      `export const handler = async () => process.kill(process.pid, 'SIGKILL');`,
      /^Function ended \(SIGKILL\)/,
    ],
    [
      'that returns a value that JSON cannot express',
      'export const handler = async () => 1n;',
      /^Function failed: TypeError/,
    ],
    ['that throws undefined', 'export const handler = async () => { throw undefined; };', /^Function failed: Error/],
  ])('of a module %s rejects the invocation', async (_what, code, expected) => {
    await expect((await lambda(code)).invoke({})).rejects.toThrow(expected);
  });

  it('by timeout ends the instance, and the next invocation starts another at once', async () => {
    const counter = await lambda(counting, { timeoutSeconds: 10 });
    const slow = counter.invoke({ wait: 60_000 }).catch((error: Error) => error.message);
    // Invoked at the moment of the failure: an instance that is about to end must not take an invocation.
    const after = slow.then(() => counter.invoke({}));
    expect(await slow).toBe('Function took longer than 10 s');
    expect(await after).toMatchObject({ count: 1 });
  });

  it('is a 500 without details for the caller, and reported to the console', async () => {
    const code = `export const handler = async () => { throw new Error('secret detail'); };`;
    const gateway = await startGateway({ routes: ['GET /'], code });
    const response = await send(gateway.host, { path: '/' });
    expect([response.status, response.json]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(gateway.faults).toEqual([expect.stringContaining('secret detail')]);
    await gateway.close();
  });
});

it('returns a 503 after the timeout of API Gateway, and the instance finishes its work', async () => {
  const code = `export const handler = async () => { await new Promise((resolve) => setTimeout(resolve, 1_000)); };`;
  const gateway = await startGateway({ routes: ['GET /'], code, timeoutMs: 200 });
  const response = await send(gateway.host, { path: '/' });
  expect([response.status, response.json]).toEqual([503, { message: 'Service Unavailable' }]);
  expect(gateway.lambda.processIds).toHaveLength(1);
  await gateway.close();
});

describe('closing', () => {
  it('a function ends each of its processes, busy or idle', async () => {
    const counter = await lambda(counting);
    const busy = counter.invoke({ wait: 60_000 }).catch((error: Error) => error.message);
    await counter.invoke({});
    const pids = counter.processIds;
    expect(pids.filter(isAlive)).toHaveLength(2);
    await counter.close();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await busy).toBe('Function ended (SIGKILL) before it returned');
    await expect(counter.invoke({})).rejects.toThrow('Function is shut down');
  });
});

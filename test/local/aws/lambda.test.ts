/** Functions as Lambda runs them: a process an instance, one invocation at a time, a fault that stays with its caller. */

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
  const made = await functionIn(directory, { routes: [], code, ...options });
  started.push(made);
  return made;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Counts its invocations; `wait` milliseconds go by in each. */
const counting = `let count = 0;
export const handler = async ({ wait = 0 }) => {
  count += 1;
  await new Promise((resolve) => setTimeout(resolve, wait));
  return { pid: process.pid, count };
};`;

describe('an instance', () => {
  it('is a process of its own, kept for the next invocation', async () => {
    const counter = await lambda(counting);
    const first = await counter.invoke({});
    expect(first).toEqual({ pid: counter.processIds[0], count: 1 });
    expect(await counter.invoke({})).toEqual({ pid: counter.processIds[0], count: 2 });
    expect(counter.processIds).not.toContain(process.pid);
  });

  it('takes one invocation at a time: a second one at once starts a second instance', async () => {
    const counter = await lambda(counting);
    const both = await Promise.all([counter.invoke({ wait: 300 }), counter.invoke({ wait: 300 })]);
    expect(both).toMatchObject([{ count: 1 }, { count: 1 }]);
    expect(counter.processIds).toHaveLength(2);
  });

  it('sees the environment that it is given and what Lambda sets, nothing of the laptop', async () => {
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

  it('is told its request, its function and its time', async () => {
    const code = `export const handler = async (event, { awsRequestId, functionName, getRemainingTimeInMillis }) =>
      ({ awsRequestId, functionName, left: getRemainingTimeInMillis() });`;
    const told = (await (await lambda(code, { timeoutSeconds: 70 })).invoke({})) as Record<string, unknown>;
    expect(told).toMatchObject({ awsRequestId: expect.stringMatching(/^[\w-]{36}$/), functionName: 'Function' });
    expect(told.left).toBeGreaterThan(3_000);
    expect(told.left).toBeLessThanOrEqual(70_000);
  });

  it('gets and answers every letter, wherever the network breaks the text', async () => {
    const echoing = await lambda('export const handler = async (event) => event;');
    const long = { text: '결제 완료 '.repeat(100_000) };
    expect(await echoing.invoke(long)).toEqual(long);
  });

  it('answers after a long wait over the same connection', async () => {
    const counter = await lambda(counting);
    expect(await counter.invoke({ wait: 6_000 })).toMatchObject({ count: 1 });
    expect(await counter.invoke({})).toMatchObject({ count: 2 });
  });
});

describe('a fault', () => {
  it('that is thrown names the function, the error and where, and the instance lives on', async () => {
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
      /^Function ended \(3\) before it answered/,
    ],
    [
      'that is killed',
      `export const handler = async () => process.kill(process.pid, 'SIGKILL');`,
      /^Function ended \(SIGKILL\)/,
    ],
    ['that returns what is no JSON', 'export const handler = async () => 1n;', /^Function failed: TypeError/],
    [
      'that throws nothing in particular',
      'export const handler = async () => { throw undefined; };',
      /^Function failed: Error/,
    ],
  ])('of a module %s is a fault of the function', async (_what, code, expected) => {
    await expect((await lambda(code)).invoke({})).rejects.toThrow(expected);
  });

  it('of taking too long ends the instance, and the next invocation starts another at once', async () => {
    const counter = await lambda(counting, { timeoutSeconds: 10 });
    const slow = counter.invoke({ wait: 60_000 }).catch((error: Error) => error.message);
    // Asked in the very moment of the failure: an instance that is about to end takes nothing more.
    const after = slow.then(() => counter.invoke({}));
    expect(await slow).toBe('Function took longer than 10 s');
    expect(await after).toMatchObject({ count: 1 });
  });

  it('is a 500 for the caller, who learns nothing of it, and words for the console', async () => {
    const code = `export const handler = async () => { throw new Error('secret detail'); };`;
    const gateway = await startGateway({ routes: ['GET /'], code });
    const answer = await send(gateway.host, { path: '/' });
    expect([answer.status, answer.json]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(gateway.faults).toEqual([expect.stringContaining('secret detail')]);
    await gateway.close();
  });
});

it('a caller is not kept waiting for longer than API Gateway would, and the instance finishes its work', async () => {
  const code = `export const handler = async () => { await new Promise((resolve) => setTimeout(resolve, 1_000)); };`;
  const gateway = await startGateway({ routes: ['GET /'], code, patienceMs: 200 });
  const answer = await send(gateway.host, { path: '/' });
  expect([answer.status, answer.json]).toEqual([503, { message: 'Service Unavailable' }]);
  expect(gateway.lambda.processIds).toHaveLength(1);
  await gateway.close();
});

describe('the end', () => {
  it('of a function ends every process of its, busy or idle', async () => {
    const counter = await lambda(counting);
    const busy = counter.invoke({ wait: 60_000 }).catch((error: Error) => error.message);
    await counter.invoke({});
    const pids = counter.processIds;
    expect(pids.filter(isAlive)).toHaveLength(2);
    await counter.close();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await busy).toBe('Function ended (SIGKILL) before it answered');
    await expect(counter.invoke({})).rejects.toThrow('Function is shut down');
  });
});

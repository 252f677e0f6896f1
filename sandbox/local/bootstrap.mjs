/**
 * One instance of a function, in a process of its own: imports the bundle and asks the Runtime API for work, one invocation
 * at a time, as Lambda's own runtime does. Ends when the Runtime API is gone.
 * Source: "Using the Lambda runtime API for custom runtimes", AWS Lambda Developer Guide.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const post = (path, body) =>
  fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body) }).catch(() => process.exit(0));
const described = (error) => ({
  errorType: error?.name ?? 'Error',
  errorMessage: error?.message ?? String(error),
  trace: String(error?.stack ?? '').split('\n'),
});

async function load() {
  const [file, name] = process.env._HANDLER.split('.');
  const module = await import(pathToFileURL(join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`)).href);
  if (typeof module[name] === 'function') return module[name];
  throw new TypeError(`${process.env._HANDLER} is not a function`);
}

let handler;
try {
  handler = await load();
} catch (error) {
  await post('init/error', described(error));
  process.exit(1);
}

for (;;) {
  const next = await fetch(`${api}/invocation/next`).catch(() => process.exit(0));
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'));
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    invokedFunctionArn: next.headers.get('lambda-runtime-invoked-function-arn'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    await post(`invocation/${id}/response`, (await handler(await next.json(), context)) ?? null);
  } catch (error) {
    await post(`invocation/${id}/error`, described(error));
  }
}

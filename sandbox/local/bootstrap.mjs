/**
 * One instance of a function, in a process of its own: imports the bundle and asks the Runtime API for work, one invocation
 * at a time, as Lambda's own runtime does. Ends when the Runtime API is gone.
 * Source: "Using the Lambda runtime API for custom runtimes", AWS Lambda Developer Guide.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Neither `fetch` nor a static import of node:http: both would load undici, which the function may not need, into its cold start.
const { request } = process.getBuiltinModule('node:http');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');

/** Of the invocation under way. */
let requestId;

/** With JSON as log format Lambda makes one line of whatever goes to the console, and an object stays one. */
if (process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON') {
  const { format } = process.getBuiltinModule('node:util');
  const levels = { debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR' };
  for (const [method, level] of Object.entries(levels)) {
    const stream = level === 'WARN' || level === 'ERROR' ? process.stderr : process.stdout;
    console[method] = (...said) => {
      const message = said.length === 1 && typeof said[0] === 'object' ? said[0] : format(...said);
      stream.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message })}\n`);
    };
  }
}

const leave = () => process.exit(0);

function call(method, path, body = '') {
  return new Promise((resolve) => {
    const sent = request({ host, port, method, path: `/2018-06-01/runtime/${path}` }, (response) => {
      const { headers } = response.setEncoding('utf8');
      response.toArray().then((parts) => resolve({ headers, text: parts.join('') }), leave);
    });
    sent.on('error', leave).end(body);
  });
}
const post = (path, body) => call('POST', path, JSON.stringify(body));
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
  const { headers, text } = await call('GET', 'invocation/next');
  const id = headers['lambda-runtime-aws-request-id'];
  requestId = id;
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    await post(`invocation/${id}/response`, (await handler(JSON.parse(text), context)) ?? null);
  } catch (error) {
    await post(`invocation/${id}/error`, described(error));
  }
}

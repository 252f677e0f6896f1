/**
 * One instance of a function, in its own process: imports the bundle and polls the Runtime API, one invocation at a
 * time, as Lambda's own runtime does. Exits when the connection to the Runtime API closes.
 * Source: "Using the Lambda runtime API for custom runtimes", AWS Lambda Developer Guide.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Lambda's runtime calls this API in C++. A bare socket comes nearest to its cost: an HTTP client would add to the
// first event as much work as a small function has itself. node:http is loaded all the same, as the runtime loads it.
const { connect } = process.getBuiltinModule('node:net');
process.getBuiltinModule('node:http');

const api = process.env.AWS_LAMBDA_RUNTIME_API;

/** The id of the current invocation. */
let requestId;

/** With JSON as log format Lambda writes one line per console call, and keeps a logged object as JSON. */
if (process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON') {
  const { format } = process.getBuiltinModule('node:util');
  const levels = { debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR' };
  for (const [method, level] of Object.entries(levels)) {
    const stream = level === 'WARN' || level === 'ERROR' ? process.stderr : process.stdout;
    console[method] = (...args) => {
      const message = args.length === 1 && typeof args[0] === 'object' ? args[0] : format(...args);
      stream.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message })}\n`);
    };
  }
}

const exit = () => process.exit(0);

const [host, port] = api.split(':');
const socket = connect(Number(port), host).on('error', exit).on('close', exit);
/** Resolves the current call with its response. */
let onResponse = exit;
let received = Buffer.alloc(0);
/** The parts received after `received`, and the number of bytes that the current response still lacks. */
const rest = [];
let missing = 0;

socket.on('data', (part) => {
  // An event may arrive in hundreds of parts: they are joined once.
  rest.push(part);
  missing -= part.length;
  if (missing > 0) return;
  received = Buffer.concat([received, ...rest.splice(0)]);
  missing = 0;
  const headEnds = received.indexOf('\r\n\r\n');
  if (headEnds < 0) return;
  const [, ...lines] = received.toString('latin1', 0, headEnds).split('\r\n');
  const fields = lines.map((line) => line.split(': ')).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = Object.fromEntries(fields);
  // Every response of our Runtime API has a content-length. Without it the end of a response is unknown.
  if (!headers['content-length']) throw new Error('The Runtime API answered without content-length');
  const [from, to] = [headEnds + 4, headEnds + 4 + Number(headers['content-length'])];
  missing = to - received.length;
  if (missing > 0) return;
  const text = received.toString('utf8', from, to);
  received = received.subarray(to);
  onResponse({ headers, text });
});

function call(method, path, body = '') {
  const head = `${method} /2018-06-01/runtime/${path} HTTP/1.1\r\nhost: ${api}\r\ncontent-length: ${Buffer.byteLength(body)}`;
  return new Promise((resolve) => {
    onResponse = resolve;
    socket.write(`${head}\r\n\r\n${body}`);
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

/** A gateway for one test: a small template, one function with code from the test, a free port. Without a shop. */

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gateway } from '../../../local/aws/gateway.ts';
import { LambdaFunction } from '../../../local/aws/lambda.ts';
import { CloudAssembly, type Resource } from '../../../local/aws/template.ts';

/** Returns its event. */
export const echo = 'export const handler = async (event) => event;';
/** Returns the JSON in the request's body, so that a test can choose the return value. */
export const returnBody =
  "export const handler = async ({ body, isBase64Encoded }) => JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));";

export interface GatewayOptions {
  /** Keys of routes, such as `GET /echo/{name}`; a `signed` in front makes the route AWS_IAM. */
  readonly routes: readonly string[];
  /** The function's module. */
  readonly code: string;
  /** Long enough on a busy machine; tests of the limit itself set their own. */
  readonly timeoutSeconds?: number;
  /** How long the gateway waits for the function. Default: as long as API Gateway. */
  readonly timeoutMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly api?: object;
  readonly stage?: object;
}

export async function startGateway(options: GatewayOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const assembly = new CloudAssembly(directory, { Resources: resourcesOf(options) });
  const lambda = await functionIn(directory, options);
  const faults: string[] = [];
  const gateway = new Gateway(
    assembly,
    new Map([['Function', lambda]]),
    (fault) => faults.push(fault),
    options.timeoutMs,
  );
  const server = createServer((incoming, response) => void gateway.serve(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    port,
    url: `http://127.0.0.1:${port}`,
    lambda,
    faults,
    async close() {
      await lambda.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
}

/** One function, with its code in a file under `directory`. */
export async function functionIn(directory: string, { code, timeoutSeconds = 60, environment = {} }: GatewayOptions) {
  const codeDirectory = join(directory, `asset.${randomUUID()}`);
  await mkdir(codeDirectory);
  await writeFile(join(codeDirectory, 'index.mjs'), code);
  const definition = { name: 'Function', codeDirectory, handler: 'index.handler', timeoutSeconds, memoryMb: 256 };
  return new LambdaFunction({ ...definition, environment, log: () => undefined });
}

function resourcesOf({ routes, api = {}, stage = {} }: GatewayOptions): Record<string, Resource> {
  const of = (Type: string, Properties: Record<string, unknown>): Resource => ({ Type, Properties });
  const route = (text: string) =>
    of('AWS::ApiGatewayV2::Route', {
      RouteKey: text.replace('signed ', ''),
      AuthorizationType: text.startsWith('signed ') ? 'AWS_IAM' : 'NONE',
      Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'Integration' }]] },
    });
  return {
    Api: of('AWS::ApiGatewayV2::Api', { ProtocolType: 'HTTP', ...api }),
    Stage: of('AWS::ApiGatewayV2::Stage', { StageName: '$default', ...stage }),
    Function: of('AWS::Lambda::Function', {}),
    Integration: of('AWS::ApiGatewayV2::Integration', {
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: { 'Fn::GetAtt': ['Function', 'Arn'] },
      PayloadFormatVersion: '2.0',
    }),
    ...Object.fromEntries(routes.map((text, index) => [`Route${index}`, route(text)])),
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** Names and values alternating, so that a name can be repeated. */
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The parsed body of a response with a JSON content type. */
  readonly json: unknown;
}

/** Sends paths and repeated headers unchanged, which `fetch` would normalize. */
export function send(
  host: string,
  { method = 'GET', path, headers = [], body = '' }: RawRequest,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const [hostname, port] = host.split(':');
    const length = ['content-length', String(Buffer.byteLength(body))];
    const all = ['host', host, ...headers, ...(body.length > 0 ? length : [])];
    const sent = request({ hostname, port, method, path, headers: all, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const content = Buffer.concat(chunks);
        const { statusCode = 0, headers: named } = response;
        resolve({ status: statusCode, headers: named, body: content, json: jsonIn(content, named['content-type']) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function jsonIn(content: Buffer, type = ''): unknown {
  try {
    return /json/.test(type) ? JSON.parse(content.toString()) : undefined;
  } catch {
    return undefined;
  }
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDynamodbClient } from '../../functions/runtime/instance.ts';

/** A server in place of DynamoDB, which returns an empty response. @returns the header names of each request */
async function recordedHeaders(): Promise<string[][]> {
  const received: string[][] = [];
  const server = createServer((request, response) => {
    received.push(Object.keys(request.headers));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const environment = {
    AWS_REGION: 'ap-northeast-2',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_LAMBDA_FUNCTION_NAME: 'complete',
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return received;
}

test('sends neither a user agent nor a trace header to DynamoDB, and logs nothing', async () => {
  const received = await recordedHeaders();
  const client = createDynamodbClient();
  onTestFinished(() => client.destroy());
  await client.send(new GetItemCommand({ TableName: 'orders', Key: { id: { S: '1' } } }));
  expect(received).toHaveLength(1);
  expect(received[0]).toContain('authorization');
  expect(received[0]?.filter((name) => /user-agent|trace/.test(name))).toEqual([]);
  expect(client.middlewareStack.identify().filter((step) => step.startsWith('logger'))).toEqual([]);
});

test('builds the steps of a command once, and sends each call with its own input', async () => {
  const received = await recordedHeaders();
  const client = createDynamodbClient();
  onTestFinished(() => client.destroy());
  const bodies: unknown[] = [];
  let built = 0;
  client.middlewareStack.add(
    (next) => {
      built += 1;
      return async (args) => {
        bodies.push(args.input);
        return next(args);
      };
    },
    { step: 'initialize' },
  );
  const inputs = ['1', '2'].map((id) => ({ TableName: 'orders', Key: { id: { S: id } } }));
  await Promise.all(inputs.map((input) => client.send(new GetItemCommand(input))));
  expect([built, bodies, received.length]).toEqual([1, inputs, 2]);
});

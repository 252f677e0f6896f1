/** Secrets Manager, as far as a function calls it: `GetSecretValue` of the template's only secret. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Secrets {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** @param values the text of each secret, by its ARN */
export async function startSecrets(values: ReadonlyMap<string, string>): Promise<Secrets> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { SecretId } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const SecretString = values.get(SecretId);
    const isKnown = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' && SecretString !== undefined;
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(isKnown ? { ARN: SecretId, SecretString } : { __type: 'ResourceNotFoundException' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${port}`, close };
}
